# Everything runs in .venv, which is made here. PYTHON names another Python than the first 3.11 or later found.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
READY := .venv/.ready
.DEFAULT_GOAL := help
.PHONY: help setup demo up test lint chaos bench bench-odoo pictures carrier requirements

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1	/' | expand -t 16

setup: $(READY) ## make .venv; done again only when what is needed changes

$(READY): setup.cfg pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Milepost needs Python 3.11 or later and found none: install it, or run make PYTHON=/path/to/python3.11." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Milepost needs Python 3.11 or later, and $(PYTHON) is older: name a newer one with make PYTHON=/path/to/python3.11." >&2; exit 1; }
	@echo "making .venv and installing what is needed; the first time this takes a minute or two"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "$(PYTHON) cannot make a virtual environment: install its venv package (Debian: python3-venv)." >&2; rm -rf .venv; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' >.venv/setup.log 2>&1 || { \
		tail -n 5 .venv/setup.log >&2; \
		echo "The packages could not be installed: is the package index reachable, and is there room on the disk? All of pip's words are in .venv/setup.log." >&2; exit 1; }
	@touch $@

demo: $(READY) ## the main job, on embedded servers, with sample webhooks; ONCE=1 ends after the table
	@$(BIN)/python -m demo $(if $(ONCE),--once)

up: $(READY) ## everything on this machine until Ctrl-C
	@$(BIN)/milepost up

test: $(READY) ## all tests; ARGS="-k words" picks some
	@$(BIN)/python -m pytest $(ARGS)

lint: $(READY) ## style, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy -m carriers.17track
	$(BIN)/lint-imports

chaos: $(READY) ## nothing is lost while everything breaks, in nine minutes; SHORT=1 for two, SEED=n repeats
	@$(BIN)/python -m tests.chaos $(if $(SHORT),--short,--report docs) $(if $(SEED),--seed $(SEED))

bench: $(READY) ## every figure of the bar, beside the textbook design; SHORT=1 for four minutes
	@$(BIN)/python -m tests.bench

bench-odoo: $(READY) ## the figures that need a real Odoo: the one of ODOO_URL, a test database
	@$(BIN)/python -m tests.bench --odoo

pictures: $(READY) ## the pictures in docs/odoo.md, of the real Odoo of ODOO_URL, a test database; needs Chromium
	@$(BIN)/python -m pytest tests/workers/odoo/seen --pictures docs/pictures

carrier: $(READY) ## a new carrier folder from the template, NAME=acme; the contract fails until it is filled
	@$(BIN)/python -m tests.new_carrier $(NAME)

requirements: $(READY) ## each requirement with the tests that prove it
	@$(BIN)/python -m tests.requirement_report
