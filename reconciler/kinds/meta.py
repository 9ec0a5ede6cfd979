"""Meta attributes that are people's: kept where no manifest names them. Pure.

`crm resource stop`, `pcs resource disable`, `crm resource unmanage` and `crm resource maintenance` write them at run
time (crmsh `ui_resource.py`); undoing that within a second would fight the admin at the keyboard. Those that a manifest
named, or that were set to stop what is to be deleted, are recorded as ours: nobody has to take them back by hand.
"""

from typing import Any
from xml.etree import ElementTree as ET

from reconciler.kinds.base import Around, Kept, Shared
from reconciler.kinds.nvset import value_in, with_value

PEOPLES = ("target-role", "is-managed", "maintenance")


def keep_meta(desired: Any, live: Any, around: Around) -> Kept:
    """Aim for the manifest, plus the people's meta attributes that are live, not named in it, and not ours."""
    if live is None:
        return Kept(desired)
    wanted = desired.meta
    said = {name for item in wanted for name in item.values} | around.recorded
    kept = {name: value for name in PEOPLES if name not in said and (value := value_in(live.meta, name)) is not None}
    if not kept:
        return Kept(desired)
    for name, value in kept.items():
        wanted = with_value(wanted, name, value)
    overrides = tuple((f"meta.{name}", value) for name, value in kept.items())
    return Kept(desired.model_copy(update={"meta": wanted}), overrides)


def _ids(live: ET.Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for container in reversed(live.findall("meta_attributes")):
        if container.find("rule") is None and container.get("score") is None:
            for pair in container.iter("nvpair"):
                if pair.get("name") in PEOPLES:
                    found.setdefault(pair.get("name", ""), pair.get("id", ""))
    return found


def _names(spec: Any) -> frozenset[str]:
    return frozenset(name for name in PEOPLES if value_in(spec.meta, name) is not None)


SHARED_META = Shared(_ids, _names)
