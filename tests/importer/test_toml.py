"""What is written reads back as what it was, by tomli; and it looks as a person would have written it."""

import tomli
from hypothesis import given
from hypothesis import strategies as st

from reconciler.importer import toml
from tests.examples import often

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["", "'", '"', "\\", "a\nb", "\x7f", "#", "=", "w" * 90]
)
scalars = texts | st.integers(-(2**63), 2**63 - 1) | st.booleans()


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    tables = st.dictionaries(texts, inner, max_size=4)
    return tables | tables.map(toml.Branch) | st.lists(inner, max_size=4) | st.lists(tables, max_size=3)


@often(100)
@given(value=st.recursive(scalars, nested, max_leaves=12), name=texts)
def test_what_is_written_reads_back_as_what_it_was(value: object, name: str) -> None:
    lines = toml.assign(f"spec.{toml.key(name)}", value)
    assert tomli.loads("\n".join(lines)) == {"spec": {name: value}}
    assert tomli.loads(f"x = {toml.inline(value)}") == {"x": value}


@often(100)
@given(sentence=texts)
def test_a_comment_is_a_comment(sentence: str) -> None:
    assert tomli.loads("\n".join(toml.comment(sentence))) == {}


def test_what_is_short_is_on_one_line_and_what_is_long_has_dotted_keys() -> None:
    assert toml.assign("spec.params", {"ip": "192.0.2.1", "mask": 24}) == [
        'spec.params = { ip = "192.0.2.1", mask = 24 }'
    ]
    assert toml.assign("spec.params", {"a": "x" * 60, "b": "y" * 60}) == [
        f'spec.params.a = "{"x" * 60}"',
        f'spec.params.b = "{"y" * 60}"',
    ]
    assert toml.assign("spec.ops", [{"name": "start"}, {"name": "stop"}]) == [
        "spec.ops = [",
        '  { name = "start" },',
        '  { name = "stop" },',
        "]",
    ]
    assert toml.assign("spec.ops", [{"name": "start", "meta": [{"a": "x" * 60}, {"b": "y" * 60}], "c": 1}, {}]) == [
        "spec.ops = [",
        '  { name = "start", meta = [',
        f'    {{ a = "{"x" * 60}" }},',
        f'    {{ b = "{"y" * 60}" }},',
        "  ], c = 1 },",
        "  {},",
        "]",
    ]
    assert toml.assign(
        "spec.sets", [{"resources": ["x" * 50, "y" * 50, "z" * 50], "a": 1}, {"resources": ["a", "b"]}]
    ) == [
        "spec.sets = [",
        "  { resources = [",
        f'    "{"x" * 50}", "{"y" * 50}",',
        f'    "{"z" * 50}",',
        "  ], a = 1 },",
        '  { resources = ["a", "b"] },',
        "]",
    ]
    assert toml.assign("spec.rule", toml.Branch(expression="defined a")) == ['spec.rule.expression = "defined a"']
    assert toml.inline('say "\\d"') == "'say \"\\d\"'"
