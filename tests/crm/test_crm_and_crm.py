"""Our reading of crm's language against crm's own: what it prints, and what it makes of what people write."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given

from reconciler.cib.document import parse
from reconciler.crm import read
from reconciler.kinds.observe import Observed, observe
from reconciler.kinds.order import Order
from reconciler.kinds.resource_set import plain
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.reading import Fault, Reading
from reconciler.state import Desired
from tests.configurations import Live, lives
from tests.crm.texts import LOADABLE, REFERENCE, SEVERAL
from tests.examples import often
from tests.programs import CORPUS, absent_corpus, each_of_the_corpus, need, run, unfit

EMPTY = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" admin_epoch="0" epoch="7" num_updates="3">
<configuration><crm_config/><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources/><constraints/>
</configuration><status/></cib>"""
CASE = CORPUS.parent / "reference-case" / "cluster.crm"
UNKNOWN_TO_CRM = re.compile(r"KeyError: '(podman|rkt)'")


def made(tmp_path: Path, *texts: str) -> dict[str, Any]:
    """What crm makes of texts that are loaded one after another."""
    cib = tmp_path / "cib.xml"
    cib.write_text(EMPTY)
    for text in texts:
        done = run(cib, "crm", "-F", "configure", "load", "update", "-", stdin=text)
        assert done.returncode == 0, done.stderr
    seen = observe(parse(cib.read_text()))
    assert not seen.unknown
    return objects(seen)


def readings(text: str) -> dict[str, Any]:
    """What we make of it."""
    reading = read(text)
    assert reading.faults == ()
    seen = observe(reading.cib)
    assert not seen.unknown
    return objects(seen)


def objects(seen: Observed) -> dict[str, Any]:
    return {str(ref): found for ref, found in (*seen.state.items(), *seen.unsupported.items())}


def without_nodes_apart(text: str, objects: dict[str, Any]) -> dict[str, Any]:
    """Leave out nodes that the text does not name."""
    return {
        name: spec
        for name, spec in objects.items()
        if not name.startswith("Node/") or re.search(rf"^node .*\b{name[5:]}\b", text, re.MULTILINE)
    }


@pytest.mark.parametrize("name", LOADABLE)
def test_what_crm_makes_of_it_is_what_we_read(tmp_path: Path, name: str) -> None:
    need("crm")
    texts = LOADABLE[name]
    text = "".join(texts)
    expected, found = without_nodes_apart(text, made(tmp_path, *texts)), readings(text)
    assert sorted(found) == sorted(expected)
    for label, spec in expected.items():
        assert found[label] == spec, label


def test_statements_one_after_another_are_what_crm_makes_of_them(tmp_path: Path) -> None:
    need("crm")
    assert readings("\n".join(SEVERAL)) == without_nodes_apart("", made(tmp_path, *SEVERAL))


def plan_for_the_clusters_configuration(tmp_path: Path, text: str) -> list[str]:
    """Load a text with crm, read it ourselves, and plan what was read against what crm made."""
    properties = [line for line in text.splitlines() if line.startswith("property")]
    rest = "\n".join(line for line in text.splitlines() if line not in properties)
    made(tmp_path, f"property {' '.join(line.removeprefix('property') for line in properties)}", rest)
    wanted = Desired(observe(read(text).cib).state, "r")
    live = observe(parse((tmp_path / "cib.xml").read_text()))
    return [str(change) for change in plan(wanted, live, frozenset(), Policy()).plan.changes]


def test_the_reference_case_is_in_sync_with_what_crm_made_of_it(tmp_path: Path) -> None:
    need("crm")
    assert plan_for_the_clusters_configuration(tmp_path, REFERENCE) == []


def test_the_text_of_the_issue_is_in_sync_with_what_crm_made_of_it(tmp_path: Path) -> None:
    need("crm")
    if not CASE.exists():
        absent_corpus("the text of the reference case is NOT read")
    assert plan_for_the_clusters_configuration(tmp_path, CASE.read_text()) == []


def lost(reading: Reading) -> tuple[Fault, ...]:
    """Return what refers to sets and values of which crm does not print the ids: it is named as a fault."""
    return tuple(fault for fault in reading.faults if "which is not there: write $" in fault.message)


def printable(spec: Any) -> Any:
    """Leave out what crm's text does not tell: sets of an order said to be sequences from those of which nothing is."""
    return spec.model_copy(update={"sets": plain(spec.sets)}) if isinstance(spec, Order) else spec


def test_crm_prints_a_set_that_is_said_to_be_a_sequence_like_one_of_which_nothing_is_said(tmp_path: Path) -> None:
    need("crm")
    cib, texts = tmp_path / "cib.xml", []
    dummies = "".join(f'<primitive id="{name}" class="ocf" provider="heartbeat" type="Dummy"/>' for name in "abcd")
    first, then = ("".join(f'<resource_ref id="{name}"/>' for name in names) for names in ("ab", "cd"))
    for said in ("", 'sequential="true"'):
        sets = f'<resource_set id="s1" {said}>{first}</resource_set><resource_set id="s2" sequential="false">{then}'
        order = f'<rsc_order id="o">{sets}</resource_set></rsc_order>'
        configured = EMPTY.replace("<resources/>", f"<resources>{dummies}</resources>")
        cib.write_text(configured.replace("<constraints/>", f"<constraints>{order}</constraints>"))
        texts.append(run(cib, "crm", "configure", "save", "-").stdout)
    assert "order o a b ( c d )" in texts[0]
    assert texts[0] == texts[1]


@pytest.mark.slow
@each_of_the_corpus("what crm prints of other people's clusters is NOT read")
def test_what_crm_prints_reads_back_as_the_same_objects(tmp_path: Path, file: Path) -> None:
    need("crm")
    cib = tmp_path / "cib.xml"
    cib.write_text(file.read_text())
    printed = run(cib, "crm", "configure", "save", "-")
    if printed.returncode:
        refused = "does not conform to the configured schema"
        assert "Traceback" in printed.stderr or refused in printed.stderr, printed.stderr
        unfit(file, "crm itself cannot show it")
    original, reading = observe(parse(file.read_text())), read(printed.stdout)
    if lost(reading):
        unfit(file, "crm does not print the ids that others refer to")
    assert reading.faults == ()
    seen = observe(reading.cib)
    assert dict(seen.unsupported) == dict(original.unsupported)
    assert sorted(seen.unknown) == sorted(original.unknown)
    assert sorted(seen.state) == sorted(original.state)
    for ref, spec in original.state.items():
        assert printable(seen.state[ref]) == printable(spec), str(ref)


@pytest.mark.slow
@often(15, smallest=False)
@given(live=lives())
def test_what_crm_prints_of_random_clusters_reads_back_as_the_same_objects(tmp_path: Path, live: Live) -> None:
    need("crm")
    cib = tmp_path / "cib.xml"
    cib.write_text(re.sub(r"<!--.*?-->", "", live.text))  # crm falls over one among operations
    printed = run(cib, "crm", "configure", "save", "-")
    if UNKNOWN_TO_CRM.search(printed.stderr):
        event("crm falls over a bundle")
        return
    assert printed.returncode == 0, printed.stderr
    reading = read(printed.stdout)
    missing = lost(reading)
    assert reading.faults == missing
    # Of defaults that it prints as XML it does not say whether they are for resources or operations.
    guessed = {remark.name for remark in reading.remarks if "crm does not say" in remark.text}
    event("lost" if missing else "guessed" if guessed else "compared")
    assert missing or told(observe(reading.cib), guessed) == told(observe(parse(live.text)), guessed)


def told(seen: Observed, guessed: set[str]) -> dict[str, Any]:
    """The objects; of those of which we had to guess the kind only that they are there."""
    found = ((name.rpartition("/")[2], name, printable(spec)) for name, spec in objects(seen).items())
    return dict((own, None) if own in guessed else (name, spec) for own, name, spec in found)
