"""The lab: a real Corosync and Pacemaker cluster of two or three nodes in namespaces of this machine.

For people `python -m tests.lab`, for pytest the fixtures in `tests.lab.fixture`, for programs `Lab`.
"""

from tests.lab.client import Client, Outage, Sample, Watch, outages
from tests.lab.cluster import Lab
from tests.lab.layout import Layout, Ring
from tests.lab.namespaces import CommandFailedError, Process
from tests.lab.node import Node, PoweredOffError
from tests.lab.view import View
from tests.lab.waiting import TooLateError, until

__all__ = [
    "Client",
    "CommandFailedError",
    "Lab",
    "Layout",
    "Node",
    "Outage",
    "PoweredOffError",
    "Process",
    "Ring",
    "Sample",
    "TooLateError",
    "View",
    "Watch",
    "outages",
    "until",
]
