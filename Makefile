# Everything a newcomer needs: `make demo` and `make test`. Only make and Python 3.11 or later must be there.

# Tried in turn: with a .python-version, a pyenv shim named python3 fails where that version is not installed.
INTERPRETERS = $(PYTHON) python3 python3.13 python3.12 python3.11 /usr/bin/python3
CHECK = import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
# Without bytecode on disk each of the many processes of a test run would compile all that it imports.
export PYTHONDONTWRITEBYTECODE =
# As modules, not as scripts: a script's first line cannot hold a path with blanks.
PY = .venv/bin/python
PIP = $(PY) -m pip --disable-pip-version-check -qq

.PHONY: setup demo test test-all soak lint docs bench sandbox audit sbom lock clean
.DEFAULT_GOAL := setup

setup: .venv/complete

.venv/complete: requirements.txt requirements-otel.txt requirements-dev.txt setup.cfg pyproject.toml
	@$(PY) -c "$(CHECK)" >/dev/null 2>&1 && exit 0; \
	for candidate in $(INTERPRETERS); do \
	  if "$$candidate" -c "$(CHECK)" >/dev/null 2>&1; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "No Python 3.11 or later with venv was found (tried: $(INTERPRETERS)); name one: make PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	echo "Setting up .venv with $$("$$found" --version)"; \
	"$$found" -m venv --clear .venv
	@echo "Installing some 100 packages into .venv; pip says nothing until it is done, in about a minute"
	@$(PIP) install -r requirements.txt -r requirements-otel.txt -r requirements-dev.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	@$(PY) -m demo

# Two to three minutes on two cores: what represents the rest. More processes than cores, since many tests wait. What
# opens hundreds of sockets or measures time runs afterwards, two files at a time, and in test-all alone. pytest's 5: no
# test is marked so.
test: setup
	@$(PY) -m pytest -n 3 --dist worksteal -m "not serial and not soak and not exhaustive"
	@$(PY) -m pytest -n 2 --dist loadfile -m "serial and not soak and not exhaustive" || [ $$? -eq 5 ]

# What `make test` left out: the two together are the whole suite but `soak`.
test-all: setup
	@$(PY) -m pytest -n 3 --dist worksteal -m "exhaustive and not serial and not soak"
	@$(PY) -m pytest -m "exhaustive and serial and not soak" || [ $$? -eq 5 ]

# Some twenty-five minutes; prints what it did. Records the scrapes that dashboard and alert rules are tested on.
soak: setup
	@$(PY) -m pytest -m soak

lint: setup
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy --strict app vendors simulation sandbox demo audit

# What follows from the code: tables and lists in README.md and docs/, the module map in docs/architecture.md, and the
# examples of /openapi.json. Then the documents as a site, which the service shows below /docs/.
docs: setup
	@$(PY) -m tests.documents
	@$(PY) -m tests.module_map
	@$(PY) -m tests.api_examples
	@$(PY) docs/site/build.py

# A quarter of an hour, and the only target that installs the peers.
bench: setup
	@$(PIP) install -r requirements-bench.txt
	@$(PY) -m benchmarks

.venv/audit: .venv/complete requirements-audit.txt
	@$(PIP) install -r requirements-audit.txt
	@touch $@

# Known holes of the dependencies, secrets in the repository, the Dockerfile: 15 seconds. The line "NOT checked" and the
# status 3 of the program say that the source of known holes could not be reached, which UNREACHED=allowed accepts.
audit: .venv/audit
	@$(PY) -m audit || [ $$? -eq 3 -a "$(UNREACHED)" = allowed ]

# The bill of materials of a deployment, in CycloneDX, as build/sbom.json.
sbom: .venv/audit
	@mkdir -p build
	@$(PY) -m cyclonedx_py requirements --output-reproducible --output-file build/sbom.json requirements.txt
	@echo build/sbom.json

# Renews all pins; with KEEP=1 only those that setup.cfg no longer allows. Then `make test test-all audit` and `make docs`.
lock: .venv/audit
	@$(PY) -m audit.lock $(if $(KEEP),--keep)

sandbox: setup
	@$(PY) -m flask --app wsgi sandbox

# The instance folder stays: it holds a user's database and keys.
clean:
	rm -rf .venv .demo build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
