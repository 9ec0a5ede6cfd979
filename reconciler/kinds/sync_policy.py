"""SyncPolicy: what the agents may do by themselves, when, and how much at once. Pure.

It lives in the manifests alone. What it does not say is as the settings of each node say.
"""

import re
from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from reconciler import windows
from reconciler.cib import values
from reconciler.kinds.base import Kind
from reconciler.state import Part, Scope, Spec
from reconciler.windows import DAYS, LONGEST

Mode = Literal["enforce", "observe"]

_HH_MM = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_LENGTH = r"^\s*[0-9]+[0-9.]*\s*(([Mm]|[Uu])?[Ss].*|[Mm].*|[Hh].*)?$"
_FULL = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _day(text: str) -> str:
    short = text[:3].capitalize()
    if short not in DAYS or text.capitalize() not in (short, _FULL[DAYS.index(short)]):
        raise ValueError(f"{text!r} is no day of the week: expected one of {', '.join(DAYS)}")
    return short


def _clock(text: str) -> str:
    if not re.fullmatch(_HH_MM, text):
        raise ValueError(f"{text!r} is no time of day: expected HH:MM from 00:00 to 23:59")
    return text


def _length(text: str) -> str:
    if text.startswith("P"):
        raise ValueError(f"{text!r} is not a duration: expected a number and one of s, min, h")
    length = values.milliseconds(text)
    if not length:
        raise ValueError(f"{text!r} is no time at all")
    return values.duration(text)


def _week_at_most(text: str) -> str:
    if values.milliseconds(text) > LONGEST // timedelta(milliseconds=1):
        raise ValueError(f"{text} is longer than 7 days")
    return text


def _zone(text: str) -> str:
    windows.zone(text)
    return text


Duration = Annotated[str, AfterValidator(_length), Field(json_schema_extra={"pattern": _LENGTH})]
Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"enum": [*DAYS, *_FULL]})]
Clock = Annotated[str, AfterValidator(_clock), Field(json_schema_extra={"pattern": _HH_MM})]
Count = Annotated[int, Field(ge=0, strict=True)]
Switch = Annotated[bool, Field(strict=True)]


class Window(Part):
    """A weekly window in which changes may begin, or with `deny` may not."""

    days: tuple[Day, ...] = Field(
        default=DAYS, description="Days on which it begins; every day if unsaid.", json_schema_extra={"minItems": 1}
    )
    start: Clock = Field(description="When it begins, HH:MM on the clocks of the time zone.")
    duration: Annotated[Duration, AfterValidator(_week_at_most)] = Field(
        description="How long it is open, e.g. 4h or 90min; at most 168h, which are 7 days."
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", description="Time zone of the IANA database, e.g. Europe/Berlin."
    )
    deny: Switch = Field(default=False, description="true: nothing may begin in it, whatever other windows say.")

    @field_validator("days")
    @classmethod
    def _in_order(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if not given:
            raise ValueError("names no day; leave it out for every day")
        return tuple(day for day in DAYS if day in given)

    def value(self) -> windows.Window:
        """Return it as what can be asked."""
        hours, minutes = self.start.split(":")
        return windows.Window(
            days=frozenset(DAYS.index(day) for day in self.days),
            start=time(int(hours), int(minutes)),
            duration=timedelta(milliseconds=values.milliseconds(self.duration)),
            zone=windows.zone(self.time_zone),
            deny=self.deny,
        )


class SyncPolicy(Spec):
    """What the agents may do by themselves. There is at most one; what it does not say is as in the settings."""

    mode: Mode | None = Field(default=None, description="observe: report every gap, change nothing.")
    kinds: dict[str, Mode] = Field(
        default_factory=dict, description='The same for single kinds, e.g. { Location = "observe" }.'
    )
    prune: Switch | None = Field(default=None, description="false: nothing is ever deleted, only reported.")
    deletion_budget: Count | None = Field(
        default=None, description="A plan that deletes more objects than this is held until it is approved."
    )
    disruption_budget: Count | None = Field(
        default=None, description="A plan that stops, moves or restarts more resources is held until it is approved."
    )
    windows: tuple[Window, ...] = Field(
        default=(), description="When changes may begin; always if there is none. What has begun is brought to its end."
    )
    settle_timeout: Duration | None = Field(
        default=None, description="How long the cluster may take to come to rest after a change, e.g. 2min."
    )
    revert: Switch | None = Field(
        default=None, description="true: a change that leaves what was well unwell is taken back."
    )


KIND = Kind(
    name="SyncPolicy",
    scope=Scope.AGENT,
    spec=SyncPolicy,
    summary="What the agents may do by themselves, when, and how much at once.",
)
