"""What the DC's controller is doing, as crmadmin(8) says it. Pure: `host.simulator` asks."""

from xml.etree import ElementTree as ET

STATUS = ("crmadmin", "--output-as=xml", "--timeout=5s", "--status")
"""With a node's name after it: the state of the controller there. Takes some 15 ms."""

IDLE = "S_IDLE"
"""The DC has nothing to do (daemons/controld/controld_fsa.h); on any other node the state is S_NOT_DC."""


def state(text: str) -> str:
    """Return the state that `STATUS` printed: `S_IDLE`, `S_TRANSITION_ENGINE` …; empty if it says none."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError:
        return ""
    controller = root.find("crmd")
    return controller.get("state", "") if controller is not None else ""
