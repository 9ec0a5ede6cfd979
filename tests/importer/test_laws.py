"""The laws of an import: what it gives is valid, and planning it against the same CIB is empty."""

from pathlib import Path

import pytest

from reconciler import manifests
from reconciler.cib.document import Cib, parse
from reconciler.decision import Remembered, decide
from reconciler.importer.importer import Imported, import_cib
from reconciler.observation import Answer, Snapshot, Source, understand
from reconciler.plan import Plan
from reconciler.pruning import Policy
from reconciler.state import Desired
from tests.programs import corpus_cibs

ABSENT = "no corpus of CIBs here (RECONCILER_CORPUS): imports of other people's clusters are NOT tested"
corpus = pytest.mark.parametrize(
    "file",
    corpus_cibs() or [pytest.param(None, marks=pytest.mark.skip(reason=ABSENT))],
    ids=lambda file: file.stem if file else "absent",
)


def loaded(imported: Imported) -> Desired:
    """Read the files as `validate` does, and see that all of them as one document say the same."""
    desired = manifests.load({file.name: file.text for file in imported.files}, "r")
    assert [str(fault) for fault in desired.rejected] == []
    whole = manifests.load({"all.toml": imported.whole}, "r")
    assert (whole.state, whole.rejected) == (desired.state, ())
    return desired


def planned(desired: Desired, cib: Cib) -> Plan:
    observation = understand(Snapshot({Source.CIB: Answer(cib.text)}, 1_700_000_000.0), "-", None)
    return decide(desired, observation, Policy(), Remembered()).plan


@corpus
def test_planning_what_was_imported_is_empty(file: Path) -> None:
    cib = parse(file.read_text())
    imported = import_cib(cib)
    assert imported.left_out == ()
    plan = planned(loaded(imported), cib)
    assert (plan.changes, plan.holds) == ((), ())
