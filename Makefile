# Everything a fresh machine needs: Python 3.11+ with venv, git and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME_STAMP := $(VENV)/.runtime-installed
TEST_STAMP := $(VENV)/.test-installed
PACKAGE_STAMP := $(VENV)/.package-installed
# Compiled here: whoever runs it later may be unable to write beside it, and would compile at every start.
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode
FRONTEND_SOURCES := $(shell find telemed/frontend -type f -not -path '*/node_modules/*' 2>/dev/null)
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help install install-test demo drill test check bench bench-gpu lock clean train-env

help:  ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

install: $(PACKAGE_STAMP)  ## make .venv, install the locked packages, build the front end

install-test: $(TEST_STAMP) $(PACKAGE_STAMP)

$(BIN)/uv: requirements-uv.lock
	@command -v $(PYTHON) >/dev/null || { echo "python3 (3.11 or newer) is needed: install the package python3"; exit 1; }
	@command -v git >/dev/null || { echo "git is needed: install the package git"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "the venv module is needed: install the package python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip --quiet --disable-pip-version-check install --only-binary :all: --require-hashes -r requirements-uv.lock
	@touch $@

$(RUNTIME_STAMP): $(BIN)/uv requirements.lock
	$(INSTALL) --only-binary :all: --require-hashes -r requirements.lock
	@touch $@

$(TEST_STAMP): $(RUNTIME_STAMP) requirements-test.lock
	$(INSTALL) --require-hashes -r requirements-test.lock
	@touch $@

# The environment's node comes first on PATH, so that the build never takes a system Node.
$(PACKAGE_STAMP): $(RUNTIME_STAMP) pyproject.toml tools/build_frontend.py $(FRONTEND_SOURCES)
	$(INSTALL) --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q -x node_modules telemed dicom_node ai_models workers
	@touch $@

demo: install  ## start everything with a fictional consortium on this machine
	@$(BIN)/telemed demo

drill: install  ## the promises under fire, full form: cuts, conflicts, a full disk, kills
	@$(BIN)/telemed drill

# Three for two cores: a test waits for its servers and its browser about as long as it computes.
test: install-test  ## the whole test suite
	@$(BIN)/python -m pytest -n 3 --dist loadfile --durations=25

check: install-test  ## style, types, layers, front-end lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python tools/build_frontend.py check

bench: install-test  ## all benchmarks, each beside its peer or limit
	@$(BIN)/python -m bench

bench-gpu: install-test  ## the models on this machine's GPU, against the bare CUDA session
	@$(BIN)/python -m bench.gpu

train-env:  ## a separate environment for training (torch); never needed to run or to test
	test -x .venv-train/bin/python || $(PYTHON) -m venv .venv-train
	.venv-train/bin/pip --quiet install --only-binary :all: -r ai_models/requirements-train.txt

lock: $(BIN)/uv  ## resolve all requirements again
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --extra cpu --group build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --extra cpu --group build --group test -c requirements.lock pyproject.toml -o requirements-test.lock

clean:  ## remove what the build made
	rm -rf $(VENV) build dist telemed/web/static/app telemed/frontend/node_modules
