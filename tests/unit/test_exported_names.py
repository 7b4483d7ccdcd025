"""The public names: sorted, all there, and cheap to import."""

import re
import subprocess
import sys

import pytest

import farm


def by_number(name):
    # As ruff sorts: capitals first, i32 before i128.
    letters, number = re.fullmatch(r"(.*?)(\d*)", name).groups()
    return letters, int(number or 0)


def test_names_are_sorted_and_all_there():
    assert farm.__all__ == sorted(farm.__all__, key=by_number)
    assert len(set(farm.__all__)) == len(farm.__all__)
    for name in farm.__all__:
        assert getattr(farm, name).__name__.rpartition(".")[2] == name


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'farm' has no attribute 'nothing'"):
        farm.nothing  # noqa: B018


def test_importing_the_package_loads_nothing():
    code = "import sys, farm; sys.exit('numpy' in sys.modules or 'celery' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
