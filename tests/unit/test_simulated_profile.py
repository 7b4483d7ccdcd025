"""Timing profiles: those that are shipped, and what is read out of one."""

from itertools import pairwise

import pytest

from farm import simulated_profile
from farm.errors import BadSetting
from farm.simulated_profile import FOLDER, Work, at, load

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.toml"))


def test_the_profiles_that_are_shipped():
    assert SHIPPED == ["cpu2", "l40s", "rtx4000ada", "rtx5090"]


@pytest.mark.parametrize("name", SHIPPED)
def test_each_profile_knows_every_step_and_names_its_sources(name):
    profile = load(name)
    for verb in ("prove", "lift", "join", "resolve", "union", "prove-keccak"):
        assert profile.work(verb, 18).device > 0
        assert profile.work(verb, 18).gib > 0
    assert profile.executing(20) > 0
    assert profile.transfer(10**9) > profile.transfer(0) > 0
    lines = (FOLDER / f"{name}.toml").read_text().splitlines()
    assert lines[0].startswith("# ")
    firsts = [one for before, one in pairwise(lines) if one and not before]
    assert [one for one in firsts if not one.startswith(("# ", "[needs.prove]"))] == []


def test_the_rtx_5090_is_as_its_source_says():
    profile = load("rtx5090")
    assert profile.work("prove", 21) == Work(0.3, 0.5, 24)
    assert profile.work("prove", 21, prepared=True) == Work(0, 0.5, 24)
    assert profile.work("preflight", 21) == Work(0.3)
    assert profile.work("lift") == Work(0.0106, 0.15, 3)
    assert profile.work("join") == Work(0.0212, 0.25, 3)
    assert profile.work("verify") == profile.work("finalize") == Work(0.0106)


def test_a_fold_is_more_than_its_time_on_the_card():
    transfers = 3 * (0.001 + 223_000 / 1.25e9)
    assert load("rtx5090").folding() == pytest.approx(0.0212 + 0.25 + transfers)


def test_time_grows_with_the_rows_and_memory_by_the_next_size_known():
    assert at({20: 2.0, 22: 8.0}, 21) == pytest.approx(4.0)
    assert at({20: 2.0, 22: 8.0}, 20) == 2.0
    assert at({20: 2.0}, 18) == 0.5
    assert at({20: 2.0}, 22) == 8.0
    assert [load("rtx5090").work("prove", po2).gib for po2 in (14, 18, 22)] == [5, 8, 30]


def test_the_largest_segment_is_what_the_memory_holds():
    found = {name: load(name).largest() for name in SHIPPED}
    assert found == {"cpu2": 20, "l40s": 22, "rtx4000ada": 20, "rtx5090": 22}


def test_a_profile_of_ones_own_is_named_by_its_file(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text((FOLDER / "l40s.toml").read_text().replace("memory = 48.0", "memory = 1.0"))
    assert load(str(mine)).memory == 1.0


@pytest.mark.parametrize("text", ["memory = 1", "= nonsense", "lift = 'soon'"])
def test_a_file_that_is_no_profile_is_refused(tmp_path, text):
    bad = tmp_path / "bad.toml"
    bad.write_text(text)
    with pytest.raises(BadSetting, match="simulated: profile"):
        load(str(bad))


def test_an_unknown_name_says_which_there_are():
    simulated_profile.load.cache_clear()
    with pytest.raises(BadSetting, match=r"no profile 'rtx9'.*there are cpu2, l40s, rtx4000ada"):
        load("rtx9")
