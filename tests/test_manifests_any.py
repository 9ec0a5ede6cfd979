"""What holds for any text, in any order."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.state import Desired, Ref
from tests.examples import often
from tests.manifest_texts import EVERYTHING, HEAD, listed, one


def shuffled(texts: Iterable[str]) -> st.SearchStrategy[list[str]]:
    return st.permutations(list(texts))


@often(100)
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


@often(100)
@given(
    text=st.text() | st.lists(tokens, max_size=30).map(" ".join) | st.binary().map(lambda raw: raw.decode("latin-1"))
)
def test_garbage_is_rejected(text: str) -> None:
    found = load({"m.toml": text}, "r")
    assert found.state == {} or not found.rejected
    if "[[items]]" not in text:
        assert found.state or found.rejected or "List" in text


@often(100)
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


@often(100)
@given(data=st.data(), kind=st.sampled_from(sorted(FIELDS)))
def test_any_value_in_any_field_is_an_object_or_a_fault(data: st.DataObject, kind: str) -> None:
    spec = data.draw(st.dictionaries(st.sampled_from(FIELDS[kind]), values))
    consistent(load({"m.toml": HEAD + f'kind = "{kind}"\nmetadata.name = "x"\nspec = {as_toml(spec)}\n'}, "r"))


def test_the_state_holds_what_was_said() -> None:
    found = load({"m.toml": listed(*EVERYTHING)}, "r")
    assert found.files == dict.fromkeys(found.state, "m.toml")
    assert Ref("Group", "g") in found.state
