from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.cib import document
from reconciler.cib.simulation import Act, Effect, SimulationError, candidate, parse, unused

WEB = Path(__file__).parents[1] / "forecast" / "web.xml"


def result(actions: str, status: str = '<status code="0" message="OK"/>', cluster: str = "") -> str:
    return (
        f'<pacemaker-result api-version="2.25" request="crm_simulate"><cluster_status>{cluster}</cluster_status>'
        f"<actions>{actions}</actions>{status}</pacemaker-result>"
    )


def effects(actions: str, cluster: str = "") -> tuple[Effect, ...]:
    return parse(result(actions, cluster=cluster)).effects


@pytest.mark.parametrize(
    ("attributes", "effect"),
    [
        ('action="start" resource="vip" node="n1"', Effect(Act.START, "vip", "", "n1")),
        ('action="stop" resource="vip" node="n1"', Effect(Act.STOP, "vip", "n1")),
        ('action="move" resource="vip" source="n1" dest="n2"', Effect(Act.MOVE, "vip", "n1", "n2")),
        ('action="migrate" resource="vm" source="n1" dest="n2"', Effect(Act.MIGRATE, "vm", "n1", "n2")),
        ('action="restart" resource="vip" source="n1"', Effect(Act.RESTART, "vip", "n1", "n1")),
        ('action="reload" resource="ping:0" source="n1"', Effect(Act.RELOAD, "ping", "n1", "n1")),
        ('action="recover" resource="vip" node="n1"', Effect(Act.RECOVER, "vip", "n1", "n1")),
        ('action="recover" resource="vip" source="n1" dest="n2"', Effect(Act.RECOVER, "vip", "n1", "n2")),
        (
            'action="promote" resource="db:1" role="Unpromoted" next-role="Promoted" source="n2"',
            Effect(Act.PROMOTE, "db", "n2", "n2", "Unpromoted", "Promoted"),
        ),
        (
            'action="promote" resource="db:1" role="Stopped" next-role="Promoted" dest="n2"',
            Effect(Act.PROMOTE, "db", "", "n2", "Stopped", "Promoted"),
        ),
        (
            'action="demote" resource="db:0" role="Promoted" next-role="Unpromoted" source="n1"',
            Effect(Act.DEMOTE, "db", "n1", "n1", "Promoted", "Unpromoted"),
        ),
        (
            'action="re-promote" resource="db:0" role="Promoted" source="n1"',
            Effect(Act.RE_PROMOTE, "db", "n1", "n1", "Promoted"),
        ),
        ('action="stop" resource="db" role="Promoted" node="n1"', Effect(Act.STOP, "db", "n1", "", "Promoted")),
        (
            'action="start" resource="db:0" role="Stopped" next-role="Promoted" dest="n1"',
            Effect(Act.START, "db", "", "n1", "Stopped", "Promoted"),
        ),
    ],
)
def test_every_action_is_read_with_where_it_is_before_and_after(attributes: str, effect: Effect) -> None:
    assert effects(f"<rsc_action {attributes}/>") == (effect,)


def test_what_pacemaker_cannot_do_is_blocked_and_interrupts_nothing() -> None:
    (effect,) = effects('<rsc_action action="stop" resource="x" node="n1" reason="no quorum" blocked="true"/>')
    assert (effect.blocked, effect.reason, effect.interrupts) == (True, "no quorum", False)


def test_what_pacemaker_makes_for_a_bundle_is_the_bundle() -> None:
    found = effects(
        '<rsc_action action="restart" resource="web-docker-0" source="n1"/>'
        '<rsc_action action="restart" resource="web-0" source="n1"/>'
        '<rsc_action action="restart" resource="web-ip-192.168.122.131" source="n1"/>'
        '<rsc_action action="restart" resource="httpd:0" source="web-0"/>'
        '<rsc_action action="stop" resource="web-frontend" node="n1"/>',
        cluster='<resources><bundle id="web"><replica id="0"/></bundle></resources>',
    )
    assert [(effect.resource, effect.node) for effect in found] == [
        *[("web", "n1")] * 3,
        ("httpd", "web-0"),
        ("web-frontend", "n1"),
    ]


def test_fencings_are_read_and_shutdowns_are_not() -> None:
    found = parse(
        result(
            '<node_action task="Fence (reboot)" node="n2" reason="node is unclean"/>'
            '<node_action task="Fence (off)" node="lxc1 (resource: container1)" reason="guest is unclean"/>'
            '<node_action task="Shutdown" node="n3" reason=""/>'
        )
    )
    assert [asdict(fencing) for fencing in found.fencing] == [
        {"node": "n2", "action": "reboot", "reason": "node is unclean"},
        {"node": "lxc1", "action": "off", "reason": "guest is unclean"},
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not well-formed"),
        ("crm_simulate: hallo", "not well-formed"),
        (result("")[:-30], "not well-formed"),
        ("<html/>", "<html>"),
        ("<pacemaker-result/>", "how the simulation ended"),
        ('<pacemaker-result><status code="0"/></pacemaker-result>', "nothing about actions"),
        (result("", '<status code="78" message="Invalid configuration"/>'), "Invalid configuration"),
        (result("", '<status code="1"><errors><error>a</error><error>b</error></errors></status>'), "a; b"),
        (result('<rsc_action action="teleport" resource="x"/>'), "not known: 'teleport'"),
        (result('<node_action task="Fence or so" node="n1"/>'), "not known: 'Fence or so'"),
    ],
)
def test_what_is_no_simulation_is_refused(text: str, why: str) -> None:
    with pytest.raises(SimulationError, match=why):
        parse(text)


def test_the_candidate_is_the_live_cib_with_another_configuration() -> None:
    cib = document.parse(WEB.read_text())
    made = document.parse(candidate(cib, ET.Element("configuration", {"mark": "1"})))
    assert made.root.attrib == cib.root.attrib
    assert [part.tag for part in made.root] == [part.tag for part in cib.root]
    assert made.configuration.attrib == {"mark": "1"}
    live, copied = cib.root.find("status"), made.root.find("status")
    assert live is not None
    assert copied is not None
    assert ET.canonicalize(ET.tostring(live), strip_text=True) == ET.canonicalize(ET.tostring(copied), strip_text=True)


def test_in_the_unused_cib_all_nodes_are_off_and_nothing_has_run() -> None:
    cib = document.parse(WEB.read_text())
    configuration = ET.fromstring(
        '<configuration><nodes><node id="1" uname="a"/><node id="2" uname="b" type="member"/>'
        '<node id="r" uname="r" type="remote"/></nodes></configuration>'
    )
    made = document.parse(unused(cib, configuration))
    assert made.root.get("validate-with") == cib.root.get("validate-with")
    assert made.have_quorum
    assert [(node.get("id"), node.get("uname"), node.get("crmd")) for node in made.root.iter("node_state")] == [
        ("1", "a", "offline"),
        ("2", "b", "offline"),
    ]
    assert made.root.find(".//lrm") is None
