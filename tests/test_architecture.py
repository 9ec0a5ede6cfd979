"""The shape of the code: who may import whom, one door to each outside thing, no file or function too long."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cib import rules
from reconciler.kinds import KINDS
from reconciler.plan import Reason
from tests.programs import need

ROOT = Path(__file__).parents[1] / "reconciler"
FILES = sorted(path for path in ROOT.rglob("*.py") if "__pycache__" not in path.parts)

PLACES = {
    place.removesuffix(".py").rstrip("/"): cells[2]
    for line in (ROOT.parent / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3
    for place in re.findall(r"`([\w/.]+)`", cells[0])
}
"""ARCHITECTURE's table: what I/O each module or package does."""

PURE = frozenset(place for place, io in PLACES.items() if io == "none")
"""No input or output, no clock, no logging, no randomness, and nothing of the code that has them."""

COUNTED = {"metrics.catalogue", "metrics.failovers", "metrics.memory", "metrics.snapshot"}
"""What of the metrics is pure too: what is counted, and what it is called."""

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

DOORS = {
    "sh": {"host/shell.py"},
    "watchfiles": {"host/watcher.py"},
    "prometheus_client": {"metrics/"},
    "tomli": {"manifests.py", "settings.py"},
    "click": {"cli.py", "show.py"},
    "subprocess": set(),
}
"""Who may import what comes from outside; a directory stands for all that is in it."""

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


def counted(module: str) -> bool:
    return module == "metrics" or module.startswith(tuple(COUNTED))


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pure() -> list[Path]:
    return [path for path in FILES if place(path).split("/")[0].removesuffix(".py") in PURE]


def test_the_table_of_the_architecture_names_every_module() -> None:
    there = {place(path).split("/")[0].removesuffix(".py") for path in FILES} - {"__init__", "__main__"}
    assert set(PLACES) == there
    core = {"kinds", "cib", "network", "corosync", "planner", "manifests", "state", "plan", "status"}
    assert core <= PURE


@pytest.mark.parametrize("path", pure(), ids=place)
def test_what_decides_touches_nothing(path: Path) -> None:
    found = set(imports(path))
    assert not {top(module) for module in found} & IMPURE
    ours = {module.removeprefix("reconciler.") for module in found if module.startswith("reconciler.")}
    assert not {module for module in ours if top(module) not in {*PURE, "__version__"} and not counted(module)}
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not {call.id for call in calls if isinstance(call, ast.Name)} & {"open", "print", "input", "eval"}
    compiles = place(path) == "frozen.py"
    assert compiles == ("exec" in {call.id for call in calls if isinstance(call, ast.Name)})
    clocks = {"now", "today", "utcnow"}
    assert not {call.attr for call in calls if isinstance(call, ast.Attribute)} & clocks


@pytest.mark.parametrize("module", sorted(DOORS))
def test_what_comes_from_outside_has_one_door(module: str) -> None:
    users = {place(path) for path in FILES if module in {top(name) for name in imports(path)}}
    assert not {user for user in users if not user.startswith(tuple(DOORS[module]) or ("-",))}


def kinds() -> list[Path]:
    """Those that the table is made of; the other modules beside them are parts of kinds."""
    return [path for path in (ROOT / "kinds").glob("*.py") if re.search(r"^KIND\b", path.read_text(), re.MULTILINE)]


@pytest.mark.parametrize("path", kinds(), ids=place)
def test_no_kind_knows_another(path: Path) -> None:
    others = {f"reconciler.kinds.{other.stem}" for other in kinds() if other != path}
    assert others
    assert not set(imports(path)) & {*others, "reconciler.kinds.KINDS", "reconciler.kinds.CLUSTER_KINDS"}


def test_nobody_imports_the_command_line() -> None:
    users = {place(path) for path in FILES if any(name.startswith("reconciler.cli") for name in imports(path))}
    assert users <= {"__main__.py"}


def test_the_nouns_know_only_nouns() -> None:
    for noun, known in {"state": {"frozen", "secret"}, "plan": {"frozen", "secret", "state"}}.items():
        ours = {name for name in imports(ROOT / f"{noun}.py") if name.startswith("reconciler")}
        assert {name.split(".")[1] for name in ours} <= known


def test_the_cib_knows_no_kinds() -> None:
    users = {
        place(path)
        for path in FILES
        if place(path).startswith("cib/") and any(name.startswith("reconciler.kinds") for name in imports(path))
    }
    assert users == set()


def test_values_are_made_by_frozen() -> None:
    slow = "@dataclass(frozen=True, slots=True)\n"
    assert [place(path) for path in FILES if slow in path.read_text()] == [], "reconciler.frozen makes them faster"


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


def readme(title: str) -> str:
    """The part of README under a heading."""
    return (ROOT.parent / "README.md").read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_readme_says_how_long_every_reason_holds() -> None:
    rows = re.findall(r"^\| ([A-Z][\w, ]+) \|", readme("When a change waits"), re.MULTILINE)
    named = {name.removesuffix(" of one object") for row in rows for name in row.split(", ")}
    # What is in sync, under way or has failed is not held, but a state.
    assert named == set(Reason) - {Reason.IN_SYNC, Reason.PENDING, Reason.FAILED}


def test_the_readme_names_every_kind() -> None:
    table = readme("Kinds")
    rows = re.findall(r"^\| ([A-Z][\w, ]+) \|", table, re.MULTILINE)
    assert {name for row in rows for name in row.split(", ")} == set(KINDS)


def test_the_rules_in_the_readme_are_rules() -> None:
    rows = re.findall(r"^\| (`.*?`) \|", readme("Kinds").partition("| `expression` |")[2], re.MULTILINE)
    expressions = [text for row in rows for text in re.findall("`([^`]*)`", row)]
    assert len(expressions) > len(rows) > 5
    assert [doubt for text in expressions for doubt in rules.doubts(rules.parse(text))] == []


def test_no_test_is_skipped_but_by_the_one_who_says_so_and_fails_in_ci() -> None:
    tests = ROOT.parent / "tests"
    doors = {"skip", "skipif", "importorskip", "SkipTest", "skipTest"}
    skipping = {
        path.relative_to(tests).as_posix()
        for path in {*tests.rglob("*.py")} - {Path(__file__)}
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in doors
    }
    assert skipping == {"programs.py"}, "use absent, need or need_root of tests/programs.py"


@pytest.mark.parametrize("ci", ["", "true"])
def test_what_is_absent_is_skipped_by_people_and_fails_in_ci(ci: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", ci)
    with pytest.raises(pytest.fail.Exception if ci else pytest.skip.Exception, match="no-such-tool"):
        need("no-such-tool")
