# make quickstart   install, fetch the embedded model, run suite quick, show the report's path
# make test         install what the tests need, run them
# make lint         ruff, mypy, import-linter
# make simulate     all statistical simulations (long)
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# two processes share the files; threads that wait let the other process work
TWO = -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: quickstart test lint format simulate clean

quickstart: $(VENV)/.installed
	$(BIN)/bias-harness run

test: $(VENV)/.dev
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -m "not simulation" $(TWO)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

simulate: $(VENV)/.dev
	$(BIN)/python -m pytest tests/statistics

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e .
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(PIP) -e '.[dev]'
	touch $@
