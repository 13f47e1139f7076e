# What a user and CI do with Tidemill. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

TARGET := $(or $(CARGO_TARGET_DIR),target)
# Says where NetCDF comes from; written once by scripts/setup.sh, read by every recipe that builds.
NETCDF := $(TARGET)/tidemill-netcdf.env
CARGO := . $(NETCDF) && cargo
RELEASE := $(TARGET)/release/tidemill
DEBUG := $(TARGET)/debug/tidemill
# Those that start Python need packages from PyPI: `interop`, which has them, tests these.
PIPELINES := $(filter-out %_python.yaml,$(wildcard pipelines/*.yaml))

.PHONY: help run build test lint check interop trial hosts kills limits fuzz bench static clean

help: ## lists the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: build ## sets up NetCDF, builds, sums the slow series, writes the mantle field to velocity.nc
	$(RELEASE) run pipelines/slow_series.yaml
	$(RELEASE) run pipelines/mantle_netcdf.yaml --overwrite
	@if command -v ncdump > /dev/null; then ncdump -h velocity.nc; else ls -l velocity.nc; fi

build: $(NETCDF) ## builds the tidemill binary for use
	$(CARGO) build --release $$FEATURES

test: $(NETCDF) ## passes all tests: of the code, and those inside the example pipelines
	$(CARGO) test --workspace $$FEATURES
	$(DEBUG) test $(PIPELINES)

lint: $(NETCDF) ## finds what is not formatted, and warnings
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets $$FEATURES -- -D warnings

interop: $(NETCDF) ## lets xarray, netCDF4, pyarrow, polars, duckdb and Pillow read what tidemill wrote, and Python be an operator
	$(CARGO) build --workspace --all-targets $$FEATURES # as `test` builds it, so that nothing is built twice
	scripts/interop.sh $(DEBUG)

# Those that need no other peers than `interop` does.
TRIAL := slow_series trig_series elementwise mantle_file mantle_formula netcdf_deflate_write \
	netcdf_deflate_read groupby sort parquet_write store store_netcdf images

trial: interop ## runs jobs of the benchmark a hundred times smaller: do Tidemill and its peers agree?
	QUICK=1 PEERS=$(TARGET)/interop-venv/bin/python TIDEMILL=$(DEBUG) python3 benches/bench.py $(TRIAL)
	python3 benches/limits.py --again # do formulas and simulation agree, on the costs measured last?

bench: build ## measures all against its peers and writes benches/README.md (JOB=slow_series: one job; QUICK=1: a trial)
	. $(NETCDF) && python3 benches/bench.py $(JOB)

limits: build ## measures what tiles, bytes and barriers cost, and works out in docs/limits.md how far that scales
	python3 benches/limits.py

hosts: $(NETCDF) ## lets four hosts, made of network namespaces, run jobs, and breaks things (as root, with iproute2; TRIALS=100: so many random ones)
	$(CARGO) build --workspace --all-targets $$FEATURES # as `test` builds it, so that nothing is built twice
	python3 tests/hosts/run.py $(DEBUG) pipelines $(TRIALS)

kills: build ## kills jobs of full size at any moment, 50 times each, and lets other runs go on (TMPDIR=/dev/shm: in memory; KILLS=10)
	python3 tests/kills/run.py $(RELEASE) pipelines $(KILLS)
	python3 tests/kills/batches.py $(RELEASE) $(KILLS)

# Mutants of files, pipelines and ledgers, and signals, with fixed seeds; by hand, many more:
# `make fuzz TRIALS="files=20000 pipelines=3000 ledgers=300 signals=200" SEED=7`.
fuzz: interop ## damages files, pipelines and ledgers, sends signals, and looks at how runs end
	PYTHONDONTWRITEBYTECODE=1 $(TARGET)/interop-venv/bin/python tests/fuzz/run.py $(DEBUG) $(TRIALS)

check: lint test trial hosts fuzz ## all that CI runs

static: ## builds NetCDF and HDF5 in, for machines that have neither
	TIDEMILL_NETCDF=static scripts/setup.sh $(NETCDF)
	$(MAKE) build

clean: ## removes all that was built
	rm -rf $(TARGET)

$(NETCDF):
	scripts/setup.sh $@
