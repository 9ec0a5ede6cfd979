from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.state import Desired, Ref, Rejected
from tests.configurations import PATIENT

HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\n'
ID = "cannot be an id: letters, digits, '_', '-' and '.', beginning with a letter or '_'"
LOST = "has a line break, tab or control character, which Pacemaker does not keep"
ROLE = "is not a role: expected Started, Stopped, Promoted or Unpromoted"
DURATION = "is not a duration: expected a number and one of ms, s, min, h"
BOOLEAN = "is not a boolean: expected true or false"
DUMMY = 'spec.agent = "ocf:heartbeat:Dummy"\n'


def faults(*texts: str) -> list[str]:
    """What is said of m1.toml, m2.toml …"""
    files = {f"m{number}.toml": text for number, text in enumerate(texts, 1)}
    return [str(rejected) for rejected in load(files, "r").rejected]


def item(kind: str, name: str, body: str) -> str:
    return f'[[items]]\nkind = "{kind}"\nmetadata.name = "{name}"\n{body}\n'


def listed(*items: str) -> str:
    return HEAD + 'kind = "List"\n' + "".join(items)


def one(kind: str, body: str, name: str = "x") -> str:
    return HEAD + f'kind = "{kind}"\nmetadata.name = "{name}"\n{body}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "not TOML: Invalid value (at end of document)"),
        ("a = " + "[" * 2000, "not TOML: nested too deeply"),
        ("", "apiVersion: is missing, expected 'ha.reconciler.io/v1alpha1'"),
        ("apiVersion = 2", "apiVersion: is 2, expected 'ha.reconciler.io/v1alpha1'"),
        ("apiVersion = []", "apiVersion: is an array, expected 'ha.reconciler.io/v1alpha1'"),
        (HEAD + "kind = 'List'\nitems = {}", "List: items: expected tables: write each object as [[items]]"),
        (HEAD + "kind = 'List'\nitems = [1]", "List: items: expected tables: write each object as [[items]]"),
        (HEAD + "kind = 'List'\nitmes = []", "List: itmes: unknown key; did you mean 'items'?"),
        (one("Primitve", DUMMY), "Primitve/x: kind: 'Primitve' is no kind; did you mean 'Primitive'?"),
        (HEAD + "metadata.name = 'x'\nspec = {}", "kind: is missing"),
        (HEAD + "kind = 5\nmetadata.name = 'x'\nspec = {}", "kind: expected a text, not a number"),
        (HEAD + "kind = 'Primitive'\n" + DUMMY, "metadata.name: is missing"),
        (HEAD + "kind = 'Primitive'\nmetadata = 1\n" + DUMMY, "metadata: expected a table, not a number"),
        (
            HEAD + "kind = 'Primitive'\nmetadata.name = 1\n" + DUMMY,
            "metadata.name: expected a text, not a number",
        ),
        (
            one("Primitive", DUMMY, "1x"),
            f"Primitive/1x: metadata.name: '1x' {ID}",
        ),
        (
            one("Primitive", DUMMY, "a b"),
            f"Primitive/a b: metadata.name: 'a b' {ID}",
        ),
        (
            one("Primitive", DUMMY, ""),
            f"Primitive/: metadata.name: '' {ID}",
        ),
        (
            one("Primitive", DUMMY, "reconciler-owned"),
            "Primitive/reconciler-owned: metadata.name: 'reconciler-owned' is what the agent calls its own record",
        ),
        (one("Primitive", ""), "Primitive/x: spec: is missing"),
        (one("Primitive", "spec = 1"), "Primitive/x: spec: expected a table, not a number"),
        (
            one("Primitive", DUMMY + "metadata.label = {}"),
            "Primitive/x: metadata.label: unknown key; did you mean 'labels'?",
        ),
        (
            one("Primitive", DUMMY + "metadata.labels = { a = 1 }"),
            "Primitive/x: metadata.labels.a: expected a text, not a number",
        ),
        (
            one("Primitive", DUMMY + "metadata.annotations = 'a'"),
            "Primitive/x: metadata.annotations: expected a table, not a text",
        ),
        (
            one("Primitive", DUMMY + "status = {}"),
            "Primitive/x: status: unknown key; expected one of apiVersion, kind, metadata, spec",
        ),
        (one("Primitive", "spec.params = {}"), "Primitive/x: spec: needs either an `agent` or a `template`"),
        (one("Primitive", "spec.agent = 5"), "Primitive/x: spec.agent: expected a text, not a number"),
        (
            one("Primitive", "spec.agent = 'IPaddr2'"),
            "Primitive/x: spec.agent: 'IPaddr2' is not an agent: expected class:type or ocf:provider:type",
        ),
        (
            one("Primitive", DUMMY + "spec.param.ip = 1"),
            "Primitive/x: spec.param: unknown key; did you mean 'params'?",
        ),
        (
            one("Primitive", DUMMY + "spec.params.ip = ['a']"),
            "Primitive/x: spec.params.ip: expected a text, a number or a boolean, not an array",
        ),
        (
            one("Primitive", DUMMY + "spec.params = [{ values = { ip = 2024-01-01 } }]"),
            "Primitive/x: spec.params[0].values.ip: expected a text, a number or a boolean, not a date",
        ),
        (
            one("Primitive", DUMMY + "spec.params = [{ value = { ip = 1 } }]"),
            "Primitive/x: spec.params[0].value: unknown key; did you mean 'values'?",
        ),
        (
            one("Primitive", DUMMY + "spec.params = 1"),
            "Primitive/x: spec.params: expected an array, not a number",
        ),
        (
            one("Primitive", DUMMY + 'spec.params.x = "a\\nb"'),
            f"Primitive/x: spec.params.x: {LOST}",
        ),
        (
            one("Primitive", DUMMY + "spec.meta.target-role = 'Running'"),
            f"Primitive/x: spec.meta: target-role: 'Running' {ROLE}",
        ),
        (
            one("Primitive", DUMMY + "spec.operations = [{ name = 'monitor', intervall = '10s' }]"),
            "Primitive/x: spec.operations[0].intervall: unknown key; did you mean 'interval'?",
        ),
        (
            one("Primitive", DUMMY + "spec.operations = [{ name = 'monitor', interval = 'often' }]"),
            f"Primitive/x: spec.operations[0].interval: 'often' {DURATION}",
        ),
        (
            one("Primitive", DUMMY + "spec.operations = [{ name = 'start', on_fail = 'stop' }]"),
            "Primitive/x: spec.operations[0].on_fail: unknown key; did you mean 'on-fail'?",
        ),
        (
            one("Primitive", DUMMY + "spec.operations = { name = 'start' }"),
            "Primitive/x: spec.operations: expected an array, not a table",
        ),
        (
            one("Primitive", DUMMY + "spec.operations = [{ name = 'start' }, { name = 'start', interval = 0 }]"),
            "Primitive/x: spec: two operations start with interval 0s",
        ),
        (
            one("Primitive", DUMMY + "spec.operations = ['start']"),
            "Primitive/x: spec.operations[0]: expected a table, not a text",
        ),
        (
            one(
                "Primitive",
                DUMMY + "spec.operations = [{ name = 'a', start-delay = 1, interval-origin = '2024-01-01' }]",
            ),
            "Primitive/x: spec.operations[0]: has both `start-delay` and `interval-origin`: use one",
        ),
        (
            one("Group", "spec.resources = []"),
            "Group/x: spec.resources: needs at least 1, not 0",
        ),
        (one("Group", "spec.resources = 'vip'"), "Group/x: spec.resources: expected an array, not a text"),
        (one("Clone", "spec.resource = ['a']"), "Clone/x: spec.resource: expected a text, not an array"),
        (
            one("ClusterProperties", "spec.properties = { stonith-enabled = 'maybe' }"),
            f"ClusterProperties/x: spec.properties: stonith-enabled: 'maybe' {BOOLEAN}",
        ),
        (
            one("ClusterProperties", "spec.properties = { stonith-enabled = 'maybe', maintenance-mode = 'often' }"),
            (
                f"ClusterProperties/x: spec.properties: stonith-enabled: 'maybe' {BOOLEAN}; "
                f"maintenance-mode: 'often' {BOOLEAN}"
            ),
        ),
        (
            one("ClusterProperties", "spec.properties = { dc-version = '3' }"),
            "ClusterProperties/x: spec.properties: dc-version is written by Pacemaker itself",
        ),
    ],
)
def test_what_is_wrong_with_a_manifest(text: str, said: str) -> None:
    assert faults(text) == [f"m1.toml: {said}"]


def test_a_number_that_python_will_not_read_is_named_as_such() -> None:
    assert faults("a = " + "1" * 5000)[0].startswith("m1.toml: not TOML: Exceeds the limit")


CLONED = [
    item("Primitive", "a", DUMMY),
    item("Primitive", "b", DUMMY),
    item("Group", "g", "spec.resources = ['a', 'b']"),
    item("Clone", "c", "spec.resource = 'g'"),
    item("Primitive", "p", DUMMY),
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


BOTH = "score = 1, score-attribute = 'b' }] }"
VIP = item("Primitive", "vip", DUMMY)
WEB = item("Primitive", "web", DUMMY)


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


def test_a_second_manifest_of_an_object_is_named_with_both_files() -> None:
    assert faults(one("Primitive", DUMMY), one("Primitive", DUMMY)) == [
        "m2.toml: Primitive/x: metadata.name: is said twice, first in m1.toml"
    ]


def test_everything_is_said_at_once() -> None:
    group = item("Group", "g", "spec.resources = ['vip', 'web', 'nothing']")
    clone = item("Clone", "c", "spec = { resource = 'web', metta = {} }")
    assert faults(
        listed(VIP, item("Primitive", "web", "spec.agnet = 'systemd:nginx'"), group, clone, item("Clone", "d", "")),
        one("Order", "spec.first = 'vip'\nspec.when = 'web'"),
    ) == [
        "m1.toml: Clone/c: spec.metta: unknown key; did you mean 'meta'?",
        "m1.toml: Clone/d: spec: is missing",
        "m1.toml: Group/g: spec.resources: there is no Primitive 'nothing'",
        "m1.toml: Primitive/web: spec.agnet: unknown key; did you mean 'agent'?",
        "m2.toml: Order/x: spec.when: unknown key; did you mean 'then'?",
    ]


def test_a_reference_to_what_may_be_in_an_unreadable_file_is_not_blamed() -> None:
    location = one("Location", "spec = { resource = 'vip', node = 'n', score = 1 }")
    assert faults(location, "garbage") == [
        "m2.toml: not TOML: Expected '=' after a key in a key/value pair (at end of document)"
    ]
    unreadable = Rejected("m2.toml", "", "", "larger than 4 MiB")
    assert load({"m1.toml": location}, "r", [unreadable]).rejected == (unreadable,)


def test_what_is_canonical_is_equal() -> None:
    one_way = listed(
        item("Primitive", "vip", "spec = { agent = 'ocf::heartbeat:IPaddr2', params = { ip = 5, up = true } }"),
        item("Location", "x", "spec = { resource = 'vip', node = 'n', score = inf, role = 'Started' }"),
    )
    other = listed(
        item(
            "Location",
            "x",
            "spec = { resource = 'vip', node = 'n', score = '+INFINITY', resource-discovery = 'always' }",
        ),
        item(
            "Primitive",
            "vip",
            "spec = { agent = 'ocf:heartbeat:IPaddr2', params = [{ values = { up = 'true', ip = '5' } }] }",
        ),
    )
    assert load({"a": one_way}, "r").state == load({"b": other}, "r").state


def shuffled(texts: Iterable[str]) -> st.SearchStrategy[list[str]]:
    return st.permutations(list(texts))


EVERYTHING = (
    VIP,
    WEB,
    item("Group", "g", "spec.resources = ['web', 'vip']"),
    item("Clone", "c", "spec.resource = 'g'"),
    item("Location", "l", "spec = { resource = 'c', node = 'n', score = 1 }"),
    item("ClusterProperties", "p", "spec.properties = { stonith-enabled = false }"),
)


@PATIENT
@given(items=shuffled(EVERYTHING), cut=st.integers(0, 6), names=st.permutations(["a.toml", "z/b.toml"]))
def test_the_order_of_files_and_objects_does_not_matter(items: list[str], cut: int, names: list[str]) -> None:
    texts = {names[0]: listed(*items[:cut]), names[1]: listed(*items[cut:])}
    found = load(texts, "r")
    assert not found.rejected
    assert found.state == load({"m": listed(*EVERYTHING)}, "r").state
    assert list(found.state) == sorted(found.state)


tokens = st.sampled_from(
    [
        "apiVersion", "kind", "metadata", "spec", "name", "items", "agent", "params", "operations", "rules",
        "=", ".", "[", "]", "[[", "]]", "{", "}", ",", "\n", '"', "'", "'''", "#",
        "'ha.reconciler.io/v1alpha1'", "'List'", "'Primitive'", "'Group'", "'Location'", "'NodeNetwork'", "'x'", "1",
        "true", "2024-01-01", "inf", "nan", "\\u0000", "\x00", "é", "0x", "1e999",
    ]
)  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def consistent(found: Desired) -> None:
    """Nothing is lost in silence: what was said is there, or a fault says why it is not."""
    assert found.state or found.rejected
    for rejected in found.rejected:
        assert rejected.message
        assert str(rejected)


@PATIENT
@given(
    text=st.text() | st.lists(tokens, max_size=30).map(" ".join) | st.binary().map(lambda raw: raw.decode("latin-1"))
)
def test_garbage_is_rejected(text: str) -> None:
    found = load({"m.toml": text}, "r")
    assert found.state == {} or not found.rejected
    if "[[items]]" not in text:
        assert found.state or found.rejected or "List" in text


@PATIENT
@given(
    body=st.lists(tokens, max_size=12).map(" ".join), kind=st.sampled_from(["Primitive", "Group", "Location", "Order"])
)
def test_a_garbled_spec_is_an_object_or_a_fault(body: str, kind: str) -> None:
    consistent(load({"m.toml": one(kind, body)}, "r"))


def as_toml(value: object) -> str:
    match value:
        case None:
            return "[]"
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(f"\\U{ord(char):08x}" for char in value if not 0xD800 <= ord(char) < 0xE000) + '"'
        case list():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{as_toml(key)} = {as_toml(inner)}" for key, inner in value.items()) + "}"
        case float():
            return repr(value).replace("e+", "e")
        case _:
            return str(value)


FIELDS = {
    "Primitive": ("agent", "params", "meta", "operations", "utilization", "description"),
    "Group": ("resources", "meta", "params"),
    "Clone": ("resource", "meta"),
    "Location": ("resource", "rules", "score", "node", "role"),
    "Colocation": ("resource", "with", "score", "influence"),
    "Order": ("first", "then", "kind", "symmetrical", "first-action"),
    "ClusterProperties": ("properties",),
    "NodeNetwork": ("node", "links", "routes"),
}


@PATIENT
@given(data=st.data(), kind=st.sampled_from(sorted(FIELDS)))
def test_any_value_in_any_field_is_an_object_or_a_fault(data: st.DataObject, kind: str) -> None:
    spec = data.draw(st.dictionaries(st.sampled_from(FIELDS[kind]), values))
    consistent(load({"m.toml": HEAD + f'kind = "{kind}"\nmetadata.name = "x"\nspec = {as_toml(spec)}\n'}, "r"))


def test_the_state_holds_what_was_said() -> None:
    found = load({"m.toml": listed(*EVERYTHING)}, "r")
    assert found.files == dict.fromkeys(found.state, "m.toml")
    assert Ref("Group", "g") in found.state
