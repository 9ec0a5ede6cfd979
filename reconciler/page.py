"""The status page: what the agent knows, for a browser. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24; }
h1 { font-size: 1.3rem } h2 { font-size: 1.05rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .7rem .3rem 0; }
th { border-bottom: 1px solid #d0d7de; font-weight: 600 } td { border-bottom: 1px solid #eaeef2; vertical-align: top }
.True { color: #1a7f37 } .False { color: #cf222e; font-weight: 600 } .Unknown { color: #9a6700; font-weight: 600 }
.trouble { background: #fff1f0; border-left: .3rem solid #cf222e; padding: .5rem 1rem; margin: .5rem 0 }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #e6edf3 } th { border-color: #3d444d }
  td { border-color: #262c36 } .trouble { background: #2d1316 } .True { color: #3fb950 } .False { color: #ff7b72 } }
"""


def page(document: Mapping[str, Any]) -> str:
    """Return the document of a pass as one HTML page, which looks again every five seconds."""
    agent, desired, cluster = document["agent"], document["desired"], document["cluster"]
    quorum = {True: "with quorum", False: "without quorum", None: "quorum unknown"}[cluster["quorum"]]
    facts = [
        ("Cluster", f"DC {cluster['dc'] or 'none'}, {quorum}, CIB {cluster['version'] or 'unseen'}"),
        ("Agent", f"{agent['version']}, mode {agent['mode']}, writes: {'yes' if agent['writes'] else 'no'}"),
        ("Desired", f"{desired['directory']} at {desired['revision'][:12] or 'no revision'}"),
        ("Last pass", f"{agent['lastPass']}, {agent['lastPassSeconds'] * 1000:.0f} ms"),
    ]
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">',
            f"<title>{escape(agent['node'])}: reconciler</title><style>{_STYLE}</style></head><body>",
            f"<h1>{escape(agent['node'])}</h1>",
            _table((), facts),
            *(f'<p class="trouble">{escape(text)}</p>' for text in _troubles(document)),
            "<h2>Objects</h2>",
            _objects(document["objects"]),
            *_by_hand(document["plan"]["overrides"]),
            *_out_of_band(document.get("outOfBand", [])),
            '<p><a href="/metrics">metrics</a></p></body></html>\n',
        )
    )


def _troubles(document: Mapping[str, Any]) -> Iterable[str]:
    agent, desired = document["agent"], document["desired"]
    if found := document.get("suspended"):
        yield f"SUSPENDED until {found['until']} by {found['by'] or 'somebody'}: {found['reason']}"
    yield from (f"{scope}: {message}" for scope, message in agent["blind"].items())
    yield from (f"{scope} held: {hold['reason']}: {hold['message']}" for scope, hold in agent["held"].items())
    if desired["problem"]:
        yield desired["problem"]
    yield from desired["rejected"]
    yield from (source["message"] for source in document["sources"].values() if not source["up"])


def _objects(objects: Iterable[Mapping[str, Any]]) -> str:
    rows = []
    for item in objects:
        conditions = {entry["type"]: entry for entry in item["conditions"]}
        cells = [f"<td>{escape(item['kind'])}</td><td>{escape(item['name'])}</td>"]
        cells += [
            f'<td class="{escape(conditions[name]["status"])}">{escape(conditions[name]["status"])}</td>'
            for name in ("Synced", "Healthy")
        ]
        loud = next((entry for entry in item["conditions"] if entry["status"] != "True"), conditions["Healthy"])
        why = ": ".join(part for part in (loud["reason"], loud["message"]) if part)
        cells.append(f"<td>{escape(why)}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("Kind", "Name", "Synced", "Healthy", "Why"))
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _by_hand(overrides: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    if overrides:
        rows = [
            (f"{item['kind']}/{item['name']}", f"{item['field']} = {item['value']}", _since(item)) for item in overrides
        ]
        yield "<h2>Set by hand, respected</h2>"
        yield _table(("What", "Setting", "Since"), rows)


def _since(override: Mapping[str, Any]) -> str:
    if "since" not in override:
        return ""
    earlier = "" if override["exact"] else " or before"
    return f"{override['since']}{earlier}{', expired' if override['expired'] else ''}"


def _out_of_band(happened: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    if happened:
        what = [(item["lastTimestamp"], item["involvedObject"], item["message"]) for item in reversed(happened)]
        rows = [(at, f"{named['kind']}/{named['name']}", message) for at, named, message in what]
        yield "<h2>Changed out of band</h2>"
        yield _table(("When", "What", "How"), rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["".join(f"<th>{escape(name)}</th>" for name in head)] if head else []
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
