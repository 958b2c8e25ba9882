# Each target does its own set-up; scripts/ holds what they do.
.PHONY: help setup up down lab lab-down test check lint bench soak image

help:
	@echo "make up     a manager and an example stack on this machine"
	@echo "make down   end them"
	@echo "make lab    machines of their own on this one, joined to one cluster (NODES=3)"
	@echo "make lab-down  end them"
	@echo "make test   the test suite (ARGS=… go to pytest)"
	@echo "make check  format, lint, types, import rules, fast tests"
	@echo "make lint   the first four of those"
	@echo "make bench  the benchmarks (ONLY=name for one)"
	@echo "make soak   the long forms of the tests (GBNT_SEEDS=0:500 for those seeds of the simulations)"
	@echo "make image  gbnt's own image, gbnt:latest (BASE=… for another base)"
	@echo "make setup  install what the others need, and say so"

setup up down check lint image:
	@scripts/$@.sh

NODES = 3

lab:
	@scripts/lab.sh up $(NODES)

lab-down:
	@scripts/lab.sh down

test soak:
	@scripts/$@.sh $(ARGS)

bench:
	@ONLY='$(ONLY)' scripts/bench.sh
