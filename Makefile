# The course's commands; `make` alone lists them. Needs Python 3.11 or newer; all else goes into .venv.
SHELL := bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.stamp
SITE := $(VENV)/site
SEEDS ?= 3
CPU_BUILD := https://download.pytorch.org/whl/cpu

.DEFAULT_GOAL := help
.PHONY: help env run test lab site full seeds lock format clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile
	@echo "  Options: ARGS='--only 02 -p epochs 2' (run)  SEEDS=3 (seeds)  TORCH=cpu (env)  PYTHON=python3.12 (env)"

env: $(STAMP) ## make the environment, .venv
	@echo "environment: ready"

run: $(STAMP) ## run every lesson at quick scale; copies to read in build/run
	@$(PY) -m course_utils run $(ARGS)

test: export OMP_NUM_THREADS = 1
test: $(STAMP) ## check style, spelling, code, lessons and their stored outputs
	@failed=""; \
	part() { name="$$1"; shift; echo "--- $$name"; "$$@" || failed="$$failed, $$name"; }; \
	part "style" $(VENV)/bin/ruff check --quiet .; \
	part "format" $(VENV)/bin/ruff format --check --quiet .; \
	part "spelling" $(PY) -m codespell_lib; \
	part "tests" $(PY) -m pytest -q -n 2 --dist loadfile; \
	part "copies for the outputs" $(PY) -m course_utils.course.outputs; \
	part "outputs" $(PY) -m pytest -q -rN -p tests.conftest --nbval --nbval-current-env \
	  --nbval-sanitize-with tests/nbval.cfg -n 2 --dist loadfile build/outputs; \
	if [ -n "$$failed" ]; then echo "make test: FAILED in $${failed#, }"; exit 1; fi; \
	echo "make test: all passed"

lab: $(STAMP) ## open JupyterLab on your own copies, in work/
	@$(PY) -m course_utils.course.lab $(ARGS)

site: $(SITE)/.stamp ## build the readers' site from the stored outputs, in build/site
	@rm -rf build/site build/doctrees
	@$(SITE)/bin/python -m sphinx -q -W --keep-going -d build/doctrees -c docs . build/site
	@echo "site: build/site/index.html"

full: $(STAMP) ## run every lesson as stored and store its outputs (tens of minutes)
	@$(PY) -m course_utils run --full --in-place $(ARGS)

seeds: $(STAMP) ## record every claim over SEEDS seeds in results/ (up to hours)
	@$(PY) -m course_utils run --full --seeds $(SEEDS) $(ARGS)

lock: $(STAMP) ## write both requirements.lock anew, with the newest versions
	@$(PY) -m pip install --quiet uv
	@mkdir -p build; for folder in . docs; do \
	  grep -v '^-e' $$folder/requirements.txt > build/lock.in; \
	  $(VENV)/bin/uv pip compile build/lock.in --quiet --upgrade --universal --python-version 3.11 \
	    --strip-extras --no-annotate --no-header --no-emit-index-url --no-emit-find-links -o build/lock.out && \
	  { grep '^#' $$folder/requirements.lock; cat build/lock.out; } > build/requirements.lock && \
	  mv build/requirements.lock $$folder/requirements.lock || exit 1; done

format: $(STAMP) ## bring code and notebooks into the course's style
	@$(VENV)/bin/ruff check --fix . ; $(VENV)/bin/ruff format .

clean: ## remove what runs and tests left; .venv, data and work stay
	@rm -rf build .pytest_cache .ruff_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# An environment made for another folder (a moved or copied checkout) is made again.
ifneq "$(shell cat $(STAMP) 2>/dev/null)" "$(CURDIR)"
.PHONY: $(STAMP)
endif

$(STAMP): requirements.txt requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
	  { echo "make: there is no $(PYTHON): install Python 3.11 or newer, or name one: make env PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make: $$($(PYTHON) --version) is too old: install Python 3.11 or newer, or name one: make env PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "make: this Python cannot make environments: install its venv module (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	@rm -f $(STAMP); $(PYTHON) -m venv $(VENV)
	@echo "environment: installing into $(VENV), several minutes the first time; log in $(VENV)/install.log"
	@extra=""; if [ "$(TORCH)" = cpu ]; then \
	  if $(PY) -c 'import urllib.request as r; r.urlopen("$(CPU_BUILD)/torch/", timeout=10)' 2>/dev/null; \
	  then extra="--extra-index-url $(CPU_BUILD)"; \
	  else echo "environment: the small build of torch cannot be reached, taking the usual one"; fi; fi; \
	set -o pipefail; \
	$(PY) -m pip install --disable-pip-version-check --progress-bar off $$extra \
	  -r requirements.txt -c requirements.lock 2>&1 | tee $(VENV)/install.log | \
	awk '/(Downloading|Using cached) .*\([0-9][0-9][0-9.]* MB\)/ {sub(/-[0-9].*/, "", $$2); print "environment:", $$2, $$3, $$4; fflush()} \
	     /^Installing collected/ {print "environment: unpacking"; fflush()}' || \
	{ grep -m 3 ERROR $(VENV)/install.log; echo "make: the environment could not be made: see $(VENV)/install.log"; exit 1; }
	@printf '%s' "$(CURDIR)" > $(STAMP)

$(SITE)/.stamp: docs/requirements.txt docs/requirements.lock
	@echo "site: installing into $(SITE), about a minute"
	@rm -rf $(SITE); $(PYTHON) -m venv $(SITE)
	@$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check \
	  -r docs/requirements.txt -c docs/requirements.lock 2> $(SITE)/install.log || \
	{ grep -m 3 ERROR $(SITE)/install.log; echo "make: the site's tools could not be installed: see $(SITE)/install.log"; exit 1; }
	@touch $@
