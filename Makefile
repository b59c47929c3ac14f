# Two commands: `make run` starts Stockpile with its own PostgreSQL, `make test` tries everything.
# Neither needs more than Python 3.11, make and the package registry; a second call installs nothing.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
READY := $(VENV)/.installed
TESTS ?= tests
BROWSER_TESTS ?= tests/browser

COUNTRY ?= var/large-country

.PHONY: run test test-browser failed lint replay bench bench-reports format lock

run: $(READY)
	exec $(VENV)/bin/stockpile run

# What a story starts is compiled once, and whoever is done takes over from the others (docs/suite.md).
test test-browser: export PYTHONDONTWRITEBYTECODE =

test: $(READY)
	$(VENV)/bin/python -m pytest -n auto --dist worksteal --ignore tests/browser $(TESTS)

# In the machine's own Chromium; says how to install it where there is none.
test-browser: $(READY)
	$(VENV)/bin/python -m pytest -n auto $(BROWSER_TESTS)

# What failed last, once more and one after another: what fails on a busy machine alone shows so.
failed: $(READY)
	$(VENV)/bin/python -m pytest --last-failed --last-failed-no-failures none

lint: $(READY)
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m ruff format --check .
	$(VENV)/bin/python -m mypy

# The published failures run again at full scale, each figure beside the published one (docs/replays.md); some minutes.
replay: $(READY)
	$(VENV)/bin/stockpile replay gao-07-711 sigir-06-033 sigar-14-84 dodig-2024-043

# Each prints its figures beside their floor; bench/README.md says what they mean. On an idle machine only.
bench: $(READY)
	$(VENV)/bin/python -m bench.issue_over_http
	$(VENV)/bin/python -m bench.bulk_receipt
	$(VENV)/bin/python -m bench.overrun
	$(VENV)/bin/python -m bench.late_fact
	$(VENV)/bin/python -m bench.registers
	$(VENV)/bin/python -m bench.labels
	$(VENV)/bin/python -m bench.papers
	$(VENV)/bin/python -m bench.second_start

# Makes a country of a million weapons in COUNTRY first (some 5 GB, some minutes), unless it is there.
bench-reports: $(READY)
	$(VENV)/bin/python -m bench.reports $(COUNTRY)

format: $(READY)
	$(VENV)/bin/python -m ruff check --fix .
	$(VENV)/bin/python -m ruff format .

# Chooses the newest versions that fit pyproject.toml and writes them down with their hashes; the only target that needs uv.
lock: $(READY)
	$(VENV)/bin/python -m pip install --quiet uv
	$(VENV)/bin/python -m uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --custom-compile-command "make lock" --quiet --output-file requirements.txt

# --no-deps and --no-build-isolation: nothing may come in that the hashes do not cover.
$(READY): requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Stockpile needs Python 3.11 or later: install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11: name a later one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --only-binary :all: --requirement requirements.txt
	$(VENV)/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)
