"""Hints that links, addresses or routes of this node may have changed. Nothing is parsed.

rtnetlink(7) says which groups there are; the numbers are RTMGRP_* of linux/rtnetlink.h. netlink(7): when
messages come faster than they are read the kernel drops some and says ENOBUFS, which here is one more hint.
"""

import os
import selectors
import socket
from collections.abc import Callable
from threading import Event, Thread

_LINK, _IPV4_ADDRESS, _IPV4_ROUTE, _IPV6_ADDRESS, _IPV6_ROUTE = 0x1, 0x10, 0x40, 0x100, 0x400
_GROUPS = _LINK | _IPV4_ADDRESS | _IPV4_ROUTE | _IPV6_ADDRESS | _IPV6_ROUTE
_BYTES = 65536
_MOST = 1000
_PAUSE = 0.05


class Netlink:
    """Calls `notify` as soon as the kernel reports any change of a link, an address or a route.

    The first message of a burst is passed on at once, the rest of it together every 50 ms. It sees the network
    namespace in which `start` was called.

    Attributes:
        events: messages received.
        errors: how often the kernel had to drop messages.
    """

    def __init__(self, notify: Callable[[], None]) -> None:
        """Prepare; `notify` is called from an own thread, must return soon and not raise."""
        self.events = 0
        self.errors = 0
        self._notify = notify
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="netlink", daemon=True)

    def start(self) -> None:
        """Begin to listen; every change after the return is noticed.

        Raises:
            OSError: the process may not have a netlink socket (for example, systemd's RestrictAddressFamilies=).
        """
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, _GROUPS))
        self._socket.setblocking(False)
        self._waker = os.eventfd(0, os.EFD_CLOEXEC)
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the thread; `notify` is not called any more afterwards."""
        self._stopping.set()
        os.eventfd_write(self._waker, 1)
        self._thread.join()
        self._socket.close()
        os.close(self._waker)

    def _run(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._socket, selectors.EVENT_READ)
            ready.register(self._waker, selectors.EVENT_READ)
            while True:
                ready.select()
                if self._stopping.is_set():
                    return
                self._drain()
                self._notify()
                self._stopping.wait(_PAUSE)

    def _drain(self) -> None:
        for _ in range(_MOST):
            try:
                self._socket.recv(_BYTES)
            except BlockingIOError:
                return
            except OSError:  # ENOBUFS
                self.errors += 1
                return
            self.events += 1
