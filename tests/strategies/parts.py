"""Random parts of objects: attribute sets, rules, operations, resource sets."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.strategies.pen import Later, Pen, Table, table

TEXTS = ("", "a\\b", "$x", "1", "a b", "ü€", "x'y\"z", "<&>", "10s", "true")
SCORES = ("INFINITY", "-INFINITY", "100", "0", "1000000", "-7")
ROLES = ("Started", "Promoted", "Master", "Slave", "Unpromoted", "Stopped")
NODE_RULES = (
    "not_defined pingd or pingd lte 0",
    "#uname eq n1",
    "defined a and (b gt 3 or c ne x)",
    "date gt 2024-01-01",
    "date spec hours=9-17",
)
MORE_RULES = (
    "date in start=2024-01-01 end=2025-01-01",
    "date in start=2024-01-01 hours=5 weeks=2",
    "date spec months=1-3 weekdays=6-7 or string:b lt 3",
    "a eq meta{x} and b eq param{y}",
)
NEWER_RULES = ("number:b lt 3.5", "integer:b lt 3 or not_defined b")
RESOURCE_RULES = ("rsc class=ocf provider=heartbeat", "op name=monitor interval=10s or rsc type=Dummy")


def expression(pen: Pen, *, matches: bool = False) -> Any:
    """A condition; `matches` says that it may ask for a resource's agent or operation."""
    if pen.seldom(8):
        return Later("rule", "not_defined a or $id-ref={}")
    known = [*NODE_RULES, *(MORE_RULES if pen.rare else ()), *(NEWER_RULES if pen.modern else ())]
    return pen.pick(*known, *(RESOURCE_RULES if matches and pen.modern else ()))


def condition(pen: Pen, *, matches: bool = False) -> Table:
    """The rule of an attribute set."""
    if pen.seldom():
        return {"id-ref": Later("rule")}
    return table(expression=expression(pen, matches=matches), id=pen.id("rule"))


def rule(pen: Pen) -> Table:
    """A rule of a location."""
    if pen.seldom(8):
        return {"id-ref": Later("rule")}
    said = table(expression=expression(pen), role=pen.some(*ROLES[:4]) if pen.rare else None, id=pen.id("rule"))
    return {**said, **({"score-attribute": "a"} if pen.seldom(8) else {"score": pen.pick(*SCORES)})}


def lifetime(pen: Pen) -> list[Table]:
    """The rules of a constraint that counts for a while; the schemas before 3.9 want two expressions or more."""
    return pen.row(lambda: condition(pen), most=2, least=1) if pen.seldom(8) else []


def params(pen: Pen) -> Table:
    return pen.draw(st.dictionaries(st.sampled_from(["ip", "nic", "a:b", "x y"]), st.sampled_from(TEXTS), max_size=3))


def meta(pen: Pen) -> Table:
    return table(
        priority=pen.some(5, "5", 10),
        target_role=pen.some("Started", "Stopped"),
        is_managed=pen.some(True, "false"),
        failure_timeout=pen.some(60, "1min") if pen.rare else None,
    )


def capacities(pen: Pen) -> Table:
    return pen.draw(st.dictionaries(st.sampled_from(["cpu", "memory"]), st.just(2), max_size=2 if pen.rare else 1))


def sets(pen: Pen, tag: str, values: Callable[[Pen], Table], *, matches: bool = False) -> Any:
    """Attribute sets: mostly one plain table, else several with ids, rules, scores and references."""
    if pen.draw(st.integers(0, 3)):
        return values(pen)
    if pen.rare:
        return pen.row(lambda: one_set(pen, tag, values, matches=matches), most=3, least=1)
    ruled = {"values": values(pen), "rule": {"expression": expression(pen), "score": pen.pick(*SCORES)}}
    return pen.draw(st.permutations([{"values": values(pen)}, ruled]))


def one_set(pen: Pen, tag: str, values: Callable[[Pen], Table], *, matches: bool = False) -> Table:
    if pen.seldom():
        return {"id-ref": Later(tag)}
    said = values(pen)
    ids = {name: own for name in said if (own := pen.id("nvpair"))}
    pairs = [table(id_ref=Later("nvpair"), name=pen.some("taken")) for _ in range(pen.seldom())]
    return table(
        values=said,
        rule=(pen.seldom(2) and condition(pen, matches=matches)) or None,
        score=pen.some(*SCORES),
        nvpairs=pairs,
        id=pen.id(tag, 2),
        ids=ids,
    )


def operations(pen: Pen) -> Table:
    """The fields of a resource that say its operations."""
    if pen.seldom(8):
        return {"operations-id-ref": Later("operations", optional=True)}
    keys = [("start",), ("stop",), ("monitor",), *([("monitor", "Promoted")] if pen.rare else [])]
    said = [operation(pen, *key) for key in pen.draw(st.lists(st.sampled_from(keys), unique=True, max_size=3))]
    return table(operations=said, operations_id=pen.id("operations") if said else None)


def operation(pen: Pen, name: str, role: str | None = None) -> Table:
    said = table(
        name=name,
        interval=(pen.pick("10", "10s", "10000ms", "1min", "0") if role is None else "11s")
        if name == "monitor"
        else None,
        timeout=pen.some(20, "20s", "1min"),
        role=role,
        on_fail=pen.some("restart", "ignore"),
        params=pen.some({"OCF_CHECK_LEVEL": "10"}),
    )
    if not pen.seldom(2):
        return said
    return said | table(
        enabled=pen.some(False, "yes"),
        **pen.pick(table(), table(start_delay=5), table(interval_origin="2024-01-01")),
        record_pending=pen.some(True),
        description=pen.some(*TEXTS),
        params=sets(pen, "instance_attributes", params),
        meta=sets(pen, "meta_attributes", lambda pen: table(timeout=pen.some(30, "30s"), on_fail=pen.some("block"))),
        id=pen.id("part"),
    )


def resource_set(pen: Pen, resources: list[str]) -> Table:
    """A set of resources, for whatever constraint."""
    return table(
        resources=pen.several(resources, least=1),
        sequential=pen.some(True, False),
        require_all=pen.some("true", "no"),
        action=pen.some("start", "stop", "promote"),
        role=pen.some(*ROLES),
        id=pen.id("resource_set"),
    )


def resource_sets(pen: Pen, resources: list[str], **more: Any) -> list[Table]:
    """Sets for a constraint, of which some may be another's; `more` is what only sets of this constraint say."""

    def further() -> Table:
        return {"id-ref": Later("resource_set")} if pen.seldom() else resource_set(pen, resources)

    return [resource_set(pen, resources) | table(**more), *pen.row(further, most=2)]
