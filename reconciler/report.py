"""A pass as a document: what `status`, `get` and `describe` show, and what is kept over restarts. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reconciler import __version__, events
from reconciler.chronicle import Noted
from reconciler.observation import Observation
from reconciler.overrides import Mark
from reconciler.reconciliation import Reconciliation
from reconciler.settling import Settling, lines
from reconciler.state import Ref, Scope
from reconciler.status import HEALTHY, SYNCED, Condition, ObjectStatus
from reconciler.suspension import in_force, stored
from reconciler.text import decision_json, timestamp
from reconciler.writer import writes

_NOTHING = Noted()


def report(done: Reconciliation, mode: str, directory: str, started: float, noted: Noted = _NOTHING) -> dict[str, Any]:
    """Return the document of a pass; times are RFC 3339 in UTC.

    `plan` is as `plan --format json` shows it; its overrides have a `since` here, `exact` if it is no later than that,
    and `expired` if they are without effect. `outOfBand` are the last events of changes that no agent made.
    """
    plan = decision_json(done.decision)
    for item, override in zip(plan["overrides"], done.decision.plan.overrides, strict=True):
        age = noted.ages.get(Mark.of(override))
        if age:
            item |= {"since": timestamp(age.since), "exact": age.exact, "expired": age.expired}
    observation, wanted = done.observation, done.wanted
    cib = observation.cib
    held = {hold.scope: hold for hold in reversed(done.decision.plan.holds) if hold.ref is None}
    return {
        "agent": {
            "version": __version__,
            "node": observation.node,
            "mode": mode,
            "started": timestamp(started),
            "lastPass": timestamp(done.began),
            "lastPassSeconds": round(done.seconds, 4),
            "writes": bool(done.revision)
            and writes(done.decision.plan.holds)
            and Scope.CLUSTER not in done.decision.blind,
            "held": {scope.value: {"reason": hold.reason, "message": hold.message} for scope, hold in held.items()},
            "blind": {scope.value: message for scope, message in done.decision.blind.items()},
        },
        "desired": {
            "directory": directory,
            "revision": wanted.desired.revision if wanted.desired else "",
            "reason": wanted.reason,
            "problem": wanted.problem,
            "rejected": [str(item) for item in wanted.rejected],
        },
        "suspended": _suspended(observation),
        "cluster": {
            "version": str(cib.version) if cib else "",
            "dc": (cib.dc or "") if cib else "",
            "quorum": cib.have_quorum if cib else None,
        },
        "sources": {
            str(source): {"up": source not in observation.problems, "message": _message(done, source)}
            for source in observation.snapshot.answers
        },
        "objects": [_object(item) for item in done.objects.values()],
        "settling": _settling(done.settling),
        "plan": plan,
        "outOfBand": events.dump(noted.recent),
    }


def _settling(settling: Settling | None) -> dict[str, Any] | None:
    if settling is None:
        return None
    return {
        "revision": settling.revision,
        "applied": timestamp(settling.applied.at),
        "takesBack": settling.applied.takes_back,
        "result": settling.result,
        "seconds": round(settling.seconds, 1),
        "surprises": [
            {"about": item.sort, "subject": item.subject, "message": item.message} for item in settling.surprises
        ],
        "broken": list(settling.broken),
        "remedy": settling.remedy,
        "lines": list(lines(settling)),
    }


def _suspended(observation: Observation) -> dict[str, Any] | None:
    """Return the suspension in force; null if nothing is suspended."""
    found = in_force(observation.register, observation.snapshot.suspended, observation.snapshot.at)
    return stored(found) | {"onlyHere": found == observation.snapshot.suspended} if found else None


def _message(done: Reconciliation, source: Any) -> str:
    problem = done.observation.problems.get(source)
    return problem.message if problem else ""


def _object(item: ObjectStatus) -> dict[str, Any]:
    return {
        "kind": item.ref.kind,
        "name": item.ref.name,
        "observedRevision": item.revision,
        "conditions": [
            {
                "type": condition.type,
                "status": condition.status,
                "reason": condition.reason,
                "message": condition.message,
                "lastTransitionTime": timestamp(condition.since),
            }
            for condition in item.conditions
        ],
    }


def objects_in(document: Any) -> dict[Ref, ObjectStatus]:
    """Return the conditions that a kept document holds; what cannot be read is left out."""
    found = {}
    items = document.get("objects") if isinstance(document, Mapping) else None
    for item in items if isinstance(items, list) else []:
        try:
            ref = Ref(item["kind"], item["name"])
            conditions = tuple(
                Condition(
                    entry["type"],
                    entry["status"],
                    entry["reason"],
                    entry["message"],
                    datetime.fromisoformat(entry["lastTransitionTime"]).timestamp(),
                )
                for entry in item["conditions"]
            )
            found[ref] = ObjectStatus(ref, conditions, item["observedRevision"])
        except (KeyError, TypeError, ValueError):
            continue
    return found


def all_well(document: Mapping[str, Any]) -> bool:
    """True if every object is synced and healthy, what is in force is what the directory says, and nobody suspended it.

    All may be well while it is suspended, but nothing is repaired then: who has forgotten it is to notice.
    """
    conditions = [entry for item in document["objects"] for entry in item["conditions"]]
    fine = all(entry["status"] == "True" for entry in conditions if entry["type"] in (SYNCED, HEALTHY))
    plan = document["plan"]
    if document.get("suspended"):
        return False
    return fine and not document["desired"]["problem"] and not document["agent"]["blind"] and not plan["changes"]
