"""A rule: a condition with a score, as constraints and attribute sets use it. Pure."""

from collections.abc import Callable, Sequence
from typing import Annotated, Self
from xml.etree import ElementTree as ET

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from reconciler.cib import rules, values
from reconciler.cib.document import children
from reconciler.kinds.base import (
    Reader,
    UnsupportedError,
    canonical,
    element,
    fresh_id,
    keep_spelling,
    needs,
    observed,
    text_of,
)
from reconciler.kinds.written import Written
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


Score = Annotated[str, BeforeValidator(text_of), AfterValidator(_score), Written("Score")]
Role = Annotated[str, AfterValidator(lambda text, info: canonical(text, values.role, info)), Written("Role")]


def _rule_text(text: str, info: ValidationInfo) -> str:
    return text if info.context else _expression(text)


class Rule(Part):
    """A condition in crm's words, such as `not_defined pingd or pingd lte 0`, or a reference to another rule."""

    model_config = needs(["expression"], ["id-ref"])

    IDENTITY = ("id",)
    REFERRING = ("id_ref",)

    score: Score | None = Field(
        default=None, description="How much the rule counts where it holds: INFINITY, -INFINITY, 100."
    )
    score_attribute: str | None = Field(default=None, description="A node attribute that holds the score.")
    role: Role | None = Field(default=None, description="The rule counts only for instances in this role.")
    expression: Annotated[str, AfterValidator(_rule_text), Written("Expression")] | None = Field(
        default=None,
        description="The condition, in crm's words: `not_defined pingd or pingd lte 0`, `site eq berlin`, "
        "`date spec weekdays=1-5 hours=9-17`, `date in start=2024-05-01 months=1`; in ResourceDefaults and "
        "OperationDefaults also `rsc class=ocf provider=heartbeat type=IPaddr2` and `op name=monitor interval=10s`.",
    )
    id_ref: str | None = Field(default=None, description="Instead of all else: the rule that has this id.")
    id: str | None = Field(default=None, description="Its id, where another rule refers to it by `id-ref`.")

    @model_validator(mode="after")
    def _one_form(self, info: ValidationInfo) -> Self:
        if info.context:
            return self
        if self.score and self.score_attribute:
            raise ValueError("has both `score` and `score-attribute`: use one")
        if self.id_ref and (self.score or self.score_attribute or self.role or self.expression or self.id):
            raise ValueError("has `id-ref`: the rule that it refers to says all else")
        if not self.id_ref and not self.expression:
            raise ValueError("needs an `expression`, or an `id-ref`")
        return self

    @property
    def anonymous(self) -> "Rule":
        """The rule without its id: what it says."""
        return self if self.id is None else self.model_copy(update={"id": None})


def _condition(rule: Rule) -> Rule:
    return Rule.model_construct(expression=rule.expression, id_ref=rule.id_ref, id=rule.id)


Condition = Annotated[Rule, AfterValidator(_condition)]
"""A rule of which only the condition counts: outside location constraints Pacemaker looks at nothing else in it."""

_SCORE = "INFINITY"
"""What crm and pcs write where a score means nothing and schemas before 3.9 want one."""


def read_rule(rule: ET.Element, named: frozenset[str] = frozenset()) -> Rule:
    """Read a `<rule>` element; `named` are the ids by which something refers to it.

    Raises:
        UnsupportedError: it has what no manifest can say.
    """
    reader = Reader(rule)
    name, reference = reader.take("id"), reader.take("id-ref")
    if reference is not None:
        reader.done()
        return observed(Rule, id_ref=reference)
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
    return observed(Rule, expression=expression, id=name if name in named else None, **fields)


def write_rule(name: str, rule: Rule, live: ET.Element | None) -> ET.Element:
    """Return the `<rule>` that says `rule`: the live one where it means the same, with ids kept where it does not."""
    if live is not None and rule.id in (None, live.get("id")) and read_rule(live) == rule.anonymous:
        return live
    if rule.id_ref is not None or rule.expression is None:
        return element("rule", None, id_ref=rule.id_ref)
    old = live.attrib if live is not None else {}
    written = element(
        "rule",
        live,
        id=rule.id or old.get("id", name),
        score=keep_spelling(old.get("score"), rule.score, values.stored_score),
        score_attribute=rule.score_attribute,
        role=keep_spelling(old.get("role"), rule.role, values.role),
    )
    rules.fill(written, rules.parse(rule.expression), live)
    return written


Lifetime = Annotated[
    tuple[Condition, ...], Field(description="The constraint counts only while one of these rules holds (deprecated).")
]


def read_lifetime(elements: Sequence[ET.Element], named: frozenset[str]) -> tuple[Rule, ...]:
    """Read the `<lifetime>` of a constraint, of which the schema allows one.

    Raises:
        UnsupportedError: it has what no manifest can say.
    """
    if len(elements) > 1:
        raise UnsupportedError("it has several <lifetime>")
    found: list[Rule] = []
    for lifetime in elements:
        reader = Reader(lifetime)
        found += [read_rule(rule, named) for rule in reader.elements("rule")]
        reader.done()
    return tuple(found)


def write_lifetime(owner: str, lifetime: Sequence[Rule], live: ET.Element | None) -> list[ET.Element]:
    """Return the `<lifetime>` that says the rules: the live one where it does, none if there are no rules."""
    if not lifetime:
        return []
    old = None if live is None else live.find("lifetime")
    rules = _write_each(write_condition, f"{owner}-lifetime", lifetime, old)
    if old is not None and len(rules) == len(old) and all(new is kept for new, kept in zip(rules, old, strict=True)):
        return [old]
    written = ET.Element("lifetime")
    written.extend(rules)
    return [written]


def write_condition(name: str, rule: Rule, live: ET.Element | None) -> ET.Element:
    """Return the `<rule>` of which only the condition counts: the live one where it means the same."""
    if live is not None:
        said = _condition(read_rule(live, frozenset([rule.id] if rule.id else [])))
        if said == rule:
            return live
    score = (live.get("score") if live is not None else None) or _SCORE
    return write_rule(name, rule if rule.id_ref else rule.model_copy(update={"score": score}), live)


def write_rules(owner: str, wanted: Sequence[Rule], live: ET.Element | None) -> list[ET.Element]:
    """Return the rules directly inside an element, each in the place of the one that stood there."""
    return _write_each(write_rule, owner, wanted, live)


def _write_each(
    write: Callable[[str, Rule, ET.Element | None], ET.Element],
    owner: str,
    wanted: Sequence[Rule],
    live: ET.Element | None,
) -> list[ET.Element]:
    before = [] if live is None else live.findall("rule")
    used = {rule.get("id") for rule in before}
    written = []
    for index, rule in enumerate(wanted):
        same = before[index] if index < len(before) else None
        written.append(write(fresh_id(f"{owner}-rule", used) if same is None else owner, rule, same))
    return written
