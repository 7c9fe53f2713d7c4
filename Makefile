# `make` sets up and runs the main job; `make test` sets up and passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# `make ARGS=--full` trains to the end; the quick profile prints what it cuts.
ARGS ?= --quick
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)

.PHONY: all setup test lint docs clean
all: $(VENV)/.installed
	$(BIN)/graphlab reproduce embedded $(ARGS) --jobs $(JOBS) --report report

setup: $(VENV)/.installed

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .

docs: $(VENV)/.installed-docs
	$(BIN)/python -m sphinx -q -W -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

# The pinned versions are those in which the measured numbers were taken; torch
# first, since an unpinned one may resolve to a build of several gigabytes.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c benchmarks/constraints.txt

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "graphlab needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

KERNELS := graphlab/ops/kernels
$(VENV)/.installed: $(VENV)/bin/python pyproject.toml benchmarks/constraints.txt \
		$(KERNELS)/graphlab_ops.cpp $(KERNELS)/build.py
	@echo "Installing graphlab and its dependencies into $(VENV) (about 1.5 GB, with the tests 2.5) ..."
	$(INSTALL) torch
	$(INSTALL) -e .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(INSTALL) -e '.[test]'
	touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(INSTALL) -e '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build dist docs/_build report $(KERNELS)/*.native
