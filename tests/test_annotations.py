"""The annotations that change what a manifest means: `verbatim` and `order`."""

import pytest

from reconciler.cib.document import parse
from reconciler.kinds.observe import observe
from reconciler.manifests import ORDER, VERBATIM, load
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.state import Desired, Ref
from tests.bench.large import empty_cib
from tests.test_planner import cib

HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'


def loaded(items: str, order: str = "") -> Desired:
    annotation = f'metadata.annotations."{ORDER}" = {order}\n' if order else ""
    return load({"m.toml": HEAD + annotation + items}, "r")


def primitive(name: str, spec: str = "", verbatim: str = "") -> str:
    annotation = f'metadata.annotations."{VERBATIM}" = "{verbatim}"\n' if verbatim else ""
    return f'[[items]]\nkind = "Primitive"\nmetadata.name = "{name}"\n{annotation}spec.agent = "lsb:x"\n{spec}\n'


def created(desired: Desired) -> list[str]:
    configuration = plan(desired, observe(parse(empty_cib())), frozenset(), Policy()).configuration
    return [element.get("id", "") for element in configuration.iterfind("resources/*")]


def test_new_resources_are_made_in_the_order_that_is_asked_for_and_others_after_them() -> None:
    items = "".join(map(primitive, "abcd"))
    assert created(loaded(items)) == ["a", "b", "c", "d"]
    assert created(loaded(items, '"d b"')) == ["d", "b", "a", "c"]
    assert created(loaded(items, '"""\nghost d\nb\n"""')) == ["d", "b", "a", "c"]


def test_the_order_changes_nothing_for_what_is_there() -> None:
    live = "".join(f'<primitive id="{name}" class="lsb" type="x"/>' for name in "ab")
    observed = observe(parse(cib(live)))
    found = plan(loaded(primitive("a") + primitive("b"), '"b a"'), observed, frozenset(), Policy())
    assert found.plan.changes == ()
    assert [element.get("id") for element in found.configuration.iterfind("resources/*")] == ["a", "b"]


def test_an_order_that_is_no_text_is_refused() -> None:
    assert [str(fault) for fault in loaded(primitive("a"), '["a"]').rejected] == [
        f"m.toml: List: metadata.annotations.{ORDER}: expected a text, not an array"
    ]


ODD = 'spec.meta = { is-managed = "maybe", resource-stickiness = "inf" }'


def test_word_for_word_a_manifest_may_say_what_the_cluster_holds() -> None:
    pairs = '<nvpair id="1" name="is-managed" value="maybe"/><nvpair id="2" name="resource-stickiness" value="inf"/>'
    live = f'<primitive id="a" class="lsb" type="x"><meta_attributes id="m">{pairs}</meta_attributes></primitive>'
    found = plan(loaded(primitive("a", ODD, "true")), observe(parse(cib(live))), frozenset(), Policy()).plan
    assert (found.changes, found.adoptions) == ((), (Ref("Primitive", "a"),))


@pytest.mark.parametrize("verbatim", ["", "false", "yes"])
def test_otherwise_it_is_refused(verbatim: str) -> None:
    fault = str(loaded(primitive("a", ODD, verbatim)).rejected[0])
    assert fault == "m.toml: Primitive/a: spec.meta: is-managed: 'maybe' is not a boolean: expected true or false"
