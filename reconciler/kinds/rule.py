"""A rule: a condition with a score, as constraints and attribute sets use it. Pure."""

from typing import Annotated, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from reconciler.cib import rules, values
from reconciler.cib.document import children
from reconciler.kinds.base import Reader, UnsupportedError, canonical, element, keep_spelling, observed, text_of
from reconciler.state import Part


def _expression(text: str) -> str:
    return rules.format(rules.parse(text))


def _plain_score(text: str) -> str:
    score = values.score(text)
    if score.isalpha() and score != values.INFINITY:
        raise ValueError(f"{text!r} is a node's health; expected an integer, INFINITY or -INFINITY")
    return score


def _score(text: str, info: ValidationInfo) -> str:
    return canonical(text, values.stored_score if info.context else _plain_score, info)


Score = Annotated[str, BeforeValidator(text_of), AfterValidator(_score)]
Role = Annotated[str, AfterValidator(lambda text, info: canonical(text, values.role, info))]


def _rule_text(text: str, info: ValidationInfo) -> str:
    return text if info.context else _expression(text)


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

    @model_validator(mode="after")
    def _one_score(self, info: ValidationInfo) -> Self:
        if self.score and self.score_attribute and not info.context:
            raise ValueError("has both `score` and `score-attribute`: use one")
        return self


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
        score=keep_spelling(old.get("score"), rule.score, values.stored_score),
        score_attribute=rule.score_attribute,
        role=keep_spelling(old.get("role"), rule.role, values.role),
    )
    rules.fill(written, rules.parse(rule.expression), live)
    return written
