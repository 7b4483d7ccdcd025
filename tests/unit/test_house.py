"""The house rules that a machine can hold: sizes, first lines, imports of one name."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES, FUNCTION_LINES = 300, 40
PYTHON = sorted(
    path
    for room in ("farm", "tasks", "tests", "load", "host", "guest", "infra", "configs")
    for path in (ROOT / room).rglob("*.py")
    if "farm/tasks" not in str(path) and ".venv" not in path.parts
)
RUST = sorted(p for room in ("host", "guest") for p in (ROOT / room).rglob("*.rs"))
LUA = sorted((ROOT / "farm").rglob("*.lua"))


def test_no_file_is_over_its_size():
    lines = {str(path): len(path.read_text().splitlines()) for path in [*PYTHON, *RUST, *LUA]}
    assert {path: count for path, count in lines.items() if count > FILE_LINES} == {}


def test_no_function_is_over_its_size():
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = [
        (str(path), node.name)
        for path in PYTHON
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, kinds) and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


def test_the_first_line_of_a_file_says_its_job():
    texts = {str(path): path.read_text() for path in PYTHON}
    silent = [path for path, text in texts.items() if not ast.get_docstring(ast.parse(text))]
    assert [path for path in silent if texts[path].strip()] == []


@pytest.mark.parametrize("path", RUST, ids=lambda p: str(p.relative_to(ROOT)))
def test_rust_files_say_their_job_and_keep_functions_short(path):
    text = path.read_text()
    assert text.startswith(("//!", "#!"))
    # rustfmt closes a function with a brace at the indentation of its `fn`.
    for start in re.finditer(r"^( *)(?:pub(?:\([a-z]+\))? )?(?:const )?fn (\w+)", text, re.M):
        end = re.compile(rf"^{start[1]}}}", re.M).search(text, start.end())
        lines = text[start.start() : end.end()].count("\n") + 1 if end else 0
        assert lines <= FUNCTION_LINES, start[2]
