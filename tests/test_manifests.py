import pytest

from reconciler.manifests import load
from reconciler.state import Rejected
from tests.manifest_texts import DUMMY, HEAD, VIP, faults, item, listed, one

ID = "cannot be an id: letters, digits, '_', '-' and '.', beginning with a letter or '_'"
LOST = "has a line break, tab or control character, which Pacemaker does not keep"
ROLE = "is not a role: expected Started, Stopped, Promoted or Unpromoted"
DURATION = "is not a duration: expected a number and one of ms, s, min, h"
BOOLEAN = "is not a boolean: expected true or false"


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
            "Primitive/: metadata.name: is empty",
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
            "Primitive/x: spec.params: expected a table of names and values, or an array of sets of them",
        ),
        (
            one("FencingTopology", "spec.levels = [{ node = 'a', index = 1, devices = ['f'], target = 'a' }]"),
            (
                "FencingTopology/x: spec.levels[0].node: unknown key; did you mean 'index'? Otherwise"
                " expected one of target, target-pattern, target-attribute, target-value, index, devices, id"
            ),
        ),
        (
            one("Location", "spec = { resource = 'a', rules = ['defined b'] }"),
            "Location/x: spec.rules[0]: expected a table such as { expression = … }, not a text",
        ),
        (
            one("Primitive", DUMMY + "spec.utilization = 'cpu=1'"),
            "Primitive/x: spec.utilization: expected a table of names and values, or an array of sets of them",
        ),
        (
            one("NodeNetwork", "spec = { node = 'a', links = [{ name = 'bond1', mtu = 'big' }] }"),
            "NodeNetwork/x: spec.links[0].mtu: expected a whole number, not a text",
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
            "Primitive/x: spec.operations[0]: expected a table such as { name = … }, not a text",
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
