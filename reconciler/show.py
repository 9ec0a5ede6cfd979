"""What the agent knows, for people: the texts of `status`, `get` and `describe`."""

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from reconciler import events, overrides
from reconciler.chronicle import AGENT
from reconciler.host import store
from reconciler.host.lock import agent_runs
from reconciler.host.store import STATUS
from reconciler.kinds import CLUSTER_KINDS, KINDS
from reconciler.manifests import nearest
from reconciler.overrides import Age
from reconciler.plan import Reason
from reconciler.records import kept_events
from reconciler.settling import Result
from reconciler.state import Scope

Document = Mapping[str, Any]
_LOOK = 0.25
_FEW = 5
_COLUMNS = ("KIND", "NAME", "SYNCED", "HEALTHY", "SINCE", "WHY")


class NoAgentError(Exception):
    """No agent runs on this node, or it has not finished its first pass."""


def documents(runtime_dir: Path, watch: bool) -> Iterator[Document]:
    """Yield what the agent knows; with `watch` again whenever it changes.

    Raises:
        NoAgentError: there is nobody who would know.
    """
    last = None
    while True:
        try:
            runs = agent_runs(runtime_dir)
        except PermissionError as error:
            raise NoAgentError(f"{error.filename}: permission denied: ask as root") from error
        if not runs:
            raise NoAgentError(f"no agent runs on this node (nobody holds the lock in {runtime_dir})")
        document = store.load(runtime_dir / STATUS)
        if document is None:
            raise NoAgentError(f"the agent has not finished its first pass ({runtime_dir / STATUS} cannot be read)")
        meaning = {key: value for key, value in document.items() if key != "agent"}
        if meaning != last:
            last = meaning
            yield document
        if not watch:
            return
        time.sleep(_LOOK)


def select(document: Document, kind: str, name: str) -> Document:
    """Keep the objects of a kind, and of a name, and the changes to them; both in any case, empty for all.

    Raises:
        click.ClickException: there is no such kind, or a name was given and there is no such object.
    """
    if kind and kind.lower() not in {item.lower() for item in KINDS}:
        raise click.ClickException(f"{kind!r} is no kind{nearest(kind, KINDS)}")

    def meant(items: Iterable[Document]) -> list[Document]:
        return [item for item in items if kind.lower() in ("", item["kind"].lower()) and name in ("", item["name"])]

    plan = document["plan"]
    chosen = meant(document["objects"])
    if name and not chosen:
        raise click.ClickException(f"the agent knows no {kind} {name}")
    return {**document, "objects": chosen, "plan": {**plan, "changes": meant(plan["changes"])}}


def describe(document: Document, kind: str, name: str, state_dir: Path) -> Document:
    """Keep one object, with its events; it may be gone, or not ours, if there are events of it.

    Raises:
        click.ClickException: nothing is known of such an object.
    """
    happened = kept_events(state_dir).of(kind, name)
    plan = document["plan"]
    theirs = [
        item["kind"]
        for item in (*plan["foreign"], *plan["overrides"])
        if (item["kind"].lower(), item["name"]) == (kind.lower(), name)
    ]
    try:
        chosen = select(document, kind, name)
    except click.ClickException:
        if not happened and not theirs:
            raise
        what = theirs[0] if theirs else happened[-1].ref.kind
        nothing: Document = {"observedRevision": "", "conditions": [], "foreign": bool(theirs)}
        chosen = {**document, "objects": [{"kind": what, "name": name, **nothing}]}
    return {**chosen, "events": events.dump(happened)}


def status_text(document: Document, *, colour: bool = False) -> str:
    """Return the agent's state in a few lines, then the objects that are not well."""
    agent, desired, cluster = document["agent"], document["desired"], document["cluster"]
    quorum = {True: "with quorum", False: "WITHOUT QUORUM", None: "quorum unknown"}[cluster["quorum"]]
    rows = [
        ("node", f"{agent['node']}, mode {agent['mode']}, reconciler {agent['version']}"),
        ("cluster", f"DC {cluster['dc'] or 'none'}, {quorum}, CIB {cluster['version'] or 'unseen'}"),
        ("writer", _writer(agent)),
        ("desired", f"{desired['directory']} at {desired['revision'][:12] or 'no revision'}"),
        ("seen", f"{_ago(agent['lastPass'])} ago, at {agent['lastPass']}"),
    ]
    lines = [click.style(text, fg="red", bold=True) if colour else text for text in _suspended(document)]
    lines += [f"{label:8} {text}" for label, text in rows]
    lines += [
        f"held     {hold['scope']}: {hold['reason']}: {hold['message']}"
        for hold in document["plan"]["holds"]
        if hold["kind"] is None and hold["reason"] not in (Reason.NOT_WRITER, Reason.SUSPENDED)
    ]
    lines += _awaiting(document)
    lines += [f"{'' if index else 'forecast':8} {text}" for index, text in enumerate(_foreseen(document))]
    lines += [f"blind    {scope}: {message}" for scope, message in agent["blind"].items()]
    lines += [f"problem  {desired['problem']}"] * bool(desired["problem"])
    lines += [f"         {fault}" for fault in desired["rejected"]]
    said = set(agent["blind"].values())
    lines += [
        f"unseen   {text}" for item in document["sources"].values() if (text := item["message"]) not in {"", *said}
    ]
    lines += [f"by hand  {_override(item)}, respected{_age(item)}" for item in document["plan"]["overrides"]]
    lines += [f"changed  {_happened(item)}" for item in document.get("outOfBand", [])[-_FEW:]]
    lines += [f"warning  {text}" for text in document["plan"]["warnings"]]
    lines += [f"{'' if index else 'settled':8} {text}" for index, text in enumerate(_settling(document))]
    objects = document["objects"]
    unwell = [item for item in objects if any(entry["status"] != "True" for entry in item["conditions"])]
    count = f"{len(objects)} object{'s' * (len(objects) != 1)}, {len(objects) - len(unwell)} synced and healthy"
    text = "\n".join([*lines, "", count]) + "\n"
    return text + (_table(unwell, colour) if unwell else "")


def _awaiting(document: Document) -> list[str]:
    """Say where to look for what holds the cluster's changes: the agent that does not write does not work it out."""
    count = sum(change["kind"] in CLUSTER_KINDS for change in document["plan"]["changes"])
    if not count or Reason.NOT_WRITER not in {hold["reason"] for hold in document["plan"]["holds"]}:
        return []
    what = f"{count} change{'s wait' if count > 1 else ' waits'} for the writer"
    return [f"held     cluster: {what}: its status, or `reconciler plan` here, tells if anything holds it up"]


def _foreseen(document: Document) -> list[str]:
    """Return what the patch that is still to be sent would lead to."""
    return list((document["plan"].get("forecast") or {}).get("lines", ()))


def _settling(document: Document) -> list[str]:
    """Return how the last patch settles, line by line; nothing if it did as it should."""
    settling = document.get("settling") or {}
    return [] if settling.get("result") == Result.AS_FORECAST else list(settling.get("lines", ()))


def _suspended(document: Document) -> list[str]:
    """Say loudly that nothing is changed, first of all."""
    found = document.get("suspended")
    if not found:
        return []
    where = "ON THIS NODE ALONE, " if found["onlyHere"] else ""
    who = f"since {found['since']} ({_ago(found['since'])}) until {found['until']} by {found['by']}: "
    return [f"SUSPENDED {where}{who if found['by'] else ''}{found['reason']}", "         `reconciler resume` ends it"]


def _age(item: Mapping[str, Any]) -> str:
    """Say for how long a person's setting has been there, in brackets."""
    if "since" not in item:
        return ""
    since = datetime.fromisoformat(item["since"]).timestamp()
    return f" ({overrides.words(Age(since, item['exact'], item['expired']), time.time())})"


def _happened(item: Mapping[str, Any]) -> str:
    named = item["involvedObject"]
    return f"{_ago(item['lastTimestamp'])} ago, {named['kind']}/{named['name']}: {item['message']}{_times(item)}"


def _times(item: Mapping[str, Any]) -> str:
    return f" ({item['count']} times since {item['firstTimestamp']})" if item["count"] > 1 else ""


def _writer(agent: Mapping[str, Any]) -> str:
    hold = agent["held"].get(Scope.CLUSTER)
    if hold and hold["reason"] == Reason.NOT_WRITER:
        return f"no: {hold['message']}"
    return "yes" if agent["writes"] else "no"


def get_text(document: Document, *, colour: bool = False) -> str:
    """Return a table of the objects."""
    return _table(document["objects"], colour) if document["objects"] else "no objects\n"


def _table(objects: list[Any], colour: bool) -> str:
    rows = [_COLUMNS, *(_row(item) for item in objects)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(_COLUMNS))]
    lines = []
    for row in rows:
        text = "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        unwell = row is not rows[0] and row[2:4] != ("True", "True")
        lines.append(click.style(text, fg="red") if colour and unwell else text)
    return "\n".join(lines) + "\n"


def _row(item: Mapping[str, Any]) -> tuple[str, ...]:
    conditions = {entry["type"]: entry for entry in item["conditions"]}
    synced, healthy = conditions["Synced"], conditions["Healthy"]
    loud = synced if synced["status"] != "True" else healthy
    why = ": ".join(part for part in (loud["reason"], loud["message"]) if part)
    return item["kind"], item["name"], synced["status"], healthy["status"], _ago(loud["lastTransitionTime"]), why


def _ago(moment: str) -> str:
    return overrides.lapse((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())


def describe_text(document: Document) -> str:
    """Return everything about the objects of the document."""
    lines = []
    for item in document["objects"]:
        lines += [f"{item['kind']} {item['name']}", *_standing(item)]
        for entry in item["conditions"]:
            why = f": {entry['message']}" if entry["message"] else ""
            lines.append(
                f"  {entry['type']:8}  {entry['status']:7}  {entry['reason']} since {entry['lastTransitionTime']}{why}"
            )
        for change in document["plan"]["changes"]:
            if (change["kind"], change["name"]) == (item["kind"], item["name"]):
                lines.append(f"  to {change['verb']}")
                lines += [f"    {_field(part)}" for part in change["fields"]]
        settling = document.get("settling") or {"surprises": ()}
        for surprise in settling["surprises"]:
            if surprise["subject"] == item["name"]:
                lines.append(f"  surprise  revision {settling['revision'][:12]}: {surprise['message']}")
        for override in document["plan"]["overrides"]:
            if (override["kind"], override["name"]) == (item["kind"], item["name"]):
                lines.append(f"  by hand   {override['field']} = {override['value']}, respected{_age(override)}")
    lines += ["  events"] * bool(document.get("events"))
    lines += [
        f"    {_ago(item['lastTimestamp']):>4} ago  {item['type']:7}  {item['reason']}: {item['message']}{_times(item)}"
        for item in document.get("events", ())
    ]
    return "\n".join(lines) + "\n"


def _standing(item: Mapping[str, Any]) -> list[str]:
    """Say by which revision an object is wanted, or why by none."""
    if item["conditions"]:
        return [f"  revision  {item['observedRevision'] or 'none'}"]
    if item["kind"] == AGENT:
        return []
    return ["  not ours, left alone" if item["foreign"] else "  no longer wanted or there: only its events are known"]


def _field(part: Mapping[str, Any]) -> str:
    before, after = ("(absent)" if part[key] is None else part[key] for key in ("before", "after"))
    return f"{part['path']}: {before} -> {after}"


def _override(item: Mapping[str, Any]) -> str:
    return f"{item['kind']}/{item['name']}: {item['field']} = {item['value']}"
