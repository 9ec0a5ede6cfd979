"""The log: to stderr, for the journal, as text or as one JSON object a line."""

import json
import logging
import sys
from datetime import UTC, datetime

_PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""syslog(3) levels, which the journal reads from `<6>` at the beginning of a line."""


class _Text(logging.Formatter):
    def __init__(self, journal: bool) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if self._journal:
            prefix = f"<{_PRIORITY.get(record.levelno, 6)}>"
            return "\n".join(prefix + line for line in text.splitlines())
        return f"{_time(record)} {record.levelname.lower()}: {text}"


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps({"time": _time(record), "level": record.levelname.lower(), "message": super().format(record)})


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def configure(format_: str, *, journal: bool) -> None:
    """Send the log to stderr. `journal`: stderr is the systemd journal, which has its own times."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if format_ == "json" else _Text(journal))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # sh logs every command at INFO, with its arguments.
    logging.getLogger("sh").setLevel(logging.CRITICAL)
