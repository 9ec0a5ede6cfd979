"""Random constraints, in all forms."""

from tests.strategies.parts import (
    NODE_RULES,
    ROLES,
    SCORES,
    lifetime,
    resource_sets,
    rule,
)
from tests.strategies.pen import Pen, Table, table

NODES = ("n1", "n2")


def plain_constraint(pen: Pen, names: list[str]) -> tuple[str, Table]:
    """A constraint as people mostly write them."""
    one, other = pen.pick(*names), pen.pick(*names)
    role = pen.some(*ROLES[:4])
    match pen.pick(0, 1, 2, 3):
        case 0:
            return "Location", table(resource=one, node=pen.pick(*NODES), score=pen.pick(*SCORES[:5]), role=role)
        case 1:
            rules = pen.row(
                lambda: {"expression": pen.pick(*NODE_RULES), "score": pen.pick(*SCORES[:5])}, most=2, least=1
            )
            return "Location", table(resource=one, rules=rules)
        case 2:
            return "Colocation", table(resource=one, with_=other, score=pen.pick(*SCORES[:5]), role=role)
        case _:
            kind = pen.some("Mandatory", "Optional", "Serialize")
            return "Order", table(first=one, then=other, kind=kind, symmetrical=pen.some(True, False))


def constraint(pen: Pen, names: list[str]) -> tuple[str, Table]:
    if not pen.seldom(2):
        return plain_constraint(pen, names)
    match pen.pick("Location", "Colocation", "Order", "Ticket"):
        case "Location":
            return "Location", location(pen, names)
        case "Colocation":
            return "Colocation", colocation(pen, names)
        case "Order":
            return "Order", order(pen, names)
        case _:
            return "Ticket", ticket(pen, names)


def location(pen: Pen, names: list[str]) -> Table:
    match pen.pick(0, 1, 2):
        case 0:
            who = table(resource_pattern=pen.pick("^p[12]", ".*"), role=pen.some(*ROLES))
        case 1:
            who = table(resource=pen.pick(*names), role=pen.some(*ROLES))
        case _:
            who = table(sets=resource_sets(pen, names, score=pen.some(*SCORES)))
    if pen.seldom(2):
        where = table(
            rules=[{"expression": pen.pick(*NODE_RULES), "score": "100"}, *pen.row(lambda: rule(pen), most=2)]
        )
    else:
        where = table(node=pen.pick(*NODES), score=pen.pick(*SCORES))
    return who | where | table(resource_discovery=pen.some("always", "never", "exclusive"), lifetime=lifetime(pen))


def colocation(pen: Pen, names: list[str]) -> Table:
    if pen.seldom(2):
        who = table(sets=resource_sets(pen, names, score=pen.some(*SCORES)), score=pen.some(*SCORES))
    else:
        roles = {name: pen.some(*ROLES) for name in ("role", "with_role")}
        pair = table(resource=pen.pick(*names), with_=pen.pick(*names), node_attribute=pen.some("rack"), **roles)
        who = pair | {"score": pen.pick(*SCORES)}
    return who | table(influence=pen.some(True, "no") if pen.modern else None, lifetime=lifetime(pen))


def order(pen: Pen, names: list[str]) -> Table:
    if pen.seldom(2):
        who = table(sets=resource_sets(pen, names, kind=pen.some("Optional", "mandatory")))
    else:
        actions = {name: pen.some("start", "stop", "promote", "demote") for name in ("first_action", "then_action")}
        who = table(first=pen.pick(*names), then=pen.pick(*names), require_all=pen.some(True, False), **actions)
    kind = pen.some("Mandatory", "Optional", "serialize")
    return who | table(kind=kind, symmetrical=pen.some(True, False), lifetime=lifetime(pen))


def ticket(pen: Pen, names: list[str]) -> Table:
    policy = pen.some("stop", "demote", "fence", "freeze")
    if pen.seldom(2):
        return table(ticket="t", sets=resource_sets(pen, names), loss_policy=policy)
    return table(ticket="t", resource=pen.pick(*names), role=pen.some(*ROLES), loss_policy=policy)
