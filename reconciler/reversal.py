"""Taking a patch back: the configuration as it was before, and the revision in quarantine, in one patch. Pure.

Never blindly: only while the configuration still is what the patch made of it. What the agents keep in the register
may have changed meanwhile, and is kept; Pacemaker's own entries do not count. Who owns what is in the configuration
too, so it is as it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from reconciler.cib import patch
from reconciler.cib.cluster import Update
from reconciler.cib.document import Cib
from reconciler.cib.draft import draft
from reconciler.cib.register import Quarantine, Register, RegisterError, edits, read
from reconciler.kinds.cluster_properties import PACEMAKERS
from reconciler.plan import Command
from reconciler.planner import CONFIGURATION, command
from reconciler.settling import Settling

_FEW = 3


@dataclass(frozen=True, slots=True)
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
        before = _cib(settling.baseline.before.configuration)
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
