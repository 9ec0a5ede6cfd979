"""What writes random manifests: it draws, and keeps book of the ids that parts of objects have been given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

Drawn = TypeVar("Drawn")
Table = dict[str, Any]

SORTS = (
    "instance_attributes",
    "meta_attributes",
    "utilization",
    "nvpair",
    "rule",
    "resource_set",
    "operations",
    "part",
)
"""Parts that may have ids of their own; only those of one sort refer to each other."""


@dataclass(frozen=True)
class Later:
    """An id that some object gives to a part of this sort, to be chosen when all objects are written.

    Where none is given, the table that refers to it is left out; of an `optional` one only the field.
    """

    sort: str
    words: str = "{}"
    optional: bool = False


class Pen:
    """Draws what manifests say.

    Attributes:
        rare: Whether to write what people write seldom, and crm has no words for.
        modern: Whether to write what only schemas after 3.0 know.
    """

    def __init__(self, draw: st.DrawFn, *, rare: bool = True, modern: bool = True) -> None:
        self._draw = draw
        self.rare = rare
        self.modern = rare and modern
        self._given: dict[str, list[str]] = {sort: [] for sort in SORTS}

    def draw(self, strategy: st.SearchStrategy[Drawn]) -> Drawn:
        return self._draw(strategy)

    def pick(self, *values: Drawn) -> Drawn:
        return self._draw(st.sampled_from(values))

    def some(self, *values: Drawn) -> Drawn | None:
        """One of the values, or nothing."""
        return self._draw(st.none() | st.sampled_from(values))

    def several(self, names: Sequence[str], most: int = 3, least: int = 0) -> list[str]:
        return self._draw(st.lists(st.sampled_from(names), unique=True, min_size=least, max_size=most))

    def seldom(self, one_in: int = 4) -> bool:
        """Whether to write something rare."""
        return self.rare and self._draw(st.integers(0, one_in - 1)) == one_in - 1

    def lately(self, one_in: int = 4) -> bool:
        """Whether to write something rare that only newer schemas know."""
        return self.modern and self.seldom(one_in)

    def row(self, write: Callable[[], Drawn], most: int = 3, least: int = 0) -> list[Drawn]:
        return [write() for _ in range(self._draw(st.integers(least, most)))]

    def id(self, sort: str, one_in: int = 4) -> str | None:
        """An id for a part, which is then in use; mostly none."""
        free = [name for name in (f"{sort}.1", f"{sort}.2") if name not in self._given[sort]]
        if not free or not self.seldom(one_in):
            return None
        name = self.pick(*free)
        self._given[sort].append(name)
        return name

    def wired(self, said: Any) -> Any:
        """Choose what every reference refers to; gives None where there is nothing."""
        if isinstance(said, Mapping):
            return self._wired_table(said)
        if isinstance(said, list):
            return [inner for item in said if (inner := self.wired(item)) is not None]
        return said

    def _wired_table(self, said: Mapping[Any, Any]) -> Table | None:
        table = {}
        for name, value in said.items():
            if isinstance(value, Later):
                names = self._given[value.sort]
                if not names and not value.optional:
                    return None
                if names:
                    table[name] = value.words.format(self.pick(*names))
            elif (inner := self.wired(value)) is not None:
                table[name] = inner
        return table


def table(**fields: Any) -> Table:
    """A manifest's table: what is not said is not there."""
    return {name.rstrip("_").replace("_", "-"): value for name, value in fields.items() if value not in (None, {}, [])}
