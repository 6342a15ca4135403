# make demo   opens the console on a laboratory pair that has failed over   (SCENARIO=healthy and others; YES=1: do not ask)
# make quick  runs lint, types and the tests that need no laboratory: few random examples, one case of many alike
# make test   runs every check and every test, also those on real servers
# make check  runs ruff, mypy and import-linter
# make bench  measures the speed goals, as ratios
# make soak   runs ten minutes of faults, writes and runbooks on clusters of every kind   (MINUTES=60, KIND=consul, SEED=…)
# make simulate  plays nights of faults in a simulated world, with the real engine   (SEEDS=0-1000, or 7,12)
# make reality  compares that world with the laboratory, in short histories   (HISTORIES=200)
# make clean  removes what these commands made in this folder
SHELL := /bin/sh
BIN := .venv/bin
SCENARIO ?= failed-over
# A laboratory test computes in about a quarter of its time, and waits in the rest: three workers keep a processor busy.
WORKERS ?= $(shell n=$$((3 * $$(nproc))); echo $$((n < 12 ? n : 12)))
MINUTES ?= 10
KIND ?= all
SEEDS ?= 0-1000
HISTORIES ?= 200
# Test modules are compiled once, also where the machine says that no program may keep its bytecode.
export PYTHONDONTWRITEBYTECODE :=

# $(call step,NAME,COMMAND): prints the name before the command, and the seconds after it.
step = @echo "== $(1)"; began=$$(date +%s); $(2) || exit $$?; echo "== $(1): $$(($$(date +%s) - began)) s"

.PHONY: demo quick test check lint bench soak simulate reality clean packages test-packages servers terminal
.NOTPARALLEL:

demo: terminal packages .venv/made
	@$(BIN)/python -m console demo $(SCENARIO)

quick: .venv/made lint
	$(call step,pytest,$(BIN)/pytest -q -n 3 --dist worksteal --hypothesis-profile quick -m "not lab and not long and not thorough" tests/unit tests/probes tests/tui tests/simulation tests/test_architecture.py)

test: test-packages .venv/made servers lint
	$(call step,pytest,$(BIN)/pytest -q -n $(WORKERS) --dist load --maxschedchunk 1 --durations 15)

check: .venv/made lint

lint:
	$(call step,ruff check,$(BIN)/ruff check .)
	$(call step,ruff format,$(BIN)/ruff format --check .)
	$(call step,mypy,$(BIN)/mypy)
	$(call step,import-linter,$(BIN)/lint-imports)

bench: packages .venv/bench
	@$(BIN)/python -m console lab run healthy --fast -- sh -c 'code=0; for one in benchmarks/*.py; do \
	    case $$one in */measure.py|*/rig.py) continue ;; esac; \
	    echo "== $$one"; $(BIN)/python $$one || code=1; done; exit $$code'

soak: packages .venv/made servers
	@PYTHONPATH=tests $(BIN)/python -m soak --minutes $(MINUTES) --kind $(KIND) $(if $(SEED),--seed $(SEED))

simulate: .venv/made
	@PYTHONPATH=tests $(BIN)/python -m simulation.simulate --seeds $(SEEDS)

reality: packages .venv/made
	@PYTHONPATH=tests $(BIN)/python -m simulation.reality --histories $(HISTORIES)

terminal:
	@[ -t 0 ] && [ -t 1 ] || { echo "make demo opens a screen and needs a terminal" >&2; exit 3; }

packages:
	$(call step,packages,sh console/lab/system-packages.sh)

test-packages:
	$(call step,packages,sh console/lab/system-packages.sh --tests)

# Downloads other versions of Redis, and Consul. If one cannot be had, only the tests that need it fail.
servers:
	$(call step,server versions,{ $(BIN)/python -m console.lab.servers fetch || :; })

.venv/made: pyproject.toml constraints.txt
	$(call step,virtual environment,{ \
	    python=$$(sh console/lab/system-packages.sh --find-python) && \
	    { [ -x $(BIN)/python ] || "$$python" -m venv .venv; } && \
	    PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' && \
	    $(BIN)/python -m compileall -q console && \
	    touch $@; })

# The peers that benchmarks compare with. Nothing else needs them.
.venv/bench: .venv/made
	$(call step,peers of the benchmarks,{ \
	    PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]' && \
	    touch $@; })

clean:
	rm -rf .venv .cache build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
