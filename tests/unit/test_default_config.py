"""configs/default.toml lists every setting, with its default and a comment."""

import tomllib
from itertools import pairwise
from pathlib import Path

from farm.settings import Settings

FILE = Path(__file__).resolve().parents[2] / "configs" / "default.toml"


def test_the_sample_is_equal_to_the_built_in_defaults(monkeypatch):
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    sample = tomllib.loads(FILE.read_text())
    assert list(sample) == list(Settings.model_fields)
    assert Path(sample.pop("state")).expanduser() == Path.home() / ".local/state/proving-farm"
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert sample == {name: defaults[name] for name in sample}


def test_every_setting_has_a_comment_line_above():
    lines = FILE.read_text().splitlines()
    bare = [one for before, one in pairwise(lines) if " = " in one and not before.startswith("# ")]
    assert bare == []
