# Thin names for plain commands; the README shows the same commands for machines without make.

PYTHON ?= python3.11
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)

.PHONY: env demo adapt test reference check lock docs verify lineage audit

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

# A variable of `make adapt` as an option, if it was given with the command; the environment may mean something else by it.
option = $(if $(filter command,$(firstword $(origin $(1)))),--$(2) "$$$(1)")

adapt: env
	@test "$(firstword $(origin TEXTS))" = command || \
		{ echo 'error: which texts? make adapt TEXTS=file.csv (or .tsv, .jsonl, .parquet, or a folder of .txt files)'; exit 2; }
	@config=$$(python scripts/propose_config.py "$$TEXTS" $(call option,TEXT,text) $(call option,LABEL,label) \
		$(call option,TITLE,title) $(call option,ENCODING,encoding) $(call option,ENCODER,encoder) \
		$(call option,NAME,name) $(call option,MOST,most-texts) $(if $(QUICK),--quick)) && \
	snakemake adapt --workflow-profile profiles/adapt --configfile "$$config" $$(test -t 2 && echo --logger rich) && \
	name=$${config#my_} && name=$${name%.yaml} && echo && \
	python -c "$$VERDICTS" figures/$$name/*differences.csv && echo && \
	echo "Map: figures/$$name/maps/texts.html    Model: $$(ls -d results/$$name/models/tuned/texts/*/crops/seed-*/final | head -1)" && \
	echo "Figures: figures/$$name/*.png, *.pdf    Config, to change and run again: $$config"

# The sentences that say whether a model is better, of the scores that matter most.
define VERDICTS
import csv, sys
for path in sys.argv[1:]:
    for row in csv.DictReader(open(path, encoding="utf-8")):
        if row["score"] in ("crop_pairs_recall@1", "knn"):
            print("-", row["sentence"])
endef
export VERDICTS

check: env
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint --configfile config/demo.yaml

test: check
	pytest

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
