"""The HTTP server against real clients: good ones, silent ones, many at once."""

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.metrics.server import Page, Server


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server("127.0.0.1:0", {"/healthz": Page(lambda: ("200 OK", "ok\n")), "/slow": Page(_slow)})
    made.start()
    yield made
    made.stop()


def _slow() -> tuple[str, str]:
    time.sleep(0.2)
    return "200 OK", "slow\n"


def get(server: Server, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_path_is_answered_and_another_is_not_found(server: Server) -> None:
    assert get(server, "/healthz") == (200, "ok\n")
    assert get(server, "/nothing") == (404, "there is /healthz, /slow\n")


def test_only_reading_is_possible(server: Server) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/healthz", data=b"x", method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=5)
    with caught.value as error:
        assert error.code == 405


def test_silent_clients_hold_up_nobody(server: Server) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    try:
        begun = time.monotonic()
        assert get(server, "/healthz") == (200, "ok\n")
        assert time.monotonic() - begun < 4, "the answer had to wait for a silent client's time limit"
    finally:
        for client in silent:
            client.close()


def test_many_are_served_side_by_side(server: Server) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: get(server, "/slow"), range(16)))
    assert answers == [(200, "slow\n")] * 16


def test_more_than_the_places_are_turned_away_and_come_in_later(server: Server) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    for client in silent:
        client.close()
    assert _patiently(server) == (200, "ok\n")


def test_a_connection_for_which_there_is_no_thread_keeps_no_place(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as machine:
        machine.setattr(threading.Thread, "start", exhausted)
        for _ in range(40):
            with pytest.raises((urllib.error.URLError, ConnectionError)):
                get(server, "/healthz")
    assert get(server, "/healthz") == (200, "ok\n")


def _patiently(server: Server) -> tuple[int, str]:
    deadline = time.monotonic() + 6
    while True:
        try:
            return get(server, "/healthz")
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_an_address_that_cannot_be_had_is_an_error(server: Server) -> None:
    with pytest.raises(OSError, match="in use"):
        Server(f"127.0.0.1:{server.port}", {})


def test_ipv6_is_served() -> None:
    made = Server("[::1]:0", {"/healthz": Page(lambda: ("200 OK", "ok\n"))})
    made.start()
    try:
        with urllib.request.urlopen(f"http://[::1]:{made.port}/healthz", timeout=5) as answer:
            assert answer.read() == b"ok\n"
    finally:
        made.stop()
