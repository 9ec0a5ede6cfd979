"""The words of a statement, taken one after another. Pure."""

import re
from collections.abc import Collection

from reconciler.cib.rule_expressions import Combination, Expression, RuleError
from reconciler.cib.rule_grammar import parse_beginning
from reconciler.cib.rule_tokens import Token
from reconciler.reading import StatementError


class Words:
    """What of a statement is still to be read, and what there is to remark of it."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self.remarks: list[str] = []

    @property
    def left(self) -> int:
        """How many words are left."""
        return len(self._tokens) - self._next

    def peek(self) -> str | None:
        """The next word, or None at the end."""
        return self._tokens[self._next].text if self.left else None

    @property
    def keyword(self) -> str:
        """The next word in lower case if no part of it is quoted, else nothing."""
        return self._tokens[self._next].keyword() if self.left else ""

    def take(self, expected: str) -> str:
        """Take the next word.

        Raises:
            StatementError: there is none, so what was expected is missing.
        """
        if not self.left:
            raise StatementError(f"ends where {expected} should follow")
        self._next += 1
        return self._tokens[self._next - 1].text

    def take_match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Take the next word if all of it matches."""
        text = self.peek()
        match = None if text is None else pattern.fullmatch(text)
        if match is not None:
            self._next += 1
        return match

    def take_keyword(self, *words: str) -> str:
        """Take the next word if it is one of these, else nothing."""
        keyword = self.keyword
        if keyword not in words:
            return ""
        self._next += 1
        return keyword

    def option(self, *names: str) -> str | None:
        """Take the next word if it is `name=value` with one of these names, and return the value."""
        name, sign, value = (self.peek() or "").partition("=")
        if not sign or name.lower() not in names:
            return None
        self._next += 1
        return value

    def later_options(self, names: Collection[str]) -> dict[str, str]:
        """Take all words `name=value` with these names out of what is left, wherever they stand."""
        found: dict[str, str] = {}
        rest = []
        for token in self._tokens[self._next :]:
            name, sign, value = token.text.partition("=")
            if sign and name in names:
                found[name] = value
            else:
                rest.append(token)
        self._tokens[self._next :] = rest
        return found

    def until(self, end: str) -> list[str]:
        """Take the words before a bracket, and the bracket.

        Raises:
            StatementError: there is no such bracket.
        """
        inside = []
        while self.keyword != end:
            inside.append(self.take(f"a closing {end}"))
        self._next += 1
        return inside

    def rest(self) -> list[str]:
        """Take all words that are left."""
        texts = [token.text for token in self._tokens[self._next :]]
        self._next = len(self._tokens)
        return texts

    def expression(self) -> Expression:
        """Take the words of a rule's expression, as many as belong to it.

        Raises:
            StatementError: they are none.
        """
        try:
            expression, used = parse_beginning(self._tokens[self._next :])
        except RuleError as error:
            raise StatementError(f"in the rule, {error.message}") from error
        if isinstance(expression, Combination) and any(isinstance(part, Combination) for part in expression.operands):
            raise StatementError("has a rule with both `and` and `or`, which crm does not take: make two rules of it")
        self._next += used
        return expression

    def done(self) -> None:
        """Insist that no word is left.

        Raises:
            StatementError: one is.
        """
        if self.left:
            raise StatementError(f"{self.peek()!r} is not expected there")
