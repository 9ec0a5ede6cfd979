# setup   what the other targets need: Debian packages (as root) and .venv; quick when all is there
# demo    the reference case on a real two-node cluster, broken and repaired before your eyes
# check   format, lint, types, fast tests
# test    all of it: check, and the tests on real clusters
# laws    fresh random examples of what must always hold, round after round until one fails or ^C
# bench   how fast, how large, beside the tools it is compared with
# schema  write crds/ from the models
# lock    write the lock files from pyproject.toml (needs uv)

BIN := .venv/bin
FAST := not lab and not slow
# Some of the fast ones wait too: one more than there are cores.
EACH := --numprocesses $(shell expr $$(nproc) + 1) --dist worksteal
# Clusters mostly wait for timers: four at a time keep two cores busy. A file's tests share what they have built;
# clusters come first (tests/conftest.py).
AT_ONCE := --numprocesses 4 --dist loadfile --no-loadscope-reorder

# Seven processes load some 400 files of tests: compiled once, where Python is told to write no bytecode too.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := check
.PHONY: setup demo check test laws bench schema lock lint clean

setup:
	@.ci/setup

demo: setup
	$(BIN)/python -m tests.demo

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

check: lint
	$(BIN)/pytest -m "$(FAST)" $(EACH)

test: check
	$(BIN)/pytest -m "not ($(FAST))" $(AT_ONCE) --durations=10

laws: setup
	@while seed=$$(od -An -N4 -tu4 /dev/urandom | tr -d ' '); do \
		echo "$(BIN)/pytest -m 'hypothesis and not lab' --hypothesis-profile=laws --hypothesis-seed=$$seed"; \
		$(BIN)/pytest -q -m "hypothesis and not lab" --hypothesis-profile=laws --hypothesis-seed=$$seed \
			--numprocesses auto --dist worksteal || exit; \
	done

bench: setup
	$(BIN)/python -m tests.bench

schema: setup
	$(BIN)/reconciler schema --output crds

lock:
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build
	find . -name __pycache__ -prune -exec rm -rf {} +
