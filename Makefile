# Everything about this project runs from here; `make` lists it. Nothing is installed outside this directory.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --no-builtin-rules

# `make test PYTHON=3.13` builds and uses environments of its own beside those of the default.
PYTHON ?= 3.11
ifeq ($(PYTHON),3.11)
VENV := .venv
OLDEST := .venv-oldest
BENCH_VENV := .venv-bench
else
VENV := .venv-$(PYTHON)
OLDEST := .venv-oldest-$(PYTHON)
BENCH_VENV := .venv-bench-$(PYTHON)
endif

UV_VERSION := 0.13.8
UV := .build/uv/bin/uv
BIN := $(VENV)/bin
STEP := .ci/step

# An Airflow that its owner set up on this machine must neither be touched by a test nor change its outcome.
$(foreach name,$(filter AIRFLOW% _AIRFLOW% PYTHONPATH PYTHONHOME PYTEST_ADDOPTS VIRTUAL_ENV UV_PROJECT_ENVIRONMENT,$(.VARIABLES)),$(eval unexport $(name)))
# The tests find the environment of the oldest supported Airflow here.
export OLDEST_AIRFLOW_PYTHON := $(CURDIR)/$(OLDEST)/bin/python

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: uv
uv:
	@[[ "$$($(UV) --version 2>/dev/null)" == "uv $(UV_VERSION)"* ]] || { \
	  rm -rf .build/uv && $(STEP) "uv $(UV_VERSION)" bash -c \
	  'python3 -m venv .build/uv && .build/uv/bin/python -m pip install --quiet uv==$(UV_VERSION)'; }

# `uv sync` compares with the lock file and does nothing when all is in place, so a stale environment repairs itself.
.PHONY: venv
venv: uv
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(STEP) --quiet "environment $(VENV)" $(UV) sync --locked --python $(PYTHON)

.PHONY: venv-oldest
venv-oldest: uv
	@UV_PROJECT_ENVIRONMENT=$(OLDEST) $(STEP) --quiet "environment $(OLDEST)" $(UV) sync --locked --python $(PYTHON) \
	  --no-default-groups --group airflow-oldest --group test

# What the demo needs and no more: a test or lint tool that is already there stays.
.PHONY: venv-demo
venv-demo: uv
	@UV_PROJECT_ENVIRONMENT=$(VENV) $(STEP) --quiet "environment $(VENV)" $(UV) sync --locked --python $(PYTHON) \
	  --inexact --no-default-groups --group airflow-newest --group demo

.PHONY: install
install: venv venv-oldest ## Create or repair the environments (.venv, .venv-oldest)

.PHONY: lint
lint: venv ## Style, types, import rules
	@$(STEP) "ruff check" $(BIN)/ruff check
	@$(STEP) "ruff format" $(BIN)/ruff format --check --diff
	@$(STEP) "Airflow rules" $(BIN)/ruff check --preview --select AIR
	@$(STEP) "mypy" $(BIN)/mypy
	@$(STEP) "import rules" $(BIN)/lint-imports --no-cache

# Much of a system test is waiting: the other process runs everything else meanwhile.
WORKERS ?= 2

.PHONY: test
test: venv venv-oldest ## All tests, real Airflow included; narrow with PYTEST_ARGS="tests/unit -k signing"
	@$(BIN)/python -m pytest --quiet --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder $(PYTEST_ARGS)

.PHONY: soak
soak: venv ## The tests that take many minutes each: outages as long as the ones they are about
	@$(BIN)/python -m pytest --quiet -m soak $(PYTEST_ARGS)

.PHONY: demo
demo: venv-demo ## Authorize, rotate and extract in a real Airflow against the emulator, then explain
	@$(BIN)/python -m tests.demo

.PHONY: up
up: venv-demo ## The demo, but Airflow's UI stays open until Ctrl-C
	@$(BIN)/python -m tests.demo --keep

# What this package is measured against is needed by nothing else, so only the benchmarks make it.
.PHONY: venv-bench
venv-bench: uv
	@UV_PROJECT_ENVIRONMENT=$(BENCH_VENV) $(STEP) --quiet "environment $(BENCH_VENV)" $(UV) sync --locked --python $(PYTHON) \
	  --no-default-groups --group bench

.PHONY: bench
bench: venv-bench ## Run the benchmarks; one of them with BENCH=tests/benchmarks/extraction BENCH_ARGS=--quick
	@for bench in $(or $(BENCH),$(sort $(wildcard tests/benchmarks/*.py)) $(patsubst %/__main__.py,%,$(wildcard tests/benchmarks/*/__main__.py))); do \
	  echo "== $$bench"; $(BENCH_VENV)/bin/python "$$bench" $(BENCH_ARGS); done

.PHONY: clean
clean: ## Remove everything that these targets made
	@rm -rf .venv .venv-* .build .demo .bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist
	@find airflow_provider_tiktokshop dags tests -name __pycache__ -prune -exec rm -rf {} +
