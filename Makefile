# `make study` and `make test` do everything from a fresh clone: they make a virtual environment first.
PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: study test lint format pages results cluster-files cluster-test clean
.DELETE_ON_ERROR:

study: .venv/installed
	$(BIN)/irnet-ray run studies/quickstart.yaml

test: .venv/installed-dev
	$(BIN)/python -m pytest

# A cluster of three hosts on this machine, made of namespaces; needs root, and Debian's iproute2, nftables,
# openssh-server and rsync.
cluster-test: .venv/installed-dev
	$(BIN)/python -m pytest tests/cluster --override-ini timeout=1800

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

results: pages

# Tables of the README and of docs/ from the files in docs/.
pages: .venv/installed-dev
	$(BIN)/python docs/build_pages.py

# What `ray up` copies to every machine.
cluster-files: .venv/installed
	rm -rf build
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir build/cluster .
	cp constraints.txt build/cluster/

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(PIP_INSTALL) --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
