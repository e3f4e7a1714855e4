# The product's own commands, each doing its own set-up in .venv:
#
#   make demo    simulate a few nights, scan them, print what was found
#   make test    the whole test suite
#   make check   style, types and the direction of imports
#   make bench   scan speed and memory, against a bare read of the same text
#   make bench-text   how fast texts are read: by part, by size and kind of text, and against MinHash
#   make clean   remove the environment, the demo and what was cached
#
# PYTHON=python3.12 chooses the interpreter; DEMO and PYTEST take further options, for example
# `make demo DEMO="--scale medium"` and `make test PYTEST="-k campaign"`.

VENV := .venv
PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
NEEDS := pyproject.toml constraints.txt tools/environment.sh

PYTHON ?=
DEMO ?=
PYTEST ?=
BENCH ?=

.PHONY: demo test check bench bench-text clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	@$(VENV)/bin/stillwatch demo $(DEMO)

test: $(VENV)/.installed-dev
	$(PY) -m pytest --numprocesses 2 --dist loadfile $(PYTEST)

check: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.installed
	$(PY) benchmarks/scan_throughput.py $(BENCH)

bench-text: $(VENV)/.installed-dev
	PYTHONPATH=. $(PY) benchmarks/text_speed.py $(BENCH)
	PYTHONPATH=. $(PY) benchmarks/text_sizes.py

clean:
	rm -rf $(VENV) demo bench-data .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find detector pipelines dashboard tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment is reused until what it was made from changes. It remembers its own absolute path,
# so one that was moved together with the repository is made anew.
ifneq ($(shell cat $(VENV)/.made 2>/dev/null),$(CURDIR))
$(shell rm -f $(VENV)/.made)
endif

$(VENV)/.made: tools/environment.sh
	@sh tools/environment.sh $(VENV) "$(PYTHON)"
	@echo "$(CURDIR)" > $@

$(VENV)/.installed: $(VENV)/.made $(NEEDS)
	@echo "installing Stillwatch and what it needs into $(VENV) (once; a minute or two)" >&2
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made $(NEEDS)
	@echo "installing Stillwatch and its development tools into $(VENV) (once; a minute or two)" >&2
	@$(INSTALL) --editable '.[dev]'
	@touch $(VENV)/.installed $@
