PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_FLAGS ?=
PIP := $(BIN)/python -m pip install --quiet $(PIP_FLAGS) --constraint constraints-cpu.txt --editable
SOURCES := pyproject.toml constraints-cpu.txt

.PHONY: run test lint docs clean

run: $(VENV)/.ready-to-run  ## Set up, then self-play with the embedded model, ending with a before/after table.
	$(BIN)/azr-engine run --domains python,math --steps 20 --compare 50

test: $(VENV)/.ready-to-test  ## Set up, then run the linters and every test.
	$(MAKE) lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

lint: $(VENV)/.ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.ready-to-test  ## Build the documentation site into site/; a broken link is an error.
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-to-run: $(SOURCES) | $(BIN)/python
	$(PIP) .
	touch $@

$(VENV)/.ready-to-test: $(SOURCES) | $(BIN)/python
	$(PIP) '.[test,docker,reasoning-gym,humaneval,lean,peft,gguf,plot,watch,tensorboard,wandb,browser,docs]'
	touch $@ $(VENV)/.ready-to-run

clean:
	rm -rf $(VENV) build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
