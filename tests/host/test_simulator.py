"""Forecasts by Pacemaker's own tools: on the reference case's CIB and on other people's."""

import copy
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.cib import document
from reconciler.cib.document import Cib
from reconciler.cib.simulation import Act, Effect, Simulation, candidate
from reconciler.cib.verdict import CLEAN
from reconciler.forecast import Forecast, NoForecast, lines
from reconciler.host.shell import PATH, Shell
from reconciler.host.simulator import Simulator
from tests.programs import absent_corpus, corpus_cibs, need

WEB = Path(__file__).parents[1] / "forecast" / "web.xml"
real = pytest.mark.usefixtures("tools")

Edit = Callable[[ET.Element], None]

DUMMY = '<primitive id="new" class="ocf" provider="heartbeat" type="Dummy">{}</primitive>'


@pytest.fixture
def tools() -> None:
    need("crm_simulate", "crm_verify")


def web() -> Cib:
    return document.parse(WEB.read_text())


def dead_node() -> Cib:
    """Return the reference case with vm-node2 gone from the cluster without a word, and fencing off."""
    up = 'uname="vm-node2" in_ccm="true" crmd="online"'
    text = WEB.read_text()
    assert up in text
    return document.parse(text.replace(up, 'uname="vm-node2" in_ccm="false" crmd="offline"'))


def corpus(pattern: str = "*.xml") -> list[Path]:
    paths = [path for path in corpus_cibs() if path.match(pattern)]
    if not paths:
        absent_corpus("forecasts on real CIBs are NOT tested")
    return paths


def lf2106() -> Cib:
    """Return a production CIB of 17 primitives, in which two instances of pingd are about to restart anyway."""
    return document.parse(corpus("bug-lf-2106.xml")[0].read_text())


def edited(cib: Cib, edit: Edit) -> Cib:
    """Return the live CIB as it were with this edit made."""
    configuration = copy.deepcopy(cib.configuration)
    edit(configuration)
    return document.parse(candidate(cib, configuration))


def ask(cib: Cib, edit: Edit) -> Forecast | NoForecast:
    configuration = copy.deepcopy(cib.configuration)
    edit(configuration)
    return Simulator(Shell()).forecast(cib, configuration)


def foresee(cib: Cib, edit: Edit) -> Forecast:
    found = ask(cib, edit)
    assert isinstance(found, Forecast), found
    return found


def nothing(_: ET.Element) -> None:
    """Edit nothing."""


def to(xpath: str, **attributes: str) -> Edit:
    """Return the edit that sets attributes of the one element at this path."""

    def edit(configuration: ET.Element) -> None:
        (element,) = configuration.findall(xpath)
        element.attrib.update(attributes)

    return edit


def without(*xpaths: str) -> Edit:
    """Return the edit that takes away whatever is at these paths."""

    def edit(configuration: ET.Element) -> None:
        for gone in [configuration.findall(xpath) for xpath in xpaths]:
            assert gone
            for parent in list(configuration.iter()):
                for child in [child for child in parent if child in gone]:
                    parent.remove(child)

    return edit


def adding(section: str, text: str) -> Edit:
    """Return the edit that adds an element to a section."""

    def edit(configuration: ET.Element) -> None:
        (found,) = configuration.findall(section)
        found.append(ET.fromstring(text))

    return edit


def both(*edits: Edit) -> Edit:
    def edit(configuration: ET.Element) -> None:
        for each in edits:
            each(configuration)

    return edit


@real
@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(nothing, id="nothing"),
        pytest.param(to(".//primitive[@id='vip']", description="the address"), id="description"),
        pytest.param(to(".//op[@id='httpd-monitor-10s']", timeout="40s"), id="timeout of a monitor"),
        pytest.param(to(".//op[@id='vip-monitor-10s']", interval="20s"), id="interval of a monitor"),
        pytest.param(to(".//rsc_location[@id='preferred-node']", score="200"), id="a score that decides nothing"),
    ],
)
def test_what_pacemaker_does_not_mind_has_no_effect(edit: Edit) -> None:
    found = foresee(web(), edit)
    assert found == Forecast()
    assert lines(found) == ("no resource is started, stopped or moved",)


@real
@pytest.mark.parametrize(
    ("edit", "said", "disrupted"),
    [
        pytest.param(
            to(".//nvpair[@id='vip-params-ip']", value="192.168.1.70"),
            ("vip restarts on vm-node1", "httpd restarts on vm-node1 (required vip start)"),
            ("vip", "httpd"),
            id="another address",
        ),
        pytest.param(
            to(".//rsc_location[@id='preferred-node']", node="vm-node2"),
            ("vip moves from vm-node1 to vm-node2", "httpd moves from vm-node1 to vm-node2"),
            ("vip", "httpd"),
            id="another preferred node",
        ),
        pytest.param(
            to(".//nvpair[@id='ping-gateway-params-multiplier']", value="2000"),
            ("ping-gateway reloads its parameters on vm-node1 and vm-node2",),
            (),
            id="a parameter that can be reloaded",
        ),
        pytest.param(
            to(".//nvpair[@id='ping-gateway-params-host_list']", value="192.168.1.2"),
            ("ping-gateway restarts on vm-node1 and vm-node2",),
            ("ping-gateway",),
            id="a parameter that cannot",
        ),
        pytest.param(
            without(".//primitive[@id='httpd']", ".//*[@rsc='httpd']", ".//*[@then='httpd']"),
            ("httpd stops on vm-node1 (node availability)",),
            ("httpd",),
            id="a running resource goes",
        ),
        pytest.param(
            without(".//clone"),
            ("ping-gateway stops on vm-node1 and vm-node2 (node availability)",),
            ("ping-gateway",),
            id="a running clone goes",
        ),
        pytest.param(adding("resources", DUMMY.format("")), ("new starts on vm-node2",), (), id="a new resource"),
    ],
)
def test_the_reference_case(edit: Edit, said: tuple[str, ...], disrupted: tuple[str, ...]) -> None:
    found = foresee(web(), edit)
    assert lines(found) == said
    assert found.disrupted == disrupted


FENCE = adding("resources", '<primitive id="fence" class="stonith" type="external/ssh"/>')
FENCING_ON = to(".//nvpair[@name='stonith-enabled']", value="true")
FENCING_OFF = to(".//nvpair[@name='stonith-enabled']", value="false")


@real
def test_a_plan_that_lets_a_lost_node_be_fenced_says_so() -> None:
    found = foresee(dead_node(), both(FENCING_ON, FENCE))
    assert found.fenced == ("vm-node2",)
    assert lines(found)[0] == "vm-node2 would be FENCED (reboot: peer is no longer part of the cluster)"


@real
def test_the_first_device_lets_a_lost_node_be_fenced() -> None:
    assert foresee(edited(dead_node(), FENCING_ON), FENCE).fenced == ("vm-node2",)


@real
def test_a_node_that_is_fenced_anyway_is_not_the_plan_s_doing() -> None:
    pending = foresee(edited(dead_node(), both(FENCING_ON, FENCE)), adding("resources", DUMMY.format("")))
    assert pending.fenced == ()
    assert [fencing.node for fencing in pending.pending.fencing] == ["vm-node2"]
    spared = foresee(edited(dead_node(), both(FENCING_ON, FENCE)), FENCING_OFF)
    assert [fencing.node for fencing in spared.averted.fencing] == ["vm-node2"]


@real
@pytest.mark.parametrize(
    ("edit", "error"),
    [
        pytest.param(
            adding("resources", '<bogus id="x"/>'), "element bogus: Did not expect element bogus there", id="element"
        ),
        pytest.param(
            adding("constraints", '<rsc_location id="x" rsc="vipp" node="vm-node1" score="5"/>'),
            'element rsc_location: IDREF attribute rsc references an unknown ID "vipp"',
            id="reference",
        ),
    ],
)
def test_what_breaks_the_schema_is_found_before_it_is_applied(edit: Edit, error: str) -> None:
    found = ask(web(), edit)
    assert isinstance(found, NoForecast)
    assert found.reason == "crm_simulate cannot simulate the configuration as planned: Invalid configuration"
    assert error in map(str, found.verdict.invalid)
    assert f"error: {error}" in lines(found)


@real
def test_what_pacemaker_would_ignore_is_an_error_and_the_rest_is_foreseen() -> None:
    found = foresee(web(), to(".//nvpair[@name='no-quorum-policy']", value="freeeze"))
    assert [error for error in found.verdict.errors if "'freeeze' is invalid" in error]


@real
def test_an_error_counts_where_the_tool_leaves_with_0() -> None:
    rule = '<rule id="r" score="1"><date_expression id="d" operation="gt" start="soon"/></rule>'
    found = foresee(web(), adding("constraints", f'<rsc_location id="x" rsc="vip">{rule}</rsc_location>'))
    assert found.verdict.errors == ("'soon' is not a valid ISO 8601 date/time specification",)


@real
def test_a_warning_is_no_error() -> None:
    op = '<operations><op id="o" name="monitor" interval="often"/></operations>'
    found = foresee(web(), adding("resources", DUMMY.format(op)))
    assert (found.verdict.errors, found.verdict.warnings) == ((), ("Using 0 instead of 'often'",))


@real
def test_errors_that_the_live_configuration_has_are_not_the_plan_s() -> None:
    wrong = document.parse(WEB.read_text().replace('value="ignore"', 'value="freeeze"'))
    assert foresee(wrong, adding("resources", DUMMY.format(""))).verdict == CLEAN


@real
@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(to(".//primitive[@id='itwiki']", description="the wiki"), id="description"),
        pytest.param(to(".//op[@id='itwiki-monitor-30']", timeout="77s"), id="timeout of a monitor"),
    ],
)
def test_what_is_pending_anyway_is_not_the_plan_s_doing(edit: Edit) -> None:
    found = foresee(lf2106(), edit)
    assert (found.caused, found.averted) == (Simulation(), Simulation())
    assert found.already_pending == (
        Effect(Act.RESTART, "pingd", "cl-virt-1", "cl-virt-1"),
        Effect(Act.RESTART, "pingd", "cl-virt-2", "cl-virt-2"),
    )
    assert lines(found) == (
        "no resource is started, stopped or moved",
        "with or without the plan: pingd restarts on cl-virt-1 and cl-virt-2 (resource definition change)",
    )


@real
def test_an_address_takes_the_rest_of_its_group_with_it() -> None:
    found = foresee(lf2106(), to(".//nvpair[@id='ssh-ip1-instance_attributes-ip']", value="10.2.50.99"))
    assert found.effects == tuple(
        Effect(Act.RESTART, name, "cl-virt-2", "cl-virt-2") for name in ("ssh-ip1", "ssh-ip2", "ssh-bin")
    )
    assert len(found.already_pending) == 2


@real
def test_a_constraint_moves_a_group() -> None:
    away = '<rsc_location id="away" rsc="ssh" node="cl-virt-2" score="-INFINITY"/>'
    found = foresee(lf2106(), adding("constraints", away))
    assert found.effects == tuple(
        Effect(Act.MOVE, name, "cl-virt-2", "cl-virt-1") for name in ("ssh-ip1", "ssh-ip2", "ssh-bin")
    )
    assert found.disrupted == ("ssh-ip1", "ssh-ip2", "ssh-bin")


@real
@pytest.mark.slow
def test_changing_nothing_causes_nothing_on_any_cib() -> None:
    pending = 0
    for path in corpus():
        found = foresee(document.parse(path.read_text()), nothing)
        assert (found.caused, found.averted, found.verdict) == (Simulation(), Simulation(), CLEAN), path.name
        pending += bool(found.already_pending)
    assert pending > 10, "CIBs at rest prove little"


def tool(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def with_tools(directory: Path, simulate: str = "exit 0", verify: str = "exit 0") -> Shell:
    """Return a shell that finds these instead of Pacemaker's tools."""
    tool(directory, "crm_simulate", simulate)
    tool(directory, "crm_verify", verify)
    return Shell(path=f"{directory}:{PATH}")


OK = '<status code="0" message="OK"/>'


@pytest.mark.parametrize(
    ("simulate", "verify", "reason"),
    [
        ("echo hallo", "exit 0", "cannot simulate the live configuration: not well-formed XML"),
        ("echo '<html/>'", "exit 0", "<html>"),
        ("kill -ABRT $$", "exit 0", "cannot simulate the live configuration: crm_simulate failed with exit code"),
        ("echo broken >&2; exit 70", "exit 0", "failed with exit code 70: broken"),
        (f"echo '<pacemaker-result>{OK}</pacemaker-result>'", "exit 0", "says nothing about actions"),
        (f"echo '<pacemaker-result><actions/>{OK}</pacemaker-result>'", "exit 1", "crm_verify failed with exit code 1"),
        ("sleep 30", "exit 0", "crm_simulate took longer than 0.3 s and was killed"),
    ],
)
def test_a_tool_that_fails_is_a_reason(tmp_path: Path, simulate: str, verify: str, reason: str) -> None:
    cib = web()
    found = Simulator(with_tools(tmp_path, simulate, verify), timeout=0.3).forecast(cib, cib.configuration)
    assert isinstance(found, NoForecast)
    assert reason in found.reason


@pytest.mark.parametrize("missing", ["crm_simulate", "crm_verify"])
def test_without_the_tool_there_is_no_forecast(tmp_path: Path, missing: str) -> None:
    for name in {"crm_simulate", "crm_verify"} - {missing}:
        tool(tmp_path, name, "exit 0")
    cib = web()
    found = Simulator(Shell(path=str(tmp_path))).forecast(cib, cib.configuration)
    assert isinstance(found, NoForecast)
    assert found.reason.startswith(f"{missing} is not installed")


def test_the_tools_work_in_a_private_directory_that_is_gone_afterwards(tmp_path: Path) -> None:
    scratch, notes = tmp_path / "scratch", tmp_path / "notes"
    scratch.mkdir()
    said = f'echo "$@" >>{notes}; stat -c %a $(dirname "$4") >>{notes}'
    shell = with_tools(tmp_path, f"{said}; echo '<pacemaker-result><actions/>{OK}</pacemaker-result>'")
    cib = web()
    assert Simulator(shell, scratch=scratch).forecast(cib, cib.configuration) == Forecast()
    words = notes.read_text().split()
    for option in ("--xml-file", "--save-output"):
        named = [words[at + 1] for at, word in enumerate(words) if word == option]
        assert len(named) == 2
        assert all(name.startswith(f"{scratch}/") for name in named)
    assert words.count("700") == 2
    assert list(scratch.iterdir()) == []


def test_without_a_place_for_it_there_is_no_forecast(tmp_path: Path) -> None:
    cib = web()
    found = Simulator(Shell(), scratch=tmp_path / "nowhere").forecast(cib, cib.configuration)
    assert isinstance(found, NoForecast)
    assert "cannot be written" in found.reason


@pytest.mark.parametrize(
    ("order", "breaks"),
    [
        ('<rsc_order id="o" first="vip" then="vip"/>', True),
        ('<rsc_order id="o" first="vip" then="httpd"/>', False),
    ],
)
def test_what_ends_the_scheduler_is_told_from_what_nobody_can_foresee(order: str, breaks: bool) -> None:
    foreseen = ask(web(), adding("constraints", order))
    assert (isinstance(foreseen, NoForecast) and foreseen.breaks) is breaks


def test_what_mends_a_scheduler_that_has_ended_is_no_worse() -> None:
    broken = edited(web(), adding("constraints", '<rsc_order id="o" first="vip" then="vip"/>'))
    mended = ask(broken, without(".//rsc_order[@id='o']"))
    assert isinstance(mended, NoForecast)
    assert (mended.mends, mended.breaks) == (True, False)


@real
@pytest.mark.parametrize("live_hangs", [True, False])
@pytest.mark.parametrize("planned_hangs", [True, False])
def test_a_scheduler_that_comes_to_no_end_is_one_that_the_plan_breaks(live_hangs: bool, planned_hangs: bool) -> None:
    attribute = '<instance_attributes id="v"><nvpair id="v-v" name="v" value="1.0rc1"/></instance_attributes>'
    expression = '<expression id="e" attribute="v" operation="eq" value="{}" type="version"/>'
    rule = f'<rsc_location id="l" rsc="vip"><rule id="r" score="1">{expression}</rule></rsc_location>'

    def comparing(hangs: bool) -> Edit:
        return adding("constraints", rule.format("1.0rc1" if hangs else "2.0"))

    live = edited(web(), lambda configuration: configuration.find("nodes/node").append(ET.fromstring(attribute)))  # type: ignore[union-attr]
    planned = edited(live, comparing(planned_hangs)).configuration
    found = Simulator(Shell(), timeout=4.0).forecast(edited(live, comparing(live_hangs)), planned)
    if not live_hangs and not planned_hangs:
        assert isinstance(found, Forecast)
        return
    assert isinstance(found, NoForecast)
    assert "took longer than 4 s and was killed: it hangs on the" in found.reason
    assert (found.breaks, found.mends) == (not live_hangs, not planned_hangs)
