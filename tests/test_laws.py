"""What holds for every cluster and every set of manifests."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from reconciler.cib.document import RESOURCES, Cib, parse, serialize
from reconciler.cib.ownership import TAG
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import Observed, observe
from reconciler.plan import Plan, Reason
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from reconciler.state import Desired, Ref, Rejected
from tests.cib.pacemaker_patches import PatchOracle
from tests.configurations import EMPTY, PATIENT, Live, Objects, desired, lives, objects, wishes
from tests.programs import each_of_the_corpus, need, run

FREE = Policy()


@pytest.fixture(scope="module")
def pacemaker() -> PatchOracle:
    return PatchOracle()


@st.composite
def situations(draw: st.DrawFn) -> tuple[Live, Objects]:
    live = draw(lives())
    return live, draw(wishes(live.said))


def shape(element: ET.Element) -> object:
    return element.tag, sorted(element.items()), [shape(child) for child in element if isinstance(child.tag, str)]


def own_texts(cib: Cib) -> dict[str, str]:
    """Each object's own element as text, without the resources inside it; of property sets the pairs."""
    found = {}
    for path in ("crm_config//nvpair", "nodes//*[@id]", "resources//*[@id]", "constraints//*[@id]"):
        for element in cib.configuration.iterfind(path):
            copy = ET.Element(element.tag, element.attrib)
            copy.extend(child for child in element if child.tag not in RESOURCES)
            found[element.get("id", "")] = serialize(copy)
    return found


def stopped(cib: Cib, running: frozenset[str]) -> frozenset[str]:
    """What still runs after the cluster did what target-role says."""
    off = set()
    for element in cib.configuration.iterfind("resources//meta_attributes/nvpair[@name='target-role']/../.."):
        roles = [pair.get("value") for pair in element.iterfind("meta_attributes/nvpair[@name='target-role']")]
        if roles[0] == "Stopped":
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


@PATIENT
@given(situation=situations())
def test_a_plan_leads_where_it_says_and_then_nothing_is_left(
    pacemaker: PatchOracle, situation: tuple[Live, Objects]
) -> None:
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
    assert {hold.reason for hold in planned.plan.holds} <= (allowed if wish else {Reason.DELETION_BUDGET})
    held = {hold.ref for hold in planned.plan.holds}
    there = observe(cib)
    assert {ref for ref in wanted.state if ref not in held} <= set(there.state)
    recorded = there.cib.by_id.get(TAG)
    assert {ref.get("id") for ref in recorded or ()} <= set(cib.by_id)


@PATIENT
@given(situation=situations())
def test_what_is_neither_ours_nor_wanted_is_left_as_it_was(
    pacemaker: PatchOracle, situation: tuple[Live, Objects]
) -> None:
    live, wish = situation
    before = parse(live.text)
    owned = observe(before).owned
    _, after = turn(pacemaker, before, desired(wish), live.running)
    names = {name for _, name in wish}
    then = own_texts(after)
    for name, text in own_texts(before).items():
        inside_ours = any(name.startswith(f"{ours}-") for ours in owned | names)
        if name not in owned and name not in names and not inside_ours:
            assert then.get(name) == text


@settings(PATIENT, max_examples=40)
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


@settings(PATIENT, max_examples=40)
@given(situation=situations())
def test_the_order_in_which_objects_were_said_changes_nothing(situation: tuple[Live, Objects]) -> None:
    live, wish = situation
    observed = observe(parse(live.text))
    backwards = dict(reversed(wish.items()))
    one, other = (plan(desired(said), observed, live.running, FREE) for said in (wish, backwards))
    assert one.plan == other.plan


@pytest.mark.slow
@settings(PATIENT, max_examples=15)
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


@settings(PATIENT, max_examples=60)
@given(said=objects())
def test_what_is_written_reads_as_it_was_said(said: Objects) -> None:
    for ref, spec in desired(said).state.items():
        kind = CLUSTER_KINDS[ref.kind]
        element = kind.write(ref.name, spec, None)
        element.extend(ET.Element("primitive", {"id": name}) for name in kind.members(spec))
        assert kind.read(element, frozenset()) == spec


def unchanged(observed: Observed, ref: Ref) -> None:
    """Writing what was read gives the element as it is, and a plan for it is empty."""
    live = observed.elements[ref]
    own = ET.Element(live.tag, live.attrib)
    own.extend(child for child in live if child.tag not in RESOURCES)
    again = CLUSTER_KINDS[ref.kind].write(ref.name, observed.state[ref], live)
    assert serialize(again) == serialize(own)


@settings(PATIENT, max_examples=60)
@given(live=lives())
def test_what_did_not_change_is_written_as_it_was(live: Live) -> None:
    observed = observe(parse(live.text))
    for ref in observed.state:
        unchanged(observed, ref)


@settings(PATIENT, max_examples=5)
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
