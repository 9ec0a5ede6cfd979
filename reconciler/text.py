"""A plan for people and for programs: text, JSON, crm's language, the patch itself. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from reconciler.cib import crm
from reconciler.decision import Decision
from reconciler.forecast import data, lines
from reconciler.kinds import CLUSTER_KINDS
from reconciler.plan import Change, FieldChange, Hold, Override, Plan, Verb
from reconciler.sealing import hushed, secrets_in, shown_patch, without_values
from reconciler.secret import shown
from reconciler.state import Ref, Scope

_COLOURS = {Verb.CREATE: "32", Verb.UPDATE: "33", Verb.DELETE: "31"}
_SIGNS = {Verb.CREATE: "+", Verb.UPDATE: "~", Verb.DELETE: "-"}
_FEW = 8
"""So many objects are named one by one."""


def plan_text(
    plan: Plan,
    forecast_lines: Sequence[str] = (),
    *,
    colour: bool = False,
    ages: Mapping[Override, str] = MappingProxyType({}),
) -> str:
    """Return the plan as a person reads it before it is applied; the last line says how much it is.

    Args:
        plan: what was decided.
        forecast_lines: what Pacemaker would do about it, shown as they are under a heading of their own.
        ages: for how long overrides have been there, in words, where that is known.
        colour: paint creations green, updates yellow, deletions red with ANSI escapes; for terminals only.
    """
    return _joined(
        *(list(_change(change, colour=colour)) for change in plan.changes),
        _held(plan),
        _block("Set by hand, respected:", _overrides(plan, ages)),
        _block("Not ours, left alone:", _foreign(plan.foreign)),
        _warnings(plan),
        _block("Pacemaker would then:", forecast_lines),
        [_paint(_summary(plan), "1", colour=colour)],
    )


def asides(plan: Plan) -> str:
    """Return what neither a patch nor crm's words can say of a plan: what is held back, and warnings."""
    return _joined(_held(plan), _warnings(plan))


def decision_text(
    decision: Decision, *, colour: bool = False, ages: Mapping[Override, str] = MappingProxyType({})
) -> str:
    """Return a decision's plan with its forecast as `plan_text` does."""
    return plan_text(decision.plan, lines(decision.forecast), colour=colour, ages=ages)


def decision_json(decision: Decision) -> dict[str, Any]:
    """Return a decision's plan for programs, with `digest`, which is what `approve` takes, and `forecast`.

    Both are null where there is nothing to send to the cluster.
    """
    digest = decision.demand.digest if decision.demand else None
    return {**plan_json(decision.plan), "digest": digest, "forecast": data(decision.forecast)}


def _joined(*blocks: Iterable[str]) -> str:
    texts = ("".join(f"{line}\n" for line in block) for block in blocks)
    return "\n".join(text for text in texts if text)


def _held(plan: Plan) -> list[str]:
    return _block("Held back, not done now:", _holds(plan.holds))


def _warnings(plan: Plan) -> list[str]:
    return _block("Warnings:", plan.warnings)


def _block(title: str, lines: Iterable[str]) -> list[str]:
    inner = [f"    {line}" for line in lines]
    return [title, *inner] if inner else []


def _change(change: Change, *, colour: bool) -> Iterator[str]:
    verb = f"adopt and {change.verb}" if change.adopts else str(change.verb)
    yield _paint(f"{_SIGNS[change.verb]} {verb} {change.ref}", _COLOURS[change.verb], colour=colour)
    for field in change.fields():
        before, after = (shown(field.path, value) for value in (field.before, field.after))
        match change.verb:
            case Verb.CREATE:
                yield f"    {field.path}: {after}"
            case Verb.DELETE:
                yield f"    {field.path}: {before}"
            case _:
                yield f"    {field.path}: {before or '(absent)'} -> {after or '(absent)'}"


def _paint(text: str, code: str, *, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def timestamp(seconds: float) -> str:
    """Say a time, given in Unix seconds, as RFC 3339 does, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _holds(holds: Iterable[Hold]) -> Iterator[str]:
    """Say each reason once, with all that it holds."""
    together: dict[tuple[str, str], list[str]] = {}
    for hold in holds:
        names = together.setdefault((hold.reason, hold.message), [])
        names.append(str(hold.ref or f"everything of the {hold.scope}"))
    for (reason, message), names in together.items():
        yield f"{_some(names)}: {reason}: {message}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(names[:_FEW]) + more


def _overrides(plan: Plan, ages: Mapping[Override, str]) -> Iterator[str]:
    for override in plan.overrides:
        age = f" ({ages[override]})" if override in ages else ""
        yield f"{override.ref}: {override.field} = {shown(override.field, override.value)}{age}"


def _foreign(refs: Sequence[Ref]) -> list[str]:
    if len(refs) <= _FEW:
        return [str(ref) for ref in refs]
    numbers = Counter(ref.kind for ref in refs)
    return [f"{len(refs)} objects: " + ", ".join(f"{number} {kind}" for kind, number in sorted(numbers.items()))]


def _summary(plan: Plan) -> str:
    numbers = Counter(change.verb for change in plan.changes)
    said = ", ".join(f"{numbers[verb]} to {verb}" for verb in Verb)
    held = f"{len(plan.holds)} held" if plan.holds else ""
    if plan.changes:
        text = f"Plan: {said}; {held}." if held else f"Plan: {said}."
    else:
        text = f"Nothing to change now; {held}." if held else "In sync: nothing to change."
    adopted = len(plan.adoptions) + sum(change.adopts for change in plan.changes)
    return (
        f"{text} ({adopted} object{'s become' if adopted > 1 else ' becomes'} recorded as ours.)" if adopted else text
    )


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return the plan for programs. Keys are added in later versions, never renamed or taken away.

    `changes`: a list of `{kind, name, verb, adopts, fields}` in the order in which they are made; verb is `create`,
    `update` or `delete`; `fields` is a list of `{path, before, after}`, texts or null. `adoptions` and `foreign`: lists
    of `{kind, name}`. `holds`: `{reason, message, scope, kind, name}`, the last two null where a whole scope is held.
    `overrides`: `{kind, name, field, value}`. `warnings`: texts. `commands`: `{argv, scope, objects}`, without what
    goes to their standard input: `--format xml` shows that.
    """
    return {
        "changes": [
            {
                **_named(change.ref),
                "verb": str(change.verb),
                "adopts": change.adopts,
                "fields": [_field(field) for field in change.fields()],
            }
            for change in plan.changes
        ],
        "adoptions": [_named(ref) for ref in plan.adoptions],
        "holds": [
            {"reason": str(hold.reason), "message": hold.message, "scope": str(hold.scope), **_named(hold.ref)}
            for hold in plan.holds
        ],
        "overrides": [
            {**_named(item.ref), "field": item.field, "value": shown(item.field, item.value)} for item in plan.overrides
        ],
        "foreign": [_named(ref) for ref in plan.foreign],
        "warnings": list(plan.warnings),
        "commands": [
            {
                "argv": list(command.argv),
                "scope": str(command.scope),
                "objects": [_named(ref) for ref in command.refs],
            }
            for command in plan.commands
        ],
    }


def _named(ref: Ref | None) -> Mapping[str, str | None]:
    return {"kind": ref.kind if ref else None, "name": ref.name if ref else None}


def _field(field: FieldChange) -> Mapping[str, str | None]:
    before, after = shown(field.path, field.before), shown(field.path, field.after)
    return {"path": field.path, "before": before, "after": after}


def plan_crm(plan: Plan) -> str:
    """Return what one would have typed into crm: the deletions for `crm configure`, the rest for its `load update`.

    What crm has no word for is a line of XML, which crm takes too; taking a property out of a set is a comment with the
    command that does it. Objects that only get recorded as ours need nothing. What has a value that is not shown is all
    comment, for with what stands there instead it must not be typed.
    """
    changes = [change for change in plan.changes if change.ref.kind in CLUSTER_KINDS]
    gone = [change.ref.name for change in reversed(changes) if change.after is None]
    text = f"# crm configure:\ndelete {' '.join(gone)}\n" if gone else ""
    lines = [f"{line}\n" for change in changes if change.after is not None for line in _crm(change) if line]
    return text + ("# crm configure load update:\n" + "".join(lines) if lines else "")


def _crm(change: Change) -> Iterator[str]:
    kind = CLUSTER_KINDS[change.ref.kind]
    if kind.bag and change.before is not None:
        for name in sorted(kind.bag.names(change.before) - kind.bag.names(change.after)):
            command = kind.bag.unset(change.ref.name, name)
            yield f"# {command}" if command else ""
    if change.after is None:
        return
    spec, hidden = hushed(change.after)
    try:
        said = kind.crm(change.ref.name, spec)
    except crm.UnsayableError:
        element = without_values(kind.write(change.ref.name, spec, None), secrets_in(spec))
        said = crm.xml(element, kind.members(spec), kind.section)
    if hidden:
        said = f"{change.ref} has values that are not shown; put them in, and take the # away:\n{said}"
        said = "\n".join(f"# {line}" for line in said.splitlines())
    yield said


def plan_xml(plan: Plan) -> str:
    """Return the patch that `cibadmin --patch` gets, empty if the CIB stays as it is.

    It is the exact one, but for values that are not shown: with such in it, it says so and Pacemaker refuses it.
    """
    patches = (command for command in plan.commands if command.scope is Scope.CLUSTER)
    return "".join(shown_patch(command.stdin, command.secrets) for command in patches)
