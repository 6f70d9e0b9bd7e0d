# Zhike: everything a person does with a checkout. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
VENDOR := services/console/static/vendor
# Options for the commands below, such as: make run ARGS='--port 9000', make test ARGS='tests/unit -k money'
ARGS ?=

.PHONY: help
help:  ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*##/\1\t/' | while IFS=$$'\t' read -r name what; do printf '  make %-13s %s\n' "$$name" "$$what"; done

.PHONY: setup
setup: .venv/.installed .venv/.compiled $(VENDOR)/.built  ## .venv with the locked dependencies, and the files that the pages need

.venv/.installed: requirements/lock.txt requirements/installer.txt requirements/install.sh pyproject.toml
	@echo "Installing the locked dependencies into .venv ..."
	@PYTHON='$(PYTHON)' requirements/install.sh .venv requirements/lock.txt
	@$(BIN)/python -m pip install -qq --no-deps --no-index --no-build-isolation --editable .
	@touch $@

.venv/.compiled: .venv/.installed shared/compiled.py $(wildcard $(addprefix services/*/,domain/*.py domain/*/*.py store/*.py))
	@echo "Compiling the loops of profile and recommend ..."
	@$(BIN)/python -c 'import services.profile.store.packing, services.recommend.domain.answering'
	@touch $@

$(VENDOR)/.built: package.json package-lock.json deploy/build_assets.py $(wildcard services/console/widget/*.js) | .venv/.installed
	@$(BIN)/python -m deploy.build_assets
	@touch $@

# Other people's clients, each in an environment of its own, to see that they work against us unchanged.
CLIENTS := $(patsubst requirements/clients/%.txt,.clients/%/.installed,$(wildcard requirements/clients/*.txt))
$(CLIENTS): .clients/%/.installed: requirements/clients/%.txt | .venv/.installed
	@PYTHON='$(PYTHON)' requirements/install.sh .clients/$* $<
	@touch $@

.PHONY: demo
demo: setup  ## the platform with a real shop's year of data, from events to a campaign's report
	@$(BIN)/zhike demo $(ARGS)

.PHONY: run
run: setup  ## the platform, empty, in the background
	@$(BIN)/zhike up --detach $(ARGS)

.PHONY: stop
stop:  ## end what `make run` or `make demo` started
	@[ ! -x $(BIN)/zhike ] || $(BIN)/zhike stop $(ARGS)

.PHONY: lint
lint: setup  ## style, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@found=$$($(BIN)/lint-imports) || { echo "$$found"; exit 1; }
	@$(BIN)/mypy

.PHONY: audit
audit: setup  ## known flaws (as far as the package index answers) and licences of what is installed
	@$(BIN)/python -m tests.audit

.PHONY: test
test: lint audit $(CLIENTS)  ## everything CI runs
	@$(BIN)/pytest -n 2 $(ARGS)

.PHONY: test-servers
test-servers: setup $(CLIENTS)  ## integration and journeys on PostgreSQL 15 and Redis 7 of Debian, as compose starts them
	@$(BIN)/python -m tests.debian -n 2 $(ARGS)

.PHONY: test-scale
test-scale: setup  ## every role at least twice: events, letters and sweeps are counted (the short form is in `make test`)
	@SCALE=all $(BIN)/pytest tests/journey/test_scale.py tests/integration/deploy/test_beat.py $(ARGS)

FAULTS ?= 200
SEED ?= 1
.PHONY: test-fault
test-fault: setup  ## hurt the running platform FAULTS=200 times (SEED=1), count what came of it; into var/fault.json
	@$(BIN)/python -m tests.fault --faults $(FAULTS) --seed $(SEED) $(ARGS)

REQUESTS ?= 100000
.PHONY: test-hostile
test-hostile: setup  ## REQUESTS=100000 hostile requests (SEED=1) at a running platform; the counts into var/hostile.json
	@$(BIN)/python -W ignore -m tests.hostile --requests $(REQUESTS) --seed $(SEED) $(ARGS)

.PHONY: bench
bench: setup  ## the hot paths beside their ceilings; figures into var/bench.json
	@$(BIN)/python -m tests.bench $(ARGS)

MINUTES ?= 30
.PHONY: soak
soak: setup  ## the running platform at half load for MINUTES=30: is memory flat, does no lag grow; into var/soak.json
	@$(BIN)/python -m tests.soak --minutes $(MINUTES) $(ARGS)

.PHONY: bench-accuracy
bench-accuracy: setup  ## the models of recommend on a real shop's year, held out; figures into var/accuracy.json
	@$(BIN)/python -m tests.bench.accuracy $(ARGS)

LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command 'make lock'

.PHONY: lock
lock:  ## resolve pyproject.toml and package.json anew (UPGRADE=1: to the newest versions)
	@$(LOCK) $(if $(UPGRADE),--upgrade) --all-extras pyproject.toml -o requirements/lock.txt
	@$(LOCK) --constraints requirements/lock.txt pyproject.toml -o requirements/server.txt
	@echo uv | $(LOCK) --constraints requirements/lock.txt - -o requirements/installer.txt
	@echo segment-analytics-python | $(LOCK) - -o requirements/clients/segment.txt
	@echo rudder-sdk-python | $(LOCK) - -o requirements/clients/rudder.txt
	@$(BIN)/python -m deploy.build_assets --lock $(if $(UPGRADE),--upgrade)
