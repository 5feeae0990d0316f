# Each target first installs what is missing (scripts/setup: instant and silent when nothing is).
.DEFAULT_GOAL := help
.PHONY: help setup build run test bench bench-scale peers format fuzz soak

help:    ## this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:   ## install the Debian 12 packages that are missing
	@scripts/setup

build: setup  ## build/release/muster
	@cmake --preset release --log-level=WARNING >/dev/null
	@cmake --build --preset release --target muster

run: build    ## start Muster with a demo organisation and let a simulated Okta provision it
	@scripts/run-demo

test: setup   ## everything that must hold: style, layers, unit, scenario, robustness and crash tests
	@scripts/test

bench: build  ## throughput and CPU time a request, against a floor
	@bench/run

bench-scale: build  ## what operations cost at 10^4 to 10^6 people, on both stores (OPTIONS=…)
	@bench/scale/run $(OPTIONS)

peers: build  ## conformance and load beside two other SCIM servers (needs node and npm)
	@bench/peers/run

format: setup ## format every C++ file
	@scripts/format

fuzz: setup   ## each fuzz target for FUZZ_SECONDS (60)
	@scripts/fuzz

soak: setup   ## the laws of tests/property on MUSTER_CASES (10,000,000) random cases
	@scripts/soak
