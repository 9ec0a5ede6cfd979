"""The verbs `suspend` and `resume`: write the register from any node, or this node's file where there is no cluster."""

import os
import pwd
import time
from collections.abc import Callable
from dataclasses import replace

from reconciler.cib import register
from reconciler.cib.document import CibError, parse
from reconciler.cib.register import Register, RegisterError, Suspension
from reconciler.frozen import frozen
from reconciler.host import store
from reconciler.host.shell import Call, Shell
from reconciler.pace import MOVED
from reconciler.planner import PATCH
from reconciler.settings import Settings
from reconciler.suspension import FOREVER, moment, stored, until, worded

_QUERY = ("cibadmin", "--query")
_TRIES = 50
_PAUSE = 0.05


class FreezeError(Exception):
    """It could not be done; the message is for people."""


class UnreachableError(FreezeError):
    """The cluster cannot be read or changed from here."""


@frozen
class Done:
    """What came of it, for people; `everywhere` is False if it holds for this node alone."""

    message: str
    everywhere: bool = True


def edit(shell: Shell, timeout: float, change: Callable[[Register], Register]) -> Register:
    """Change the register with a versioned patch, again if somebody else was faster; return what it was before.

    Args:
        shell: runs cibadmin.
        timeout: seconds for each command.
        change: makes the new register of the present one.

    Raises:
        UnreachableError: the cluster cannot be asked, or does not take the patch.
        FreezeError: the register cannot be written.
    """
    for _ in range(_TRIES):
        asked = shell.run(Call(_QUERY, timeout=timeout))
        if asked.failure:
            raise UnreachableError(asked.message)
        try:
            cib = parse(asked.stdout)
            before = register.read(cib)
            text = register.patched(cib, change(before))
        except CibError as error:
            raise UnreachableError(f"{' '.join(_QUERY)}: {error}") from error
        except RegisterError as error:
            raise FreezeError(str(error)) from error
        if text is None:
            return before
        sent = shell.run(Call(PATCH, text, timeout))
        if not sent.failure:
            return before
        if sent.code != MOVED:
            raise UnreachableError(sent.message)
        time.sleep(_PAUSE)
    raise UnreachableError(f"the configuration changed {_TRIES} times while it was being written to; try again")


def suspend(settings: Settings, shell: Shell, reason: str, end: str) -> Done:
    """Suspend all agents; where the cluster cannot be reached, this node's.

    What is suspended already is suspended anew, since when it was first.

    Raises:
        FreezeError: the reason or the time is no good, or nothing could be written.
    """
    now = time.time()
    try:
        wanted = Suspension(int(now), until(end, now), person(settings), worded(reason))
    except ValueError as error:
        raise FreezeError(str(error)) from error

    def change(before: Register) -> Register:
        lasting = before.suspended if before.suspended and before.suspended.until > now else None
        return replace(before, suspended=replace(wanted, since=lasting.since) if lasting else wanted)

    lasts = f"until {moment(wanted.until)}: {wanted.reason}"
    file = settings.state_dir / store.SUSPENSION
    try:
        before = edit(shell, settings.command_timeout, change).suspended
    except UnreachableError as error:
        if refusal := store.save(file, stored(wanted)):
            raise FreezeError(f"{error}; and this node cannot be suspended alone: {refusal}") from error
        return Done(f"ONLY THIS NODE is suspended, {lasts}\nthe cluster cannot be reached: {error}", everywhere=False)
    trouble = store.remove(file)
    instead = f" (it was until {moment(before.until)} by {before.by})" if before and before.until > now else ""
    return Done("\n".join(filter(None, (f"suspended on all nodes {lasts}{instead}", trouble))))


def resume(settings: Settings, shell: Shell) -> Done:
    """End the suspension of all agents, and of this node's.

    Raises:
        FreezeError: the cluster cannot be reached and this node itself is not suspended, or a file cannot be removed.
    """
    now = time.time()
    file = settings.state_dir / store.SUSPENSION
    here = store.suspension(file)
    try:
        before = edit(shell, settings.command_timeout, lambda found: replace(found, suspended=None, unreadable=()))
    except UnreachableError as error:
        if here is None:
            raise FreezeError(f"the cluster cannot be reached: {error}; this node alone is not suspended") from error
        if refusal := store.remove(file):
            raise FreezeError(refusal) from error
        message = f"this node goes on; whether the cluster is suspended nobody can say: {error}"
        return Done(message, everywhere=False)
    trouble = store.remove(file)
    ended = [_ended(one) for one in (before.suspended, here) if one and one.until > now]
    ended += [f"removed what could not be read: {name} = {value}" for name, value in before.unreadable]
    return Done("\n".join(filter(None, (*ended, trouble))) or "nothing is suspended", everywhere=not trouble)


def _ended(suspension: Suspension) -> str:
    if suspension.until == FOREVER:
        return f"ended: {suspension.reason}"
    since, end = moment(suspension.since), moment(suspension.until)
    return f"ended: suspended since {since} until {end} by {suspension.by}: {suspension.reason}"


def person(settings: Settings) -> str:
    """Return who asks, as `root@vm-node1`: who is behind sudo, if anybody is."""
    user = os.environ.get("SUDO_USER") or os.environ.get("USER") or _login()
    return f"{user}@{settings.node or os.uname().nodename}"


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
