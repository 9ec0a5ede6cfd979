"""The register: what is written is read again, whatever people type; Pacemaker and its tools do not mind it."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib import register
from reconciler.cib.document import Cib, parse, serialize
from reconciler.cib.draft import draft
from reconciler.cib.register import Approval, Pause, Quarantine, Register, RegisterError, Suspension
from reconciler.kinds.observe import observe
from reconciler.state import Ref
from tests.cib.pacemaker_patches import PatchOracle
from tests.programs import need, run

EMPTY = (
    '<cib validate-with="pacemaker-3.9" epoch="5" num_updates="3" admin_epoch="0"><configuration><crm_config>'
    '<cluster_property_set id="cib-bootstrap-options">'
    '<nvpair id="cib-bootstrap-options-stonith-enabled" name="stonith-enabled" value="false"/>'
    "</cluster_property_set></crm_config><nodes/><resources/><constraints/></configuration><status/></cib>"
)
UNTIL = Suspension(1795500000, 1795507200, "root@vm-node1", "kernel update")
APPROVAL = Approval(
    "0123456789ab",
    1795500000,
    "root@vm-node1",
    "f00d",
    frozenset({Ref("Primitive", "a"), Ref("Primitive", "b")}),
    frozenset({"vip"}),
    changes=frozenset({"aaaaaaaaaaaa"}),
    reasons=frozenset({"DisruptionBudget"}),
)
BAD = (
    Quarantine("f00d", 1795500000, "httpd was running and is not any more"),
    Quarantine("beef", 1795400000, "a; b"),
)
PAUSES = (Pause("f00d", Ref("Primitive", "vip"), 1795500000, 1795503600, "httpd broke; it did"),)
FULL = Register(UNTIL, (APPROVAL,), BAD, pauses=PAUSES)


@pytest.fixture(scope="module")
def pacemaker() -> PatchOracle:
    return PatchOracle()


def kept(cib: Cib, value: Register) -> Cib:
    root = ET.Element(cib.root.tag, cib.root.attrib)
    root.append(draft(cib, register.edits(cib, value)))
    return parse(serialize(root))


def values(cib: Cib) -> dict[str, str]:
    (found,) = (item for item in cib.objects("crm_config") if item.get("id") == register.SET)
    return {pair.get("name", ""): pair.get("value", "") for pair in found}


def test_a_person_can_read_it() -> None:
    assert values(kept(parse(EMPTY), FULL)) == {
        "reconciler-suspended": "since 2026-11-24T06:00:00Z until 2026-11-24T08:00:00Z by root@vm-node1: kernel update",
        "reconciler-quarantined": "revision f00d at 2026-11-24T06:00:00Z: httpd was running and is not any more; "
        "revision beef at 2026-11-23T02:13:20Z: a%3B b; "
        "revision f00d/Primitive/vip at 2026-11-24T06:00:00Z: until 2026-11-24T07:00:00Z, as httpd broke%3B it did",
        "reconciler-approved-0123456789ab": "at 2026-11-24T06:00:00Z by root@vm-node1 revision f00d: "
        "deletes Primitive/a Primitive/b; disrupts vip; fences -; changes aaaaaaaaaaaa; from DisruptionBudget",
    }


words = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["-", "a:", "a/b/c", "a b", ";", "%22", "; disrupts", "50%", "é\u2028"]
)
times = st.integers(0, 4102444799)
digests = st.text("0123456789abcdef", min_size=12, max_size=12)
refs = st.frozensets(st.builds(Ref, words, words), max_size=3)
names = st.frozensets(words, max_size=3)
approvals = st.lists(
    st.builds(Approval, digests, times, words, words, refs, names, names, st.frozensets(digests, max_size=3), names),
    max_size=3,
    unique_by=lambda approval: approval.digest,
).map(lambda found: tuple(sorted(found, key=lambda approval: approval.digest)))
unreadable = st.lists(
    st.tuples(st.sampled_from(["reconciler-suspended", "reconciler-later", "x"]), st.text("ab %", max_size=5)),
    max_size=2,
    unique_by=lambda entry: entry[0],
).map(lambda found: tuple(sorted(found)))
registers = st.builds(
    Register,
    st.none() | st.builds(Suspension, times, times, words, words),
    approvals,
    st.lists(st.builds(Quarantine, words, times, words), max_size=3).map(tuple),
    unreadable,
    st.lists(st.builds(Pause, words, st.builds(Ref, words, words), times, times, words), max_size=3).map(tuple),
).filter(lambda value: not (value.suspended and any(name.endswith("-suspended") for name, _ in value.unreadable)))


@given(registers, registers)
def test_what_is_written_is_read_again(value: Register, earlier: Register) -> None:
    before = kept(parse(EMPTY), earlier)
    after = kept(before, value)
    assert register.read(after) == value
    assert register.patched(after, value) is None
    if value != Register():
        for text in values(after).values():
            assert text.isprintable()
            assert '"' not in text
    else:
        assert register.SET not in after.by_id


@given(registers)
def test_pacemaker_takes_the_patch(pacemaker: PatchOracle, value: Register) -> None:
    cib = parse(EMPTY)
    patch = register.patched(cib, value)
    if patch is not None:
        code, text = pacemaker.patched(cib.text, patch)
        assert code == 0
        assert pacemaker.valid(text)
        assert register.read(parse(text)) == value


def test_it_is_never_the_first_set() -> None:
    bare = parse(EMPTY.replace(EMPTY[EMPTY.index("<cluster_prop") : EMPTY.index("</crm_config>")], ""))
    sets = [item.get("id") for item in kept(bare, FULL).objects("crm_config")]
    assert sets == ["cib-bootstrap-options", "reconciler"]
    assert [item.get("id") for item in kept(parse(EMPTY), FULL).objects("crm_config")] == sets


def test_no_kind_sees_it() -> None:
    cib = kept(parse(EMPTY), FULL)
    assert observe(cib).all == observe(parse(EMPTY)).all


APPROVED = "at 2026-11-24T06:00:00Z by r revision f: deletes -; disrupts -; fences -; changes -"


SUSPENDED = "since 2026-13-24T06:00:00Z until 2026-11-24T08:00:00Z by a: b"


@pytest.mark.parametrize(
    "entry",
    [
        '<nvpair id="a" name="reconciler-suspended" value="until tomorrow"/>',
        '<nvpair id="a" name="reconciler-suspended" value="until 2026-11-24T08:00:00Z by a: b"/>',
        f'<nvpair id="a" name="reconciler-suspended" value="{SUSPENDED}"/>',
        '<nvpair id="a" name="reconciler-suspended"/>',
        f'<nvpair id="a" name="reconciler-approved-xyz" value="{APPROVED}"/>',
        f'<nvpair id="a" name="reconciler-0123456789ab" value="{APPROVED}"/>',
        '<nvpair id="a" name="reconciler-quarantined" value="%FF%FE"/>',
        '<nvpair id="a" name="reconciler-quarantined" value="revision a/B/c at 2026-11-24T06:00:00Z: for long"/>',
        '<nvpair id-ref="x"/>',
        '<rule id="r" score="0"/>',
    ],
)
def test_what_cannot_be_read_is_kept_and_said(entry: str) -> None:
    text = EMPTY.replace(
        "</crm_config>", f'<cluster_property_set id="reconciler">{entry}</cluster_property_set></crm_config>'
    )
    found = register.read(parse(text))
    assert found.unreadable
    assert (found.suspended, found.approvals, found.quarantines) == (None, (), ())


def test_said_twice_is_not_readable() -> None:
    pairs = "".join(
        f'<nvpair id="{name}" name="reconciler-suspended" value="{value}"/>'
        for name, value in (("a", values(kept(parse(EMPTY), FULL))["reconciler-suspended"]), ("b", ""))
    )
    text = EMPTY.replace(
        "</crm_config>", f'<cluster_property_set id="reconciler">{pairs}</cluster_property_set></crm_config>'
    )
    found = register.read(parse(text))
    assert len(found.unreadable) == 2
    assert register.read(kept(parse(text), replace(found, suspended=UNTIL))).suspended == UNTIL


def test_an_id_that_is_taken_is_refused() -> None:
    text = EMPTY.replace("<resources/>", '<resources><primitive id="reconciler" class="ocf" type="Dummy"/></resources>')
    with pytest.raises(RegisterError, match="belongs to another object"):
        register.patched(parse(text), FULL)
    assert register.patched(parse(text), Register()) is None, "nothing is to be kept: nobody is in the way"


def test_what_is_too_long_is_refused() -> None:
    huge = Approval("0123456789ab", 0, "r", "f", frozenset(Ref("Primitive", f"p{i:0200}") for i in range(400)))
    with pytest.raises(RegisterError, match="smaller steps"):
        register.patched(parse(EMPTY), Register(approvals=(huge,)))


def test_what_is_too_long_already_does_not_keep_the_rest_from_being_written() -> None:
    pair = f'<nvpair id="x" name="x" value="{"x" * (register.LONGEST_VALUE + 1)}"/>'
    text = EMPTY.replace(
        "</crm_config>", f'<cluster_property_set id="reconciler">{pair}</cluster_property_set></crm_config>'
    )
    found = register.read(parse(text))
    assert register.patched(parse(text), found.approving(APPROVAL))


def test_of_many_approvals_the_oldest_go() -> None:
    value = Register()
    for number in range(20):
        value = value.approving(Approval(f"{number:012x}", number, "r", "f"))
    assert [approval.at for approval in value.approvals] == list(range(12, 20))
    again = value.approving(Approval(f"{19:012x}", 99, "r", "f"))
    assert [approval.at for approval in again.approvals] == [*range(12, 19), 99]


ODD = ('it\'s 50% $HOME `x` #1 <b> & "q", a=b; c: d\n! %22 \\', "ümlaut & <more>")


def written(path: Path, reason: str) -> Path:
    path.write_text(serialize(kept(parse(EMPTY), Register(Suspension(0, 1, "a b", reason), (APPROVAL,))).root))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("reason", ODD)
def test_crm_shows_it_and_takes_it_back(tmp_path: Path, reason: str) -> None:
    need("crm")
    file = written(tmp_path / "cib.xml", reason)
    before = register.read(parse(file.read_text()))
    shown = run(file, "crm", "-F", "configure", "show")
    assert shown.returncode == 0, shown.stderr
    assert ("property reconciler:" in shown.stdout) is reason.isascii(), "crm shows what is beyond ASCII as XML"
    assert "reconciler-suspended" in shown.stdout
    done = run(file, "crm", "-F", "configure", "load", "update", "-", stdin=shown.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert register.read(parse(file.read_text())) == before


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "cib.xml", ODD[0])


def test_crm_verify_has_nothing_new_to_say(tmp_path: Path, file: Path) -> None:
    need("crm_verify")
    without = tmp_path / "without.xml"
    without.write_text(EMPTY)
    said = [run(path, "crm_verify", "-V", "--xml-file", str(path)) for path in (without, file)]
    assert said[1].returncode == said[0].returncode
    assert said[1].stderr.replace(str(file), "") == said[0].stderr.replace(str(without), "")


@pytest.mark.slow
def test_pcs_and_crm_write_to_the_first_set(file: Path) -> None:
    need("crm", "crm_attribute")
    before = register.read(parse(file.read_text()))
    assert run(file, "crm", "-F", "configure", "property", "batch-limit=7").returncode == 0
    assert run(file, "crm_attribute", "--name", "cluster-recheck-interval", "--update", "5min").returncode == 0
    if shutil.which("pcs"):
        done: Any = run(file, "pcs", "-f", str(file), "property", "set", "no-quorum-policy=stop")
        assert done.returncode == 0, done.stderr
        assert run(file, "pcs", "-f", str(file), "property", "config").returncode == 0
    cib = parse(file.read_text())
    assert register.read(cib) == before
    (first, ours) = cib.objects("crm_config")
    assert {"batch-limit", "cluster-recheck-interval"} <= {pair.get("name") for pair in first}
    assert ours.get("id") == register.SET
