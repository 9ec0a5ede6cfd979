"""A pass as events: what was done, what failed, what is held and no longer held, what others did. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from itertools import groupby

from reconciler.events import Edited, Event, Source, Teller, Type, Why, edited, words
from reconciler.expectation import Sort
from reconciler.forensics import By, Difference, Edit, Editor
from reconciler.frozen import frozen
from reconciler.health import RESOURCE_KINDS
from reconciler.metrics import failovers
from reconciler.metrics.memory import Cause
from reconciler.overrides import Age, Mark
from reconciler.pace import MOVED
from reconciler.plan import Reason, Verb
from reconciler.reconciliation import Reconciliation
from reconciler.settling import Result
from reconciler.state import Ref, Scope
from reconciler.status import Condition, ObjectStatus

COMPONENT = "reconciler"
AGENT = "Agent"
"""What an agent itself is called as an object of events; its name is its node's."""

_DONE = {Verb.CREATE: "created", Verb.UPDATE: "updated", Verb.DELETE: "deleted"}
_MANY = 50
_EXPECTED = frozenset({Reason.NOT_WRITER, Reason.OBSERVE_ONLY})
_TOLD_OTHERWISE = frozenset({Reason.FAILED, Reason.UNOBSERVABLE, Result.SETTLING})
"""Reasons of conditions that have events of their own: of the object, or one of the agent for all."""

_UNKNOWN = frozenset({Reason.UNOBSERVABLE, Result.SETTLING})
"""Reasons after which only bad news is news."""


@frozen
class Noted:
    """What was found out in a pass: edits of others, how old overrides are, the last changes out of band."""

    edits: tuple[Edit, ...] = ()
    ages: Mapping[Mark, Age] = field(default_factory=dict)
    recent: tuple[Event, ...] = ()


Held = Mapping[tuple[Scope, str], str]
"""What holds a whole scope: the reason and its message."""


def held(done: Reconciliation) -> Held:
    """Return what holds whole scopes after a pass; a pause after a failure is told of as that failure."""
    holds = {
        (hold.scope, str(hold.reason)): hold.message
        for hold in done.decision.plan.holds
        if hold.ref is None and hold.reason is not Reason.BACKING_OFF
    }
    unseen = {(scope, str(Reason.UNOBSERVABLE)): message for scope, message in done.decision.blind.items()}
    return {**holds, **unseen}


def events(done: Reconciliation, objects: Mapping[Ref, ObjectStatus], before: Held) -> list[Event]:
    """Return what happened in a pass, in order.

    Args:
        done: the pass.
        objects: the conditions before it.
        before: what held whole scopes before it.
    """
    tell = _teller(done.observation.node, done.began + done.seconds)
    return [
        *_settled(done, tell),
        *_holds(done, before, tell),
        *_made(done, tell),
        *_failed(done, tell),
        *_transitions(done, objects, tell),
    ]


def started(node: str, version: str, at: float) -> Event:
    """Return the event of an agent's start."""
    return _teller(node, at).normal(Ref(AGENT, node), Why.STARTED, f"version {version}")


def _teller(node: str, at: float) -> Teller:
    return Teller(Source(COMPONENT, node), at)


def _holds(done: Reconciliation, before: Held, tell: Teller) -> Iterator[Event]:
    ref, now = Ref(AGENT, done.observation.node), held(done)
    for (scope, reason), message in now.items():
        if (scope, reason) not in before:
            text = f"changes of the {scope} are held: {message}"
            yield tell.normal(ref, reason, text) if reason in _EXPECTED else tell.warning(ref, reason, text)
    for scope, reason in sorted(before.keys() - now.keys()):
        yield tell.normal(ref, Why.RELEASED, f"changes of the {scope} are no longer held: {reason}")


def _made(done: Reconciliation, tell: Teller) -> list[Event]:
    found = []
    for change in done.applied:
        made, said = _change(Difference(change.ref, change.verb, change.fields()))
        message = f"{_DONE[change.verb]} for revision {done.revision[:12]}{said}"
        found.append(tell.normal(change.ref, Why.APPLIED, message, made))
    message = "it already was as wanted, and is now recorded as ours"
    adopted = [tell.normal(ref, Why.ADOPTED, message) for ref in done.adopted]
    return [*few(found, tell), *few(adopted, tell)]


def _settled(done: Reconciliation, tell: Teller) -> list[Event]:
    """Tell what was not as forecast after a patch, and what it broke."""
    live = done.observation.cluster.state if done.observation.cluster else {}
    known = {ref.name: ref for ref in (*live, *done.objects) if ref.kind in RESOURCE_KINDS}
    found = []
    for one in done.settled:
        patch = f"revision {one.revision[:12]}"
        for surprise in one.surprises:
            ref = Ref("Node", surprise.subject) if surprise.sort is Sort.NODE else known.get(surprise.subject)
            ref = ref or Ref("Primitive", surprise.subject)
            found.append(tell.warning(ref, Why.SURPRISE, f"after {patch}: {surprise.message}"))
        for name in one.broken:
            message = f"running and healthy before {patch} and not after; {one.done}"
            found.append(tell.warning(known.get(name, Ref("Primitive", name)), Why.HARM, message))
    return few(found, tell)


def _failed(done: Reconciliation, tell: Teller) -> Iterator[Event]:
    for outcome in done.outcomes:
        if not outcome.ok and outcome.code != MOVED:
            yield from few([tell.warning(ref, Reason.FAILED, outcome.stderr) for ref in outcome.command.refs], tell)


def _transitions(done: Reconciliation, objects: Mapping[Ref, ObjectStatus], tell: Teller) -> list[Event]:
    found = []
    for ref, now in done.objects.items():
        before = {item.type: item for item in objects[ref].conditions} if ref in objects else {}
        found += [_condition(ref, item, tell) for item in now.conditions if _is_news(item, before.get(item.type))]
    found.sort(key=lambda item: item.reason)
    return [item for _, alike in groupby(found, lambda item: item.reason) for item in few(list(alike), tell)]


def _is_news(now: Condition, before: Condition | None) -> bool:
    if now.reason in _TOLD_OTHERWISE:
        return False
    if before is None or before.reason in _UNKNOWN:
        return now.status != "True"
    return (before.status, before.reason) != (now.status, now.reason)


def _condition(ref: Ref, now: Condition, tell: Teller) -> Event:
    message = f"{now.type} is {now.status}{': ' * bool(now.message)}{now.message}"
    return tell.normal(ref, now.reason, message) if now.status == "True" else tell.warning(ref, now.reason, message)


def few(found: list[Event], tell: Teller) -> list[Event]:
    """Tell of the first of very many objects, and in one event how many more there are."""
    if len(found) <= _MANY:
        return found
    rest = found[_MANY:]
    message = f"{rest[0].reason}: so it is with {len(rest)} more objects, {rest[-1].ref} for one"
    ref = Ref(AGENT, tell.source.host)
    warns = rest[0].type is Type.WARNING
    more = tell.warning(ref, Why.MANY, message) if warns else tell.normal(ref, Why.MANY, message)
    return [*found[:_MANY], more]


def of_edits(edits: Iterable[Edit], node: str, at: float) -> list[Event]:
    """Return what others did to the configuration, as this node's agent found out."""
    tell = _teller(node, at)
    return [item for edit in edits for item in few([_of_edit(edit, found, at) for found in edit.differences], tell)]


def _of_edit(edit: Edit, found: Difference, at: float) -> Event:
    by = edit.editor
    made, said = _change(found)
    made = replace(made, before=str(edit.before), after=str(edit.after), written=by.written)
    if edit.by is By.AGENT:
        message = f"{_DONE[found.verb]} by the agent on {by.origin or 'another node'}{said}"
        return Teller(Source(COMPONENT, by.origin), at).normal(found.ref, Why.APPLIED, message, made)
    if edit.by is By.UNKNOWN:
        made = replace(made, written="")
        last = f"several changes at once, of which {by.client} on {by.origin or 'an unknown node'} made the last"
        message = f"{_DONE[found.verb]} by somebody unknown ({last}; another node's agent may know who){said}"
        return Teller(Source(""), at).warning(found.ref, Why.OUT_OF_BAND, message, made)
    tell = Teller(Source(by.client, by.origin, by.user), at)
    message = f"{_DONE[found.verb]} by {who(by, edit.unseen)}{said}"
    if edit.by is By.PACEMAKER:
        return tell.normal(found.ref, Why.BY_PACEMAKER, message, made)
    return tell.warning(found.ref, Why.OUT_OF_BAND, message, made)


def who(by: Editor, unseen: int = 0) -> str:
    """Say who wrote a version; who wrote versions before it that nobody saw, nobody knows."""
    tool = "cibadmin (crm and pcs use it)" if by.client == "cibadmin" else by.client
    text = f"{by.user or 'somebody'} with {tool or 'an unknown program'} on {by.origin or 'an unknown node'}"
    return f"{text}, and perhaps by others (the last of {unseen + 1} changes)" if unseen else text


def _change(found: Difference) -> tuple[Edited, str]:
    made = edited(found.verb, found.fields)
    said = words(made, len(found.fields) - len(made.fields))
    return made, f": {said}" if said else ""


def of_failover(found: failovers.Event, ref: Ref) -> Event:
    """Return a failover or a recovery that was counted, as an event of the resource."""
    tell = _teller(found.target, found.at)
    if found.kind is failovers.Kind.RECOVERY:
        return tell.warning(ref, Why.RECOVERY, f"restarted on {found.target}")
    message = f"came from {found.source} to {found.target} ({found.cause})"
    planned = found.cause is Cause.PLANNED
    return tell.normal(ref, Why.FAILOVER, message) if planned else tell.warning(ref, Why.FAILOVER, message)
