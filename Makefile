# The two commands of the README: `make night` and `make test`. Each sets up all it needs; running again is fast.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= python3

.PHONY: night chaos chaos-long test check bench lock clean

night: $(READY)  ## two hours of tonight's darkness against simulators, sixty times life speed
	$(BIN)/nightbridge-sim night --out night

test: $(READY)  ## the whole suite, INDI's own simulators from Debian included
	scripts/debian.sh
	$(BIN)/pytest -n auto --dist worksteal

chaos: $(READY)  ## kill the real bridge 120 times in simulated nights, and judge what is left: minutes
	$(BIN)/nightbridge-sim chaos --kills 60 --at-each-point 3 --out chaos

chaos-long: $(READY)  ## a thousand random instants, and 20 times at each crash point
	$(BIN)/nightbridge-sim chaos --kills 1000 --at-each-point 20 --out chaos

bench: $(READY)  ## ratios against peers, side by side in one run
	$(BIN)/python -m tests.bench

check: $(READY)  ## style, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(READY): requirements.txt requirements-indi.txt pyproject.toml scripts/venv.sh
	scripts/venv.sh $(PYTHON) $(VENV)
	@touch $@

lock:  ## pin every dependency with its hashes; needs `uv`; names no index
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra dev pyproject.toml --output-file requirements.txt
	(grep '^#' requirements-indi.txt; echo pyindi-client==2.3.0 | uv pip compile --quiet --no-deps --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-annotate -) > requirements-indi.new
	mv requirements-indi.new requirements-indi.txt

clean:
	rm -rf $(VENV) build dist *.egg-info
