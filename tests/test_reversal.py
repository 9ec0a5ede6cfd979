"""A patch is taken back exactly, and only while nobody else has changed the configuration since."""

import copy
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib.cluster import Update
from reconciler.cib.document import Cib, parse, serialize
from reconciler.cib.register import Approval, Quarantine, Register, patched, read
from reconciler.cib.status import status
from reconciler.kinds.observe import observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.reversal import Reversal, reversal
from reconciler.settling import Applied, Settling, begin
from reconciler.state import Ref
from tests.aftermaths import WEB
from tests.cib.pacemaker_patches import PatchOracle
from tests.configurations import Live, desired, lives, wishes
from tests.examples import often
from tests.strategies.resources import Objects

ROOT = Update("vm-node1", "crm_attribute", "root", None)
AT = 1_795_500_000


@pytest.fixture(scope="module")
def pacemaker() -> PatchOracle:
    return PatchOracle()


def broke(before: Cib, made: ET.Element, revision: str = "abc") -> Settling:
    now = status(before.root)
    patch = Applied(revision, 0.0, (Ref("Primitive", "httpd"),), now, before, made)
    return replace(begin(patch, None, 0.0, 60.0, untouched=True), broken=("httpd", "vip"))


def taken_back(settling: Settling, live: Cib) -> Reversal:
    found = reversal(settling, live, ROOT, AT)
    assert isinstance(found, Reversal), found
    return found


def shape(element: ET.Element) -> object:
    return element.tag, sorted(element.items()), [shape(child) for child in element if isinstance(child.tag, str)]


def registered(cib: Cib) -> Quarantine:
    (found,) = read(cib).quarantines
    return found


@st.composite
def situations(draw: st.DrawFn) -> tuple[Live, Objects]:
    live = draw(lives())
    return live, draw(wishes(live))


@often(30)
@given(situations())
def test_after_a_revert_everything_is_as_it_was(pacemaker: PatchOracle, situation: tuple[Live, Objects]) -> None:
    """Whatever was created, changed, deleted or adopted: the configuration, and who owns what, are as before."""
    live, wanted = situation
    before = parse(live.text)
    planned = plan(desired(wanted), observe(before), live.running, Policy())
    if not planned.operations:
        return
    code, text = pacemaker.patched(live.text, planned.plan.commands[0].stdin)
    assert code == 0
    back = taken_back(broke(before, planned.configuration), parse(text))
    code, text = pacemaker.patched(text, back.command.stdin)
    assert code == 0
    after = parse(text)
    assert observe(after).owned == observe(before).owned
    assert registered(after).revision == "abc"
    assert pacemaker.valid(text)
    code, text = pacemaker.patched(text, patched(after, Register()) or "")
    assert code == 0
    assert shape(parse(text).configuration) == shape(before.configuration)
    assert shape(back.configuration) == shape(after.configuration)


def web(*edits: Callable[[ET.Element], None]) -> Cib:
    root = ET.fromstring(WEB.read_text())
    for edit in edits:
        edit(root)
    return parse(serialize(root))


def elsewhere(root: ET.Element) -> None:
    (found,) = root.findall(".//nvpair[@id='httpd-params-configfile']")
    found.set("value", "/etc/broken.conf")


def moved(root: ET.Element) -> None:
    (found,) = root.findall(".//rsc_location[@id='preferred-node']")
    found.set("node", "vm-node2")


def refreshed(root: ET.Element) -> None:
    (found,) = root.findall(".//cluster_property_set")
    words = {"id": "cib-bootstrap-options-last-lrm-refresh", "name": "last-lrm-refresh", "value": "1"}
    ET.SubElement(found, "nvpair", words)


def test_the_patch_puts_the_revision_in_quarantine_and_says_why(pacemaker: PatchOracle) -> None:
    before, made = web(), web(elsewhere)
    back = taken_back(broke(before, made.configuration), made)
    code, text = pacemaker.patched(serialize(made.root), back.command.stdin)
    assert code == 0
    assert registered(parse(text)) == Quarantine(
        "abc", AT, "httpd, vip were running and healthy before it and not after"
    )
    assert "/etc/broken.conf" not in text
    assert back.command.refs == (Ref("Primitive", "httpd"),)


def test_somebody_s_change_in_between_is_never_undone() -> None:
    before, made = web(), web(elsewhere)
    found = reversal(broke(before, made.configuration), web(elsewhere, moved), ROOT, AT)
    assert found == (
        "somebody has changed the configuration since (preferred-node; last root with crm_attribute on vm-node1)"
    )
    found = reversal(broke(before, made.configuration), before, ROOT, AT)
    assert isinstance(found, str), "somebody has changed it back"
    assert "httpd-params-configfile" in found


def test_what_pacemaker_notes_itself_is_no_change() -> None:
    before, made = web(), web(elsewhere)
    taken_back(broke(before, made.configuration), web(elsewhere, refreshed))


def upgraded(root: ET.Element) -> None:
    (found,) = root.findall(".//cluster_property_set")
    for name, value in {"dc-version": "2.1.6", "have-watchdog": "true", "last-lrm-refresh": "7"}.items():
        for pair in [pair for pair in found if pair.get("name") == name]:
            found.remove(pair)
        words = {"id": f"cib-bootstrap-options-{name}", "name": name, "value": value}
        found.insert(1, ET.Element("nvpair", words))


def test_what_pacemaker_notes_itself_is_left_as_it_is_now(pacemaker: PatchOracle) -> None:
    before, made, live = web(), web(elsewhere), web(elsewhere, upgraded)
    back = taken_back(broke(before, made.configuration), live)
    assert "dc-version" not in back.command.stdin
    assert "have-watchdog" not in back.command.stdin
    code, text = pacemaker.patched(serialize(live.root), back.command.stdin)
    assert code == 0
    after, now = parse(text), {pair.get("name"): pair.get("value") for pair in live.root.iter("nvpair")}
    for name in ("dc-version", "have-watchdog", "last-lrm-refresh"):
        (pair,) = after.configuration.findall(f".//nvpair[@name='{name}']")
        assert pair.get("value") == now[name]
    assert "/etc/broken.conf" not in text


def test_what_the_agents_keep_stays_but_for_approvals_of_the_revision(pacemaker: PatchOracle) -> None:
    before, made = web(), web(elsewhere)
    approval, released = (Approval(f"0123456789a{n}", AT, "root@vm-node1", n) for n in ("b", "abc"))
    released = replace(released, digest="0123456789ac")
    kept = Register(approvals=(approval, released))
    code, text = pacemaker.patched(serialize(made.root), patched(made, kept) or "")
    assert code == 0
    back = taken_back(broke(before, made.configuration), parse(text))
    code, text = pacemaker.patched(text, back.command.stdin)
    assert code == 0
    assert read(parse(text)).approvals == (approval,)
    assert registered(parse(text)).revision == "abc"


def test_two_patches_of_a_revision_are_taken_back_together(pacemaker: PatchOracle) -> None:
    before, first, second = web(), web(elsewhere), web(elsewhere, moved)
    one = broke(before, first.configuration)
    again = replace(one.applied, before=first, made=second.configuration, changed=(Ref("Location", "preferred-node"),))
    chained = replace(begin(again, one, 1.0, 60.0, untouched=True), broken=("httpd",))
    back = taken_back(chained, second)
    code, text = pacemaker.patched(serialize(second.root), back.command.stdin)
    assert code == 0
    assert back.command.refs == (Ref("Primitive", "httpd"), Ref("Location", "preferred-node"))
    cleared = pacemaker.patched(text, patched(parse(text), Register()) or "")[1]
    assert shape(parse(cleared).configuration) == shape(before.configuration)


def test_what_cannot_be_compared_is_left_alone() -> None:
    before, made = web(), web(elsewhere)
    twice = copy.deepcopy(made.root)
    (configuration,) = twice.findall("configuration")
    configuration.extend(ET.fromstring(f"<x>{'<tags/>' * 2}</x>"))
    assert isinstance(reversal(broke(before, made.configuration), parse(serialize(twice)), ROOT, AT), str)
