"""One pass: read what is wanted, see what is, decide, do, see again, conclude."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.breaker import Breaker
from reconciler.cib.document import Cib
from reconciler.decision import Decision, Remembered, decide, for_node
from reconciler.health import health
from reconciler.host.applier import apply
from reconciler.host.observer import Observer
from reconciler.host.shell import Shell
from reconciler.host.wanted import Wanted, WantedSource
from reconciler.kinds.node_network import Inventory
from reconciler.observation import Observation, understand
from reconciler.plan import Change, Hold, Outcome, Plan
from reconciler.pruning import Policy
from reconciler.settings import Settings
from reconciler.state import Desired, Ref
from reconciler.status import ObjectStatus, Pass, conclude
from reconciler.writer import standing

NOTHING = Desired({}, "")
"""Before there ever was a good set of manifests: nothing is wanted, and nothing is done about it."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One pass, done: the only input of metrics, status and log.

    `decision` is the last one, as seen after `outcomes`; `applied` are the changes that the outcomes were to make.
    `began` is in Unix seconds, `seconds` how long it took.
    """

    wanted: Wanted
    observation: Observation
    decision: Decision
    applied: tuple[Change, ...]
    outcomes: tuple[Outcome, ...]
    objects: Mapping[Ref, ObjectStatus]
    began: float
    seconds: float

    @property
    def stuck(self) -> bool:
        """True if a change was made without an error, and is still to be made."""
        left = {change.ref: change.after for change in self.decision.plan.changes}
        done = all(outcome.ok for outcome in self.outcomes)
        return done and any(change.ref in left and left[change.ref] == change.after for change in self.applied)


@dataclass
class Memory:
    """What one pass leaves to the next."""

    observation: Observation | None = None
    last_cib: Cib | None = None
    inventory: Inventory = frozenset()
    objects: Mapping[Ref, ObjectStatus] = field(default_factory=dict)
    breaker: Breaker = field(default_factory=Breaker)
    revision: str = ""


class Turner:
    """Makes passes, one after the other."""

    def __init__(self, settings: Settings, shell: Shell, observer: Observer, source: WantedSource) -> None:
        self._settings = settings
        self._shell = shell
        self._observer = observer
        self._source = source
        self._policy = Policy(settings.guards.prune, settings.guards.deletion_budget)

    def turn(self, memory: Memory, held: tuple[Hold, ...] = ()) -> Reconciliation:
        """Make one pass. `held` are further holds of whole scopes, such as a back-off."""
        began, since = time.time(), time.monotonic()
        wanted = self._source.look(began)
        observation = self._observe(memory)
        decision = self._decide(wanted, observation, memory, held)
        applied: tuple[Change, ...] = ()
        outcomes: tuple[Outcome, ...] = ()
        if decision.plan.commands:
            applied = _carried_by(decision.plan)
            outcomes = apply(self._shell, decision.plan.commands, self._settings.command_timeout)
            memory.inventory = decision.inventory
            memory.breaker.record(applied, began)
            observation = self._observe(memory)
            decision = self._decide(wanted, observation, memory, held)
        desired = for_node(wanted.desired or NOTHING, observation.node)
        works = health(desired.state, observation.status, observation.network, observation.node)
        memory.objects = conclude(Pass(desired, decision.plan, outcomes, decision.blind, works), memory.objects, began)
        return Reconciliation(
            wanted, observation, decision, applied, outcomes, memory.objects, began, time.monotonic() - since
        )

    def _observe(self, memory: Memory) -> Observation:
        observation = understand(self._observer.look(), self._settings.node, memory.observation)
        memory.observation = observation
        memory.last_cib = observation.cib or memory.last_cib
        return observation

    def _decide(self, wanted: Wanted, observation: Observation, memory: Memory, held: tuple[Hold, ...]) -> Decision:
        if wanted.desired is None:
            return Decision(Plan(holds=held), None, memory.inventory, {})
        holds = (*standing(observation, self._settings.mode), *held)
        left_alone = memory.breaker.holds(observation.snapshot.at)
        remembered = Remembered(memory.inventory, memory.last_cib, left_alone)
        return decide(wanted.desired, observation, self._policy, remembered, holds)


def _carried_by(plan: Plan) -> tuple[Change, ...]:
    scopes = {ref for command in plan.commands for ref in command.refs}
    return tuple(change for change in plan.changes if change.ref in scopes)
