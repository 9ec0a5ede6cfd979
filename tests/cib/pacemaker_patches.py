"""Pacemaker's own patch routine and schemas, called in its shared libraries: what the cluster would make of a patch."""

import ctypes

from tests.cib.pacemaker_libraries import load


class PatchOracle:
    """libcrmcommon 2.1.5 applies patches as pacemaker-based does."""

    def __init__(self) -> None:
        self._common = load("crmcommon")
        self._common.crm_xml_init()
        self._common.string2xml.argtypes = [ctypes.c_char_p]
        self._common.string2xml.restype = ctypes.c_void_p
        self._common.free_xml.argtypes = [ctypes.c_void_p]
        self._common.dump_xml_formatted.argtypes = [ctypes.c_void_p]
        self._common.dump_xml_formatted.restype = ctypes.c_char_p
        self._common.xml_apply_patchset.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_bool]
        self._common.validate_xml.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_bool]

    def patched(self, cib: str, patch: str) -> tuple[int, str]:
        """Return Pacemaker's code, 0 for success, and the CIB after the patch."""
        document, patchset = self._common.string2xml(cib.encode()), self._common.string2xml(patch.encode())
        try:
            code = int(self._common.xml_apply_patchset(document, patchset, True))
            return code, self._common.dump_xml_formatted(document).decode()
        finally:
            self._common.free_xml(document)
            self._common.free_xml(patchset)

    def valid(self, cib: str) -> bool:
        """Whether the CIB fits the schema that it names, as the cluster would check before it takes it."""
        document = self._common.string2xml(cib.encode())
        try:
            return bool(self._common.validate_xml(document, None, False))
        finally:
            self._common.free_xml(document)
