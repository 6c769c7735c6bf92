# Sagelet: `make` alone prints this help.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXECUTOR := $(if $(DOCKER),docker,auto)
BASE_IMAGE ?= python:3.11-slim

.DEFAULT_GOAL := help
.PHONY: help install demo test check format images bench docs site clean

help: ## print this help
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(BIN)/.installed ## make .venv with everything in it

$(BIN)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v < (3, 14) else f"Sagelet runs on Python 3.10 to 3.13, this is {v[0]}.{v[1]}: make PYTHON=python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt install python3-venv"; exit 1; }
	@echo "Installing Sagelet into $(VENV) (a few minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: install ## train, deploy, invoke and batch-transform a real model (DOCKER=1: in containers)
	@$(BIN)/sagelet demo --executor $(EXECUTOR)

test: install ## run all tests (WORKERS=2: in two processes)
	@$(BIN)/python -m pytest $(if $(WORKERS),-n $(WORKERS) --dist loadfile)

check: install ## what CI runs besides the tests: layers, types, style, generated documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## put every file into the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

images: install ## build the container images (BASE_IMAGE=... for another base)
	@BASE_IMAGE=$(BASE_IMAGE) containers/build.sh

bench: install ## measure against moto_server, a bare script and the libraries called directly
	@$(BIN)/python -m benchmarks

docs: install ## write the generated documents anew
	@$(BIN)/python -m tests.house.generate && $(BIN)/python -m tests.house.coverage_ledger

site: install ## build the documentation as a site in site/; look at it: python3 -m http.server -d site
	@$(BIN)/python -m mkdocs build --strict

clean: ## remove what was built
	rm -rf $(VENV) build dist site .pytest_cache .mypy_cache .ruff_cache
