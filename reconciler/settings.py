"""The settings file: where things are, how often to look, how much one plan may do."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tomli
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from reconciler.cib import values

if TYPE_CHECKING:
    from reconciler.policy import Rules

DEFAULT_FILE = Path("/etc/reconciler/reconciler.toml")


class SettingsError(ValueError):
    """The settings file cannot be used; the message names file and key."""


def _seconds(given: Any) -> Any:
    """Read `30s`, `500ms`, `2min` as seconds, with Pacemaker's units; a bare number is seconds."""
    return values.milliseconds(given) / 1000 if isinstance(given, str) else given


def _place(given: Any) -> Any:
    if not isinstance(given, str | Path) or not str(given):
        raise ValueError("expected a path")
    return Path(given)


def _address(listen: str) -> str:
    if listen and int(listen.rpartition(":")[2]) > _LAST_PORT:
        raise ValueError(f"there is no port above {_LAST_PORT}")
    return listen


_LAST_PORT = 65535

Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0, allow_inf_nan=False, strict=True)]
Place = Annotated[Path, BeforeValidator(_place)]
Listen = Annotated[str, Field(pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):\d{1,5}$"), AfterValidator(_address)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Http(_Section):
    """Where /metrics, /healthz, /readyz and the status page are served; an empty `listen` serves nothing."""

    listen: Listen = "127.0.0.1:9977"


class Guards(_Section):
    """What the agent may do by itself; a SyncPolicy among the manifests can say otherwise for all nodes."""

    prune: StrictBool = True
    deletion_budget: Annotated[int, Field(ge=0, strict=True)] = 5
    disruption_budget: Annotated[int, Field(ge=0, strict=True)] = 5
    settle_timeout: Seconds = 120.0
    revert: StrictBool = False


class Settings(_Section):
    """Everything that can be set; all keys are optional.

    Durations are texts with Pacemaker's units (`30s`), or numbers of seconds.
    """

    desired: Place = Path("/etc/reconciler/desired.d")
    state_dir: Place = Path("/var/lib/reconciler")
    runtime_dir: Place = Path("/run/reconciler")
    cib_dir: Place = Path("/var/lib/pacemaker/cib")
    pengine_dir: Place = Path("/var/lib/pacemaker/pengine")
    node: str = ""
    mode: Literal["enforce", "observe"] = "enforce"
    resync: Seconds = 30.0
    settle: Seconds = 0.1
    command_timeout: Seconds = 20.0
    log_format: Literal["text", "json"] = "text"
    http: Http = Http()
    guards: Guards = Guards()

    @property
    def rules(self) -> "Rules":
        """What the agent may do by itself, before the manifests' SyncPolicy."""
        from reconciler.policy import Rules  # noqa: PLC0415  it takes the kinds along, and most verbs need none

        return Rules(mode=self.mode, **self.guards.model_dump())


def load(file: Path | None = None) -> Settings:
    """Read the settings file; without one given, the default file if it exists, else the defaults.

    Raises:
        SettingsError: a file that was named is missing, is not TOML, or has wrong keys or values; one line for each.
    """
    path = file or DEFAULT_FILE
    if file is None and not path.exists():
        return Settings()
    try:
        return Settings.model_validate(tomli.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: cannot be read: not UTF-8 at byte {error.start}") from error
    except tomli.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        faults = (f"{path}: {'.'.join(map(str, fault['loc']))}: {_explain(fault)}" for fault in error.errors())
        raise SettingsError("\n".join(faults)) from error


def _explain(fault: Mapping[str, Any]) -> str:
    loc = fault["loc"]
    match fault["type"]:
        case "extra_forbidden":
            return _unknown(loc)
        case "model_type":
            return "expected a table"
        case "string_pattern_mismatch":
            return "expected host:port, [IPv6 address]:port, or an empty text"
    return str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")


def _unknown(loc: tuple[int | str, ...]) -> str:
    section = Settings.model_fields.get(str(loc[0])) if len(loc) > 1 else None
    model = section.annotation if section else Settings
    known = list(getattr(model, "model_fields", {}))
    close = get_close_matches(str(loc[-1]), known, n=1)
    return "unknown key" + (f"; did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(known)}")
