"""Orders in a circle are named whole, and are just those of which Pacemaker's scheduler does nothing."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import manifests, rendered
from reconciler.cib.document import serialize
from reconciler.circles import circles
from reconciler.state import State
from tests.examples import often
from tests.manifest_texts import DUMMY, item, listed
from tests.programs import need, run

A, B, C, D = (item("Primitive", name, DUMMY) for name in "abcd")
AB = A + B
G = item("Group", "g", "spec.resources = ['a', 'b']")
LOOSE = item("Group", "g", "spec = { resources = ['a', 'b'], meta = { ordered = false } }")
GROUP = AB + C + G
GROUPS = GROUP + D + item("Group", "h", "spec.resources = ['c', 'd']")
CLONE = AB + item("Clone", "k", "spec.resource = 'a'")
PROMOTABLE = (
    B
    + item("Primitive", "s", "spec.agent = 'ocf:pacemaker:Stateful'")
    + item("Clone", "m", "spec = { resource = 's', meta = { promotable = true } }")
)
PROMOTED = "m b first-action = 'promote', then-action = 'start'"
STOPPED = "a b first-action = 'stop', symmetrical = false"


def state(*items: str) -> State:
    loaded = manifests.load({"m.toml": listed(*items)}, "r")
    assert not loaded.rejected, [str(rejected) for rejected in loaded.rejected]
    return loaded.state


def orders(*said: str) -> str:
    """Orders o0, o1 …, each of what is first, what is then, and what else there is to say."""
    items = []
    for index, (first, then, *more) in enumerate(text.split(" ", 2) for text in said):
        fields = [f"first = '{first}'", f"then = '{then}'", *more]
        items.append(item("Order", f"o{index}", f"spec = {{ {', '.join(fields)} }}"))
    return "".join(items)


def way(hops: str) -> str:
    """`b a:o1` is `start b -> start a (Order/o1)`; groups are g and h."""
    said = []
    for hop in hops.split():
        name, _, why = hop.partition(":")
        kind = "Group" if why in ("g", "h") else "Order"
        verb = "promote" if name == "!m" else "start"
        said.append(f"{verb} {name.removeprefix('!')}" + (f" ({kind}/{why})" if why else ""))
    return " -> ".join(said)


BACK = "b a:o1 b:o0"
SETS = item("Order", "o9", "spec.sets = [{ resources = ['a', 'b', 'c'] }]")
CIRCLES = [
    (AB, orders("a b"), ""),
    (AB, orders("a b", "b a"), BACK),
    (AB, orders("a b kind = 'Optional'", "b a kind = 'Optional'"), BACK),
    (AB, orders("a b", "b a kind = 'Serialize'"), BACK),
    (AB, orders("a b kind = 'Serialize'"), ""),
    (AB, orders("a b", "a b first-action = 'stop'"), BACK),
    (AB, orders("a b", "b a then-action = 'stop', symmetrical = false"), ""),
    (AB + C + D, orders("a b", "b c", "c a", "c d"), "b c:o1 a:o2 b:o0"),
    (AB + C, SETS + orders("c a"), "a b:o9 c:o9 a:o0"),
    (GROUP, orders("g c", "c b"), "c b:o1 g:g c:o0"),
    (GROUP, orders("b a"), "a b:g a:o0"),
    (GROUP, orders("a g"), "g a:g g:o0"),
    (GROUP, orders("g a"), ""),
    (GROUP, orders("a c", "c b"), ""),
    (GROUP, orders("a c", "c g"), "c g:o1 a:g c:o0"),
    (GROUPS, orders("b c", "d a"), "c d:h a:o1 b:g c:o0"),
    (GROUPS, orders("a d", "c b"), ""),
    (AB + C + LOOSE, orders("b c", "c a"), ""),
    (CLONE, orders("k b", "b k"), "b k:o1 b:o0"),
    (PROMOTABLE, orders(PROMOTED, "b m"), "b m:o1 !m b:o0"),
    (PROMOTABLE, orders("m b", "b m then-action = 'promote'"), ""),
]


@pytest.mark.parametrize(("items", "said", "hops"), CIRCLES)
def test_a_circle_of_orders_is_named_whole(items: str, said: str, hops: str) -> None:
    made = state(items, said)
    found = [doubt.message for doubt in circles(made, made)]
    assert found == ([f"orders in a circle, of which nothing ever starts: {way(hops)}"] if hops else [])


@pytest.mark.parametrize(("items", "said", "hops"), CIRCLES)
def test_the_scheduler_starts_nothing_of_a_circle_and_all_where_there_is_none(
    tmp_path: Path, items: str, said: str, hops: str
) -> None:
    assert bool(_idle(tmp_path, state(items, said))) is bool(hops)


NAMES = st.sampled_from(["a", "b", "c", "d", "g", "h"])
PAIRS = st.lists(st.tuples(NAMES, NAMES).filter(lambda pair: pair[0] != pair[1]), min_size=2, max_size=4, unique=True)


@often(25)
@given(PAIRS)
def test_the_scheduler_finds_the_same_circles_among_random_orders(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]
) -> None:
    made = state(GROUPS, orders(*map(" ".join, pairs)))
    stuck = _idle(tmp_path_factory.mktemp("cib"), made)
    assert bool([*circles(made, made)]) is bool(stuck), stuck


def test_of_a_long_circle_the_first_steps_are_named_and_how_many_more_there_are() -> None:
    names = [f"r{number:03}" for number in range(300)]
    primitives = "".join(item("Primitive", name, DUMMY) for name in names)
    made = state(primitives, orders(*map(" ".join, zip(names, [*names[1:], names[0]], strict=True))))
    (found,) = circles(made, made)
    assert found.message == (
        "orders in a circle, of which nothing ever starts: start r001 -> start r002 (Order/o1) -> start r003 (Order/o2)"
        " -> start r004 (Order/o3) -> start r005 (Order/o4) -> start r006 (Order/o5) -> start r007 (Order/o6) "
        "-> start r008 (Order/o7) -> start r009 (Order/o8) -> 292 more steps, the last of them back to start r001"
    )


def test_a_circle_with_what_is_not_ours_is_said_and_one_of_others_alone_is_not() -> None:
    ours, theirs = state(AB, orders("a b")), state(AB, item("Order", "x", "spec = { first = 'b', then = 'a' }"))
    assert [str(doubt.ref) for doubt in circles(ours, {**ours, **theirs})] == ["Order/o0"]
    other = state(AB, orders("a b", "b a"))
    mine = state(C, D, item("Order", "y", "spec = { first = 'c', then = 'd' }"))
    assert [*circles(mine, {**mine, **other})] == []


@pytest.mark.parametrize(
    "said", [orders("a b", STOPPED), orders(STOPPED, "b a" + STOPPED.removeprefix("a b"))], ids=["one", "both"]
)
def test_what_can_never_be_stopped_is_said_and_the_scheduler_does_not_stop_it(tmp_path: Path, said: str) -> None:
    made = state(AB, said)
    (found,) = circles(made, made)
    assert "of which nothing ever stops: stop " in found.message
    stopped = item("ResourceDefaults", "r", "spec.values = { target-role = 'Stopped' }")
    assert _idle(tmp_path, state(AB, stopped), ("a", "b")) == ["a", "b"]
    assert _idle(tmp_path, state(AB, stopped, said), ("a", "b")) == []


def _idle(directory: Path, made: State, running: tuple[str, ...] = ()) -> list[str]:
    """What is not active after what the scheduler would do on two nodes, of which the first runs some primitives."""
    need("crm_simulate")
    names = ("n1", "n2")
    nodes = [ET.Element("node", id=str(number), uname=name) for number, name in enumerate(names, 1)]
    root = ET.Element(
        "cib",
        {"validate-with": "pacemaker-3.9", "crm_feature_set": "3.16.1", "admin_epoch": "0", "epoch": "1"}
        | {"num_updates": "0", "have-quorum": "1", "dc-uuid": "1"},
    )
    unfenced = item("ClusterProperties", "cib-bootstrap-options", "spec.properties = { stonith-enabled = false }")
    configuration = rendered.configuration({**made, **state(unfenced)}, nodes)
    if configuration.find("constraints") is None:
        ET.SubElement(configuration, "constraints")
    root.append(configuration)
    status = ET.SubElement(root, "status")
    for number, name in enumerate(names, 1):
        online = {"in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"}
        node = ET.SubElement(status, "node_state", {"id": str(number), "uname": name, **online})
        history = ET.SubElement(ET.SubElement(node, "lrm", id=str(number)), "lrm_resources")
        for call, resource in enumerate(running if name == "n1" else (), 1):
            agent = {"class": "ocf", "provider": "heartbeat", "type": "Dummy"}
            held = ET.SubElement(history, "lrm_resource", {"id": resource, **agent})
            key = {"transition-key": f"{call}:0:0:x", "transition-magic": f"0:0;{call}:0:0:x", "call-id": str(call)}
            done = {"operation": "start", "rc-code": "0", "op-status": "0", "interval": "0", "on_node": name}
            ET.SubElement(held, "lrm_rsc_op", {"id": f"{resource}_last_0", **done, **key})
    file = directory / "cib.xml"
    file.write_text(serialize(root))
    answer = run(file, "crm_simulate", "--simulate", "--xml-file", str(file), "--output-as", "xml")
    assert answer.returncode == 0 or "An invalid transition was produced" in answer.stdout, answer.stderr
    after = ET.fromstring(answer.stdout).find("revised_cluster_status")
    assert after is not None
    return sorted({found.get("id", "") for found in after.iter("resource") if found.get("active") != "true"})
