# Seven verbs. Everything they need is made on the way, nothing outside .venv and the user's cache is touched.
PY := .venv/bin
STAMP := .venv/.installed

.PHONY: install host check test unit prove demo load-overhead guest

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	python3 -m venv .venv
	$(PY)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

host:
	python3 host/build.py

check: install
	$(PY)/ruff check .
	$(PY)/ruff format --check .
	$(PY)/mypy
	$(PY)/lint-imports
	python3 host/build.py --clippy
	cargo fmt --manifest-path host/Cargo.toml --all --check

test: install host check
	python3 host/build.py --test
	python3 guest/build.py --check --if-changed
	$(PY)/pytest

unit: install
	$(PY)/pytest tests/unit

prove: install host
	$(PY)/pytest --prove -m prove tests

demo: install
	@if command -v cargo >/dev/null; then python3 host/build.py; else echo "cargo not found: RISC0 proving is left out (install Rust by rustup)"; fi
	$(PY)/farm demo

load-overhead: install host
	$(PY)/python load/overhead.py

guest:
	python3 guest/build.py
