PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# of the plugins that are installed only those that the tests need: of each one pytest compiles the whole package anew
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup \
	--disable-plugin-autoload -p xdist.plugin -p _hypothesis_pytestplugin -p schemathesis.pytest.plugin

.PHONY: help install demo test test-full search lint types imports lock lock-check check format docs bench clean

help:
	@echo "make demo       build, verify and load the built-in company, and look around"
	@echo "make test       the tests (a few minutes)"
	@echo "make test-full  the tests that take longer"
	@echo "make search     the tests of properties, on examples that they never saw"
	@echo "make check      everything that CI checks beside the tests: lint, types, imports, docs, lock"
	@echo "make install    .venv with all that the others need"

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; run: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q benchmarks bundles companyos datagen dpsql masking provisioning schemas
	@touch $(STAMP)

install: $(STAMP)

demo: install
	@$(BIN)/companyos tour .demo

test: install
	$(PYTEST)

test-full: install
	$(PYTEST) -m slow

search: install
	$(PYTEST) --hypothesis-profile=search -m "slow or not slow" $$(grep -rl "from hypothesis import given" tests)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

docs: install
	$(BIN)/python -m schemas.json_schema
	$(BIN)/python -m schemas.reference
	$(BIN)/python -m schemas.environments_json_schema
	$(BIN)/python -m schemas.environments_reference
	$(BIN)/python -m companyos.reference
	$(BIN)/python -m masking.transformers.reference

lock: install
	$(BIN)/uv pip compile --quiet --universal --no-header --no-emit-index-url --no-emit-find-links --no-annotate --python-version 3.11 pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --no-header --no-emit-index-url --no-emit-find-links --no-annotate --python-version 3.11 --all-extras --group dev -c requirements.lock pyproject.toml -o requirements-dev.lock

lock-check: install
	@$(BIN)/python -m tests.lock

check: lint types imports lock-check

bench: install
	$(BIN)/python -m benchmarks generation
	$(BIN)/python -m benchmarks load
	$(BIN)/python -m benchmarks tpch
	$(BIN)/python -m benchmarks scale

clean:
	rm -rf $(VENV) .demo build dist *.egg-info
