"""`farm bench reference`: every row of the reference is there, the exit code is that of goals."""

import json
import random
import sys
from statistics import median

import pytest

from farm import (
    bench_cache,
    bench_models,
    bench_report,
    bench_risc0,
    bench_run,
    bench_stream,
    bench_threads,
)
from farm.bench_row import Curve, Found, Row
from farm.cli import main
from farm.policies import NAMES

#: Of each row of the reference's table, words that stand in ours.
ROWS = [
    "fib(10), cold",
    "steps a second",
    "verify: make it again",
    *(f"30 proofs of fib 100-110: {name}" for name in NAMES),
    *(f"fib({n}), estimate v measured" for n in (100, 300, 500, 1000, 5000)),
    "ways for proofs",
    "in parallel",
    "worth it if",
    *(f"{percent} % hits" for percent in (0, 10, 50, 90)),
    "room made for",
    *(f"{count} threads" for count in (10, 20, 50)),
    "zero steps",
    "one step",
    "huge n",
    "empty batch",
    "duplicates",
    "capacity 0",
    "capacity 1",
    "RISC0: one proof",
    "RISC0: verify",
    "bytes of a receipt",
    "on-chain rate",
    *(f"layer {number}" for number in range(1, 6)),
]


@pytest.fixture
def small(monkeypatch, tmp_path):
    monkeypatch.setenv("FARM_STATE", str(tmp_path))
    monkeypatch.setattr(bench_cache, "TOGETHER", 64)
    monkeypatch.setattr(bench_cache, "AGAIN", 3)
    monkeypatch.setattr(bench_models, "OBSERVED", 5)
    monkeypatch.setattr(bench_models, "REPEATS", 1)
    monkeypatch.setattr(bench_models, "SIZES", [1, 2])
    monkeypatch.setattr(bench_threads, "TOGETHER", 50)


def bench(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["bench", "reference", *arguments])
    return ended.value.code


def test_every_row_is_there(small, capsys, tmp_path):
    code = bench("--seconds", "0", "--out", str(tmp_path / "out"))
    out, err = capsys.readouterr()
    text = (tmp_path / "out" / "reference.md").read_text()
    facts = json.loads((tmp_path / "out" / "reference.json").read_text())
    rows = [f"{row['part']}: {row['what']}" for row in facts["rows"]]
    assert [words for words in ROWS if not any(words in row for row in rows)] == []
    assert text.count("\n| ") == 2 + len(rows) and f"| {facts['rows'][-1]['what']} |" in text
    missed = [row for row in facts["rows"] if row.get("met") is False]
    assert code == (1 if missed else 0)
    assert err.count("missed: ") == len(missed)
    assert [row for row in facts["rows"] if row["part"] == "edge cases" and not row["met"]] == []
    assert {curve["across"] for curve in facts["curves"]} >= {"policy", "threads", "hit rate, %"}
    assert "30 proofs of fib 100-110" in out
    assert out.count(" met ") + out.count("MISSED") == sum(
        bool(row["goal"]) for row in facts["rows"]
    )


ROW = Row("part", "what", "1", "2", ">= 1", True)


@pytest.mark.parametrize(("met", "code"), [(True, 0), (None, 0), (False, 1)])
def test_a_missed_goal_fails_the_command(monkeypatch, capsys, met, code):
    row = Row("part", "what", "1", "2", ">= 1", met)
    monkeypatch.setattr(bench_run, "PARTS", {"a part": lambda seconds: Found([row])})
    assert bench("--json") == code
    out, err = capsys.readouterr()
    assert json.loads(out)["rows"][0]["what"] == "what"
    assert err.startswith("a part ...\n") and ("missed: part: what" in err) == (code == 1)


def test_without_matplotlib_there_is_no_picture(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    files = bench_report.write(tmp_path, [ROW], [CURVE])
    assert [file.name for file in files] == ["reference.md", "reference.json"]


CURVE = Curve(title="t", across="x", up="y", places=["1", "2"], lines={"here": [1.0, 2.0]})


def test_with_matplotlib_there_is_one(tmp_path):
    picture = bench_report.write(tmp_path, [ROW], [CURVE])[-1]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_written_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench_run, "PARTS", {"a part": lambda seconds: Found([ROW])})
    file = tmp_path / "file"
    file.write_text("")
    assert bench("--out", str(file)) == 1
    assert f"farm: cannot write {file}" in capsys.readouterr().err


def test_without_receipts_the_rows_say_so(monkeypatch, tmp_path):
    monkeypatch.setenv("FARM_STATE", str(tmp_path))
    monkeypatch.setattr(bench_risc0, "GOLDEN", tmp_path)
    rows = {row.what: row.ours for row in bench_risc0.risc0(0.0).rows}
    assert rows["verify"].startswith("not measured here: ")
    assert rows["one proof"] == "not measured here"


def test_the_model_of_the_cache_is_the_references_with_its_costs():
    said = [bench_cache.model(hits, 0.05, 0.15) for hits in (0.1, 0.5)]
    assert said == pytest.approx([0.92, 1.60], abs=0.01)


def test_proofs_to_observe_are_measured_among_those_to_predict(monkeypatch):
    asked: list[int] = []

    def proof(rounds):
        asked.append(rounds)
        return len(asked)

    monkeypatch.setattr(bench_stream, "proof", proof)
    seen, truth = bench_stream.stream(random.Random(1), 200, 41)
    middle = len(asked) / 2
    assert len(seen) == 200 and tuple(truth) == bench_stream.ROUNDS
    assert [rounds for rounds, at in seen] == [asked[int(at) - 1] for _, at in seen]
    for at in (median(at for _, at in seen), *truth.values()):
        assert 0.6 * middle < at < 1.4 * middle


def test_an_estimate_may_be_off_either_way():
    assert bench_stream.errors({1: 3.0, 2: 1.0}, {1: 2.0, 2: 2.0}) == [0.5, 0.5]
