.PHONY: check test simulate lint format lock wire environment

# Everything: what CI runs.
check:
	scripts/test.sh

# Only the tests; make test ARGS="tests/unit -k ledger"
test: ARGS ?= tests
test:
	scripts/test.sh $(ARGS)

# Seeded schedules of a whole raft cluster, on all cores; make simulate SCHEDULES=5000 FIRST=1000
simulate: SCHEDULES ?= 400
simulate: FIRST ?= 0
simulate: environment
	.venv/bin/python -m tests.simulation --schedules $(SCHEDULES) --first $(FIRST)

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
