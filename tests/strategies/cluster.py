"""Random objects that are no resources and no constraints: options, nodes, fencing, permissions, tags, alerts."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tests.strategies.parts import SCORES, TEXTS, capacities, condition, params, sets
from tests.strategies.pen import Later, Pen, Table, table
from tests.strategies.resources import PRIMITIVES, Objects

OPTIONS: Mapping[str, tuple[str, tuple[str, ...], tuple[Table, ...]]] = {
    "ClusterProperties": (
        "properties",
        ("cib-bootstrap-options", "k5"),
        ({"stonith-enabled": False}, {"no-quorum-policy": "ignore", "batch-limit": 5}, {"site:x": "a b"}),
    ),
    "ResourceDefaults": ("values", ("d1", "d2"), ({"resource-stickiness": 5}, {"migration-threshold": "inf"})),
    "OperationDefaults": ("values", ("d3", "d4"), ({"timeout": 60}, {"timeout": "1min", "on-fail": "block"})),
}


def others(pen: Pen, names: list[str]) -> Objects:
    """Objects beside the resources of these names and the constraints."""
    found: Objects = {}
    for kind in OPTIONS:
        found |= options(pen, kind)
    for name in pen.several(("n1", "n2", "n3")):
        found["Node", name] = node(pen, name)
    if pen.seldom(3):
        found["FencingTopology", "fencing-topology"] = {"levels": pen.row(lambda: level(pen), least=1)}
    roles = pen.several(("a1", "a2"))
    for name in roles:
        permissions = pen.row(lambda: permission(pen, names))
        found["AclRole", name] = table(permissions=permissions, description=pen.some(*TEXTS))
    for name in pen.several(("u1", "p1")):
        found["AclUser", name] = table(
            roles=pen.several(roles) if roles else [], name=(pen.lately() and "root") or None
        )
    for name in pen.several(("u2",)):
        found["AclGroup", name] = table(
            roles=pen.several(roles) if roles else [], name=(pen.lately() and "adm") or None
        )
    for name in pen.several(("al1", "al2")):
        found["Alert", name] = alert(pen)
    return found


def options(pen: Pen, kind: str) -> Objects:
    field, names, values = OPTIONS[kind]
    found: Objects = {}
    for name in pen.several(names):
        said = pen.pick(*values)
        found[kind, name] = table(
            rule=(pen.seldom(3) and condition(pen, matches=kind != "ClusterProperties")) or None,
            score=(pen.seldom(3) and pen.pick(*SCORES)) or None,
            nvpairs=[table(id_ref=Later("nvpair"), name=pen.some("taken")) for _ in range(pen.seldom())],
            ids={name: own for name in said if (own := pen.id("nvpair"))},
            **{field: said},
        )
    return found


def node(pen: Pen, name: str) -> Table:
    types = {"n1": ("member", None), "n2": (None,), "n3": ("remote", None)}
    return table(
        attributes=one_of_each(sets(pen, "instance_attributes", attributes)),
        utilization=one_of_each(sets(pen, "utilization", capacities)),
        description=pen.some(*TEXTS),
        type=pen.pick(*types[name]),
        score=pen.some(*SCORES),
        id=pen.some("3") if name == "n3" else None,
    )


def one_of_each(said: Any) -> Any:
    """Leave out a second set of one condition: of one node's sets the condition and the name tell whose a value is."""
    if not isinstance(said, list):
        return said
    return list({_condition(item): item for item in reversed(said)}.values())


def _condition(item: Table) -> str:
    score = "INFINITY" if item.get("score") == "1000000" else item.get("score")
    rule = item.get("rule", {})
    return str((rule.get("expression"), rule.get("id-ref"), score, item.get("id-ref")))


def attributes(pen: Pen) -> Table:
    return table(standby=pen.some(True, "off"), site=pen.some("a", "b"), **params(pen))


def level(pen: Pen) -> Table:
    target: Table = pen.pick(
        {"target": "n1"}, {"target": "n2"}, {"target-pattern": "^n"}, {"target-attribute": "a", "target-value": "b"}
    )
    devices = pen.several(("watchdog", *PRIMITIVES), least=1)
    return target | table(index=pen.pick(1, "2"), devices=devices, id=pen.id("part"))


def permission(pen: Pen, names: list[str]) -> Table:
    forms: list[Table] = [{"xpath": "/cib"}, {"object-type": "node"}, {"object-type": "node", "attribute": "id"}]
    forms += [{"reference": name} for name in names]
    forms += [{"reference": Later("nvpair")}]
    kind = pen.pick("read", "write", "deny")
    return pen.pick(*forms) | table(kind=kind, description=pen.some(*TEXTS), id=pen.id("part"))


def tag(pen: Pen, names: list[str]) -> Table:
    return {"objects": pen.several([*names, "nobody"], least=1)}


def alert(pen: Pen) -> Table:
    events = pen.several(("nodes", "fencing", "resources", "attributes"))
    named: list[str] = pen.several(("a", "b")) if "attributes" in events else []
    return table(path="/x", select=events, select_attributes=named, recipients=pen.row(lambda: recipient(pen))) | told(
        pen
    )


def recipient(pen: Pen) -> Table:
    return table(value=pen.pick("a", "b", "ü@x"), id=pen.id("part")) | told(pen)


def told(pen: Pen) -> Table:
    """What an alert and a recipient have alike."""

    def meta(pen: Pen) -> Table:
        return pen.draw(st.dictionaries(st.just("timeout"), st.sampled_from([10, "10s", "1min"])))

    own: Any = sets(pen, "instance_attributes", params) if pen.seldom() else {}
    return table(
        description=pen.some(*TEXTS), params=own, meta=sets(pen, "meta_attributes", meta) if pen.seldom() else {}
    )
