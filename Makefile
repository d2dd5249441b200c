# Two commands do all on a fresh machine: `make run` and `make test`.
PYTHON ?= python3
BIN = .venv/bin

LATEX = latexmk texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended lmodern

.PHONY: run test lint results paper latex clean

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
	$(BIN)/python -m results report

paper: latex .venv/installed
	$(BIN)/python -m results make
	$(BIN)/python -m paper.numbers
	cd paper && SOURCE_DATE_EPOCH=0 FORCE_SOURCE_DATE=1 latexmk -g -silent main.tex
	cp paper/build/main.pdf paper/main.pdf

latex:
	@for tool in latexmk pdflatex bibtex; do command -v $$tool > /dev/null || { \
		echo "error: $$tool is missing; make paper needs LaTeX (on Debian: apt-get install $(LATEX))" >&2; exit 1; }; done

.venv/installed: requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "Python 3.10 or newer is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --progress-bar off -r requirements.txt
	touch $@

clean:
	rm -rf .venv runs
