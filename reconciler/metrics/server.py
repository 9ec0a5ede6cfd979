"""The HTTP server: answers from what it is given, starts nothing, and is not to be held up by anybody.

A client that connects and says nothing would block a plain server for ever (and prometheus_client's own with TLS); here
every connection has its own thread and a time limit, and only so many are served at once.
"""

import socket
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from threading import BoundedSemaphore, Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

Environment = dict[str, Any]
StartResponse = Callable[..., Any]
App = Callable[[Environment, StartResponse], Iterable[bytes]]

_TIMEOUT = 5.0
_MOST = 32


class Page:
    """A small answer: status line, content type, text."""

    def __init__(self, text: Callable[[], tuple[str, str]], content_type: str = "text/plain") -> None:
        """Prepare; `text` gives a status such as `200 OK` and the body."""
        self._text = text
        self._content_type = f"{content_type}; charset=utf-8"

    def __call__(self, environment: Environment, start: StartResponse) -> Iterable[bytes]:  # noqa: ARG002
        """Answer one request."""
        status, text = self._text()
        body = text.encode()
        start(status, [("Content-Type", self._content_type), ("Content-Length", str(len(body)))])
        return [body]


class Server:
    """Serves a few paths on one address, each from its own WSGI application."""

    def __init__(self, listen: str, apps: Mapping[str, App]) -> None:
        """Bind to `listen`, `host:port` or `[v6]:port`; port 0 takes a free one.

        Raises:
            OSError: the address cannot be had.
        """
        host, _, port = listen.rpartition(":")
        host = host.strip("[]")
        kind = _Server6 if ":" in host else _Server
        self._server = make_server(host, int(port), _route(apps), server_class=kind, handler_class=_Quiet)
        self._thread = Thread(target=self._server.serve_forever, name="http", daemon=True)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.server_port

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End; requests under way are finished or cut off."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _route(apps: Mapping[str, App]) -> App:
    def app(environment: Environment, start: StartResponse) -> Iterable[bytes]:
        if environment["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return Page(lambda: ("405 Method Not Allowed", "only GET\n"))(environment, start)
        found = apps.get(environment["PATH_INFO"])
        if found is None:
            return Page(lambda: ("404 Not Found", f"there is {', '.join(sorted(apps))}\n"))(environment, start)
        return found(environment, start)

    return app


class _Quiet(WSGIRequestHandler):
    timeout = _TIMEOUT

    def log_message(self, *words: Any) -> None:
        """Keep requests out of the log."""

    def address_string(self) -> str:
        """Return the address without asking a name server."""
        return str(self.client_address[0])


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, *words: Any, **named: Any) -> None:
        self._places = BoundedSemaphore(_MOST)
        super().__init__(*words, **named)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the standard library's server."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002
        """Turn away whoever comes when all places are taken: they come again."""
        return self._places.acquire(blocking=False)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begin to serve one connection; its place is free again if there can be no thread for it."""
        try:
            super().process_request(request, client_address)
        except RuntimeError:
            self._places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, and free its place whatever happens."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let go of a client that went away or took too long."""


class _Server6(_Server):
    address_family = socket.AF_INET6
