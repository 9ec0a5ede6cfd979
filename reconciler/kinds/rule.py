"""A rule: a condition with a score, as constraints and attribute sets use it. Pure."""

from typing import Annotated
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from reconciler.cib import rules, values
from reconciler.cib.document import children
from reconciler.kinds.base import Reader, UnsupportedError, canonical, element, keep_spelling, observed, text_of
from reconciler.state import Part


def _expression(text: str) -> str:
    return rules.format(rules.parse(text))


def _score(text: str, info: ValidationInfo) -> str:
    return canonical(text, values.stored_score if info.context else values.score, info)


Score = Annotated[str, BeforeValidator(text_of), AfterValidator(_score)]
Role = Annotated[str, AfterValidator(lambda text, info: canonical(text, values.role, info))]


def _rule_text(text: str, info: ValidationInfo) -> str:
    return canonical(text, _expression, info)


class Rule(Part):
    """A condition in crm's words, such as `not_defined pingd or pingd lte 0`."""

    score: Score | None = Field(
        default=None, description="How much the rule counts where it holds: INFINITY, -INFINITY, 100."
    )
    score_attribute: str | None = Field(default=None, description="A node attribute that holds the score.")
    role: Role | None = Field(default=None, description="The rule counts only for instances in this role.")
    expression: Annotated[str, AfterValidator(_rule_text)] = Field(
        description="The condition, in crm's words: `not_defined pingd or pingd lte 0`."
    )


def read_rule(rule: ET.Element) -> Rule:
    """Read a `<rule>` element.

    Raises:
        UnsupportedError: it has what no manifest can say yet.
    """
    reader = Reader(rule)
    reader.take("id")
    reader.take("boolean-op")
    fields = {
        "score": reader.take("score"),
        "score_attribute": reader.take("score-attribute"),
        "role": reader.take("role"),
    }
    try:
        expression = rules.format(rules.from_element(rule))
    except rules.RuleError as error:
        raise UnsupportedError(str(error)) from error
    reader.elements(*(str(child.tag) for child in children(rule)))
    reader.done()
    return observed(Rule, expression=expression, **fields)


def write_rule(name: str, rule: Rule, live: ET.Element | None) -> ET.Element:
    """Return the `<rule>` that says `rule`: the live one where it means the same, with ids kept where it does not."""
    if live is not None and read_rule(live) == rule:
        return live
    old = live.attrib if live is not None else {}
    written = element(
        "rule",
        live,
        id=old.get("id", name),
        score=keep_spelling(old.get("score"), rule.score, values.score),
        score_attribute=rule.score_attribute,
        role=keep_spelling(old.get("role"), rule.role, values.role),
    )
    rules.fill(written, rules.parse(rule.expression), live)
    return written
