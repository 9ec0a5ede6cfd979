"""PromQL, read as far as rules and dashboards here need it: which series an expression asks for, which labels come out.

A label that no series has is no error to Prometheus: the expression only never says anything. Neither is a comparison
of two sides whose labels cannot be equal. So the labels of every part are worked out here, from those of the series.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

TARGET_LABELS = frozenset({"job", "instance", "cluster"})
"""What the scrape configuration adds to every series; the instance tells the other two."""

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<duration>\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?:Inf|NaN)\b)
    |(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<sign>=~|!~|==|!=|<=|>=|[-+*/%^<>=(){},\[\]])""",
    re.VERBOSE,
)
_AGGREGATIONS = frozenset({"sum", "min", "max", "avg", "count", "group", "topk", "bottomk"})
_OF_COUNTERS = frozenset({"rate", "irate", "increase"})
_OF_VECTORS = frozenset(
    {"abs", "ceil", "changes", "clamp_max", "clamp_min", "delta", "floor", "last_over_time", "max_over_time"}
    | {"min_over_time", "present_over_time", "resets", "round", "timestamp"}
)
_PRECEDENCE = (("or",), ("and", "unless"), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/", "%"), ("^",))


class PromqlError(ValueError):
    """The expression is wrong, can never say anything, or is beyond what is read here."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """`state=~"standby|maintenance"`; the value without quotes."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """One series asked for; `function` is what its range is given to, empty where there is no range."""

    name: str
    matchers: tuple[Matcher, ...]
    function: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The labels that come out of a part, of which `fixed` have one value only; labels are None for a number."""

    labels: frozenset[str] | None
    fixed: frozenset[str] = frozenset()

    def varying(self, matched: frozenset[str]) -> frozenset[str]:
        """The labels by which there may still be several where the matched ones are equal."""
        left = (self.labels or frozenset()) - self.fixed - matched
        return left - TARGET_LABELS if "instance" in matched else left


@dataclass(frozen=True, slots=True)
class Expression:
    """What was read: the series asked for, and the labels that come out."""

    selectors: tuple[Selector, ...]
    labels: frozenset[str]


def read(text: str, labels_of: Callable[[str], frozenset[str]]) -> Expression:
    """Read an expression.

    Args:
        text: without variables other than in strings.
        labels_of: all labels of a series; raises KeyError if there is none of that name.

    Raises:
        PromqlError: it says what is wrong, with the expression.
    """
    try:
        parser = _Parser(_tokens(text), labels_of)
        shape = parser.whole()
    except PromqlError as error:
        raise PromqlError(f"{error} in: {' '.join(text.split())}") from None
    return Expression(tuple(parser.selectors), shape.labels or frozenset())


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise PromqlError(f"cannot read {text[at : at + 20]!r}")
        at = match.end()
        if match.lastgroup:
            tokens.append(match[0])
    return tokens


@dataclass
class _Parser:
    tokens: Sequence[str]
    labels_of: Callable[[str], frozenset[str]]
    selectors: list[Selector] = field(default_factory=list)
    at: int = 0
    within: str = ""

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *wanted: str) -> str:
        token = self.next
        if not token or (wanted and token not in wanted):
            raise PromqlError(f"{' or '.join(wanted) or 'more'} expected, not {token!r}")
        self.at += 1
        return token

    def whole(self) -> Shape:
        shape = self.binary()
        if self.next:
            raise PromqlError(f"{self.next!r} is left over")
        return shape

    def binary(self, level: int = 0) -> Shape:
        if level == len(_PRECEDENCE):
            return self.unary()
        left = self.binary(level + 1)
        while self.next in _PRECEDENCE[level]:
            operator = self.take()
            matching = self.matching()
            left = _joined(operator, left, self.binary(level + 1), matching)
        return left

    def matching(self) -> "_Matching":
        found = _Matching()
        if self.next == "bool":
            self.take()
            found = replace(found, keeps=True)
        if self.next in ("on", "ignoring"):
            found = replace(found, word=self.take(), labels=self.names())
        if self.next in ("group_left", "group_right"):
            found = replace(found, group=self.take())
            found = replace(found, included=self.names() if self.next == "(" else frozenset())
        return found

    def names(self) -> frozenset[str]:
        self.take("(")
        names = set()
        while self.next != ")":
            names.add(self.take())
            if self.next != ")":
                self.take(",")
        self.take(")")
        return frozenset(names)

    def unary(self) -> Shape:
        if self.next in ("-", "+"):
            self.take()
            return self.unary()
        token = self.take()
        if token == "(":
            inner = self.binary()
            self.take(")")
            return inner
        if re.match(r"[\d.]|(Inf|NaN)$", token):
            return Shape(None)
        if token in _AGGREGATIONS:
            return self.aggregation(token)
        if re.match(r"[a-zA-Z_:]", token):
            return self.call(token) if self.next == "(" else self.selector(token)
        raise PromqlError(f"{token!r} is out of place")

    def arguments(self) -> list[Shape]:
        self.take("(")
        found = []
        while self.next != ")":
            found.append(Shape(None) if self.string() else self.binary())
            if self.next != ")":
                self.take(",")
        self.take(")")
        return found

    def string(self) -> str:
        return self.take() if self.next[:1] in ("'", '"') and self.next else ""

    def aggregation(self, name: str) -> Shape:
        word, labels = "", frozenset[str]()
        if self.next in ("by", "without"):
            word, labels = self.take(), self.names()
        *_, inner = self.arguments()
        if not word and self.next in ("by", "without"):
            word, labels = self.take(), self.names()
        known = _vector(inner, name)
        _must_have(known, labels, f"{name} {word}")
        kept = known - labels if word == "without" else labels
        if name in ("topk", "bottomk"):
            kept = known
        return Shape(kept, inner.fixed & kept)

    def call(self, name: str) -> Shape:
        if name in ("label_replace", "time", "vector"):
            return self.special(name)
        outer, self.within = self.within, name
        arguments = self.arguments()
        self.within = outer
        if name == "absent":
            return Shape(arguments[0].fixed, arguments[0].fixed)
        vectors = [shape for shape in arguments if shape.labels is not None]
        if name == "histogram_quantile" and len(vectors) == 1:
            _must_have(_vector(vectors[0], name), frozenset({"le"}), name)
            return replace(vectors[0], labels=_vector(vectors[0], name) - {"le"})
        if name not in _OF_COUNTERS | _OF_VECTORS or len(vectors) != 1:
            raise PromqlError(f"{name} with {len(vectors)} vectors is not known here")
        return vectors[0]

    def special(self, name: str) -> Shape:
        if name != "label_replace":
            self.arguments()
            return Shape(None if name == "time" else frozenset())
        self.take("(")
        inner = self.binary()
        words = []
        while self.next == ",":
            self.take()
            words.append(self.string()[1:-1])
        self.take(")")
        if len(words) != 4:
            raise PromqlError("label_replace wants a vector and four strings")
        known = _vector(inner, name)
        _must_have(known, frozenset({words[2]}), name)
        return Shape(known | {words[0]}, inner.fixed - {words[0]})

    def selector(self, name: str) -> Shape:
        try:
            labels = self.labels_of(name)
        except KeyError:
            raise PromqlError(f"no series is named {name}") from None
        matchers = self.matchers() if self.next == "{" else ()
        _must_have(labels, frozenset(matcher.label for matcher in matchers), name)
        ranged = self.next == "["
        if ranged:
            self.take("[")
            if not re.match(r"\d", self.take()):
                raise PromqlError(f"{name} wants a duration in brackets")
            self.take("]")
        if self.next == "offset":
            self.take()
            self.take()
        self.selectors.append(Selector(name, matchers, self.within if ranged else ""))
        return Shape(labels, frozenset(matcher.label for matcher in matchers if matcher.operator == "="))

    def matchers(self) -> tuple[Matcher, ...]:
        self.take("{")
        found = []
        while self.next != "}":
            label, operator = self.take(), self.take("=", "!=", "=~", "!~")
            value = self.string()
            if not value:
                raise PromqlError(f"{label} wants a string")
            found.append(Matcher(label, operator, value[1:-1]))
            if self.next != "}":
                self.take(",")
        self.take("}")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Matching:
    """How two sides are brought together; `keeps` is `bool`, which makes no filter of a comparison."""

    keeps: bool = False
    word: str = ""
    labels: frozenset[str] = frozenset()
    group: str = ""
    included: frozenset[str] = frozenset()


def _joined(operator: str, left: Shape, right: Shape, how: _Matching) -> Shape:
    if left.labels is None or right.labels is None:
        if operator in ("and", "or", "unless"):
            raise PromqlError(f"{operator} wants a vector on both sides")
        return left if right.labels is None else right
    if how.word == "on":
        _must_have(left.labels, how.labels, f"left of {operator} on")
        _must_have(right.labels, how.labels, f"right of {operator} on")
        matched = how.labels
    else:
        matched = left.labels - how.labels
        if operator != "or" and matched != right.labels - how.labels:
            different = ", ".join(sorted(matched ^ (right.labels - how.labels)))
            raise PromqlError(f"the sides of {operator} can never match: only one has {different}")
    if operator in ("and", "unless"):
        return left
    if operator == "or":
        return Shape(left.labels & right.labels, left.fixed & right.fixed)
    many, one = (right, left) if how.group == "group_right" else (left, right)
    sides = (one,) if how.group else (left, right)
    for side in sides:
        if side.varying(matched):
            raise PromqlError(f"one side of {operator} may have several by {', '.join(sorted(side.varying(matched)))}")
    if how.group:
        _must_have(one.labels or frozenset(), how.included, how.group)
        return Shape((many.labels or frozenset()) | how.included, many.fixed)
    return Shape(matched, left.fixed & right.fixed & matched)


def _vector(shape: Shape, where: str) -> frozenset[str]:
    if shape.labels is None:
        raise PromqlError(f"{where} wants a vector")
    return shape.labels


def _must_have(known: frozenset[str], wanted: frozenset[str], where: str) -> None:
    if missing := wanted - known:
        raise PromqlError(f"{where}: no label {', '.join(sorted(missing))} (there are {', '.join(sorted(known))})")
