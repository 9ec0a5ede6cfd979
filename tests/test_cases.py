"""Golden cases: `desired/*.toml` and `cib.xml` -> `plan.txt`, and `patch.xml` where there is one to see.

`secrets/` has the files that manifests refer to, by their last names; there is no other.

A change of behaviour is a change of these texts, to be read before it is accepted: ACCEPT=1 writes them anew.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler import manifests, sealing, secret
from reconciler.cib.document import parse
from reconciler.cib.register import Register
from reconciler.decision import Decision, Remembered, decide
from reconciler.guards import Moment, guarded
from reconciler.observation import Answer, Snapshot, Source, understand
from reconciler.policy import Rules
from reconciler.pruning import Policy
from reconciler.secret import Seal
from reconciler.text import plan_crm, plan_text, plan_xml
from tests.cib.pacemaker_patches import PatchOracle
from tests.programs import need, run

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())
ACCEPT = os.environ.get("ACCEPT") == "1"


@pytest.fixture(scope="module")
def pacemaker() -> PatchOracle:
    return PatchOracle()


def decision(case: Path, cib: str) -> Decision:
    texts = {str(path.relative_to(case / "desired")): path.read_text() for path in (case / "desired").rglob("*.toml")}
    desired = manifests.load(texts, "r")
    assert not desired.rejected, [str(rejected) for rejected in desired.rejected]
    observation = understand(Snapshot({Source.CIB: Answer(cib)}, 1_700_000_000.0), "n1", None)
    assert not observation.problems
    assert observation.cluster is not None
    seal, there = Seal(b"a key for tests"), sealing.sources(desired.state)
    wanted = {source for items in there.values() for _, source in items}
    found = {source: seal.take(source, reading(case / "secrets", source)) for source in wanted}
    desired = sealing.resolve(desired, there, found)
    given = [(ref, name) for ref, items in there.items() for name, _ in items]
    closed = sealing.conceal(observation.cluster, given, seal)
    observation = replace(observation, cluster=closed)
    decided = decide(desired, observation, Policy(), Remembered())
    return guarded(decided, Moment(desired, observation, live=False), Rules(), Register())


def reading(place: Path, source: secret.Source) -> secret.Reading:
    file = place / Path(source.name).name
    return secret.understand(file.read_bytes()) if file.exists() else secret.Unavailable("does not exist")


def patch(decided: Decision) -> str:
    return decided.plan.commands[0].stdin


def compare(path: Path, text: str) -> None:
    if ACCEPT:
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_plan_is_as_accepted(case: Path) -> None:
    decided = decision(case, (case / "cib.xml").read_text())
    compare(case / "plan.txt", plan_text(decided.plan))
    if (case / "patch.xml").exists():
        compare(case / "patch.xml", plan_xml(decided.plan))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_pacemaker_takes_the_patch_and_only_what_was_held_is_left(pacemaker: PatchOracle, case: Path) -> None:
    text = (case / "cib.xml").read_text()
    assert pacemaker.valid(text)
    decided = decision(case, text)
    if decided.plan.commands:
        code, text = pacemaker.patched(parse(text).text, patch(decided))
        assert code == 0
        assert pacemaker.valid(text)
    left = decision(case, text).plan
    as_a_whole = any(hold.ref is None for hold in decided.plan.holds)
    assert (left.changes, left.adoptions) == (
        (decided.plan.changes, decided.plan.adoptions) if as_a_whole else ((), ())
    )
    assert left.commands == ()
    assert {hold.ref for hold in left.holds} <= {hold.ref for hold in decided.plan.holds}


CRM_CANNOT = {
    "create-the-whole-example": "crm knows no podman, and loses the scores of property sets",
    "secret-changed": "what has a value that is not shown is not to be typed",
    "secret-unavailable": "what has a value that is not shown is not to be typed",
    "inner-ids-taken": "what crm takes as XML has the ids of a new cluster",
    "member-moves-to-another-group": "crm takes a member out of a group and into another only in two steps",
}


def for_crm(case: Path) -> object:
    marks = [pytest.mark.xfail(reason=CRM_CANNOT[case.name])] if case.name in CRM_CANNOT else []
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.slow
@pytest.mark.parametrize("case", [for_crm(case) for case in CASES])
def test_what_one_would_have_typed_into_crm_leads_to_the_same(tmp_path: Path, case: Path) -> None:
    need("crm", "cibadmin")
    cib = tmp_path / "cib.xml"
    cib.write_text((case / "cib.xml").read_text())
    typed = plan_crm(decision(case, cib.read_text()).plan)
    for part in typed.split("# crm configure")[1:]:
        words, _, lines = part.partition(":\n")
        done = run(cib, "crm", "-F", "configure", *words.split(), *(["-"] if words else []), stdin=lines)
        assert done.returncode == 0, done.stdout + done.stderr
        for line in lines.splitlines():
            if line.startswith("# crm_attribute"):
                assert run(cib, *line[2:].split()).returncode == 0
    assert decision(case, cib.read_text()).plan.changes == ()
