"""What holds for every cluster and every set of manifests."""

from copy import deepcopy
from functools import partial
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.cib import values
from reconciler.cib.document import NAMED_BY_ID, RESOURCES, Cib, children, key, parse, serialize
from reconciler.cib.ownership import TAG
from reconciler.cib.references import ids, own
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.identity import comparable, said_ids
from reconciler.kinds.node import Node
from reconciler.kinds.observe import Observed, observe
from reconciler.plan import Plan, Reason, flatten
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from reconciler.state import Desired, Ref, Rejected
from tests.cib.pacemaker_patches import PatchOracle
from tests.configurations import EMPTY, Live, desired, lives, objects, unrecord, wishes, written
from tests.examples import often
from tests.programs import each_of_the_corpus, need, run
from tests.strategies.resources import Objects

FREE = Policy()


@pytest.fixture(scope="module")
def pacemaker() -> PatchOracle:
    return PatchOracle()


@st.composite
def situations(draw: st.DrawFn) -> tuple[Live, Objects]:
    live = draw(lives())
    return live, draw(wishes(live))


def shape(element: ET.Element) -> object:
    return element.tag, sorted(element.items()), [shape(child) for child in element if isinstance(child.tag, str)]


BAGS = {kind.section for kind in CLUSTER_KINDS.values() if kind.bag} - {"fencing-topology"}
"""Sections of which only the values have an owner."""


def own_texts(cib: Cib) -> dict[str, str]:
    """Each element with an id as text, without the resources inside it; of what is shared the pairs."""
    found = {}
    whole = deepcopy(cib.configuration)
    unrecord(whole)
    for section in children(whole):
        for element in section.iter("nvpair" if section.tag in BAGS else None):
            if element is not section and element.get("id") and element.tag not in NAMED_BY_ID:
                copy = ET.Element(element.tag, element.attrib)
                copy.extend(child for child in element if child.tag not in RESOURCES)
                found[key(element)] = serialize(copy)
    return found


def others(observed: Observed, wanted: Desired) -> dict[str, str]:
    """What is neither ours nor wanted, as texts; of what is shared, what no manifest names."""
    found = own_texts(observed.cib)
    for ref, element in observed.elements.items():
        kind = CLUSTER_KINDS.get(ref.kind)
        if kind is None or not (ref in wanted.state or observed.owns(ref)):
            continue
        said = {path.rpartition(".")[2] for path, _ in flatten(wanted.state[ref])} if ref in wanted.state else set()
        for part in own(element):
            names = {part.get("name"), values.meta_name(part.get("name", ""))}
            if not kind.bag or names & said or part.get("index") in {"1", "2"}:
                found.pop(key(part), None)
    return {name: text for name, text in found.items() if name not in observed.owned}


def stopped(cib: Cib, running: frozenset[str]) -> frozenset[str]:
    """What still runs after the cluster did what target-role says."""
    off = set()
    for element in cib.configuration.iterfind("resources//meta_attributes/nvpair[@name='target-role']/../.."):
        said = (found.find("nvpair[@name='target-role']") for found in element.findall("meta_attributes"))
        if [pair.get("value") for pair in said if pair is not None][-1] == "Stopped":
            off |= {inner.get("id") for inner in element.iter("primitive")}
    return running - off


def turn(pacemaker: PatchOracle, cib: Cib, wanted: Desired, running: frozenset[str]) -> tuple[ClusterPlan, Cib]:
    """One pass: what was planned, and the CIB after Pacemaker's own routine applied the patch."""
    planned = plan(wanted, observe(cib), running, FREE)
    if not planned.plan.commands:
        assert not planned.plan.changes
        return planned, cib
    code, text = pacemaker.patched(cib.text, planned.plan.commands[0].stdin)
    assert code == 0
    after = parse(text)
    assert shape(after.configuration) == shape(planned.configuration)
    assert pacemaker.valid(text), text
    return planned, after


@often(40)
@given(situation=situations())
def test_a_plan_leads_where_it_says_and_then_nothing_is_left(
    pacemaker: PatchOracle, situation: tuple[Live, Objects]
) -> None:
    leads_where_it_says(pacemaker, situation)


@pytest.mark.slow
@often(100, smallest=False)
@given(situation=situations())
def test_many_plans_lead_where_they_say(pacemaker: PatchOracle, situation: tuple[Live, Objects]) -> None:
    leads_where_it_says(pacemaker, situation)


def leads_where_it_says(pacemaker: PatchOracle, situation: tuple[Live, Objects]) -> None:
    live, wish = situation
    assert pacemaker.valid(live.text), live.text
    cib, wanted, running = parse(live.text), desired(wish), live.running
    for _ in range(6):
        planned, cib = turn(pacemaker, cib, wanted, running)
        running = stopped(cib, running)
        if not planned.plan.commands:
            break
    for hold in planned.plan.holds:
        event(f"held: {hold.reason}")
    assert not planned.plan.changes
    assert not planned.plan.adoptions
    allowed = {Reason.REFERENCED, Reason.NAME_TAKEN, Reason.REFERENCE_MISSING, Reason.UNSUPPORTED}
    reasons = {hold.reason for hold in planned.plan.holds}
    # What is to be stopped first waits for ever only behind something else that is held.
    assert reasons - {Reason.STOPPING} <= allowed
    assert Reason.STOPPING not in reasons or reasons & allowed
    held = {hold.ref for hold in planned.plan.holds}
    there = observe(cib)
    assert {ref for ref in wanted.state if ref not in held} <= set(there.state)
    recorded = there.cib.by_id.get(TAG)
    assert {ref.get("id") for ref in recorded or ()} <= set(cib.by_id)


@often(40)
@given(situation=situations())
def test_what_is_neither_ours_nor_wanted_is_left_as_it_was(
    pacemaker: PatchOracle, situation: tuple[Live, Objects]
) -> None:
    live, wish = situation
    before, wanted = parse(live.text), desired(wish)
    _, after = turn(pacemaker, before, wanted, live.running)
    then = own_texts(after)
    for name, text in others(observe(before), wanted).items():
        assert then.get(name) == text


@often(20)
@given(situation=situations())
def test_the_drafted_configuration_is_what_the_manifests_want(situation: tuple[Live, Objects]) -> None:
    live, wish = situation
    wanted = desired(wish)
    text, running = live.text, live.running
    for _ in range(6):
        planned = plan(wanted, observe(parse(text)), running, FREE)
        if not planned.operations:
            break
        text = f"<cib validate-with='pacemaker-3.9'>{serialize(planned.configuration)}</cib>"
        running = stopped(parse(text), running)
    assert not planned.plan.changes


@often(20)
@given(situation=situations())
def test_the_order_in_which_objects_were_said_changes_nothing(situation: tuple[Live, Objects]) -> None:
    live, wish = situation
    observed = observe(parse(live.text))
    backwards = dict(reversed(wish.items()))
    one, other = (plan(desired(said), observed, live.running, FREE) for said in (wish, backwards))
    assert one.plan == other.plan


@often(4)
@given(said=objects())
def test_pacemaker_finds_every_word_in_its_place(tmp_path: Path, said: Objects) -> None:
    need("crm_verify")
    cib = tmp_path / "cib.xml"
    root = ET.fromstring(EMPTY.format(schema="pacemaker-3.9", tags=""))
    root[0] = written(said, "pacemaker-3.9")
    del root[0].attrib["schema"]
    cib.write_text(serialize(root))
    done = run(cib, "crm_verify", "--xml-file", str(cib), "--verbose")
    assert done.returncode in {0, 78}, f"crm_verify ended with {done.returncode}"
    for complaint in ("Relax-NG", "validity", "schema"):
        assert complaint not in done.stderr, done.stderr


@pytest.mark.slow
@often(15)
@given(situation=situations())
def test_cibadmin_makes_of_a_patch_what_was_drafted(tmp_path: Path, situation: tuple[Live, Objects]) -> None:
    need("cibadmin")
    live, wish = situation
    cib = tmp_path / "cib.xml"
    cib.write_text(live.text)
    planned = plan(desired(wish), observe(parse(live.text)), live.running, FREE)
    for command in planned.plan.commands:
        done = run(cib, *command.argv, stdin=command.stdin)
        assert done.returncode == 0, done.stderr
        assert shape(parse(cib.read_text()).configuration) == shape(planned.configuration)


@often(30)
@given(said=objects())
def test_what_is_written_reads_as_it_was_said(said: Objects) -> None:
    for ref, spec in desired(said).state.items():
        kind = CLUSTER_KINDS[ref.kind]
        element = kind.write(ref.name, spec, None)
        element.extend(ET.Element("primitive", {"id": name}) for name in kind.members(spec))
        read = kind.read(element, frozenset(said_ids(spec)))
        if isinstance(spec, Node):
            read = read.model_copy(update={"id": spec.id})
        assert comparable(read, spec, partial(ids, element)) == spec


def unchanged(observed: Observed, ref: Ref) -> None:
    """Writing what was read gives the element as it is, and a plan for it is empty."""
    live = observed.elements[ref]
    own = ET.Element(live.tag, live.attrib)
    own.extend(child for child in live if child.tag not in RESOURCES)
    again = CLUSTER_KINDS[ref.kind].write(ref.name, observed.state[ref], live)
    assert serialize(again) == serialize(own)


@often(40)
@given(live=lives())
def test_what_did_not_change_is_written_as_it_was(live: Live) -> None:
    observed = observe(parse(live.text))
    for ref in observed.state:
        unchanged(observed, ref)


@often(5)
@given(situation=situations())
def test_a_rejected_set_plans_nothing(situation: tuple[Live, Objects]) -> None:
    live, wish = situation
    rejected = Desired(desired(wish).state, "r", {}, (Rejected("m.toml", "", "", "not TOML"),))
    planned = plan(rejected, observe(parse(live.text)), live.running, FREE)
    assert planned.plan == Plan(holds=planned.plan.holds)
    assert [hold.reason for hold in planned.plan.holds] == [Reason.REJECTED]
    assert planned.operations == ()


def many(count: int, address: str) -> str:
    resources = "".join(
        f'<primitive id="p{number}" class="lsb" type="x"><instance_attributes id="p{number}-a">'
        f'<nvpair id="p{number}-a-ip" name="ip" value="{address}"/></instance_attributes></primitive>'
        for number in range(count)
    )
    tags = "".join(f'<obj_ref id="p{number}"/>' for number in range(count))
    text = EMPTY.format(schema="pacemaker-3.9", tags=f'<tags><tag id="{TAG}">{tags}</tag></tags>')
    return text.replace("<resources/>", f"<resources>{resources}</resources>")


def patch_of_one_parameter(count: int) -> str:
    observed = observe(parse(many(count, "192.0.2.1")))
    changed = observe(parse(many(1, "192.0.2.2"))).state[Ref("Primitive", "p0")]
    wanted = {ref: spec for ref, spec in observed.state.items() if ref.kind == "Primitive"}
    wanted[Ref("Primitive", "p0")] = changed
    planned = plan(Desired(wanted, "r"), observed, frozenset(), FREE)
    assert [operation.operation for operation in planned.operations] == ["modify"]
    return planned.plan.commands[0].stdin


def test_a_change_of_one_parameter_is_the_same_patch_however_large_the_cluster() -> None:
    patches = {patch_of_one_parameter(count) for count in (10, 100, 1_000, 10_000)}
    assert len(patches) == 1
    assert len(patches.pop()) < 700


@each_of_the_corpus("other people's clusters are NOT read")
def test_other_peoples_clusters_are_read_and_left_as_they_are(file: Path) -> None:
    cib = parse(file.read_text())
    observed = observe(cib)
    for ref in observed.state:
        unchanged(observed, ref)
    planned = plan(Desired(dict(observed.state), "r"), observed, frozenset(), FREE)
    assert planned.plan.changes == ()
    assert {hold.reason for hold in planned.plan.holds} <= {Reason.UNSUPPORTED}
