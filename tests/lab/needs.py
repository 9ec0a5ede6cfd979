"""What the lab needs of the machine it runs on."""

import os
import shutil
from pathlib import Path

_PROGRAMS = {
    "corosync": ("corosync", "corosync-cfgtool"),
    "pacemaker": ("pacemakerd",),
    "pacemaker-cli-utils": ("cibadmin", "crm_mon", "crm_attribute", "crmadmin"),
    "crmsh": ("crm",),
    "apache2": ("apache2",),
    "iproute2": ("ip",),
    "iputils-ping": ("ping",),
    "util-linux": ("unshare", "nsenter", "setpriv"),
    "procps": ("pkill", "pgrep"),
    "curl": ("curl",),
}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_AGENT = Path("/usr/lib/ocf/resource.d/heartbeat/IPaddr2")


def missing(*packages: str) -> list[str]:
    """What this machine lacks for a lab, or for these of its packages: root, Debian packages."""
    lacking = [] if os.geteuid() == 0 else ["root"]
    for package in packages or _PROGRAMS:
        absent = [program for program in _PROGRAMS[package] if not shutil.which(program, path=_PATH)]
        if absent:
            lacking.append(f"{package} ({', '.join(absent)})")
    if not packages and not _AGENT.exists():
        lacking.append("resource-agents")
    return lacking
