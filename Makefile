# The commands of this project. `make setup` brings everything the others need and takes about a second when done.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SOURCES := curtainup components stacks acceptance

# Python that is not kept compiled costs seconds in every run.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench

help: ## Show the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(INSTALLED) ## Python packages, the Pulumi engine, Docker and the base images
	@$(BIN)/python -m compileall -q $(SOURCES)
	@$(BIN)/curtainup doctor --fix

demo: setup ## Take examples/hello from source to live
	@$(BIN)/curtainup deploy examples/hello --dirty

lint: $(INSTALLED) ## Lint, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(SOURCES) engine tests benchmarks

test: setup lint ## Everything that CI checks
	$(BIN)/pytest

bench: setup ## Measure, side by side with a plain script and with Pulumi's usual calls
	$(BIN)/python -m benchmarks

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || apt-get install --yes python3-venv
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@
