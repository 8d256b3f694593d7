# Two commands do everything: `make talk` and `make test`. All of it lives in .venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# The CPU build where the package index offers one; training and export need torch, talking does not.
TORCH ?= torch==2.13.0

.PHONY: talk test stock stock-pipecat setup lint types bench clean

talk: .venv/.talk  ## hold a short conversation: at the microphone, or from a recorded question
	$(BIN)/selftalk weights fetch
	$(BIN)/selftalk talk --demo

test: setup  ## run all tests
	$(BIN)/python -m pytest

stock: .venv/stock/openai setup  ## the tests of the openai client, with the oldest that speaks the protocol
	PYTHONPATH=$< $(BIN)/python -m pytest tests/stream/server/test_stock_openai.py

stock-pipecat: .venv/stock/pipecat setup  ## the tests of pipecat, which is half a gigabyte
	PYTHONPATH=$< $(BIN)/python -m pytest tests/stream/server/test_stock_pipecat.py

setup: .venv/.dev  ## everything needed to work on selftalk

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

.venv/stock/openai: | .venv/.dev
	$(PIP) install -q --target $@ openai==1.103.0

.venv/stock/pipecat: | .venv/.dev
	$(PIP) install -q --target $@ 'pipecat-ai[openai]'

bench: setup  ## measure this machine; see benchmarks/README.md
	$(BIN)/python benchmarks/turn_latency.py

clean:
	rm -rf .venv .typing build dist *.egg-info

.venv/bin/python:
	@echo "== making a virtual environment in .venv"
	$(PYTHON) -m venv .venv || { ./system_packages.sh && $(PYTHON) -m venv .venv; }

.venv/.talk: .venv/bin/python pyproject.toml
	@echo "== installing selftalk for talking (no torch; about 400 MB)"
	./system_packages.sh
	$(PIP) install -q -e '.[audio,local]'
	touch $@

.venv/.dev: .venv/bin/python pyproject.toml
	@echo "== installing selftalk for development (with torch)"
	./system_packages.sh --with-browser
	$(PIP) install -q $(TORCH)
	$(PIP) install -q -e '.[audio,local,text,server,train,dev]'
	mkdir -p .typing && ln -sfn .. .typing/selftalk
	touch .venv/.talk $@
