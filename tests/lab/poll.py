"""Ask for a page many times a second: `python -m tests.lab.poll URL INTERVAL TIMEOUT`, until it is killed.

Every question is its own connection and does not wait for the one before. One JSON line per question, as its end is
known: when it was asked (monotonic clock, seconds), and the page's text, or null if there was none in time.
"""

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit


async def ask(host: str, port: int, path: str, timeout: float) -> str | None:  # noqa: ASYNC109
    """The page's text, None if it is not there within `timeout` seconds."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return body.decode(errors="replace") if b" 200 " in head.partition(b"\r\n")[0] + b" " else None


async def poll(url: str, interval: float, timeout: float) -> None:  # noqa: ASYNC109
    """Ask for ever."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    async def one(asked: float) -> None:
        page = await ask(parts.hostname or "", parts.port or 80, path, timeout)
        print(json.dumps([asked, page]), flush=True)

    start = time.monotonic()
    async with asyncio.TaskGroup() as questions:
        number = 0
        while True:
            questions.create_task(one(time.monotonic()))
            number += 1
            await asyncio.sleep(max(0.0, start + number * interval - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(poll(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))
