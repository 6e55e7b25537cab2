PYTHON ?= python3
BIN := .venv/bin
QUIET := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=

.PHONY: demo test slow lint setup dist docs

setup: .venv/done

.venv/done: pyproject.toml constraints.txt tools/install.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python tools/install.py
	@touch .venv/done

demo: setup
	@$(BIN)/tutelage demo

test: setup lint
	$(QUIET) $(BIN)/python -m pytest -m "not slow" -n 2
	@$(BIN)/python tools/site.py

slow: setup
	$(QUIET) $(BIN)/python -m pytest -m slow

docs: setup
	@$(BIN)/python tools/site.py

lint: setup
	$(BIN)/ruff check src tests benchmarks tools
	$(BIN)/ruff format --check src tests benchmarks tools
	$(BIN)/mypy

dist: setup
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
