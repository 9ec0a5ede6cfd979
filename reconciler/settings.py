"""The settings file: where things are, how often to look, how much one plan may do."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from reconciler.cib import values

DEFAULT_FILE = Path("/etc/reconciler/reconciler.toml")


class SettingsError(ValueError):
    """The settings file cannot be used; the message names file and key."""


def _seconds(given: Any) -> Any:
    """Read `30s`, `500ms`, `2min` as seconds, with Pacemaker's units; a bare number is seconds."""
    return values.milliseconds(given) / 1000 if isinstance(given, str) else given


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Http(_Section):
    """Where /metrics, /healthz, /readyz and the status page are served; an empty `listen` serves nothing."""

    listen: Annotated[str, Field(pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):\d{1,5}$")] = "127.0.0.1:9977"


class Guards(_Section):
    """How much may be deleted: nothing without `prune`; more objects than `deletion_budget` at once are held."""

    prune: bool = True
    deletion_budget: Annotated[int, Field(ge=0)] = 5


class Settings(_Section):
    """Everything that can be set; all keys are optional.

    Durations are texts with Pacemaker's units (`30s`). `takeover` is how long the DC's agent may leave a change undone
    before another agent takes its place.
    """

    desired: Path = Path("/etc/reconciler/desired.d")
    state_dir: Path = Path("/var/lib/reconciler")
    runtime_dir: Path = Path("/run/reconciler")
    cib_dir: Path = Path("/var/lib/pacemaker/cib")
    pengine_dir: Path = Path("/var/lib/pacemaker/pengine")
    node: str = ""
    mode: Literal["enforce", "observe"] = "enforce"
    resync: Seconds = 30.0
    settle: Seconds = 0.1
    command_timeout: Seconds = 20.0
    takeover: Seconds = 15.0
    log_format: Literal["text", "json"] = "text"
    http: Http = Http()
    guards: Guards = Guards()


def load(file: Path | None = None) -> Settings:
    """Read the settings file; without one given, the default file if it exists, else the defaults.

    Raises:
        SettingsError: a file that was named is missing, is not TOML, or has a wrong key or value.
    """
    path = file or DEFAULT_FILE
    if file is None and not path.exists():
        return Settings()
    try:
        return Settings.model_validate(tomli.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    except tomli.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{path}: {key}: {_explain(first['type'], first['msg'], first['loc'])}") from error


def _explain(sort: str, message: str, loc: tuple[int | str, ...]) -> str:
    if sort != "extra_forbidden":
        return message.removeprefix("Value error, ")
    section = Settings.model_fields.get(str(loc[0])) if len(loc) > 1 else None
    model = section.annotation if section else Settings
    known = list(getattr(model, "model_fields", {}))
    close = get_close_matches(str(loc[-1]), known, n=1)
    return "unknown key" + (f"; did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(known)}")
