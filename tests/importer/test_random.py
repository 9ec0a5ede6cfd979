"""The laws over configurations drawn at random from Pacemaker's own schemas (`tests/cib/relaxng_random.py`).

Other random clusters are made of our kinds, and share their view of the world; these share Pacemaker's.
"""

from functools import cache
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.cib.document import Cib, parse, serialize
from reconciler.importer.importer import Imported, import_cib
from reconciler.kinds.observe import observe
from reconciler.plan import Reason
from tests.cib import relaxng, relaxng_random
from tests.cib.pacemaker_patches import PatchOracle
from tests.examples import often
from tests.importer.test_laws import ONLINE, decided, loaded, made_anew, simulated
from tests.programs import need
from tests.test_laws import others, own_texts, turn
from tests.test_schema_coverage import VERSIONS, schema

versions = pytest.mark.parametrize("version", VERSIONS[1:])
seeds = st.integers(0, 2**32 - 1)
FEW, MANY = 5, 30
"""How many documents of a version; `make laws` draws five times as many."""

_FATAL = "Pacemaker's scheduler"
"""In the words for what ends it or keeps it busy for ever: that is left out, with all that names it."""


@pytest.fixture(scope="module")
def pacemaker() -> PatchOracle:
    return PatchOracle()


@cache
def grammar(version: str) -> relaxng.Grammar:
    return relaxng.load(schema(version))


def text(version: str, seed: int) -> str:
    head = {"crm_feature_set": "3.16.1", "validate-with": f"pacemaker-{version}", "have-quorum": "1"}
    root = ET.Element("cib", head | {"admin_epoch": "0", "epoch": "1", "num_updates": "0"})
    root.append(relaxng_random.configuration(Random(f"{version}/{seed}"), grammar(version)))
    root.append(ET.fromstring(ONLINE))
    return serialize(root)


def document(pacemaker: PatchOracle, version: str, seed: int) -> Cib:
    """Return a random document; one that Pacemaker refuses is no example."""
    drawn = text(version, seed)
    assume(pacemaker.valid(drawn))
    return parse(drawn)


@versions
def test_most_of_what_is_drawn_is_valid(pacemaker: PatchOracle, version: str) -> None:
    valid = [pacemaker.valid(text(version, seed)) for seed in range(FEW)]
    assert 2 * sum(valid) > FEW, "Pacemaker does not know what the schema is said to allow"


def is_whole(imported: Imported) -> bool:
    """Tell whether everything was imported; only what would end the scheduler may be left out."""
    left_out = [item.why for item in imported.left_out if not item.chosen]
    assert not left_out or any(_FATAL in why for why in left_out), left_out
    return not imported.left_out


def planning_is_empty(cib: Cib, *, overrides: bool) -> None:
    imported = import_cib(cib, overrides=overrides)
    is_whole(imported)
    plan = decided(loaded(imported), cib.text).plan
    assert (plan.changes, plan.holds) == ((), ()), cib.text


@versions
@given(seed=seeds)
@often(FEW, smallest=False)
def test_planning_what_was_imported_is_empty(pacemaker: PatchOracle, version: str, seed: int) -> None:
    cib = document(pacemaker, version, seed)
    planning_is_empty(cib, overrides=True)
    planning_is_empty(cib, overrides=False)


@pytest.mark.slow
@versions
@given(seed=seeds)
@often(MANY, smallest=False)
def test_planning_what_was_imported_is_empty_for_many(pacemaker: PatchOracle, version: str, seed: int) -> None:
    cib = document(pacemaker, version, seed)
    planning_is_empty(cib, overrides=True)
    planning_is_empty(cib, overrides=False)


@pytest.mark.slow
@versions
@given(seed=seeds)
@often(FEW, smallest=False)
def test_pacemaker_makes_the_same_of_what_was_imported(
    pacemaker: PatchOracle, tmp_path: Path, version: str, seed: int
) -> None:
    need("crm_simulate")
    cib = document(pacemaker, version, seed)
    imported = import_cib(cib)
    if not is_whole(imported) or isinstance(before := simulated(tmp_path, cib.text), str):
        return
    anew = made_anew(loaded(imported), cib)
    assert not anew or simulated(tmp_path, anew) == before, cib.text


@versions
@given(seed=seeds, other=seeds)
@often(FEW, smallest=False)
def test_manifests_of_another_cluster_lead_where_they_say(
    pacemaker: PatchOracle, version: str, seed: int, other: int
) -> None:
    leads(pacemaker, document(pacemaker, version, seed), document(pacemaker, version, other))


def leads(pacemaker: PatchOracle, cib: Cib, other: Cib) -> None:
    """Plan and apply the manifests of another cluster until nothing is left; what is not theirs stays as it was."""
    wanted = loaded(import_cib(other))
    foreign = others(observe(cib), wanted)
    planned, after = turn(pacemaker, cib, wanted, frozenset())
    then = own_texts(after)
    # A level for the same target and index is the manifest's, whatever devices it has had.
    assert [name for name, text in foreign.items() if then.get(name) != text and "<fencing-level" not in text] == []
    for _ in range(6):
        planned, after = turn(pacemaker, after, wanted, frozenset())
        if not planned.plan.commands:
            break
    assert planned.plan.changes == ()
    assert {hold.reason for hold in planned.plan.holds} <= {
        *(Reason.REFERENCED, Reason.NAME_TAKEN, Reason.REFERENCE_MISSING, Reason.UNSUPPORTED)
    }
