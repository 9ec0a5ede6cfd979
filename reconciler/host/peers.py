"""Which other agents are alive: membership of a closed process group of corosync. Calls libcpg, runs no command.

A process that ends, in whatever way, leaves the group at once on all nodes (cpg_overview(3), cpg_membership_get(3)).
That is the liveness that a takeover needs, without heartbeats, clocks or anything written anywhere.
"""

import ctypes
import time
from ctypes import POINTER, Structure, byref, c_char, c_int, c_uint32, c_uint64, c_void_p
from typing import Any

GROUP = b"reconciler"
_LIBRARY = "libcpg.so.4"
_OK = 1
_DISPATCH_ALL = 2
_MEMBERS_MAX = 128
_NAME_MAX = 128
_JOIN_LOOKS = 50
_JOIN_PAUSE = 0.01


class _Name(Structure):
    _fields_ = (("length", c_uint32), ("value", c_char * _NAME_MAX))


class _Address(Structure):
    _fields_ = (("nodeid", c_uint32), ("pid", c_uint32), ("reason", c_uint32))


class _Callbacks(Structure):
    _fields_ = (("deliver", c_void_p), ("confchg", c_void_p))


class Peers:
    """This agent's place among the agents. Corosync may come and go: every look joins again if need be."""

    def __init__(self) -> None:
        self._library: Any = None
        self._handle: c_uint64 | None = None

    def look(self) -> frozenset[int] | None:
        """Return the node ids on which an agent is alive, this one included; None if corosync cannot be asked."""
        if self._handle is None and not self._join():
            return None
        members = self._members()
        if not members:
            self.leave()
            return None
        return members

    def local(self) -> int | None:
        """Return this node's id, or None if corosync cannot be asked."""
        nodeid = c_uint32(0)
        if self._handle is None or self._library.cpg_local_get(self._handle, byref(nodeid)) != _OK:
            return None
        return nodeid.value

    def leave(self) -> None:
        """Leave the group; the next look joins again."""
        if self._handle is not None:
            self._library.cpg_finalize(self._handle)
            self._handle = None

    def _members(self) -> frozenset[int]:
        members = (_Address * _MEMBERS_MAX)()
        count = c_int(0)
        # Membership events are not needed, but corosync keeps them until they are fetched.
        alive = self._library.cpg_dispatch(self._handle, _DISPATCH_ALL) == _OK
        if not alive or self._library.cpg_membership_get(self._handle, byref(_name()), members, byref(count)) != _OK:
            return frozenset()
        return frozenset(member.nodeid for member in members[: count.value])

    def _join(self) -> bool:
        if self._library is None:
            try:
                self._library = _load()
            except OSError:
                return False
        handle = c_uint64(0)
        if self._library.cpg_initialize(byref(handle), byref(_Callbacks(None, None))) != _OK:
            return False
        if self._library.cpg_join(handle, byref(_name())) != _OK:
            self._library.cpg_finalize(handle)
            return False
        self._handle = handle
        self._settle()
        return True

    def _settle(self) -> None:
        """Wait until the other members have agreed that we joined: before that the list may be empty."""
        for _ in range(_JOIN_LOOKS):
            if self.local() in self._members():
                return
            time.sleep(_JOIN_PAUSE)


def _name() -> _Name:
    return _Name(len(GROUP), GROUP)


def _load() -> Any:
    library = ctypes.CDLL(_LIBRARY)
    library.cpg_initialize.argtypes = (POINTER(c_uint64), POINTER(_Callbacks))
    library.cpg_join.argtypes = (c_uint64, POINTER(_Name))
    library.cpg_dispatch.argtypes = (c_uint64, c_int)
    library.cpg_membership_get.argtypes = (c_uint64, POINTER(_Name), POINTER(_Address), POINTER(c_int))
    library.cpg_local_get.argtypes = (c_uint64, POINTER(c_uint32))
    library.cpg_finalize.argtypes = (c_uint64,)
    return library
