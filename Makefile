# `make run` and `make test` need nothing before them on Debian 12; the rest is for those who work on the code.

.DEFAULT_GOAL := help
.PHONY: help run test lint bench torture messages lock manage shell reset
.NOTPARALLEL:

PYTHON := .venv/bin/python
ARGS ?=
ATTEMPTS ?= 1000000
# Tests wait for servers and browsers half of the time: one worker more than there are cores.
WORKERS ?= $(shell n=$$(nproc); echo $$((n < 3 ? n + 1 : 4)))

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.* ## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: ## Start the whole site with a demo city (CITY=helsinki or tehran) at http://127.0.0.1:8000
	@scripts/bootstrap.sh run
	@$(PYTHON) -m scripts.run

test: ## Run the tests, with their own PostgreSQL and Redis (ARGS="-k words" chooses)
	@scripts/bootstrap.sh test
	@$(PYTHON) -m scripts.with_services test $(PYTHON) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: ## Check style, types, layers, templates and migrations
	@scripts/bootstrap.sh dev
	@$(PYTHON) -m scripts.lint

bench: ## Measure (ARGS chooses what)
	@scripts/bootstrap.sh bench
	@$(PYTHON) -m scripts.with_services bench $(PYTHON) -m tests.benchmarks $(ARGS)

torture: ## Run the long tests: a million attempts (ATTEMPTS=50000: fewer), crashes, restarts
	@scripts/bootstrap.sh test
	@ATTEMPTS=$(ATTEMPTS) $(PYTHON) -m scripts.with_services bench $(PYTHON) -m pytest -m torture $(ARGS)

messages: ## Write the texts of the sources into the catalogues of all languages
	@scripts/bootstrap.sh dev
	@$(PYTHON) -m scripts.messages

lock: ## Resolve the requirements again (ARGS=--upgrade for newer versions)
	@scripts/bootstrap.sh dev
	@scripts/lock.sh $(ARGS)

manage: ## Run a command of manage.py on the data of `make run` (ARGS="migrate --plan")
	@scripts/bootstrap.sh run
	@$(PYTHON) -m scripts.manage $(ARGS)

shell: ## Open a Python shell on the data of `make run`
	@scripts/bootstrap.sh run
	@$(PYTHON) -m scripts.manage shell

reset: ## Delete .local/ with all its databases
	@scripts/reset.sh
