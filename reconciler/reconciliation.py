"""The nouns of a pass: what was wanted of it, and everything that came of it. Pure."""

from collections.abc import Mapping
from dataclasses import field

from reconciler.decision import Decision
from reconciler.frozen import frozen
from reconciler.observation import Observation
from reconciler.plan import Change, Outcome
from reconciler.settling import Settling
from reconciler.state import Desired, Ref, Rejected
from reconciler.status import ObjectStatus


@frozen
class Wanted:
    """The desired state in force, None before there ever was a good one.

    `problem` says why the directory is not what is in force: it cannot be read, says nothing, or has faults, which are
    in `rejected`. Then the last good state stays in force, so nothing is ever deleted because of it. `loaded` is when
    what is in force was first read, in Unix seconds; 0 if by an earlier process.
    """

    desired: Desired | None = None
    problem: str = ""
    reason: str = ""
    rejected: tuple[Rejected, ...] = field(default=())
    loaded: float = 0.0


@frozen
class Reconciliation:
    """One pass, done: the only input of metrics, status and log.

    `decision` is the last one, as seen after `outcomes`. `applied` are the changes, and `adopted` the objects recorded
    as ours, whose commands reported success and that were seen to change something. `refusals` is how often the cluster
    refused a patch because somebody else had changed the configuration meanwhile. `began` is in Unix seconds, `seconds`
    how long it took.
    `settling` is how the last patch settles, or settled; `settled` is what ended in this pass.
    """

    wanted: Wanted
    observation: Observation
    decision: Decision
    applied: tuple[Change, ...]
    adopted: tuple[Ref, ...]
    outcomes: tuple[Outcome, ...]
    refusals: int
    objects: Mapping[Ref, ObjectStatus]
    began: float
    seconds: float
    settling: Settling | None = None
    settled: tuple[Settling, ...] = ()

    @property
    def revision(self) -> str:
        """The revision of the manifests in force; empty before there ever was one."""
        return self.wanted.desired.revision if self.wanted.desired else ""
