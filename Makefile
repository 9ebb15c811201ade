# Thin names for plain commands; the README shows the same commands for machines without make.

PYTHON ?= python3.11
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)

.PHONY: env demo test reference check lock docs verify lineage audit

env: $(VENV)/.installed

$(VENV)/.installed: requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	touch $@

demo: env
	snakemake --workflow-profile profiles/demo $$(test -t 2 && echo --logger rich)
	snakemake --workflow-profile profiles/demo --report results/demo/report.html
	@echo
	@cat results/demo/tables/augmentations_summary.md
	@echo
	@echo "Figures: figures/demo/*.png, *.pdf    Report: results/demo/report.html    Tables: results/demo/tables/"

check: env
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint --configfile config/demo.yaml

test: check
	pytest -n 2 --dist loadgroup

reference: env
	pytest -m reference

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --upgrade pip pip-tools
	$(VENV)-lock/bin/pip-compile --quiet --strip-extras --all-extras --no-header --no-emit-find-links \
		--no-emit-index-url --output-file requirements.lock pyproject.toml
	sed -i 's/+cpu//' requirements.lock

docs: env
	PYTHONPATH=scripts python -m selfembed.settings.documentation

verify: env
	PYTHONPATH=scripts python -m selfembed.verification

lineage: env
	@PYTHONPATH=scripts python -m selfembed.lineage --deep "$(OF)"

audit: env
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --upgrade pip pip-audit
	$(VENV)-audit/bin/pip-audit --requirement requirements.lock --no-deps --disable-pip
