"""One pass: read what is wanted, see what is, decide, do, see again, conclude."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from reconciler import pauses
from reconciler.breaker import Breaker
from reconciler.cib import controller
from reconciler.cib.document import Cib
from reconciler.cib.register import Pause
from reconciler.decision import Decision, Remembered, blind, decide, for_node
from reconciler.forecast import NoForecast
from reconciler.frozen import frozen
from reconciler.guards import Inquiry, Moment, guarded, held, tidied, under_way
from reconciler.health import RESOURCE_KINDS, health
from reconciler.host.applier import apply
from reconciler.host.observer import Observer
from reconciler.host.realtime import realtime, usual
from reconciler.host.shell import Ahead, Shell
from reconciler.host.simulator import Simulator
from reconciler.host.vault import Vault
from reconciler.host.wanted import WantedSource
from reconciler.kinds.node_network import Inventory
from reconciler.observation import Observation, Snapshot, understand
from reconciler.pace import MOVED, Pace, Refusal, refusal, stuck, without_version
from reconciler.plan import Change, Command, Hold, Outcome, Plan
from reconciler.planner import PATCH
from reconciler.policy import Rules, overlaid
from reconciler.proof import Proof
from reconciler.pruning import Policy
from reconciler.reconciliation import Reconciliation, Wanted
from reconciler.settings import Settings
from reconciler.settler import Settler
from reconciler.settling import Remedy, Settling, told, unrest
from reconciler.state import Desired, Ref, Scope
from reconciler.status import Health, ObjectStatus, Pass, conclude
from reconciler.unheard import took_effect
from reconciler.writer import for_now, standing

NOTHING = Desired({}, "")
"""Before there ever was a good set of manifests: nothing is wanted, and nothing is done about it."""


_TRIES_IN_A_PASS = 20
_FAIR_TRIES = 2
_ASK_AGAIN = 600.0
"""After so many patches in a pass came too late, the next ones are made before all else that wants the processor.

Of two that write without pause the one wins that is quick after having read."""


@dataclass
class Memory:
    """What one pass leaves to the next. `looks` is all that was observed in the last one, in order.

    `untold` is what is left alone after it did harm, as long as the register does not know it.
    """

    observation: Observation | None = None
    looks: list[Observation] = field(default_factory=list)
    last_cib: Cib | None = None
    inventory: Inventory = frozenset()
    objects: Mapping[Ref, ObjectStatus] = field(default_factory=dict)
    breaker: Breaker = field(default_factory=Breaker)
    pace: Pace = field(default_factory=Pace)
    asked: tuple[Command, str, Inquiry, float] | None = None
    refused: Refusal | None = None
    settling: Settling | None = None
    unheard: "Attempt | None" = None
    proof: Proof = field(default_factory=Proof)
    untold: tuple[Pause, ...] = ()


@frozen
class Attempt:
    """What was tried: from what it was planned, what became of it, how often the cluster has refused it so far."""

    wanted: Wanted
    before: Observation
    planned: Decision
    outcomes: tuple[Outcome, ...]
    refusals: int

    @property
    def too_late(self) -> bool:
        """True if somebody else changed the configuration between the look and the patch."""
        return any(outcome.code == MOVED for outcome in self.outcomes)

    @property
    def sent(self) -> bool:
        """True if the cluster was sent a patch that did not come too late."""
        return any(one.command.scope is Scope.CLUSTER and one.code != MOVED for one in self.outcomes)

    def heard(self, seen: Cib | None) -> "Attempt | None":
        """Return it with a patch that took effect although its command failed as done; None while nobody can tell."""
        before, cluster = self.before.cib, self.planned.cluster
        lost = [one for one in self.outcomes if not one.ok and one.code != MOVED and one.command.scope is Scope.CLUSTER]
        if not lost or before is None or cluster is None:
            return self
        effect = took_effect(before, cluster.configuration, seen)
        if not effect:
            return None if effect is None else self
        done = tuple(replace(one, code=0, stderr="") if one in lost else one for one in self.outcomes)
        return replace(self, outcomes=done)

    def made(self, in_vain: frozenset[Scope] = frozenset()) -> tuple[tuple[Change, ...], tuple[Ref, ...]]:
        """Return the changes and the adoptions whose commands reported success, but for scopes where it was in vain."""
        failed = {ref for outcome in self.outcomes if not outcome.ok for ref in outcome.command.refs}
        good = (outcome.command for outcome in self.outcomes if outcome.ok)
        done = {ref for command in good if command.scope not in in_vain for ref in command.refs} - failed
        plan = self.planned.plan
        changes = tuple(change for change in plan.changes if change.ref in done)
        return changes, tuple(ref for ref in plan.adoptions if ref in done)


class Turner:
    """Makes passes, one after the other."""

    def __init__(self, settings: Settings, shell: Shell, observer: Observer, source: WantedSource) -> None:
        self._settings = settings
        self._shell = shell
        self._observer = observer
        self._source = source
        self.vault = Vault(settings.state_dir)
        self._simulator = Simulator(shell, settings.command_timeout, _scratch(settings.runtime_dir))
        self._settler = Settler(shell, self._simulator, settings.command_timeout)
        self._rules = settings.rules

    def turn(self, memory: Memory) -> Reconciliation:
        """Make one pass."""
        began, since = time.time(), time.monotonic()
        memory.looks.clear()
        # Manifests that have changed must hold still for a moment: meanwhile the machine is asked.
        answers = self._observer.begin()
        wanted = self._wanted(began)
        self._observer.tell(wanted.desired.revision if wanted.desired else "")
        observation = self._understand(answers(), memory)
        late, superseded = self._late(wanted, observation, memory)
        observation, ended, reverts = self._follow(wanted, observation, memory)
        attempt = self._attempt(wanted, observation, memory)
        for _ in range(_TRIES_IN_A_PASS):
            if not attempt.too_late:
                break
            with realtime(attempt.refusals > _FAIR_TRIES), self._shell.ahead(*PATCH) as ready:
                observation = self._understand(self._observer.look_again(observation.snapshot), memory)
                found, gone = self._late(wanted, observation, memory)
                late, superseded = late or found, (*superseded, *gone)
                attempt = self._attempt(wanted, observation, memory, attempt, ready)
        after, left, outcomes = attempt.before, attempt.planned, attempt.outcomes
        in_vain: frozenset[Scope] = frozenset()
        if outcomes:
            after = self._understand(self._observer.look(), memory)
            heard = attempt.heard(after.cib)
            if attempt.sent:
                # Of two patches of one version the cluster takes one: the earlier one cannot take effect any more.
                memory.unheard = None if heard else attempt
            attempt = heard or attempt
            left, in_vain = self._learn(attempt, after, memory)
            outcomes = attempt.outcomes
        changes, adopted = attempt.made(in_vain)
        ended += self._begin(attempt, changes, memory)
        if not any(command.scope is Scope.NODE for command in left.plan.commands):
            memory.inventory = left.inventory
        desired = for_node(wanted.desired or NOTHING, after.node)
        root = after.cib.root if after.cib else None
        works = health(desired.state, after.status, after.network, after.node, root)
        works = told(works, memory.settling, desired.state)
        memory.objects = conclude(Pass(desired, left.plan, outcomes, left.blind, works), memory.objects, began)
        if _is_whole(left) and any(one is memory.settling and one.went_well for one in ended):
            memory.proof = memory.proof.settled(desired.revision)
        memory.proof = self._proof(wanted, after, left, works, memory)
        seconds = time.monotonic() - since
        refusals = attempt.refusals
        if late:
            earlier, recorded = late.made()
            changes, adopted, outcomes = (*earlier, *changes), (*recorded, *adopted), (*late.outcomes, *outcomes)
        done = Reconciliation(wanted, after, left, changes, adopted, outcomes, refusals, memory.objects, began, seconds)
        return replace(done, outcomes=(*reverts, *outcomes), settling=memory.settling, settled=(*superseded, *ended))

    def _proof(
        self, wanted: Wanted, seen: Observation, left: Decision, works: Mapping[Ref, Health], memory: Memory
    ) -> Proof:
        """Return what is known of the revision after one more look."""
        desired, settling = wanted.desired, memory.settling
        if desired is None or seen.status is None or left.cluster is None:
            return memory.proof
        well = (
            _is_whole(left)
            and not unrest(seen.status, None)
            and (settling is None or settling.over)
            and all(item.healthy for ref, item in works.items() if ref.kind in RESOURCE_KINDS)
        )
        patience = overlaid(self._rules, desired.state).settle_timeout
        return memory.proof.after(desired.revision, well=well, now=time.monotonic(), patience=patience)

    def _late(
        self, wanted: Wanted, observation: Observation, memory: Memory
    ) -> tuple[Attempt | None, tuple[Settling, ...]]:
        """Return the attempt of an earlier pass that has taken effect after all, and what is not followed any more.

        It may have done so before this pass, or just before its patch, which came too late because of that.
        """
        if memory.unheard is None:
            return None, ()
        attempt = memory.unheard.heard(observation.cib)
        memory.unheard = memory.unheard if attempt is None else None
        if attempt is None:
            return None, ()
        outcomes = tuple(outcome for outcome in attempt.outcomes if outcome.command.scope is Scope.CLUSTER)
        if not all(outcome.ok for outcome in outcomes):
            return None, ()
        attempt = replace(attempt, outcomes=outcomes)
        desired, in_force = attempt.wanted.desired, wanted.desired
        if desired and in_force and desired.revision == in_force.revision:
            memory.pace = memory.pace.after(desired.revision, attempt.outcomes, (), time.time())
        return attempt, self._begin(attempt, attempt.made()[0], memory)

    def _follow(
        self, wanted: Wanted, observation: Observation, memory: Memory
    ) -> tuple[Observation, tuple[Settling, ...], tuple[Outcome, ...]]:
        """See the last patch through before anything new is decided; what is reverted is seen anew.

        Returns:
            What is seen, what has ended, and the outcomes of reverts.
        """
        desired, settling = wanted.desired, memory.settling
        if desired is None or settling is None or settling.over:
            return observation, (), ()
        memory.settling = self._settler.follow(settling, observation, desired.revision)
        if not memory.settling.over:
            return observation, (), ()

        def look() -> Observation:
            return self._understand(self._observer.look_again(observation.snapshot), memory)

        rules = overlaid(self._rules, desired.state)
        holds = self._holds(desired, observation, rules, memory)
        followed = self._settler.remedy(memory.settling, observation, rules, holds, look)
        memory.settling = followed.revert or followed.settling
        self._judge(followed.settling, memory)
        ended = (followed.settling,) if followed.settling.over else ()
        return look() if followed.revert else observation, ended, followed.outcomes

    def _judge(self, settled: Settling, memory: Memory) -> None:
        """Remember what a patch says of its revision, and of what it has corrected."""
        if settled.remedy is Remedy.REVERTED:
            memory.proof = memory.proof.without(settled.revision)
        memory.untold += pauses.after(settled, time.time())

    def _begin(self, attempt: Attempt, changes: tuple[Change, ...], memory: Memory) -> tuple[Settling, ...]:
        """Begin to follow the patch that was made; return what is not followed any more."""
        desired, previous = attempt.wanted.desired, memory.settling
        if desired is None:
            return ()
        rules = overlaid(self._rules, desired.state)
        begun = self._settler.begin(attempt.planned, changes, attempt.before, previous, rules)
        if begun is None:
            return ()
        memory.settling = begun.correcting() if begun.revision == memory.proof.proven else begun
        return (previous.superseded("another patch was made"),) if previous and not previous.over else ()

    def _attempt(
        self,
        wanted: Wanted,
        observation: Observation,
        memory: Memory,
        earlier: Attempt | None = None,
        ready: Ahead | None = None,
    ) -> Attempt:
        """Plan and carry it out; what an earlier attempt of the same pass did to the node is not done again."""
        planned = self._decide(wanted, observation, memory, again=earlier is not None)
        commands = planned.plan.commands
        outcomes: tuple[Outcome, ...] = ()
        if earlier:
            commands = tuple(command for command in commands if command.scope is Scope.CLUSTER)
            outcomes = tuple(outcome for outcome in earlier.outcomes if outcome.command.scope is Scope.NODE)
        outcomes += apply(ready or self._shell, commands, self._settings.command_timeout)
        attempt = Attempt(wanted, observation, planned, outcomes, earlier.refusals if earlier else 0)
        return replace(attempt, refusals=attempt.refusals + attempt.too_late)

    def _wanted(self, now: float) -> Wanted:
        """Return what is wanted, with the secrets as they are now."""
        wanted = self._source.look(now)
        return replace(wanted, desired=self.vault.fill(wanted.desired)) if wanted.desired else wanted

    def _understand(self, snapshot: Snapshot, memory: Memory) -> Observation:
        observation = self.vault.conceal(understand(snapshot, self._settings.node, memory.observation))
        memory.observation = observation
        memory.looks.append(observation)
        memory.last_cib = observation.cib or memory.last_cib
        return observation

    def _decide(self, wanted: Wanted, observation: Observation, memory: Memory, *, again: bool = False) -> Decision:
        """Decide; `again` says that somebody was faster than the patch that was decided on a moment ago."""
        desired, now = wanted.desired, time.time()
        if desired is None:
            return Decision(Plan(), None, memory.inventory, blind(observation))
        rules = overlaid(self._rules, desired.state)
        holds = self._holds(desired, observation, rules, memory)
        live = observation.cluster.state if observation.cluster else {}
        observed_only = rules.left_alone(chain(desired.state, live))
        kept = observation.register
        memory.untold = pauses.untold(memory.untold, kept, desired.revision, now)
        harmed = pauses.holds((*kept.pauses, *memory.untold), desired.revision, now)
        left_alone = {**memory.breaker.holds(desired.revision, now), **harmed, **observed_only}
        waits = for_now(observation, rules)
        remembered = Remembered(memory.inventory, memory.last_cib, left_alone, waits)
        decision = decide(desired, observation, Policy(rules.prune), remembered, holds)
        cluster = decision.cluster
        if observation.cib is None or cluster is None:
            return decision
        told = pauses.telling(decision, observation.cib, kept, memory.untold, now)
        if isinstance(told, Decision):
            return told
        if told:
            decision = replace(decision, plan=replace(decision.plan, warnings=(*decision.plan.warnings, told)))
        patch = next((command for command in decision.plan.commands if command.scope is Scope.CLUSTER), None)
        if patch is None and any(hold.scope is Scope.CLUSTER for hold in waits):
            return decision
        if patch is None:
            return tidied(decision, observation.cib, kept, desired.revision, now)
        hold = memory.refused.hold(patch, _basis(observation)) if memory.refused else None
        if hold:
            return held(decision, [hold])
        inquiry = None if cluster.only_records else self._inquire(decision, observation, memory, again)
        return guarded(decision, Moment(desired, observation, inquiry, now), rules, kept)

    def _inquire(self, decision: Decision, observation: Observation, memory: Memory, again: bool) -> Inquiry:
        """Ask what a patch would lead to, about the same one and the same CIB once.

        Where others change the configuration faster than one can ask, what was found out a moment ago counts: else the
        same patch would come too late for ever.
        """
        patch = next(command for command in decision.plan.commands if command.scope is Scope.CLUSTER)
        edit, cib, planned = without_version(patch), observation.cib, decision.cluster
        if cib is None or planned is None:
            raise ValueError("there is no patch without a CIB")
        if memory.asked and memory.asked[0] == edit:
            _, text, inquiry, at = memory.asked
            # A busy DC is asked again in the next pass: that it has become idle leaves no trace in the CIB.
            # What nobody could foresee may just have taken too long.
            stale = isinstance(inquiry.forecast, NoForecast) and time.monotonic() - at > _ASK_AGAIN
            if again or (text == cib.text and inquiry.dc_state in {"", controller.IDLE} and not stale):
                return replace(inquiry, outdated=text != cib.text)
        busy = under_way(planned, observation.status)
        with usual():  # of a large configuration it takes long
            inquiry = self._simulator.inquire(cib, planned, cib.dc or "" if busy else "")
        memory.asked = (edit, cib.text, inquiry, time.monotonic())
        return inquiry

    def _holds(self, desired: Desired, observation: Observation, rules: Rules, memory: Memory) -> tuple[Hold, ...]:
        """Return what holds whole scopes."""
        now = time.time()
        return *standing(observation, rules, desired.revision), *memory.pace.holds(desired.revision, now)

    def _learn(self, attempt: Attempt, after: Observation, memory: Memory) -> tuple[Decision, frozenset[Scope]]:
        """Remember how it went, and decide again: about what is left, and what of it has to wait.

        Returns:
            That decision, and the scopes where nothing has changed although commands reported success.
        """
        wanted, planned, now = attempt.wanted, attempt.planned, time.time()
        revision = wanted.desired.revision if wanted.desired else ""
        memory.inventory = planned.inventory
        memory.refused = refusal(attempt.outcomes, _basis(attempt.before)) or memory.refused
        memory.breaker = memory.breaker.after(revision, attempt.made()[0], now)
        left = self._decide(wanted, after, memory)
        same = stuck(planned.plan.commands, left.plan.commands, moved=_moved(attempt.before, after))
        memory.pace = memory.pace.after(revision, attempt.outcomes, same, now)
        return self._decide(wanted, after, memory) if memory.pace.holds(revision, now) else left, same


def _is_whole(left: Decision) -> bool:
    """True if all of a revision is in the cluster: what is still to come is no correction, and may be to blame."""
    waits = any(hold.ref is not None and hold.scope is Scope.CLUSTER for hold in left.plan.holds)
    return left.cluster is not None and not left.cluster.plan.changes and not waits


def _scratch(runtime_dir: Path) -> Path | None:
    """Return where forecasts keep their CIBs: in memory, where an agent runs."""
    return runtime_dir if runtime_dir.is_dir() else None


def _basis(seen: Observation) -> str:
    """Return what decides whether the cluster takes a patch: the version of its configuration, and the schema."""
    if seen.cib is None:
        return ""
    admin_epoch, epoch = seen.cib.version.configuration
    return f"{seen.cib.attributes.get('validate-with', '')} {admin_epoch}.{epoch}"


def _moved(before: Observation, after: Observation) -> bool:
    """True if somebody else has changed the configuration too."""
    return before.cib is None or after.cib is None or after.cib.version.epoch > before.cib.version.epoch + 1
