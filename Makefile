# Every target first sees to .venv. Variables: PYTHON (which Python makes .venv), TESTS (which tests: a folder or file),
# JOBS (how many processes run the tests; a file's tests stay together).
.DEFAULT_GOAL := help
.PHONY: help venv demo test test-slow soak cluster-test lint audit clean

VENV := .venv
STAMP := $(VENV)/.installed
LAB := $(VENV)/.installed-lab
STILTS := $(VENV)/bin/stilts
PYTEST := $(VENV)/bin/python -m pytest
TESTS ?= tests
JOBS ?= 2
STUDY := search_spaces/demo.yaml
# The rooms with tests that run on the pretend GPU too, or what TESTS names.
ON_DEVICE = $(if $(filter tests,$(TESTS)),$(addprefix tests/,models kinds training execute estimate pretend_gpu),$(TESTS))

# Ray and MLflow send usage statistics unless told not to.
export RAY_USAGE_STATS_ENABLED := 0
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := true

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP) ## make .venv and install stilts in it, with the versions of constraints.txt

define FIND_PYTHON
works() { "$$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }
can_venv() { "$$1" -c 'import ensurepip, venv' 2>/dev/null; }
found=""; python=""
for name in $${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
  works "$$name" || continue
  found="$${found:-$$name}"
  if can_venv "$$name"; then python="$$name"; break; fi
done
if [ -z "$$found" ]; then
  echo "No Python 3.11, 3.12 or 3.13 was found on PATH. Install one, or name it: make venv PYTHON=/path/to/python3.12" >&2
  exit 1
fi
if [ -z "$$python" ]; then
  version=$$("$$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "$$found cannot make virtual environments: it lacks ensurepip. On Debian and Ubuntu: apt install python$$version-venv" >&2
  exit 1
fi
echo "Making $(VENV) with $$python ($$("$$python" --version))"
"$$python" -m venv $(VENV)
endef

export FIND_PYTHON

$(STAMP): pyproject.toml constraints.txt
	@if ! $(VENV)/bin/python -m pip --version >/dev/null 2>&1; then sh -eu -c "$$FIND_PYTHON"; fi
	$(VENV)/bin/python -m pip install --disable-pip-version-check 'pip>=23.1' # Debian 12's cannot build seqeval
	$(VENV)/bin/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: export HF_HUB_OFFLINE := 1
demo: export STILTS_STORE := demo_store
demo: venv ## fill a small matrix of toy tasks and print the answer (under 5 minutes on 2 cores)
	$(STILTS) run $(STUDY) && $(STILTS) matrix $(STUDY) && $(STILTS) best $(STUDY) && $(STILTS) ui --how

test: export HF_HUB_OFFLINE := 1
test: venv ## run every test that is not slow, then those of models again on the pretend GPU
	$(PYTEST) -n $(JOBS) --dist loadfile -m "not slow" $(TESTS)
	$(PYTEST) -n $(JOBS) --dist loadfile -m "on_device and not slow" --device pretend $(ON_DEVICE) || [ $$? -eq 5 ] # 5: none is there

test-slow: export HF_HUB_OFFLINE := 1
test-slow: venv ## run the slow tests, e.g. make test-slow TESTS=tests/store
	$(PYTEST) -m slow $(TESTS) || [ $$? -eq 5 ] # 5: none is marked slow there

$(LAB): $(STAMP)
	$(VENV)/bin/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev,cluster,s3,server,lab]'
	@touch $@

cluster-test: export HF_HUB_OFFLINE := 1
cluster-test: $(LAB) ## run studies on a Ray cluster with a bucket, and MLflow on PostgreSQL, all on this machine
	$(PYTEST) $(if $(filter tests,$(TESTS)),tests/cluster,$(TESTS))

soak: venv ## run 300 short stages on three nodes of this machine that die and come back (needs the extra cluster)
	$(VENV)/bin/python -m tests.faults.soak

lint: venv ## check format, lint and types
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

audit: venv ## ask pip-audit (it is installed) whether holes are known in what .venv has; needs the network
	$(VENV)/bin/python -m pip install --disable-pip-version-check -q pip-audit
	$(VENV)/bin/python .ci/audit.py

clean: ## delete caches and what the demo made; .venv stays
	rm -rf demo_store mlflow.db mlruns build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
