# Everything a verb needs is made on the way; nothing outside .venv and the user's cache is touched.
PY := .venv/bin
STAMP := .venv/.installed

.PHONY: install host kernel check test unit prove demo api-fuzz load load-page load-mixed load-overhead load-estimates load-kernel load-singles load-batches load-policies load-cache load-segments load-steps load-simulated load-api load-aggregate load-set-work load-sweep guest

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	python3 -m venv .venv
	$(PY)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

host:
	python3 host/build.py

kernel:
	python3 host/build.py --kernel

check: install
	$(PY)/ruff check .
	$(PY)/ruff format --check .
	$(PY)/mypy
	$(PY)/lint-imports
	python3 host/build.py --clippy
	cargo fmt --manifest-path guest/Cargo.toml --all --check
	cargo fmt --manifest-path tests/acceptance/verifier/Cargo.toml --check
	cargo fmt --manifest-path tests/acceptance/sets/Cargo.toml --check
	cargo fmt --manifest-path tests/acceptance/bonsai/Cargo.toml --check

test: install host check
	python3 host/build.py --test
	python3 host/build.py --features verify
	python3 host/build.py --features verify --test
	python3 guest/build.py --check --if-changed
	$(PY)/pytest

unit: install
	$(PY)/pytest tests/unit

prove: install host
	$(PY)/pytest --prove tests/acceptance/test_prove.py tests/acceptance/test_prove_bonsai.py

demo: install
	@for tool in cargo g++; do command -v $$tool >/dev/null || { echo "$$tool not found: RISC0 proving is left out (README says what it needs)"; exit 0; }; done; python3 host/build.py
	$(PY)/farm demo

api-fuzz: install host
	API_REQUESTS=10000 API_SEED=$$$$ $(PY)/pytest tests/acceptance/test_api_contract.py

load: install kernel
	$(PY)/python load/ramp.py

load-page: install kernel
	$(PY)/python load/page.py

load-mixed: install host kernel
	$(PY)/python load/mixed.py

load-overhead: install host
	$(PY)/python load/overhead.py

load-api: install
	$(PY)/python load/api.py

load-aggregate: install
	$(PY)/python load/aggregate.py

load-set-work: install host
	$(PY)/python load/set_work.py

load-kernel: install kernel
	$(PY)/python load/kernel.py

load-estimates: install
	$(PY)/python load/estimates.py

load-singles: install kernel
	$(PY)/python load/singles.py

load-batches: install kernel
	$(PY)/python load/batches.py

load-policies: install kernel
	$(PY)/python load/policies.py

load-simulated: install
	$(PY)/python load/simulated.py

load-segments: install host
	$(PY)/python load/segments.py

load-steps: install
	$(PY)/python load/steps.py

load-sweep: install
	$(PY)/python load/sweep.py

load-cache: install kernel
	$(PY)/python load/cache.py

guest:
	python3 guest/build.py
