"""Meta attributes that are people's: kept where no manifest names them. Pure.

`crm resource stop`, `pcs resource disable`, `crm resource unmanage` and `crm resource maintenance` write them at run
time (crmsh `ui_resource.py`); undoing that within a second would fight the admin at the keyboard.
"""

from typing import Any

from reconciler.kinds.base import Around, Kept
from reconciler.kinds.nvset import value_in, with_value

PEOPLES = ("target-role", "is-managed", "maintenance")


def keep_meta(desired: Any, live: Any, around: Around) -> Kept:  # noqa: ARG001
    """Aim for the manifest, plus the people's meta attributes that are live and that it does not name."""
    if live is None:
        return Kept(desired)
    wanted, present = desired.meta, live.meta
    named = {name for item in wanted for name in item.values}
    kept = {name: value for name in PEOPLES if name not in named and (value := value_in(present, name)) is not None}
    if not kept:
        return Kept(desired)
    for name, value in kept.items():
        wanted = with_value(wanted, name, value)
    overrides = tuple((f"meta.{name}", value) for name, value in kept.items())
    return Kept(desired.model_copy(update={"meta": wanted}), overrides)
