PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP_FLAGS ?=

.PHONY: run test lint clean

run: $(READY)  ## Set up, then self-play with the embedded model, ending with a before/after table.
	$(BIN)/azr-engine run --domains python,math --steps 20 --compare 50

test: $(READY)  ## Set up, then run the linters and every test.
	$(MAKE) lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(READY): pyproject.toml constraints-cpu.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(PIP_FLAGS) --constraint constraints-cpu.txt --editable '.[test,docker,reasoning-gym]'
	touch $(READY)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
