"""Where secrets are read, and where it is kept what has to stay hidden.

Facts used: systemd.exec(5) on credentials (`$CREDENTIALS_DIRECTORY`, for a system service `/run/credentials/UNIT`),
corosync.conf(5) on the authkey (one for all nodes, readable by root only), `proc(5)` (/proc/self/fd opens exactly what
was examined, so that neither a FIFO blocks nor a device starts).
"""

import hmac
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.host import store
from reconciler.host.directory import explain
from reconciler.kinds.observe import Observed
from reconciler.observation import Observation
from reconciler.sealing import Given, conceal, resolve, sources, still_there
from reconciler.secret import MOST_BYTES, Place, Reading, Seal, Secret, Source, Unavailable, understand
from reconciler.state import Desired, Ref, State

KEPT = "secrets.json"
AUTHKEY = Path("/etc/corosync/authkey")
SERVICE_CREDENTIALS = Path("/run/credentials/reconciler.service")
"""Where root finds the credentials of the running agent."""

_LEAST_KEY = 16
_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_OTHERS = {
    Place.FILE: stat.S_IRWXG | stat.S_IRWXO,
    # systemd guards their directory, and gives a group's bits to whom it lets in.
    Place.CREDENTIAL: stat.S_IWGRP | stat.S_IRWXO,
}
_MADE_OF = b"reconciler: the key of the digests of secrets"


class Vault:
    """Puts secrets into what is wanted, anew in every pass, and closes the live ones."""

    def __init__(self, state_dir: Path, authkey: Path = AUTHKEY) -> None:
        self._file = state_dir / KEPT
        self._kept = store.load(self._file)
        self._new_key = os.urandom(32)
        own = _kept_key(self._kept) or self._new_key
        self._seal = Seal(_shared_key(authkey) or own)
        self._own_key = own
        self._given: frozenset[Given] = _kept_given(self._kept)
        self._ever = self._given
        self._state: State | None = None
        self._sources: Mapping[Ref, frozenset[tuple[str, Source]]] = {}
        self._filled: tuple[Desired, Mapping[Source, Secret], Desired] | None = None

    def fill(self, desired: Desired) -> Desired:
        """Read what the manifests refer to; what cannot be read stays a secret that says why.

        The same manifests and values give the same object again; manifests without secrets come back as they are.
        """
        if self._state is not desired.state:
            self._state, self._sources = desired.state, sources(desired.state)
            self._given |= {(ref, name) for ref, items in self._sources.items() for name, _ in items}
            self._ever |= self._given
        if not self._sources:
            return desired
        wanted = {source for items in self._sources.values() for _, source in items}
        found = {source: self._seal.take(source, read(source)) for source in wanted}
        if self._filled is None or self._filled[0] is not desired or self._filled[1] != found:
            self._filled = desired, found, resolve(desired, self._sources, found)
        return self._filled[2]

    def conceal(self, observation: Observation) -> Observation:
        """Close the live values of all parameters that are or were given as secrets."""
        if observation.cluster is None or not self._given:
            return observation
        cluster = conceal(observation.cluster, self._given, self._seal)
        wanted = {(ref, name) for ref, items in self._sources.items() for name, _ in items}
        self._given = still_there(self._given, cluster) | wanted
        return observation if cluster is observation.cluster else replace(observation, cluster=cluster)

    def close(self, observed: Observed) -> Observed:
        """Close the values, in an older configuration too, of all parameters that were ever given as secrets."""
        return conceal(observed, self._ever, self._seal)

    def keep(self) -> str:
        """Write down what has to stay hidden, if it has changed; return what went wrong, empty if nothing did."""
        given = sorted([ref.kind, ref.name, name] for ref, name in self._given)
        if not given and self._kept is None:
            return ""
        content = {"key": self._own_key.hex(), "given": given}
        trouble = store.save(self._file, content) if content != self._kept else ""
        if not trouble:
            self._kept = content
        return trouble


def read(source: Source) -> Reading:
    """Read one secret; why it cannot be, if it cannot."""
    path = Path(source.name) if source.place is Place.FILE else _credential(source.name)
    if path is None:
        return Unavailable("is not there: the agent's unit needs LoadCredential= (systemd.exec(5))")
    try:
        held = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            return _read(held, source)
        finally:
            os.close(held)
    except OSError as error:
        return Unavailable(f"cannot be read: {explain(error)}")


def _credential(name: str) -> Path | None:
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    directory = Path(given) if given else SERVICE_CREDENTIALS
    return directory / name if given or directory.is_dir() else None


def _read(held: int, source: Source) -> Reading:
    status = os.fstat(held)
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        return Unavailable("is not a regular file")
    if status.st_uid not in (0, os.geteuid()):
        return Unavailable(f"belongs to user {status.st_uid}; must be root's (chown root)")
    if mode & _OTHERS[source.place]:
        return Unavailable(f"has mode {mode:04o}, which lets others than its owner in; take it away (chmod go=)")
    opened = os.open(f"/proc/self/fd/{held}", _OPEN)
    try:
        return understand(os.read(opened, MOST_BYTES + 1))
    finally:
        os.close(opened)


def _shared_key(authkey: Path) -> bytes:
    """Make a key of what all nodes share and only root can read; empty where there is no such thing."""
    try:
        data = authkey.read_bytes()
        mode = authkey.stat().st_mode
    except OSError:
        return b""
    if len(data) < _LEAST_KEY or mode & (stat.S_IRWXG | stat.S_IRWXO):
        return b""
    return hmac.digest(data, _MADE_OF, "sha256")


def _kept_key(kept: Any) -> bytes:
    try:
        key = bytes.fromhex(kept["key"])
    except (TypeError, KeyError, ValueError):
        return b""
    return key if len(key) >= _LEAST_KEY else b""


def _kept_given(kept: Any) -> frozenset[Given]:
    items = kept.get("given") if isinstance(kept, dict) else None
    return frozenset(
        (Ref(item[0], item[1]), item[2])
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, list) and [type(part) for part in item] == [str, str, str]
    )
