"""What a cluster would really come to, acted out by Pacemaker's simulator, with faults where a test wants them."""

import copy
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.document import Cib, parse
from reconciler.cib.simulation import candidate
from reconciler.cib.status import status
from reconciler.expectation import Surprise, expect
from reconciler.forecast import Forecast, NoForecast
from reconciler.host.shell import Shell
from reconciler.host.simulator import Simulator
from reconciler.settling import Applied, Result, Settling, begin
from reconciler.state import Ref
from tests.programs import run

Edit = Callable[[ET.Element], None]
WEB = Path(__file__).parent / "forecast" / "web.xml"


MASTERS = """
<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="1" num_updates="1" admin_epoch="0" have-quorum="1">
<configuration><crm_config><cluster_property_set id="o"><nvpair id="o1" name="stonith-enabled" value="false"/>
</cluster_property_set></crm_config><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/></nodes>
<resources><clone id="dbs"><meta_attributes id="m"><nvpair id="m1" name="promotable" value="true"/></meta_attributes>
<primitive id="db" class="ocf" provider="pacemaker" type="Stateful"/></clone></resources><constraints/></configuration>
<status>{}</status></cib>
"""
NODE = """
<node_state id="{0}" uname="n{0}" in_ccm="true" crmd="online" join="member" expected="member">
<transient_attributes id="{0}"><instance_attributes id="s{0}"><nvpair id="s{0}m" name="master-db" value="{1}"/>
</instance_attributes></transient_attributes><lrm id="{0}"><lrm_resources>
<lrm_resource id="db" class="ocf" provider="pacemaker" type="Stateful"><lrm_rsc_op id="db_last_0"
operation_key="db_{2}_0" operation="{2}" call-id="5" rc-code="0" op-status="0" interval="0" last-rc-change="1700000000"
transition-key="1:1:0:11111111-2222-3333-4444-555555555555" crm_feature_set="3.16.1"/></lrm_resource></lrm_resources>
</lrm></node_state>
"""


def masters(first: str = "promote", second: str = "start") -> Cib:
    """Return a cluster with a promotable clone, and what was last done to its instances on n1 and n2."""
    return parse(MASTERS.format(NODE.format(1, 10, first) + NODE.format(2, 5, second)))


def edited(cib: Cib, *edits: Edit) -> ET.Element:
    """Return the configuration with edits made."""
    configuration = copy.deepcopy(cib.configuration)
    for edit in edits:
        edit(configuration)
    return configuration


def ask(cib: Cib, configuration: ET.Element) -> Forecast | NoForecast:
    return Simulator(Shell()).forecast(cib, configuration)


def act_out(cib: Cib, configuration: ET.Element, *faults: str) -> ClusterStatus | None:
    """Return what becomes of it after one transition; None where the simulator cannot carry it out."""
    text = acted_out(candidate(cib, configuration), *faults)
    return status(ET.fromstring(text)) if text else None


def acted_out(given_text: str, *faults: str) -> str:
    """Return a CIB after one transition; empty where the simulator cannot carry it out.

    Pacemaker 2.1.5's cannot on remote and guest nodes: it ends with an assertion and leaves out the rest.
    """
    with tempfile.TemporaryDirectory() as directory:
        given, made = Path(directory) / "given.xml", Path(directory) / "made.xml"
        given.write_text(given_text)
        words = ["crm_simulate", "--simulate", "--xml-file", str(given), "--save-output", str(made), *faults]
        answer = run(given, *words)
        done = "Revised Cluster Status" in answer.stdout and made.exists()
        return made.read_text() if done else ""


def meta(resource: str, name: str, value: str) -> Edit:
    """Return the edit that sets a meta attribute of a resource."""

    def edit(configuration: ET.Element) -> None:
        element = next(item for item in configuration.findall("resources//*[@id]") if item.get("id") == resource)
        found = element.find("meta_attributes")
        if found is None or found.get("id-ref"):
            found = ET.Element("meta_attributes", {"id": f"{resource}-test"})
            element.insert(0, found)
        for pair in [pair for pair in found if pair.get("name") == name]:
            found.remove(pair)
        ET.SubElement(found, "nvpair", {"id": f"{resource}-test-value", "name": name, "value": value})

    return edit


def param(resource: str, name: str, value: str) -> Edit:
    """Return the edit that changes a parameter of a resource."""

    def edit(configuration: ET.Element) -> None:
        (pair,) = configuration.findall(f".//primitive[@id='{resource}']/instance_attributes/nvpair[@name='{name}']")
        pair.set("value", value)

    return edit


def ban(resource: str, node: str) -> Edit:
    """Return the edit that keeps a resource off a node."""
    words = {"id": f"test-ban-{resource}-{node}", "rsc": resource, "node": node, "score": "-INFINITY"}

    def edit(configuration: ET.Element) -> None:
        section = configuration.find("constraints")
        assert section is not None
        ET.SubElement(section, "rsc_location", words)

    return edit


def more(resource: str) -> Edit:
    """Return the edit that adds a resource."""

    def edit(configuration: ET.Element) -> None:
        section = configuration.find("resources")
        assert section is not None
        ET.SubElement(section, "primitive", {"id": resource, "class": "ocf", "provider": "heartbeat", "type": "Dummy"})

    return edit


def drop(xpath: str) -> Edit:
    """Return the edit that takes something away."""

    def edit(configuration: ET.Element) -> None:
        gone = configuration.findall(xpath)
        assert gone
        for parent in list(configuration.iter()):
            for child in [child for child in parent if child in gone]:
                parent.remove(child)

    return edit


def settling(revision: str = "abcdef0123456789", *, before: Cib | None = None, changed: Iterable[Ref] = ()) -> Settling:
    """Return what a patch is that has just been applied to the reference case, and of which nothing is expected."""
    cib = before or parse(WEB.read_text())
    now = status(cib.root)
    patch = Applied(revision, 1_700_000_000.0, tuple(changed), now, cib, cib.configuration, expect(now, Forecast()))
    return begin(patch, None, 0.0, 60.0, untouched=True)


def ended(result: Result, *surprises: Surprise, changed: Iterable[Ref] = ()) -> Settling:
    return replace(settling(changed=changed), result=result, seconds=2.04, surprises=surprises)
