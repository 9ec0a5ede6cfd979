"""Golden cases: `cib.xml` -> the files in `desired`, and what is said on stderr (`said.txt`).

A change of behaviour is a change of these texts, to be read before it is accepted: ACCEPT=1 writes them anew.
"""

import os
from pathlib import Path

import pytest

from reconciler.cib.document import parse
from reconciler.importer.importer import import_cib
from reconciler.takeover import summary
from tests.importer.test_laws import decided, loaded

CASES = sorted(path for path in (Path(__file__).parents[1] / "import_cases").iterdir() if path.is_dir())
ACCEPT = os.environ.get("ACCEPT") == "1"


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_manifests_are_as_accepted(case: Path) -> None:
    imported = import_cib(parse((case / "cib.xml").read_text()))
    texts = {f"desired/{file.name}": file.text for file in imported.files}
    texts["said.txt"] = "".join(f"{line}\n" for line in summary(imported, Path("import")))
    if ACCEPT:
        (case / "desired").mkdir(exist_ok=True)
        for name, text in texts.items():
            (case / name).write_text(text)
    there = {path.relative_to(case).as_posix() for path in case.rglob("*.t*")}
    assert there == set(texts)
    for name, text in texts.items():
        assert (case / name).read_text() == text, name


@pytest.mark.parametrize("overrides", [True, False], ids=["with", "without"])
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_planning_them_is_empty(case: Path, overrides: bool) -> None:
    cib = parse((case / "cib.xml").read_text())
    plan = decided(loaded(import_cib(cib, overrides=overrides)), cib.text).plan
    assert (plan.changes, plan.holds) == ((), ())
