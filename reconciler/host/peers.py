"""Which other agents are able to write, and what they have read: a closed process group of corosync. Calls libcpg.

A process that ends, in whatever way, leaves the group at once on all nodes (cpg_overview(3), cpg_membership_get(3)).
That is the liveness that a takeover needs, without heartbeats, clocks or anything written anywhere.
"""

import ctypes
import time
from collections.abc import Mapping
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from types import MappingProxyType
from typing import Any

GROUP = b"reconciler"
_LIBRARY = "libcpg.so.4"
_OK = 1
_DISPATCH_ALL = 2
_MEMBERS_MAX = 128
_NAME_MAX = 128
_LOOKS = 50
_PAUSE = 0.01
_TYPE_AGREED = 2
_LOOK = b"look"
_ASK = b"which revision"
_REVISION = b"revision "
_LONGEST = 200


class _Name(Structure):
    _fields_ = (("length", c_uint32), ("value", c_char * _NAME_MAX))


class _Address(Structure):
    _fields_ = (("nodeid", c_uint32), ("pid", c_uint32), ("reason", c_uint32))


class _Vector(Structure):
    _fields_ = (("base", c_void_p), ("length", c_size_t))


_Deliver = CFUNCTYPE(None, c_uint64, POINTER(_Name), c_uint32, c_uint32, c_void_p, c_size_t)


class _Callbacks(Structure):
    _fields_ = (("deliver", _Deliver), ("confchg", c_void_p))


class Peers:
    """This agent's view of the group, and its place in it; for one thread.

    Corosync may come and go: every look connects anew if need be.
    """

    def __init__(self) -> None:
        self._library: Any = None
        self._handle: c_uint64 | None = None
        self._joined = False
        self._revision = b""
        self._told: tuple[bytes, frozenset[int]] = b"", frozenset()
        self._said: dict[int, str] = {}
        self._members_seen: frozenset[int] = frozenset()
        # Corosync's library calls it for as long as it is connected: it must not be collected before.
        self._callbacks = _Callbacks(_Deliver(self._deliver), None)

    @property
    def revisions(self) -> Mapping[int, str]:
        """The revisions of the manifests that the members have, by node id, as far as they have said."""
        return MappingProxyType(dict(self._said))

    @property
    def descriptor(self) -> int | None:
        """A descriptor that can be read when the group has changed, until the next look; None without corosync.

        Only members are told of changes.
        """
        descriptor = c_int(-1)
        if self._handle is None or self._library.cpg_fd_get(self._handle, byref(descriptor)) != _OK:
            return None
        return descriptor.value

    def look(self) -> frozenset[int] | None:
        """Return the node ids on which an agent is in the group; None if corosync cannot be asked."""
        members = self._members() if self._handle is not None or self._connect() else None
        if members is None:
            self.close()
        self._members_seen = members or frozenset()
        self._said = {node: said for node, said in self._said.items() if node in self._members_seen}
        self.tell(self._revision.decode())
        if self._joined and self._members_seen - self._said.keys() - {self.local()}:
            # Who left and came back between two looks of a member is no news to that one.
            self._send(_ASK)
        return members

    def tell(self, revision: str) -> None:
        """Let the members know the revision of the manifests in force here: when it is new, and when they are."""
        self._revision = revision.encode()[:_LONGEST]
        news = self._revision, self._members_seen
        if self._joined and self._revision and news != self._told and self._send(_REVISION + self._revision):
            self._told = news

    def local(self) -> int | None:
        """Return this node's id, or None if corosync cannot be asked."""
        nodeid = c_uint32(0)
        if self._handle is None or self._library.cpg_local_get(self._handle, byref(nodeid)) != _OK:
            return None
        return nodeid.value

    def stand(self, able: bool) -> None:
        """Be in the group if this agent is able to write, and out of it if not. Without corosync nothing happens."""
        if self._handle is None or able == self._joined:
            return
        if able:
            self._joined = self._library.cpg_join(self._handle, byref(_name())) == _OK
            self.tell(self._revision.decode())
        else:
            # cpg_leave would do, but corosync 3.1.7 lets nobody join again over the same connection.
            self.close()
            self._connect()

    def nudge(self) -> None:
        """Make the descriptors of all members readable: something was seen that gives no hint on their nodes."""
        if self._joined:
            self._send(_LOOK)

    def close(self) -> None:
        """Leave the group and corosync; the next look connects again."""
        if self._handle is not None:
            self._library.cpg_finalize(self._handle)
        self._handle = None
        self._joined = False
        self._told = b"", frozenset()
        self._said.clear()

    def _send(self, message: bytes) -> bool:
        vector = _Vector(ctypes.cast(ctypes.c_char_p(message), c_void_p), len(message))
        return bool(self._library.cpg_mcast_joined(self._handle, _TYPE_AGREED, byref(vector), 1) == _OK)

    def _deliver(self, _handle: int, _group: Any, node: int, _pid: int, message: int, length: int) -> None:
        """Take what a member says, or asks for; of a version that says something else nothing is taken."""
        text = ctypes.string_at(message, min(length, len(_REVISION) + _LONGEST))
        if text.startswith(_REVISION):
            self._said[node] = text.removeprefix(_REVISION).decode(errors="replace")
        elif text == _ASK:
            self._told = b"", frozenset()

    def _members(self) -> frozenset[int] | None:
        """Ask corosync; after joining, wait until the others have agreed to it, for so long the answer is too old."""
        for _ in range(_LOOKS):
            members = (_Address * _MEMBERS_MAX)()
            count = c_int(0)
            # Membership events are not needed, but corosync keeps them until they are fetched.
            alive = self._library.cpg_dispatch(self._handle, _DISPATCH_ALL) == _OK
            if (
                not alive
                or self._library.cpg_membership_get(self._handle, byref(_name()), members, byref(count)) != _OK
            ):
                return None
            found = frozenset(member.nodeid for member in members[: count.value])
            if not self._joined or self.local() in found:
                return found
            time.sleep(_PAUSE)
        return None

    def _connect(self) -> bool:
        if self._library is None:
            try:
                self._library = _load()
            except OSError:
                return False
        handle = c_uint64(0)
        if self._library.cpg_initialize(byref(handle), byref(self._callbacks)) != _OK:
            return False
        self._handle = handle
        return True


def _name() -> _Name:
    return _Name(len(GROUP), GROUP)


def _load() -> Any:
    library = ctypes.CDLL(_LIBRARY)
    library.cpg_initialize.argtypes = (POINTER(c_uint64), POINTER(_Callbacks))
    library.cpg_fd_get.argtypes = (c_uint64, POINTER(c_int))
    library.cpg_join.argtypes = (c_uint64, POINTER(_Name))
    library.cpg_mcast_joined.argtypes = (c_uint64, c_int, POINTER(_Vector), c_uint32)
    library.cpg_dispatch.argtypes = (c_uint64, c_int)
    library.cpg_membership_get.argtypes = (c_uint64, POINTER(_Name), POINTER(_Address), POINTER(c_int))
    library.cpg_local_get.argtypes = (c_uint64, POINTER(c_uint32))
    library.cpg_finalize.argtypes = (c_uint64,)
    return library
