"""What is allowed and hardly meant is said, and nothing else: neither of people's own names nor of other clusters."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import manifests
from reconciler.cib.dialect import OUTDATED
from reconciler.cib.document import parse, serialize
from reconciler.doubts import doubts
from reconciler.kinds.observe import observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.spelling import ACTIONS, META, NODE, OPERATION, PROPERTIES, Words, slip
from reconciler.state import Desired, State
from tests.manifest_texts import DUMMY, item, listed
from tests.programs import absent, each_of_the_corpus

SCHEMA = Path("/usr/share/pacemaker/options-3.9.rng")
EXAMPLES = Path(__file__).parent.parent / "crds" / "examples"


def state(*items: str) -> State:
    loaded = manifests.load({"m.toml": listed(*items)}, "r")
    assert not loaded.rejected, [str(rejected) for rejected in loaded.rejected]
    return loaded.state


def said(*items: str) -> list[str]:
    return [str(doubt) for doubt in doubts(state(*items))]


SLIPS = """
Primitive meta target-rol meta_attribute target-role
Primitive meta is-manged meta_attribute is-managed
Primitive meta Target_Role meta_attribute target-role
ResourceDefaults values resource-stickines meta_attribute resource-stickiness
ClusterProperties properties stonith-timout cluster_property stonith-timeout
ClusterProperties properties maintainance-mode cluster_property maintenance-mode
OperationDefaults values timout operation_attribute timeout
Node attributes standy node_attribute standby
Node attributes maintenence node_attribute maintenance
Alert meta timestamp-fromat meta_attribute_of_alerts timestamp-format
"""


@pytest.mark.parametrize("slipped", SLIPS.strip().splitlines())
def test_a_slip_in_a_name_is_said(slipped: str) -> None:
    kind, field, name, what, meant = slipped.split()
    spec = {"Primitive": DUMMY, "Alert": "spec.path = '/a'\n"}.get(kind, "") + f"spec.{field} = {{ {name} = 'x' }}"
    what = what.replace("_", " ")
    expected = f"{kind}/x: spec.{field}.{name}: {name!r} is no {what} that Pacemaker knows; did you mean {meant!r}?"
    assert said(item(kind, "x", spec)) == [expected]


@pytest.mark.parametrize("name", sorted(OUTDATED))
def test_a_property_that_schemas_allow_no_longer_is_said_once(name: str) -> None:
    expected = f"schemas since pacemaker-3.0 do not allow it: {OUTDATED[name]}"
    text = item("ClusterProperties", "x", f"spec.properties = {{ {name} = '1' }}")
    assert said(text) == [f"ClusterProperties/x: spec.properties.{name}: {expected}"]


def test_those_are_the_properties_that_the_schema_excludes() -> None:
    if not SCHEMA.exists():
        absent("without Pacemaker's schemas it is NOT tested which properties they exclude")
    excluded = {value.text or "" for value in ET.parse(SCHEMA).iterfind(".//{*}except//{*}value")}
    stacks = {name for name in excluded if not {"-", "_"} & set(name)} | {"classic openais (with plugin)"}
    assert set(OUTDATED) == excluded - stacks - {"cluster-infrastructure"}


@pytest.mark.parametrize(("name", "meant"), [("startt", "start"), ("montior", "monitor"), ("stpo", "stop")])
def test_a_slip_in_an_operation_is_said(name: str, meant: str) -> None:
    body = DUMMY + f"spec.operations = [{{ name = '{name}', interval = '10s', meta = {{ timeot = '3s' }} }}]"
    place = f"Primitive/x: spec.operations[{name} 10s]"
    assert said(item("Primitive", "x", body)) == [
        f"{place}.meta.timeot: 'timeot' is no operation attribute that Pacemaker knows; did you mean 'timeout'?",
        f"{place}.name: {name!r} is no operation that Pacemaker knows; did you mean {meant!r}?",
    ]


def test_a_slip_in_what_the_fencer_reads_is_said_and_what_the_agent_reads_is_not() -> None:
    body = "spec = { agent = 'stonith:fence_x', params = { pcmk_host_lst = 'a', pcmk_off_timout = '9s', prot = '1' } }"
    assert said(item("Primitive", "x", body)) == [
        f"Primitive/x: spec.params.{name}: {name!r} is no parameter of fencing devices that Pacemaker knows;"
        f" did you mean {meant!r}?"
        for name, meant in (("pcmk_host_lst", "pcmk_host_list"), ("pcmk_off_timout", "pcmk_off_timeout"))
    ]
    assert said(item("Primitive", "x", body.replace("stonith:fence_x", "ocf:heartbeat:x"))) == []
    made = item("Template", "t", "spec.agent = 'stonith:fence_x'")
    assert len(said(made, item("Primitive", "x", body.replace("agent = 'stonith:fence_x'", "template = 't'")))) == 2


@st.composite
def slipped(draw: st.DrawFn) -> tuple[str, str, Words]:
    """A name that Pacemaker knows with a letter left out, doubled, or in the place of the one after it."""
    words = draw(st.sampled_from([META, PROPERTIES, OPERATION, NODE, ACTIONS]))
    meant = draw(st.sampled_from(sorted(name for name in words.meant if len(name) > 4)))
    at = draw(st.integers(1, len(meant) - 2))
    letter, following = meant[at], meant[at + 1]
    written = draw(st.sampled_from(["", letter * 2, following + letter]))
    rest = meant[at + 2 :] if written == following + letter else meant[at + 1 :]
    return meant[:at] + written + rest, meant, words


@settings(max_examples=300, deadline=None)
@given(slipped())
def test_every_slip_in_a_known_name_is_found(found: tuple[str, str, Words]) -> None:
    written, meant, words = found
    assert written in words.meant | words.taken or slip(written, words) == meant


def test_names_of_peoples_own_are_not_doubted() -> None:
    assert (
        said(
            item(
                "Primitive", "p", DUMMY + "spec.meta = { foo = 1, target-role-2 = 'x', owner = 'me', colour = 'red' }"
            ),
            item("Primitive", "q", DUMMY + "spec.operations = [{ name = 'restart' }, { name = 'custom_action' }]"),
            item("ClusterProperties", "c", "spec.properties = { redis_REPL_INFO = 'a', my_SITE = 'b' }"),
            item("Node", "n", "spec.attributes = { rack = 'r1', site = 's', stand = 'by', 'standby-site' = 'x' }"),
        )
        == []
    )


@pytest.mark.parametrize(
    ("kind", "spec", "doubt"),
    [
        (
            "Primitive",
            "spec.agent = 'foo:bar'",
            (
                "spec.agent: 'foo' is no class of agents that Pacemaker knows; expected one of"
                " ocf, systemd, stonith, service, lsb, upstart, nagios, heartbeat"
            ),
        ),
        (
            "Template",
            DUMMY + "spec.utilization = { cpu = 1, memory = '2G' }",
            "spec.utilization.memory: '2G' is not a whole number, and Pacemaker counts in whole numbers",
        ),
        (
            "Node",
            "spec.utilization = { cpu = 1.5 }",
            "spec.utilization.cpu: '1.5' is not a whole number, and Pacemaker counts in whole numbers",
        ),
        (
            "Colocation",
            "spec = { resource = 'web', with = 'web', score = 'INFINITY' }",
            "spec.with: 'web' with itself has no effect",
        ),
    ],
)
def test_what_has_no_effect_is_said(kind: str, spec: str, doubt: str) -> None:
    assert said(item("Primitive", "web", DUMMY), item(kind, "x", spec)) == [f"{kind}/x: {doubt}"]


def levels(*texts: str) -> str:
    return item("FencingTopology", "fencing-topology", f"spec.levels = [{', '.join(texts)}]")


def level(target: str, *devices: str) -> str:
    return f"{{ target = '{target}', index = 1, devices = {list(devices)} }}"


FENCER = item("Primitive", "f", "spec.template = 't'") + item("Template", "t", "spec.agent = 'stonith:fence_x'")


def test_fencing_levels_that_cannot_fence_are_said() -> None:
    place = "FencingTopology/fencing-topology: spec.levels"
    assert said(FENCER, levels(level("a", "f", "watchdog"), level("b", "f"))) == []
    assert said(FENCER, levels(level("a", "f"), level("a", "watchdog"))) == [
        f"{place}[a 1]: is there 2 times: Pacemaker takes them for one level, and wants all their devices"
    ]
    assert said(item("Primitive", "web", DUMMY), levels(level("a", "web"))) == [
        f"{place}: 'web' cannot fence: its agent is ocf:heartbeat:Dummy, and no stonith:…"
    ]


def test_without_a_cluster_it_is_said_what_only_a_cluster_could_have() -> None:
    fencing = "FencingTopology/fencing-topology: spec.levels[a 1].devices"
    assert said(levels(level("a", "fence1"))) == [
        f"{fencing}: no manifest has 'fence1': unless the cluster has it, the level can fence nobody"
    ]
    assert said(item("Primitive", "httpd", DUMMY), item("Tag", "t", "spec.objects = ['htpd', 'other']")) == [
        "Tag/t: spec.objects[0]: no manifest has 'htpd'; did you mean 'httpd'?"
    ]
    live = observe(parse('<cib epoch="1" admin_epoch="0"><configuration/></cib>'))
    assert doubts(state(levels(level("a", "fence1"))), live) == ()


def test_without_a_cluster_a_doubtful_rule_is_said_with_its_field() -> None:
    rules = "rules = [{ score = 1, expression = 'defined a' }, { score = 2, expression = 'date spec hours=25' }]"
    location = item("Location", "x", f"spec = {{ resource = 'web', {rules} }}")
    assert "Location/x: spec.rules[1].expression: hours=25 never holds: hours are 0 to 23" in said(
        item("Primitive", "web", DUMMY), location
    )


MISSED = "; unless something else does, no node has it"


@pytest.mark.parametrize(
    ("attribute", "params", "doubt"),
    [
        ("pingd", "{ host_list = '192.0.2.1' }", ""),
        ("gateway", "{ name = 'gateway' }", ""),
        ("pingd", "{ name = 'ping' }", "'pingd': by its parameter `name` p writes 'ping'"),
        ("p", "{ name = 'ping' }", "'p': by its parameter `name` p writes 'ping'"),
        ("gate-way", "{ name = 'gateway' }", "'gate-way': by its parameter `name` p writes 'gateway'"),
        ("ping", "{}", "'ping': by its parameter `name` p writes 'pingd'"),
        ("disk-full", "{}", ""),
    ],
)
def test_a_rule_on_what_no_ping_resource_writes_is_said(attribute: str, params: str, doubt: str) -> None:
    rule = f"{{ score = '-INFINITY', expression = 'not_defined {attribute} or {attribute} lte 0' }}"
    found = said(
        item("Primitive", "p", f"spec.agent = 'ocf:pacemaker:ping'\nspec.params = {params}"),
        item("Clone", "c", "spec.resource = 'p'"),
        item("Primitive", "a", DUMMY),
        item("Location", "l", f"spec = {{ resource = 'a', rules = [{rule}] }}"),
    )
    expected = f"Location/l: spec.rules[0].expression: no ping resource writes the node attribute {doubt}{MISSED}"
    assert found == ([expected] if doubt else [])


MADE_FROM_A_TEMPLATE = item("Template", "t", "spec.agent = 'ocf:pacemaker:ping'") + item(
    "Primitive", "p", "spec.template = 't'"
)
NEEDS = item("Location", "l", "spec = { resource = 'a', rules = [{ score = '-INFINITY', expression = 'pingd lt 1' }] }")


@pytest.mark.parametrize(
    ("beside", "doubted"),
    [
        ("", True),
        (item("Node", "n", "spec.attributes = { pingd = 1 }"), False),
        (MADE_FROM_A_TEMPLATE, False),
        (item("Primitive", "p", "spec = { agent = 'ocf:pacemaker:attribute', params = { name = 'pingd' } }"), False),
        (item("Primitive", "p", "spec = { agent = 'ocf:pacemaker:ping', params = { name = { file = '/x' } } }"), False),
    ],
)  # fmt: skip
def test_what_writes_the_attribute_may_be_anything(beside: str, doubted: bool) -> None:
    assert bool(said(item("Primitive", "a", DUMMY), NEEDS, beside)) is doubted


def test_a_foreign_ping_resource_counts_in_a_plan_and_a_doubt_is_said_when_nothing_is_to_be_done() -> None:
    ping = '<primitive id="p" class="ocf" provider="pacemaker" type="ping"/>'
    wanted = Desired(state(item("Primitive", "a", DUMMY + "spec.meta = { target-rol = 'x' }"), NEEDS), "r")
    inside = "<configuration><resources>{}</resources><constraints/></configuration>"
    there = f'<cib validate-with="pacemaker-3.9">{inside}</cib>'

    def planned(text: str) -> list[str]:
        return [text for text in plan(wanted, observe(parse(text)), frozenset(), Policy()).plan.warnings if "/" in text]

    slipped = "'target-rol' is no meta attribute that Pacemaker knows; did you mean 'target-role'?"
    slipped = f"Primitive/a: spec.meta.target-rol: {slipped}"
    assert planned(there.format(ping)) == [slipped]
    assert len(planned(there.format(""))) == 2
    made = serialize(plan(wanted, observe(parse(there.format(ping))), frozenset(), Policy()).configuration)
    assert planned(f'<cib validate-with="pacemaker-3.9">{made}</cib>') == [slipped]


TWICE = {"ticket-promoted-12.xml", "ticket-promoted-22.xml"}
pytest_corpus = each_of_the_corpus("doubts are NOT tested on other people's clusters")


@pytest_corpus
def test_nothing_in_other_peoples_clusters_is_doubted(file: Path) -> None:
    found = doubts(observe(parse(file.read_text())).state)
    # Of these two crm_verify says the same.
    assert [doubt.field for doubt in found] == ["spec.operations"] * (file.name in TWICE)


@pytest.mark.parametrize(
    "directory", sorted({path.parent for path in EXAMPLES.rglob("*.toml")}), ids=lambda path: path.name
)
def test_no_example_is_doubted(directory: Path) -> None:
    texts = {str(path): path.read_text() for path in directory.rglob("*.toml")}
    assert doubts(manifests.load(texts, "r").state) == ()


def test_a_thousand_unknown_names_are_looked_at_once() -> None:
    slip.cache_clear()
    many = [item("Primitive", f"p{number}", DUMMY + "spec.meta = { ownr = 1, colour = 2 }") for number in range(50)]
    assert said(*many) == []
    assert slip.cache_info().misses == 2


@pytest.mark.parametrize(
    ("first", "second", "doubted"),
    [
        ("interval = '10s', role = 'Started'", "interval = '10', role = 'Stopped'", True),
        ("interval = '10s'", "interval = '10s', role = 'Stopped'", True),
        ("interval = '10s', role = 'Started'", "interval = '11s', role = 'Stopped'", False),
        ("interval = '10s'", "interval = '10s', role = 'Stopped', enabled = false", False),
        ("role = 'Started'", "role = 'Stopped'", False),
    ],
)
def test_recurring_operations_of_one_interval_are_doubted_whatever_their_roles(
    first: str, second: str, doubted: bool
) -> None:
    operations = f"{{ name = 'monitor', {first} }}, {{ name = 'monitor', {second} }}"
    found = said(item("Primitive", "x", DUMMY + f"spec.operations = [{operations}]"))
    assert len(found) == doubted
    assert all(text.startswith("Primitive/x: spec.operations: two operations monitor of the same") for text in found)
