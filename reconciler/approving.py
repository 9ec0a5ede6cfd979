"""The verb `approve`: releases exactly the plan that a person has looked at, from any node."""

import time
from pathlib import Path

from reconciler.demand import Demand
from reconciler.freeze import edit, person
from reconciler.host.shell import Shell
from reconciler.oneshot import OneshotError, plan
from reconciler.plan import Reason
from reconciler.settings import Settings
from reconciler.state import Scope


def approve(settings: Settings, directory: Path, node: str, digest: str) -> Demand:
    """Write the approval of the plan that has this digest; return what was approved.

    The plan is made anew here and now: only if it still is the one that was looked at, it is released.

    Raises:
        OneshotError: the cluster or the manifests cannot be read, there is no such plan, or nothing holds it that an
            approval would change.
        FreezeError: the cluster does not take the approval.
    """
    planned = plan(settings, directory, None, node)
    decided, asked = planned.decision.plan, planned.decision.demand
    holds = [hold for hold in decided.holds if hold.scope is Scope.CLUSTER and hold.ref is None]
    if asked is None:
        why = f"{holds[0].reason}: {holds[0].message}" if holds else "nothing is to change in the cluster"
        raise OneshotError(f"there is no plan to approve: {why}")
    if asked.digest != digest:
        raise OneshotError(
            f"the plan is not {digest} (any more): it now is {asked.digest}; look at it again with `reconciler plan`"
        )
    if not any(hold.reason in RELEASABLE for hold in holds):
        raise OneshotError(f"nothing holds plan {digest} that an approval would release")
    by = person(settings)
    edit(Shell(), settings.command_timeout, lambda kept: kept.approving(asked.approval(int(time.time()), by)))
    return asked


RELEASABLE = frozenset(
    {
        Reason.QUARANTINED,
        Reason.DELETION_BUDGET,
        Reason.DISRUPTION_BUDGET,
        Reason.FENCING,
        Reason.FENCING_PENDING,
        Reason.VERIFY_ERRORS,
        Reason.NO_FORECAST,
        Reason.OUTSIDE_WINDOW,
        Reason.TRANSITION_RUNNING,
    }
)
"""What a person may decide otherwise; see guards.py."""


def words(asked: Demand) -> str:
    """Say what was approved."""
    parts = [
        f"deletes {', '.join(map(str, sorted(asked.deletions)))}" if asked.deletions else "",
        f"changes {', '.join(map(str, sorted(ref for ref in asked.changes if ref not in asked.deletions)))}",
        f"interrupts {', '.join(sorted(asked.disrupted))}" if asked.disrupted else "",
        "nobody knows what it interrupts" if asked.unforeseen else "",
        f"FENCES {', '.join(sorted(asked.fenced))}" if asked.fenced else "",
    ]
    said = "; ".join(part for part in parts if part and part != "changes ")
    reasons = ", ".join(sorted({reason.partition("/")[0] for reason in asked.reasons}))
    return f"approved {asked.digest} for a day: {said}; releases it from {reasons} and from nothing else"
