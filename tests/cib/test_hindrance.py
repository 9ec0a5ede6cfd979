"""What evidently keeps a resource from running is named, and is what keeps it from running."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.cib.hindrance import Hindrances
from reconciler.cib.status import status
from reconciler.health import health, of_resource
from reconciler.state import Ref
from tests.aftermaths import masters
from tests.observations import cib, desired
from tests.programs import each_of_the_corpus, need, run

UP = '<node_state id="{0}" uname="{1}" in_ccm="true" crmd="online" join="member" expected="member">{2}</node_state>'
RUNS = """<lrm id="1"><lrm_resources><lrm_resource id="other" class="ocf" provider="pacemaker" type="Dummy">
<lrm_rsc_op id="other_last_0" operation_key="other_start_0" operation="start" call-id="5" rc-code="0" op-status="0"
 interval="0" transition-key="1:1:0:u"/></lrm_resource></lrm_resources></lrm>"""
PING = """<transient_attributes id="1"><instance_attributes id="i"><nvpair id="p" name="pingd" value="0"/>
</instance_attributes></transient_attributes>"""
NODES = '<node id="1" uname="a"/><node id="2" uname="b"/><node id="3" uname="c"/>'
PRIMITIVE = '<primitive id="{}" class="ocf" provider="pacemaker" type="Dummy"/>'
TWO = PRIMITIVE.format("r") + PRIMITIVE.format("other")


def seen(  # noqa: PLR0913
    constraints: str = "",
    *,
    resources: str = TWO,
    nodes: str = NODES,
    a: str = "",
    options: str = "",
    quorum: str = "1",
) -> ET.Element:
    """A cluster of a, b and c, of which c is off."""
    states = UP.format(1, "a", a) + UP.format(2, "b", "")
    text = cib(resources, constraints=constraints, status=states, have_quorum=quorum, validate_with="pacemaker-3.0")
    pairs = f'<cluster_property_set id="o"><nvpair id="o0" name="stonith-enabled" value="false"/>{options}'
    return ET.fromstring(
        text.replace(NODES, nodes).replace("<crm_config/>", f"<crm_config>{pairs}</cluster_property_set></crm_config>")
    )


BAN = '<rsc_location id="cli-ban-r-on-a" rsc="r" node="a" score="-INFINITY"/>'
KEPT_OFF = '<rsc_location id="off-{0}" rsc="r" node="{0}" score="-INFINITY"/>'
GATEWAY = """<rsc_location id="gateway" rsc="r"><rule id="g" score="-INFINITY" boolean-op="or">
<expression id="g1" attribute="pingd" operation="not_defined"/>
<expression id="g2" attribute="pingd" operation="lte" value="0"/></rule></rsc_location>"""
WITH = '<rsc_colocation id="with" rsc="r" with-rsc="other" score="{}"/>'
STANDBY = NODES.replace(
    '<node id="1" uname="a"/>',
    '<node id="1" uname="a"><instance_attributes id="n1"><nvpair id="n1s" name="standby" value="on"/>'
    "</instance_attributes></node>",
)
TICKET = """<rsc_ticket id="t" ticket="site"><resource_set id="s" {}><resource_ref id="other"/>
<resource_ref id="r"/></resource_set></rsc_ticket>"""
OFF = "not online on c"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (seen(), [OFF]),
        (seen(BAN), ["cli-ban-r-on-a forbids it (left by crm resource ban or move) on a", OFF]),
        (seen(KEPT_OFF.format("a") + KEPT_OFF.format("b")), ["off-a forbids it on a", "off-b forbids it on b", OFF]),
        (seen(KEPT_OFF.format("a"), nodes=STANDBY), ["standby on a", OFF]),
        (
            seen(GATEWAY, a=PING),
            ["gateway forbids it (pingd is 0) on a", "gateway forbids it (pingd is not set) on b", OFF],
        ),
        (seen(WITH.format("INFINITY")), ["with: it must be with other, which runs nowhere"]),
        (seen(WITH.format("INFINITY"), a=RUNS), ["with keeps it with other on b", OFF]),
        (seen(WITH.format("-INFINITY"), a=RUNS), ["with keeps it apart from other on a", OFF]),
        (seen(WITH.format("100")), [OFF]),
        (
            seen('<rsc_order id="after" first="other" then="r"/>'),
            ["after: it waits for other, which runs nowhere"],
        ),
        (seen('<rsc_order id="after" first="other" then="r"/>', a=RUNS), [OFF]),
        (seen('<rsc_order id="after" first="other" then="r" kind="Optional"/>'), [OFF]),
        (seen('<rsc_ticket id="t" rsc="r" ticket="site"/>'), ["t: the ticket site is not granted"]),
        (seen(TICKET.format("")), ["t: the ticket site is not granted"]),
        (seen(TICKET.format('role="Promoted"')), [OFF]),
        (seen(quorum="0"), ["this part of the cluster has no quorum"]),
        (seen(options='<nvpair id="o1" name="stop-all-resources" value="true"/>'), ["stop-all-resources is on"]),
        (
            seen(resources=f'<group id="g">{PRIMITIVE.format("one")}{PRIMITIVE.format("r")}</group>'),
            ["it waits for one, which is before it in the group g"],
        ),
        (
            seen(KEPT_OFF.format("a").replace('rsc="r"', 'rsc="g"'), resources=f'<group id="g">{TWO}</group>'),
            ["off-a forbids it on a", OFF],
        ),
        (
            seen(KEPT_OFF.format("a").replace('rsc="r"', 'rsc-pattern="^r$"')),
            ["off-a forbids it on a", OFF],
        ),
    ],
)
def test_what_is_evident_is_named(given: ET.Element, said: list[str]) -> None:
    assert list(Hindrances(given, status(given)).of("r")) == said


def test_it_is_in_the_health_of_what_does_not_run() -> None:
    given = seen(BAN)
    works = health(desired(Primitive__r='spec.agent = "ocf:pacemaker:Dummy"').state, status(given), None, "a", given)
    assert works[Ref("Primitive", "r")].message == (
        "active on no node: cli-ban-r-on-a forbids it (left by crm resource ban or move) on a; not online on c"
    )


@pytest.mark.parametrize(
    "ticket",
    [
        '<rsc_ticket id="t" ticket="site" rsc="dbs" rsc-role="Promoted"/>',
        '<rsc_ticket id="t" ticket="site" rsc="dbs" rsc-role="Master"/>',
        (
            '<rsc_ticket id="t" ticket="site"><resource_set id="s" role="Promoted"><resource_ref id="dbs"/>'
            "</resource_set></rsc_ticket>"
        ),
    ],
)
def test_a_ticket_that_promotion_lacks_is_named(ticket: str) -> None:
    given = masters("start").root
    constraints = given.find("configuration/constraints")
    assert constraints is not None
    state = desired(Clone__dbs='spec.resource = "db"', Primitive__db='spec.agent = "ocf:pacemaker:Stateful"').state
    before = health(state, status(given), None, "n1", given)
    constraints.append(ET.fromstring(ticket))
    after = health(state, status(given), None, "n1", given)
    for ref in state:
        assert before[ref].message == "active on n1 and n2, promoted nowhere"
        assert after[ref].message == "active on n1 and n2, promoted nowhere: t: the ticket site is not granted"


_SCORE = re.compile(r": (\S+) allocation score on (\S+): (\S+)")
_FORBIDS = re.compile(r"forbids it(?: \(.*\))? on (.*)")


@each_of_the_corpus("NOT tested whether what is said to forbid a resource does", 200_000)
def test_where_a_constraint_is_said_to_forbid_it_pacemaker_thinks_so_too(file: Path) -> None:
    need("crm_simulate")
    root = ET.fromstring(file.read_text(encoding="utf-8"))
    now = status(root)
    look = Hindrances(root, now)
    idle = [
        resource.id
        for resource in now.resources.values()
        if of_resource(resource).reason == "NotRunning" and not (resource.orphan or resource.members)
    ]
    said = [
        (name, node)
        for name in idle
        for why in look.of(name)
        if (found := _FORBIDS.search(why))
        for node in found[1].split(" and ")
    ]
    if not said:
        return
    answer = run(file, "crm_simulate", "--live-check", "--show-scores", "--xml-file", str(file))
    scores = {(name.partition(":")[0], node): score for name, node, score in _SCORE.findall(answer.stdout)}
    assert [(pair, scores[pair]) for pair in said if pair in scores and scores[pair] != "-INFINITY"] == []
