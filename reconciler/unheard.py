"""Whether a patch took effect of which its command did not say so: it was killed, or its answer was lost. Pure."""

from xml.etree import ElementTree as ET

from reconciler.cib.document import Cib
from reconciler.reversal import is_as_made


def took_effect(before: Cib, made: ET.Element, seen: Cib | None) -> bool | None:
    """Tell whether a configuration is what a patch made of another one, and by that patch.

    A patch counts the epoch up by one, so the version tells whose doing it is as long as nobody else has written since.

    Args:
        before: what the patch was made for.
        made: the configuration that it leads to.
        seen: what is there now, None if that cannot be seen.

    Returns:
        None while nobody can tell: nothing can be seen, or nothing has been changed yet, as a command that was killed
        may have handed its patch over before.
    """
    if seen is None or seen.version.configuration == before.version.configuration:
        return None
    admin_epoch, epoch = before.version.configuration
    return seen.version.configuration == (admin_epoch, epoch + 1) and is_as_made(made, seen)
