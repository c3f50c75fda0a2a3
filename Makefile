# Everything runs in .venv, which the first target makes. `make help` lists the targets.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help models test bench latency report lift pages format clean

help:  ## show this
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

models: .venv/ready  ## verify two models end to end
	$(BIN)/pytest --models mnist,squeezenet

test: .venv/ready  ## the project's own tests: lint, types, unit, plugin, toolchain, models
	$(BIN)/tox run

bench: .venv/ready  ## where the time goes, beside the last committed run (reports/bench.json)
	$(BIN)/python tools/bench.py
	$(BIN)/python tools/bench_ops.py
	$(BIN)/python tools/bench_backends.py

latency: .venv/ready  ## measure every report about latency again: half an hour, on a calm machine
	tools/measure_latency.sh

report: .venv/ready  ## run everything at hand and write reports/ again (wants BURN_VERIFY_ZOO_MIRROR)
	rm -f reports/record.jsonl
	$(BIN)/pytest --models all --conformance --ops all --burn-record=reports/record.jsonl
	$(BIN)/burn-verify report reports/record.jsonl --out reports
	$(BIN)/python tools/pack_evidence.py reports/record.jsonl
	$(BIN)/python tools/forecast.py reports/record.jsonl > reports/forecast.md

lift: .venv/ready  ## prepare every case of reports/record.jsonl that does not agree: hours (wants BURN_VERIFY_ZOO_MIRROR)
	$(BIN)/python tools/lift.py reports/record.jsonl --corpus node --out reports
	$(BIN)/python tools/lift.py reports/record.jsonl --corpus op --out reports
	$(BIN)/python tools/prepare_zoo.py --out reports
	$(BIN)/python tools/pack_tried.py
	$(BIN)/burn-verify report reports/record.jsonl --out reports

pages: .venv/ready  ## write the pages of reports/ again, from the record that is there
	$(BIN)/burn-verify report reports/record.jsonl --out reports

format: .venv/ready  ## format Python and Rust
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	cargo fmt --all --manifest-path src/burn_verify/rust/Cargo.toml

clean:  ## remove what was made here; the cache stays
	rm -rf .venv .tox dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@
