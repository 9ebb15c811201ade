# Thin names for plain commands; the README shows the same commands for machines without make.

# The newest Python that is installed, of those that the lock file resolves on.
PYTHONS := 3.13 3.12 3.11
PYTHON ?= $(firstword $(foreach version,$(PYTHONS),$(shell python$(version) -c 'import ensurepip, sys; print(sys.executable)' 2>/dev/null)))
VENV := .venv
BIN := $(abspath $(VENV))/bin
export PATH := $(BIN):$(PATH)

.PHONY: env demo adapt test test-fast test-all reference campaign test-latest check lock docs verify lineage audit licences image

env: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo 'error: no Python found; expected: one of $(PYTHONS) (or make PYTHON=path)'; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: env
	snakemake --workflow-profile profiles/demo $(if $(V),,--logger progress)
	snakemake --workflow-profile profiles/demo --report results/demo/workflow.zip
	python -m zipfile --extract results/demo/workflow.zip results/demo
	@echo
	@sed -n '5,/^$$/p' figures/demo/claims.md
	@echo "Report: results/demo/workflow/report.html    Map: figures/demo/maps/python_docs.html"
	@echo "Claims with intervals: figures/demo/claims.html    Figures: figures/demo/*.png, *.pdf    Tables: results/demo/tables/*.md"
	@echo "Next, your own texts: make adapt TEXTS=file.csv"

# A variable of `make adapt` as an option, if it was given with the command; the environment may mean something else by it.
option = $(if $(filter command,$(firstword $(origin $(1)))),--$(2) "$$$(1)")

adapt: env
	@test "$(firstword $(origin TEXTS))" = command || \
		{ echo 'error: which texts? make adapt TEXTS=file.csv (or .tsv, .jsonl, .json, .parquet, .xlsx, a folder of .txt or .md files, or hf://owner/name)'; exit 2; }
	@selfembed propose "$$TEXTS" $(call option,TEXT,text) $(call option,LABEL,label) $(call option,TITLE,title) \
		$(call option,GROUP,group) $(call option,ENCODING,encoding) $(call option,SUBSET,subset) $(call option,SPLIT,split) \
		$(call option,ENCODER,encoder) $(call option,NAME,name) \
		$(call option,FOR,for) $(call option,MOST,most-texts) $(if $(SURE),--sure) $(if $(V),--verbose) --run

check: env
	ruff check .
	ruff format --check .
	ty check
	snakefmt --check Snakefile rules workflow
	snakemake --lint --configfile config/demo.yaml

# Processes of tests share compiled modules, also where an image switches this off.
test test-fast test-all: export PYTHONDONTWRITEBYTECODE :=

PYTEST := pytest -n 3 --dist loadfile --no-loadscope-reorder

test: check
	$(PYTEST) --durations 12 -m "not reference and not campaign and not slurm and not browser and not kill and not long"
	@echo "Not run: tests on a SLURM, in a browser, of killed processes, and long ones; make test-all runs them."

test-fast: env
	$(PYTEST) -m "not reference and not campaign and not slow and not long" tests/unit
	@echo "Not run: slow unit tests, and everything that runs the workflow; make test runs them."

test-all: check
	$(PYTEST) --durations 12

reference: env
	pytest -m reference

campaign: env
	pytest -m campaign tests/reliability

verify: env
	selfembed verify

lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --upgrade pip pip-tools uv
	$(VENV)-lock/bin/pip-compile --quiet --strip-extras --all-extras --build-deps-for editable --allow-unsafe --no-header --no-emit-find-links \
		--no-emit-index-url --output-file requirements.lock pyproject.toml
	sed -i 's/+cpu//' requirements.lock
	$(VENV)-lock/bin/uv pip compile --quiet --generate-hashes --no-deps --no-header --no-annotate --python-version 3.11 \
		--no-emit-package torch --output-file requirements.hashes requirements.lock
	for version in $(PYTHONS); do \
		$(VENV)-lock/bin/uv pip compile --quiet --no-annotate --no-header --python-version $$version requirements.lock \
			--output-file $(VENV)-lock/$$version.txt && cmp $(VENV)-lock/$$version.txt $(VENV)-lock/$(firstword $(PYTHONS)).txt || exit; \
	done

test-latest:
	$(PYTHON) -m venv --clear $(VENV)-latest
	$(PYTHON) -c "import re, tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
		names = project['dependencies'] + project['optional-dependencies']['dev']; \
		print(*(re.split('[=<>]', name)[0] for name in names), sep='\n')" > $(VENV)-latest/requirements.txt
	$(VENV)-latest/bin/python -m pip install --quiet --requirement $(VENV)-latest/requirements.txt
	$(VENV)-latest/bin/python -m pip install --quiet --no-deps --editable .
	PATH=$(CURDIR)/$(VENV)-latest/bin:$$PATH pytest

audit:
	$(PYTHON) -m venv $(VENV)-audit
	$(VENV)-audit/bin/python -m pip install --quiet --upgrade pip-audit
	$(VENV)-audit/bin/pip-audit --strict --disable-pip --requirement requirements.hashes

# The image of `--sdm apptainer`.
ENGINE ?= $(firstword $(shell command -v podman docker))

image:
	$(ENGINE) build --tag selfembed --file Containerfile .
	$(ENGINE) save --output selfembed.tar selfembed
	apptainer build selfembed.sif docker-archive:selfembed.tar
	rm selfembed.tar

lineage: env
	selfembed lineage $(OF)

licences: env
	python bench/licences.py

docs: env
	python -m selfembed.study.documentation
	python bench/workflow_picture.py
