# Two commands do all on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: run test lint results clean

run: .venv/installed
	$(BIN)/python -m step1_sentiment table --preset quick --variants meaning dm li --seeds 0 1

test: .venv/installed lint
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest -n auto --dist loadgroup

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

results: .venv/installed
	$(BIN)/python -m results make
	$(BIN)/python -m results.readme

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --progress-bar off -r requirements.txt
	touch $@

clean:
	rm -rf .venv runs
