"""The laws of an import.

What it gives is valid, and planning it against the same CIB is empty. Applying it to a cluster that has only the same
nodes gives a configuration of which Pacemaker's scheduler makes the same as of the original.
"""

import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler import manifests
from reconciler.cib import simulation
from reconciler.cib.document import Cib, parse, serialize
from reconciler.cib.simulation import Simulation, SimulationError
from reconciler.decision import Decision, Remembered, decide
from reconciler.importer.attention import Topic
from reconciler.importer.importer import Imported, import_cib
from reconciler.observation import Answer, Snapshot, Source, understand
from reconciler.plan import Plan, Reason
from reconciler.pruning import Policy
from reconciler.state import Desired
from tests.configurations import Live, lives
from tests.examples import often
from tests.importer.damage import damaged, unrecorded
from tests.programs import each_of_the_corpus, need, run

corpus = each_of_the_corpus("imports of other people's clusters are NOT tested")

ENDLESS = 20.0
"""After so many seconds the scheduler is taken to be in an endless loop."""

STATE = '<node_state id="{0}" uname="n{0}" in_ccm="true" crmd="online" join="member" expected="member"/>'
ONLINE = f"<status>{STATE.format(1)}{STATE.format(2)}</status>"


def damaged_cibs(faults: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    return st.builds(damaged, st.randoms(use_true_random=False), faults)


def loaded(imported: Imported) -> Desired:
    """Read the files as `validate` does, and see that all of them as one document say the same."""
    desired = manifests.load({file.name: file.text for file in imported.files}, "r")
    assert [str(fault) for fault in desired.rejected] == []
    whole = manifests.load({"all.toml": "".join(imported.whole())}, "r")
    assert (whole.state, whole.rejected) == (desired.state, ())
    return desired


def decided(desired: Desired, text: str) -> Decision:
    observation = understand(Snapshot({Source.CIB: Answer(text)}, 1_700_000_000.0), "-", None)
    return decide(desired, observation, Policy(), Remembered())


def bare(cib: Cib) -> str:
    """The same cluster before anybody configured anything."""
    root = ET.Element("cib", cib.root.attrib)
    for part in cib.root:
        if part is cib.configuration:
            configuration = ET.SubElement(root, "configuration")
            for section in ("crm_config", "nodes", "resources", "constraints"):
                ET.SubElement(configuration, section).extend(cib.objects(section) if section == "nodes" else ())
            # Pacemaker itself sets this, from what runs on the nodes, and no import takes it for a person's.
            for pair in cib.configuration.findall("crm_config//nvpair[@name='have-watchdog']")[:1]:
                properties = ET.SubElement(configuration[0], "cluster_property_set", {"id": "cib-bootstrap-options"})
                properties.append(pair)
        else:
            root.append(part)
    return serialize(root)


def made_anew(desired: Desired, cib: Cib) -> str:
    """What applying the manifests to the bare cluster makes of it; empty where it names what that cluster lost."""
    text = bare(cib)
    decision = decided(desired, text)
    assert decision.cluster is not None
    if decision.plan.holds and {hold.reason for hold in decision.plan.holds} == {Reason.REFERENCE_MISSING}:
        return ""
    assert decision.plan.holds == ()
    return simulation.candidate(parse(text), decision.cluster.configuration)


def simulated(directory: Path, text: str) -> Simulation | str:
    """What Pacemaker would do, or why it cannot say."""
    file = directory / "cib.xml"
    file.write_text(text)
    command = (*simulation.SIMULATE, "--xml-file", str(file), "--save-output", str(directory / "out.xml"))
    try:
        return simulation.parse(run(file, *command, limit=ENDLESS).stdout)
    except subprocess.TimeoutExpired:
        return f"it comes to no end within {ENDLESS} s"
    except SimulationError as error:
        return str(error)


@corpus
def test_planning_what_was_imported_is_empty(file: Path) -> None:
    cib = parse(file.read_text())
    imported = import_cib(cib)
    assert imported.left_out == ()
    plan = decided(loaded(imported), cib.text).plan
    assert (plan.changes, plan.holds) == ((), ())


@corpus
def test_planning_is_empty_too_where_people_keep_what_they_set(file: Path) -> None:
    cib = parse(file.read_text())
    plan = decided(loaded(import_cib(cib, overrides=False)), cib.text).plan
    assert (plan.changes, plan.holds) == ((), ())


@corpus
def test_pacemaker_makes_the_same_of_what_was_imported(file: Path, tmp_path: Path) -> None:
    need("crm_simulate")
    cib = parse(file.read_text())
    anew = made_anew(loaded(import_cib(cib)), cib)
    assert simulated(tmp_path, anew) == simulated(tmp_path, cib.text)


PROPERTIES = {
    "expected-quorum-votes": "2",
    "stonith-enabled": "false",
    "default-resource-stickiness": "5",
    "default_resource_stickiness": "7",
    "default-resource-failure-stickiness": "1",
    "default-action-timeout": "30s",
    "is-managed-default": "true",
    "notification-agent": "/x",
}
DROPPED = f"""<cib validate-with="pacemaker-2.10" admin_epoch="0" epoch="1" num_updates="0"><configuration><crm_config>
<cluster_property_set id="o">{
    "".join(f'<nvpair id="o-{name}" name="{name}" value="{value}"/>' for name, value in PROPERTIES.items())
}</cluster_property_set></crm_config><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
<resources><primitive id="a" class="lsb" type="x"/></resources><constraints/></configuration>{ONLINE}</cib>"""


def test_properties_that_an_upgrade_drops_do_not_keep_pacemaker_from_reading_it(tmp_path: Path) -> None:
    need("crm_simulate")
    cib = parse(DROPPED)
    desired = loaded(import_cib(cib))
    anew = made_anew(desired, cib)
    assert simulated(tmp_path, anew) == simulated(tmp_path, cib.text) != Simulation()
    assert decided(desired, anew).plan == Plan(warnings=decided(desired, anew).plan.warnings)


UNCHECKED = f"""<cib crm_feature_set="3.16.2" validate-with="none" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config><cluster_property_set id="p"><nvpair id="p-1" name="stonith-enabled" value="false"/>
</cluster_property_set></crm_config><nodes><node id="1" uname="n1" type="odd"/></nodes><resources>
<primitive id="a" class="systemd" type="a"/><primitive id="b" class="systemd" type="b"/>
<primitive id="c" class="systemd" type="c"><meta_attributes id="c-m"><nvpair id="c-m-1" name="target-role"
value="Stopped"/></meta_attributes></primitive></resources><constraints>
<rsc_order id="o1" first="c" then="b" kind="odd"/>
<rsc_order id="o2"><resource_set id="s1" ordering="odd" kind="odd"><resource_ref id="a"/></resource_set>
<resource_set id="s2"><resource_ref id="b"/></resource_set></rsc_order>
<rsc_location id="l" rsc="a" node="n1" score="5" resource-discovery="odd"/>
<rsc_ticket id="t" rsc="b" ticket="T" loss-policy="odd"/></constraints>
<acls><acl_role id="r"><acl_permission id="r-1" kind="odd" xpath="/cib"/></acl_role></acls>
</configuration>{ONLINE}</cib>"""


def test_words_that_no_schema_was_asked_about_are_taken_as_they_stand(tmp_path: Path) -> None:
    need("crm_simulate")
    cib = parse(UNCHECKED)
    imported = import_cib(cib)
    assert imported.left_out == ()
    assert imported.attention == {Topic.FENCING: 1, Topic.MONITOR: 3, Topic.OVERRIDE: 1, Topic.ODD: 5}
    plan = decided(loaded(imported), cib.text).plan
    assert (plan.changes, plan.holds) == ((), ())
    before = simulated(tmp_path, cib.text)
    assert not isinstance(before, str)
    assert simulated(tmp_path, made_anew(loaded(imported), cib)) == before


POLICIES = f"""<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config><cluster_property_set id="p"><nvpair id="p-1" name="stonith-enabled" value="false"/>
</cluster_property_set></crm_config><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes><resources>
<clone id="c"><meta_attributes id="c-m"><nvpair id="c-m-1" name="promotable" value="true"/></meta_attributes>
<primitive id="db" class="ocf" provider="pacemaker" type="Stateful"/></clone></resources><constraints>
<rsc_ticket id="t" ticket="T" {{}}</constraints></configuration>{ONLINE}</cib>"""
ALONE = 'rsc="c" rsc-role="Promoted" loss-policy="{}"/>'
IN_SETS = 'loss-policy="{}"><resource_set id="s" role="Promoted"><resource_ref id="c"/></resource_set></rsc_ticket>'


@pytest.mark.parametrize("words", [ALONE, IN_SETS])
def test_what_a_lost_ticket_stops_is_not_only_demoted(words: str, tmp_path: Path) -> None:
    need("crm_simulate")
    stopped, demoted = (POLICIES.format(words.format(policy)) for policy in ("stop", "demote"))
    assert simulated(tmp_path, stopped) != simulated(tmp_path, demoted)
    for text in (stopped, demoted):
        anew = made_anew(loaded(import_cib(parse(text))), parse(text))
        assert simulated(tmp_path, anew) == simulated(tmp_path, text)


BEFORE_TAGS = f"""<cib crm_feature_set="3.0.6" validate-with="{{}}" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="o-1" name="stonith-enabled" value="false"/><nvpair id="o-2" name="default-resource-stickiness" value="5"/>
<nvpair id="o-3" name="enable-acl" value="true"/></cluster_property_set></crm_config><nodes>
<node id="1" uname="n1" type="normal"><instance_attributes id="n1-a"><nvpair id="n1-1" name="site" value="a"/>
</instance_attributes></node><node id="2" uname="n2" type="normal"/></nodes><resources><master id="ms">
<meta_attributes id="ms-m"><nvpair id="ms-1" name="master-max" value="1"/></meta_attributes>
<primitive id="db" class="ocf" provider="pacemaker" type="Stateful"><operations>
<op id="db-1" name="monitor" interval="10s" role="Master"/></operations></primitive></master>
<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/></resources><constraints>
<rsc_colocation id="c" rsc="vip" with-rsc="ms" with-rsc-role="Master" score="INFINITY"/>
<rsc_order id="o" first="ms" first-action="promote" then="vip" score="INFINITY"/></constraints>
<acls><acl_role id="watch"><read id="watch-1" xpath="/cib"/></acl_role>
<acl_user id="bob"><role_ref id="watch"/></acl_user><acl_user id="eve"><deny id="eve-1" tag="nvpair"/></acl_user></acls>
</configuration>{ONLINE}</cib>"""


@pytest.mark.parametrize("version", ["pacemaker-1.0", "pacemaker-1.2", "pacemaker-1.3"])
def test_a_cluster_that_was_never_upgraded_is_made_anew_too(version: str, tmp_path: Path) -> None:
    need("crm_simulate")
    cib = parse(BEFORE_TAGS.format(version))
    imported = import_cib(cib)
    assert imported.left_out == ()
    desired = loaded(imported)
    assert (decided(desired, cib.text).plan.changes, decided(desired, cib.text).plan.holds) == ((), ())
    anew = made_anew(desired, cib)
    before = simulated(tmp_path, cib.text)
    assert not isinstance(before, str)
    assert simulated(tmp_path, anew) == before
    again = decided(desired, anew).plan
    assert (again.changes, again.adoptions, again.holds) == ((), (), ())


RUNNING = f"""<status>{STATE.format(1)}{STATE.format(2).replace("/>", ">")}<lrm id="2"><lrm_resources>
<lrm_resource id="a" class="ocf" provider="pacemaker" type="Dummy"><lrm_rsc_op id="a_last_0" operation_key="a_start_0"
operation="start" call-id="2" rc-code="0" op-status="0" interval="0" transition-key="1:0:0:0a"
transition-magic="0:0;1:0:0:0a"/></lrm_resource></lrm_resources></lrm></node_state></status>"""
STICKY = f"""<cib crm_feature_set="3.0.1" validate-with="pacemaker-1.0" admin_epoch="0" epoch="1" num_updates="0">
<configuration><crm_config><cluster_property_set id="o"><nvpair id="o-1" name="stonith-enabled" value="false"/>
<nvpair id="o-2" name="no-quorum-policy" value="ignore"/></cluster_property_set><cluster_property_set id="p">
<nvpair id="p-1" name="default-resource-stickiness" value="5"/></cluster_property_set></crm_config><nodes>
<node id="1" uname="n1" type="normal"/><node id="2" uname="n2" type="normal"/></nodes><resources>
<primitive id="a" class="ocf" provider="pacemaker" type="Dummy"/></resources><constraints>
<rsc_location id="l" rsc="a" node="n1" score="3"/></constraints>{{}}</configuration>{RUNNING}</cib>"""
RULED = """<meta_attributes id="d"><rule id="d-r" score="1"><date_expression id="d-e" operation="lt" end="2001-01-01"/>
</rule><nvpair id="d-1" name="migration-threshold" value="3"/></meta_attributes>"""


@pytest.mark.parametrize(
    ("defaults", "moves"),
    [
        ("", False),
        ("<rsc_defaults/>", True),
        ("<op_defaults/>", False),
        (f"<rsc_defaults>{RULED}</rsc_defaults>", True),
        ('<rsc_defaults><meta_attributes id="e"/></rsc_defaults>', False),
    ],
)
def test_what_pacemaker_loses_of_an_old_schema_is_not_brought_back(defaults: str, moves: bool, tmp_path: Path) -> None:
    need("crm_simulate")
    cib = parse(STICKY.format(defaults))
    imported = import_cib(cib)
    assert imported.left_out == ()
    assert ("default-resource-stickiness: it has no effect" in imported.head) == moves
    desired = loaded(imported)
    assert (decided(desired, cib.text).plan.changes, decided(desired, cib.text).plan.holds) == ((), ())
    before = simulated(tmp_path, cib.text)
    assert not isinstance(before, str)
    assert ("n1" in {effect.target for effect in before.effects}) == moves
    assert simulated(tmp_path, made_anew(desired, cib)) == before


@often(60)
@given(live=lives(), overrides=st.booleans())
def test_planning_is_empty_for_whatever_cluster_there_may_be(live: Live, overrides: bool) -> None:
    cib = parse(unrecorded(live.text))
    plan = decided(loaded(import_cib(cib, overrides=overrides)), cib.text).plan
    assert (plan.changes, plan.holds) == ((), ())


@often(150)
@given(text=damaged_cibs(faults=st.integers(1, 4)), overrides=st.booleans())
def test_planning_is_empty_for_damaged_cibs_too(text: str, overrides: bool) -> None:
    cib = parse(text)
    imported = import_cib(cib, overrides=overrides)
    for item in imported.left_out:
        event(f"left out: {item.ref.kind}")
    if imported.objects:
        plan = decided(loaded(imported), cib.text).plan
        assert (plan.changes, plan.holds) == ((), ())


@pytest.mark.slow
@often(40)
@given(text=damaged_cibs(faults=st.integers(0, 3)))
def test_pacemaker_makes_the_same_of_damaged_cibs_too(tmp_path: Path, text: str) -> None:
    need("crm_simulate")
    means_the_same(tmp_path, parse(text))


@pytest.mark.slow
@often(40)
@given(live=lives())
def test_pacemaker_makes_the_same_of_whatever_cluster_there_may_be(tmp_path: Path, live: Live) -> None:
    need("crm_simulate")
    means_the_same(tmp_path, parse(unrecorded(live.text).replace("<status/>", ONLINE)))


def means_the_same(directory: Path, cib: Cib) -> None:
    """See that Pacemaker makes the same of it anew, where it makes anything of it and all of it could be imported."""
    imported = import_cib(cib)
    before = simulated(directory, cib.text)
    if isinstance(before, str) or imported.left_out or not imported.objects:
        event("not comparable")
        return
    anew = made_anew(loaded(imported), cib)
    event("compared" if anew else "not comparable")
    assert not anew or simulated(directory, anew) == before
