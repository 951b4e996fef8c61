# Two commands: `make run` (the embedded default, from archive to report) and `make test`.
# Both print the plain commands they run, so that you can leave make behind. DATA is the folder `data` of the config.
PYTHON ?= python3.11
CONFIG ?= config/demo.yaml
CORES ?= all
BIN := .venv/bin
# Tests of one file stay in one process; leave out with `make test WORKERS=`.
WORKERS ?= --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Else each of the many processes of a run compiles what it imports of the package.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run models test test-slow bench lint format docs lock clean

run: .venv/ready
	$(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG)$(if $(DATA), --config data=$(DATA))

# The models that are shipped (models/README.md), from the tables under DATA.
models: .venv/ready
	$(BIN)/python benchmarks/tools/named_annotation.py results/real_studies_human/mirror human G026 \
	  $(DATA)/studies/maps/human_symbol_ensembl_entrez.tsv.gz "Ensembl gene ID" "Approved symbol"
	mkdir -p results/shipped_human && cp -r results/real_studies_human/mirror results/shipped_human/
	for organism in mouse human; do \
	  $(BIN)/snakemake --cores $(CORES) results/real_studies_$$organism/corpus/splits.tsv \
	    --configfile config/real_studies_$$organism.yaml --config data=$(DATA) && \
	  $(BIN)/python benchmarks/tools/shipped_model.py $$organism $(DATA) && \
	  $(BIN)/snakemake --cores $(CORES) results/shipped_$$organism/packed/$${organism}_small.cluster_pairs.zip \
	    --configfile config/real_studies_$$organism.yaml models/$${organism}_small.yaml --config data=$(DATA) && \
	  cp results/shipped_$$organism/packed/$${organism}_small.cluster_pairs.zip models/$${organism}_small.zip || exit 1; \
	done

test: .venv/ready lint
	@printf '\n== tests ==\n'
	$(BIN)/python -m pytest -m "not slow" $(WORKERS)

test-slow: .venv/ready
	$(BIN)/python -m pytest -m slow

# One script per claim of speed or memory; `make bench BENCH=--quick` is shorter and keeps no results.
bench: .venv/ready
	failed=0; for script in benchmarks/*.py; do \
	  $(BIN)/python benchmarks/tools/record.py $$script $(BENCH) || failed=1; \
	done; exit $$failed

lint: .venv/ready
	@printf '\n== lint ==\n'
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/snakefmt --check Snakefile rules workflow/Snakefile
	$(BIN)/snakemake --lint --configfile config/demo.yaml

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile rules workflow/Snakefile

docs: .venv/ready
	PYTHONPATH=workflow/scripts $(BIN)/python -m scarceseq.config.table > config/README.md
	PYTHONPATH=workflow/scripts $(BIN)/python -m scarceseq.config.table schema > workflow/schemas/config.schema.json

# After a pin of pyproject.toml was added or changed: all versions with the hashes of all their files. Other pins stay.
lock: .venv/uv
	.venv/uv/bin/uv pip compile pyproject.toml --extra test --python-version 3.11 --generate-hashes --no-annotate \
	  --no-emit-package torch --custom-compile-command "make lock" --quiet --output-file envs/lock.txt

.venv/ready: envs/lock.txt envs/torch.txt
	$$(command -v $(PYTHON) || command -v python3) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement envs/lock.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement envs/torch.txt
	touch $@

.venv/uv:
	$$(command -v $(PYTHON) || command -v python3) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

# What benchmarks are compared with; changes no pin.
.venv/peers: envs/peers.txt .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement envs/peers.txt
	touch $@

clean:
	rm -rf results/demo .snakemake
