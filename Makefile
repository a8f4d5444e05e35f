.PHONY: check test lint format lock wire environment

# Everything: what CI runs.
check:
	scripts/test.sh

# Only the tests; make test ARGS="tests/unit -k ledger"
test: ARGS ?= tests
test:
	scripts/test.sh $(ARGS)

lint: environment
	scripts/check.sh

format: environment
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

# Write the lock files again from pyproject.toml; make lock ARGS=--upgrade takes the newest.
lock: environment
	scripts/lock.sh $(ARGS)

wire: environment
	scripts/generate_wire.sh

environment:
	scripts/setup_environment.sh dev
