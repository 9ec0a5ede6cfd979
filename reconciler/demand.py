"""What a patch asks for: the thing that a person approves, and that an approval is compared with. Pure."""

import hashlib
from collections.abc import Iterable, Mapping

from reconciler.cib.register import Approval
from reconciler.forecast import Forecast, NoForecast
from reconciler.frozen import frozen
from reconciler.plan import Change, Reason, Verb
from reconciler.planner import ClusterPlan
from reconciler.secret import shown, without_digests
from reconciler.state import Ref

ANYTHING = "?"
"""Stands in an approval for whatever is interrupted; no resource can be called so."""


@frozen
class Demand:
    """What a patch asks for: this is what a person approves, and what an approval is compared with.

    `changes` has a digest for each object's change but for deletions, `deletions` all objects that go, also those that
    have to stop first, `disrupted` the resources that are interrupted, `fenced` the nodes. `unforeseen` says
    that nobody knows of these two. `reasons` are what holds it and a person may decide otherwise (`token`).
    """

    revision: str
    changes: Mapping[Ref, str]
    deletions: frozenset[Ref] = frozenset()
    disrupted: frozenset[str] = frozenset()
    fenced: frozenset[str] = frozenset()
    unforeseen: bool = False
    reasons: frozenset[str] = frozenset()

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for all of it."""
        parts = (
            self.revision,
            *sorted(self.changes.values()),
            "deletes",
            *map(str, sorted(self.deletions)),
            "disrupts",
            *sorted(self._interrupts),
            "fences",
            *sorted(self.fenced),
        )
        more = sorted(reason for reason in self.reasons if reason.partition("/")[0] in _MORE_THAN_IT_ASKS_FOR)
        return _digest((*parts, "from", *more) if more else parts)

    def is_within(self, approval: Approval) -> bool:
        """Tell whether it asks for nothing but what was approved, of the same revision.

        So an approval also releases what is left of its plan when a part is done: first the stops, then the deletions.
        """
        return self.revision == approval.revision and not self.beyond(approval)

    def beyond(self, approval: Approval) -> tuple[str, ...]:
        """Say what it asks for, of the same revision, that the approval does not cover: `fences b`."""
        changes = (
            ref
            for ref, digest in self.changes.items()
            if ref not in approval.deletions and digest not in approval.changes
        )
        more = {
            "changes": map(str, sorted(changes)),
            "deletes": map(str, sorted(self.deletions - approval.deletions)),
            "interrupts": (
                _WHAT_NOBODY_KNOWS.get(name, name) for name in sorted(self._interrupts - approval.disrupted)
            ),
            "fences": sorted(self.fenced - approval.fenced),
        }
        return tuple(f"{verb} {', '.join(names)}" for verb, found in more.items() if (names := tuple(found)))

    def approval(self, at: int, by: str) -> Approval:
        """Return the approval of it by somebody, at a time in Unix seconds."""
        return Approval(
            self.digest,
            at,
            by,
            self.revision,
            self.deletions,
            self._interrupts,
            self.fenced,
            frozenset(self.changes.values()),
            self.reasons,
        )

    @property
    def _interrupts(self) -> frozenset[str]:
        return self.disrupted | ({ANYTHING} if self.unforeseen else frozenset())


_WHAT_NOBODY_KNOWS = {ANYTHING: "nobody knows what"}
_MORE_THAN_IT_ASKS_FOR = frozenset(
    {Reason.QUARANTINED, Reason.VERIFY_ERRORS, Reason.FENCING_PENDING, Reason.OUTSIDE_WINDOW}
)
"""Reasons that a digest stands for: budgets and fencing follow from what is asked for anyway, and whether the cluster
is busy is another thing from one moment to the next."""


def token(reason: Reason, subject: str = "") -> str:
    """Return what an approval keeps of a reason, and of what it is about, where that can be one thing or another."""
    return f"{reason}/{subject}" if subject else str(reason)


def demand(revision: str, planned: ClusterPlan, forecast: Forecast | NoForecast | None) -> Demand:
    """Say what the patch of a plan asks for."""
    foreseen = forecast if isinstance(forecast, Forecast) else Forecast()
    return Demand(
        revision,
        {change.ref: _of(change) for change in planned.plan.changes if change.verb is not Verb.DELETE},
        planned.doomed,
        frozenset(foreseen.disrupted),
        frozenset(foreseen.fenced),
        isinstance(forecast, NoForecast) and not forecast.mends,
    )


def _of(change: Change) -> str:
    # As they are shown: a digest without a key of what nobody may see could be guessed.
    fields = (
        f"{field.path}\0{shown(field.path, field.before)}\0{shown(field.path, field.after)}"
        for field in change.fields()
    )
    return _digest((str(change.ref), str(change.verb), *map(without_digests, fields)))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
