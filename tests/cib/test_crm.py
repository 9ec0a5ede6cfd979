from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from reconciler.cib.crm import UnsayableError
from reconciler.cib.document import parse
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.text import plan_crm
from tests.configurations import EMPTY, desired, objects
from tests.examples import often
from tests.programs import need, run
from tests.strategies.resources import Objects


@pytest.mark.parametrize(
    ("text", "kind", "spec"),
    [
        ("property x: a=1 b=no", "ClusterProperties", {"properties": {"a": 1, "b": "no"}}),
        ("primitive x systemd:nginx", "Primitive", {"agent": "systemd:nginx"}),
        (
            """primitive x ocf:heartbeat:IPaddr2 description="the \\"one\\"" \\
    params ip=192.0.2.1 nic="" \\
    op monitor interval=10s timeout=20s op_params OCF_CHECK_LEVEL=10""",
            "Primitive",
            {
                "agent": "ocf::heartbeat:IPaddr2",
                "description": 'the "one"',
                "params": {"ip": "192.0.2.1", "nic": ""},
                "operations": [
                    {"name": "monitor", "interval": 10, "timeout": "20", "params": {"OCF_CHECK_LEVEL": 10}}
                ],
            },
        ),
        ("group x a b \\\n    meta priority=5", "Group", {"resources": ["a", "b"], "meta": {"priority": 5}}),
        ("clone x a \\\n    meta interleave=true", "Clone", {"resource": "a", "meta": {"interleave": "yes"}}),
        ("location x a 100: n1", "Location", {"resource": "a", "node": "n1", "score": 100}),
        (
            "location x a rule $role=Promoted -inf: #uname eq n1",
            "Location",
            {"resource": "a", "rules": [{"expression": "#uname eq n1", "score": "-inf", "role": "Master"}]},
        ),
        (
            "colocation x inf: a:Promoted b node-attribute=rack",
            "Colocation",
            {"resource": "a", "with": "b", "score": "INFINITY", "role": "Master", "node-attribute": "rack"},
        ),
        (
            "order x Optional: a:promote b:start symmetrical=false",
            "Order",
            {
                "first": "a", "then": "b", "first-action": "promote", "then-action": "start",
                "kind": "optional", "symmetrical": False,
            },
        ),
    ],
)  # fmt: skip
def test_objects_in_the_language_of_crm(text: str, kind: str, spec: dict[str, Any]) -> None:
    model = CLUSTER_KINDS[kind]
    assert model.crm("x", model.spec.model_validate(spec)) == text


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Order", {"first": "a", "then": "b", "require-all": False}),
        ("Colocation", {"resource": "a", "with": "b", "score": 1, "influence": False}),
        ("Colocation", {"resource": "a", "with": "b", "score": 1, "node-attribute": "Rack"}),
        ("FencingTopology", {"levels": [{"target": "n1", "index": 2, "devices": ["f"]}]}),
        (
            "FencingTopology",
            {
                "levels": [
                    {"target-attribute": "rack", "target-value": value, "index": 1, "devices": ["f"]} for value in "12"
                ]
            },
        ),
    ],
)
def test_what_crm_has_no_words_for_or_takes_for_something_else(kind: str, spec: dict[str, Any]) -> None:
    model = CLUSTER_KINDS[kind]
    with pytest.raises(UnsayableError):
        model.crm("x", model.spec.model_validate(spec))


@pytest.mark.slow
@often(12)
@given(wish=objects(rare=False))
def test_crm_makes_of_the_text_what_the_manifests_say(tmp_path: Path, wish: Objects) -> None:
    need("crm")
    cib = tmp_path / "cib.xml"
    cib.write_text(EMPTY.format(schema="pacemaker-3.9", tags=""))
    wanted = desired(wish)
    _, _, typed = plan_crm(plan(wanted, observe(parse(cib.read_text())), frozenset(), Policy()).plan).partition(":\n")
    if typed:
        done = run(cib, "crm", "-F", "configure", "load", "update", "-", stdin=typed)
        assert done.returncode == 0, done.stderr
    assert plan(wanted, observe(parse(cib.read_text())), frozenset(), Policy()).plan.changes == ()
