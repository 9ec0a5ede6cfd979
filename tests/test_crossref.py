import time

import pytest

from tests.manifest_texts import DUMMY, VIP, WEB, faults, item, listed

CLONED = [
    item("Primitive", "a", DUMMY),
    item("Primitive", "b", DUMMY),
    item("Group", "g", "spec.resources = ['a', 'b']"),
    item("Clone", "c", "spec.resource = 'g'"),
    item("Primitive", "p", DUMMY),
    item("Tag", "t", "spec.objects = ['p']"),
    item("Template", "x", DUMMY),
    item("Primitive", "m", "spec.template = 'x'"),
    item("Location", "k", "spec = { sets = [{ id = 'some', resources = ['p'] }], node = 'n', score = 1 }"),
]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("first = 'p', then = 'p'", "spec.then: 'p' after itself"),
        ("first = 'c', then = 'c', first-action = 'stop'", "spec.then: 'c' after itself"),
        ("first = 'g', then = 'g'", "spec.then: 'g' after itself"),
        ("first = 'a', then = 'c'", "spec.then: 'c' after 'a', which share a clone"),
        ("first = 'a', then = 'b'", "spec.then: 'b' after 'a', which share a clone"),
        ("sets = [{ resources = ['p', 'p'] }]", "spec.sets: 'p' after itself"),
        ("sets = [{ resources = ['a'] }, { resources = ['p', 'c'] }]", "spec.sets: 'c' after 'a', which share a clone"),
        ("first = 'p', then = 't'", "spec.then: 'p' after itself"),
        ("first = 'x', then = 'm'", "spec.then: 'm' after itself"),
        ("sets = [{ resources = ['p', 't'] }]", "spec.sets: 'p' after itself"),
        ("sets = [{ resources = ['p'] }, { id-ref = 'some' }]", "spec.sets: 'p' after itself"),
        ("first = 'm', then = 't'", ""),
        ("first = 'c', then = 'c', first-action = 'start', then-action = 'promote'", ""),
        ("first = 'g', then = 'c'", ""),
        ("first = 'a', then = 'p'", ""),
        ("sets = [{ resources = ['p', 'p'], sequential = false }]", ""),
        ("sets = [{ resources = ['p'] }, { resources = ['c'] }, { resources = ['p'] }]", ""),
    ],
)
def test_an_order_on_which_the_scheduler_would_abort_is_refused(order: str, said: str) -> None:
    """What is refused here and what is not is what `crm_simulate` 2.1.5 aborts on and what it does not."""
    wrong = [f"m1.toml: Order/o: {said}: Pacemaker's scheduler aborts on that"] if said else []
    assert faults(listed(*CLONED, item("Order", "o", f"spec = {{ {order} }}"))) == wrong


def test_of_thousands_of_wrong_names_all_are_named_and_the_first_ones_with_what_was_meant() -> None:
    """With a hint for each one these took a minute."""
    resources = [item("Primitive", f"service-{number}", DUMMY) for number in range(1500)]
    place = "node = 'n', score = 1"
    said = [item("Location", f"l{number}", f"spec = {{ resource = 'x-{number}', {place} }}") for number in range(1500)]
    said[0] = item("Location", "l0", f"spec = {{ resource = 'servcie-7', {place} }}")
    begun = time.process_time()
    found = faults(listed(*resources, *said))
    assert time.process_time() - begun < 15
    assert len(found) == 1500
    assert any(fault.endswith("there is no resource 'servcie-7'; did you mean 'service-7'?") for fault in found)


BOTH = "score = 1, score-attribute = 'b' }] }"


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (
            [VIP, item("Location", "x", "spec = { resource = 'vpi', node = 'n', score = 1 }")],
            ["Location/x: spec.resource: there is no resource 'vpi'; did you mean 'vip'?"],
        ),
        (
            [VIP, item("Location", "x", "spec = { resource = 'vip', score = 1 }")],
            ["Location/x: spec: needs `node` and `score`, or `rules`"],
        ),
        (
            [VIP, item("Location", "x", "spec = { resource = 'vip', node = 'n', score = 'a lot' }")],
            ["Location/x: spec.score: 'a lot' is not a score: expected an integer, INFINITY or -INFINITY"],
        ),
        (
            [VIP, item("Location", "x", "spec = { resource = 'vip', node = 'n', score = 'red' }")],
            ["Location/x: spec.score: 'red' is a node's health; expected an integer, INFINITY or -INFINITY"],
        ),
        (
            [VIP, item("Location", "x", "spec = { resource = 'vip', rules = [{ expression = 'a eq' , score = 1 }] }")],
            ["Location/x: spec.rules[0].expression: column 5: expected a value after 'eq'"],
        ),
        (
            [VIP, item("Location", "x", "spec = { resource = 'vip', rules = [{ expression = 'defined a' }] }")],
            ["Location/x: spec: a rule needs a `score` or a `score-attribute`"],
        ),
        (
            [
                VIP,
                item("Location", "x", "spec = { resource = 'vip', rules = [{ expression = 'defined a', " + BOTH),
            ],
            ["Location/x: spec.rules[0]: has both `score` and `score-attribute`: use one"],
        ),
        (
            [
                VIP,
                item("Location", "x", "spec = { resource = 'vip', node = 'n', score = 1, resource-discovery = 'no' }"),
            ],
            ["Location/x: spec.resource-discovery: 'no': expected 'always', 'never' or 'exclusive'"],
        ),
        (
            [VIP, item("Colocation", "x", "spec = { resource = 'vip', with = 'x', score = 'inf' }")],
            ["Colocation/x: spec.with: Colocation/x is a Colocation; expected a resource"],
        ),
        (
            [VIP, item("Order", "x", "spec = { first = 'vip', then = 'vip', kind = 'Never' }")],
            ["Order/x: spec.kind: 'Never': expected 'Mandatory', 'Optional' or 'Serialize'"],
        ),
        (
            [VIP, VIP],
            ["Primitive/vip: metadata.name: is said twice, first in m1.toml"],
        ),
        (
            [VIP, WEB, item("Order", "vip", "spec = { first = 'web', then = 'web', then-action = 'stop' }")],
            [
                "Primitive/vip: metadata.name: has the same id as Order/vip, first in m1.toml",
            ],
        ),
        (
            [VIP, item("Group", "g", "spec.resources = ['vip', 'vip']")],
            ["Group/g: spec.resources: vip is listed twice"],
        ),
        (
            [VIP, item("Group", "g", "spec.resources = ['vip']"), item("Clone", "c", "spec.resource = 'vip'")],
            ["Group/g: spec.resources: 'vip' is already inside Clone/c"],
        ),
        (
            [
                item("Group", "g", "spec.resources = ['c']"),
                item("Clone", "c", "spec.resource = 'g'"),
            ],
            [
                "Clone/c: spec.resource: a cycle: Clone/c -> Group/g -> Clone/c",
                "Group/g: spec.resources: Clone/c is a Clone; expected a Primitive",
                "Group/g: spec.resources: a cycle: Group/g -> Clone/c -> Group/g",
            ],
        ),
        (
            [VIP, item("Group", "g", "spec.resources = ['vip', 'g']")],
            [
                "Group/g: spec.resources: Group/g is a Group; expected a Primitive",
                "Group/g: spec.resources: a cycle: Group/g -> Group/g",
            ],
        ),
    ],
)
def test_what_is_wrong_between_objects(items: list[str], said: list[str]) -> None:
    assert faults(listed(*items)) == [f"m1.toml: {message}" for message in said]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"r": "defined a or $id-ref=r"}, ["r -> r"]),
        ({"r": "defined a or $id-ref=s", "s": "$id-ref=r and defined b"}, ["r -> s -> r", "s -> r -> s"]),
        ({"r": "defined a or $id-ref=s", "s": "$id-ref=t and defined b", "t": "defined c"}, []),
    ],
)
def test_a_rule_that_comes_back_to_itself_is_refused(rules: dict[str, str], said: list[str]) -> None:
    """`crm_verify` and the scheduler of 2.1.5 recurse over such a rule until they are killed (SIGSEGV)."""
    where = "spec = {{ resource = 'vip', rules = [{{ id = '{0}', score = 1, expression = '{1}' }}] }}"
    items = [item("Location", f"on-{name}", where.format(name, text)) for name, text in rules.items()]
    assert faults(listed(VIP, *items)) == [
        f"m1.toml: Location/on-{way[0]}: spec.rules[0].expression: the rule refers to itself ({way}):"
        " Pacemaker's scheduler dies of that"
        for way in said
    ]


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        ("Location", ", node = 'n', score = 1"),
        ("Order", ", kind = 'Optional'"),
        ("Colocation", ", score = 1"),
        ("Ticket", ", ticket = 't'"),
    ],
)
def test_a_set_that_refers_to_one_of_its_own_constraint_is_refused(kind: str, rest: str) -> None:
    """`crm_verify` and the scheduler of 2.1.5 never end with such a set."""
    sets = "sets = [{ id = 's', resources = ['vip'] }, { id-ref = 's' }]"
    said = "'s' is a set of the same constraint: Pacemaker's scheduler never ends with that"
    found = faults(listed(VIP, item(kind, "x", f"spec = {{ {sets}{rest} }}")))
    assert f"m1.toml: {kind}/x: spec.sets[1].id-ref: {said}" in found


@pytest.mark.parametrize(
    ("tags", "named", "way"),
    [
        ({"t": "'vip', 't'"}, "t", "t -> t"),
        ({"t": "'u'", "u": "'t'"}, "t", "t -> u -> t"),
        ({"t": "'u'", "u": "'vip', 'u'"}, "t", "u -> u"),
        ({"t": "'u'", "u": "'vip'"}, "t", ""),
        ({"t": "'t'", "u": "'vip'"}, "u", ""),
    ],
)
def test_a_tag_in_a_set_that_comes_back_to_itself_is_refused(tags: dict[str, str], named: str, way: str) -> None:
    """The scheduler of 2.1.5 never ends with one."""
    sets = f"spec = {{ sets = [{{ resources = ['{named}'] }}]"
    items = [item("Tag", name, f"spec = {{ objects = [{names}] }}") for name, names in tags.items()]
    constraints = [
        item("Order", "o", sets + " }"),
        item("Colocation", "c", sets + ", score = 1 }"),
        item("Ticket", "x", sets + ", ticket = 'x' }"),
        item("Location", "l", sets + ", node = 'n', score = 1 }"),
    ]
    found = faults(listed(VIP, *items, *constraints))
    said = f"spec.sets[0].resources[0]: a tag holds itself ({way}): Pacemaker's scheduler never ends with that"
    assert sorted(text.partition(": ")[2] for text in found) == (
        [f"{name}: {said}" for name in ("Colocation/c", "Location/l", "Order/o", "Ticket/x")] if way else []
    )


def test_outside_of_a_set_a_tag_may_hold_itself() -> None:
    tag = item("Tag", "t", "spec = { objects = ['t'] }")
    assert faults(listed(VIP, tag, item("Location", "l", "spec = { resource = 't', node = 'n', score = 1 }"))) == []
