# Two commands: `make run` (the embedded default, from archive to report) and `make test`.
# Both print the plain commands they run, so that you can leave make behind.
PYTHON ?= python3.11
CONFIG ?= config/demo.yaml
CORES ?= all
BIN := .venv/bin

.PHONY: run test test-slow lint format docs clean

run: .venv/ready-run
	$(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG)

test: .venv/ready-test lint
	$(BIN)/python -m pytest -m "not slow"

test-slow: .venv/ready-test
	$(BIN)/python -m pytest -m slow

lint: .venv/ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules workflow/Snakefile
	$(BIN)/snakemake --lint --configfile config/demo.yaml

format: .venv/ready-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules workflow/Snakefile

docs: .venv/ready-run
	$(BIN)/python -m scarceseq.settings > config/README.md

.venv/bin/python:
	$$(command -v $(PYTHON) || command -v python3) -m venv .venv

.venv/ready-run: pyproject.toml envs/lock.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint envs/lock.txt --editable .
	touch $@

.venv/ready-test: pyproject.toml envs/lock.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint envs/lock.txt --editable ".[test]"
	touch $@ .venv/ready-run

clean:
	rm -rf results/demo .snakemake
