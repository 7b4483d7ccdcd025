"""What the API says of itself holds: thousands of requests made from its own description."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from asking import user

pytestmark = [pytest.mark.redis, pytest.mark.host]

CONFIG = Path(__file__).with_name("schemathesis.toml")
#: How many requests there are at least, and how many are made of each operation for that;
#: `make api-fuzz` has more.
REQUESTS = int(os.environ.get("API_REQUESTS", "2000"))
#: In CI the same requests each time, as far as the names of things allow.
SEED = ("--seed", os.environ.get("API_SEED", "7"))


@pytest.fixture
def schemathesis(api_farm, tmp_path):
    """Return what makes requests with a key of these scopes, and says how many they were."""

    def run(scopes, *words):
        somebody = user(api_farm, *scopes)
        command = [Path(sys.executable).with_name("st"), "--config-file", CONFIG, "run"]
        command += [f"{somebody.url}/v1/openapi.json", "-H", f"x-api-key: {somebody.secret}"]
        command += [
            "--checks",
            "all",
            "--warnings",
            "off",
            "--request-timeout",
            "20",
            *SEED,
            *words,
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        return int(re.search(r"([\d,]+) generated", done.stdout)[1].replace(",", ""))

    return run


def test_it_takes_what_it_describes_refuses_the_rest_and_never_fails(schemathesis):
    each = str(REQUESTS // 50)
    made = schemathesis(
        ("submit", "read"), "--exclude-path-regex", "^/v1/keys", "--max-examples", each
    )
    assert made >= REQUESTS


def test_the_same_of_what_is_for_admins(schemathesis):
    # Not as a story: who reads the list of keys may revoke its own.
    how = ("--phases", "coverage,fuzzing", "--max-examples", "20")
    assert schemathesis(("admin", "read"), "--include-path-regex", "^/v1/keys", *how) > 20
