"""The shape of the code: who may import whom, one door to each outside thing, no file or function too long."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "reconciler"
FILES = sorted(path for path in ROOT.rglob("*.py") if "__pycache__" not in path.parts)

PURE = (
    "kinds",
    "cib",
    "network",
    "corosync",
    "cautions",
    "crossref",
    "decision",
    "forecast",
    "health",
    "manifests",
    "observation",
    "plan",
    "planner",
    "pruning",
    "state",
    "status",
    "text",
    "verdict",
    "waiting",
    "writer",
)
"""No input or output, no clock, no logging, no randomness, and nothing of the code that has them."""

IMPURE = {
    "asyncio",
    "http",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "select",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib",
}
IMPURE_MODULES = ("reconciler.host", "reconciler.metrics", "reconciler.loop", "reconciler.settings", "reconciler.turn")

DOORS = {
    "sh": {"host/shell.py"},
    "watchfiles": {"host/watcher.py"},
    "prometheus_client": {"metrics/"},
    "tomli": {"manifests.py", "settings.py"},
    "click": {"cli.py", "show.py"},
    "subprocess": set(),
}
"""Who may import what comes from outside; a directory stands for all that is in it."""

PARTS = {"base", "meta", "nvset", "operation", "rule"}
"""Modules of `kinds` that are parts of kinds and no kinds."""

ABOUT_KINDS = {"__init__", "observe"}

BANNED = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "misc"}


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, with the names taken from packages of ours (`reconciler.kinds.group`)."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            yield module
            yield from (f"{module}.{name.name}" for name in node.names if module.startswith("reconciler"))


def top(module: str) -> str:
    return module.partition(".")[0]


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pure() -> list[Path]:
    return [path for path in FILES if place(path).split("/")[0].removesuffix(".py") in PURE]


@pytest.mark.parametrize("path", pure(), ids=place)
def test_what_decides_touches_nothing(path: Path) -> None:
    found = set(imports(path))
    assert not {top(module) for module in found} & IMPURE
    assert not [module for module in found if module.startswith(IMPURE_MODULES)]
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not {call.id for call in calls if isinstance(call, ast.Name)} & {"open", "print", "input", "exec", "eval"}
    clocks = {"now", "today", "utcnow"}
    assert not {call.attr for call in calls if isinstance(call, ast.Attribute)} & clocks


@pytest.mark.parametrize("module", sorted(DOORS))
def test_what_comes_from_outside_has_one_door(module: str) -> None:
    users = {place(path) for path in FILES if module in {top(name) for name in imports(path)}}
    assert not {user for user in users if not user.startswith(tuple(DOORS[module]) or ("-",))}


@pytest.mark.parametrize("path", [path for path in FILES if place(path).startswith("kinds/")], ids=place)
def test_no_kind_knows_another(path: Path) -> None:
    if path.stem in ABOUT_KINDS:
        return
    others = {path.stem for path in (ROOT / "kinds").glob("*.py")} - PARTS
    known = {module.removeprefix("reconciler.kinds.") for module in imports(path)}
    assert not known & (others | {"reconciler.kinds"})


def test_nobody_imports_the_command_line() -> None:
    users = {place(path) for path in FILES if any(name.startswith("reconciler.cli") for name in imports(path))}
    assert users <= {"__main__.py"}


def test_the_nouns_know_only_nouns() -> None:
    ours = {name for name in imports(ROOT / "state.py") if name.startswith("reconciler")}
    assert ours == set()
    ours = {name for name in imports(ROOT / "plan.py") if name.startswith("reconciler")}
    assert {name.split(".")[1] for name in ours} <= {"state"}


def test_the_cib_knows_no_kinds() -> None:
    users = {
        place(path)
        for path in FILES
        if place(path).startswith("cib/") and any(name.startswith("reconciler.kinds") for name in imports(path))
    }
    assert users == set()


@pytest.mark.parametrize("path", FILES, ids=place)
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 50
    ]
    assert long == []


@pytest.mark.parametrize("path", FILES, ids=place)
def test_names_and_errors_say_something(path: Path) -> None:
    assert path.stem not in BANNED
    assert path.parent.name not in BANNED
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.Global | ast.Nonlocal)
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            assert caught not in {"everything", "Exception", "BaseException"}
