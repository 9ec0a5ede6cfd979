"""What holds for every cluster and every set of manifests."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from reconciler.cib.document import RESOURCES, Cib, parse, serialize
from reconciler.cib.ownership import TAG
from reconciler.kinds.observe import observe
from reconciler.plan import Reason
from reconciler.planner import ClusterPlan, plan
from reconciler.pruning import Policy
from reconciler.state import Desired
from tests.cib.pacemaker_patches import PatchOracle
from tests.configurations import Live, Objects, desired, lives, wishes

FREE = Policy(deletion_budget=100)


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


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
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


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
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
