"""Taking a patch back: the configuration as it was before, and the revision in quarantine, in one patch. Pure.

Never blindly: only while the configuration still is what the patch made of it. What the agents keep in the register
may have changed meanwhile, and is kept; so are Pacemaker's own entries, which do not count. Who owns what is in the
configuration too, so it is as it was.
"""

import copy
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree as ET

from reconciler.cib import patch
from reconciler.cib.cluster import Update
from reconciler.cib.document import Cib
from reconciler.cib.draft import draft
from reconciler.cib.register import Quarantine, Register, RegisterError, edits, read
from reconciler.frozen import frozen
from reconciler.kinds.cluster_properties import PACEMAKERS
from reconciler.plan import Command
from reconciler.planner import CONFIGURATION, command
from reconciler.settling import Applied, Settling

_FEW = 3


@frozen
class Reversal:
    """The command that takes a patch back, and the configuration that it leads to."""

    command: Command
    configuration: ET.Element


def reversal(settling: Settling, live: Cib, updated: Update, at: int) -> Reversal | str:
    """Return what takes back everything since the settling's baseline, or why that cannot be done.

    Args:
        settling: of the patch that broke something.
        live: the cluster's configuration now.
        updated: who changed it last.
        at: the time, in Unix seconds.
    """
    try:
        since = changed_since(settling.applied.made, live)
        if since:
            who = " ".join(filter(None, (updated.user, updated.client and f"with {updated.client}")))
            where = f" on {updated.origin}" if updated.origin else ""
            return f"somebody has changed the configuration since ({since}; last {who or 'somebody'}{where})"
        before = _cib(_with_pacemakers(settling.baseline, live))
        quarantine = Quarantine(settling.revision, at, because(settling))
        kept = read(live)
        # What has released the revision once is not to release it from quarantine.
        others = tuple(approval for approval in kept.approvals if approval.revision != settling.revision)
        kept = replace(kept.quarantining(quarantine), approvals=others)
        configuration = draft(before, edits(before, kept))
        operations = tuple(patch.diff(live.configuration, configuration, CONFIGURATION))
    except (patch.AmbiguousChildrenError, RegisterError) as error:
        return str(error)
    patches = (settling.baseline, settling.applied)
    refs = tuple(dict.fromkeys(ref for applied in patches for ref in applied.changed))
    secrets = tuple(dict.fromkeys(secret for applied in patches for secret in applied.secrets))
    return Reversal(command(operations, live, refs, secrets), configuration)


def _with_pacemakers(baseline: Applied, live: Cib) -> ET.Element:
    """Return the configuration before, with what Pacemaker has noted of itself since: its version, or a watchdog.

    A revert that brought an old `dc-version` back would lie until the next election.
    """
    configuration = copy.deepcopy(baseline.before.configuration)
    left = {bag.get("id"): _notes(bag) for bag in baseline.made.iterfind(_SETS)}
    for bag in configuration.iterfind(_SETS):
        there = live.by_id.get(bag.get("id", ""))
        now, then = _notes(there), left.get(bag.get("id"), {})
        since = {name for name in PACEMAKERS if _value(now.get(name)) != _value(then.get(name))}
        for pair in [pair for pair in bag if pair.get("name") in since]:
            bag.remove(pair)
        for place, pair in enumerate(there if there is not None else ()):
            if pair.get("name") in since:
                bag.insert(place, copy.deepcopy(pair))
    return configuration


_SETS = "crm_config/cluster_property_set"


def _notes(bag: ET.Element | None) -> dict[str, ET.Element]:
    """Return the entries of a property set that are Pacemaker's own, by name."""
    pairs = bag.iterfind("nvpair") if bag is not None else ()
    return {name: pair for pair in pairs if (name := pair.get("name", "")) in PACEMAKERS}


def _value(pair: ET.Element | None) -> str | None:
    return None if pair is None else pair.get("value")


def because(settling: Settling) -> str:
    """Say in a few words why a revision is taken back."""
    names = ", ".join(settling.broken[:_FEW]) + (" and more" if len(settling.broken) > _FEW else "")
    were = "were" if len(settling.broken) > 1 else "was"
    return f"{names} {were} running and healthy before it and not after"


def is_as_made(made: ET.Element, live: Cib) -> bool:
    """Tell whether the configuration still is what a patch made of it."""
    try:
        return not changed_since(made, live)
    except patch.AmbiguousChildrenError:
        return False


def changed_since(made: ET.Element, live: Cib) -> str:
    """Name what is not as a patch made it; empty if all is.

    Raises:
        AmbiguousChildrenError: they cannot be compared.
    """
    names = list(dict.fromkeys(_differences(made, live)))
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")


def _differences(made: ET.Element, live: Cib) -> Iterator[str]:
    """Yield the ids of what differs."""
    for operation in patch.diff(_unregistered(_cib(made)), _unregistered(live), CONFIGURATION):
        element = operation.after if operation.after is not None else operation.before
        if element is None or element.get("name") not in PACEMAKERS:
            yield (element.get("id") if element is not None else None) or operation.path.rpartition("/")[2]


def _unregistered(cib: Cib) -> ET.Element:
    """Return the configuration without the register."""
    return draft(cib, edits(cib, Register()))


def _cib(configuration: ET.Element) -> Cib:
    root = ET.Element("cib")
    root.append(configuration)
    return Cib("", root)
