"""Pacemaker's own functions, called in its shared libraries: the oracle for what is equal to Pacemaker."""

import ctypes

from tests.programs import absent

LIBRARIES = {"crmcommon": "libcrmcommon.so.34", "pe_rules": "libpe_rules.so.26"}
ABSENT = "Pacemaker 2.1's libraries are not installed: canonical values are NOT compared with Pacemaker itself"


def load(name: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(LIBRARIES[name])
    except OSError:
        absent(ABSENT)


class Pacemaker:
    """The few functions of libcrmcommon and libpe_rules 2.1.5 that read values."""

    def __init__(self) -> None:
        self._common = load("crmcommon")
        self._rules = load("pe_rules")
        for name in ("crm_get_msec", "crm_parse_interval_spec", "char2score"):
            getattr(self._common, name).argtypes = [ctypes.c_char_p]
        self._common.crm_get_msec.restype = ctypes.c_longlong
        self._common.crm_parse_interval_spec.restype = ctypes.c_uint
        self._rules.text2role.argtypes = [ctypes.c_char_p]
        self._rules.role2text.restype = ctypes.c_char_p
        self._common.crm_time_new.argtypes = [ctypes.c_char_p]
        self._common.crm_time_new.restype = ctypes.c_void_p
        self._common.crm_time_free.argtypes = [ctypes.c_void_p]
        self._common.crm_time_get_seconds_since_epoch.argtypes = [ctypes.c_void_p]
        self._common.crm_time_get_seconds_since_epoch.restype = ctypes.c_longlong

    def score(self, text: str) -> int:
        return int(self._common.char2score(text.encode()))

    def msec(self, text: str) -> int:
        return int(self._common.crm_get_msec(text.encode()))

    def interval(self, text: str) -> int:
        return int(self._common.crm_parse_interval_spec(text.encode()))

    def boolean(self, text: str) -> bool | None:
        value = ctypes.c_int()
        known = self._common.crm_str_to_boolean(text.encode(), ctypes.byref(value)) == 1
        return bool(value.value) if known else None

    def role(self, text: str) -> str:
        return str(self._rules.role2text(self._rules.text2role(text.encode())).decode())

    def seconds_since_epoch(self, text: str) -> int | None:
        time = self._common.crm_time_new(text.encode())
        if not time:
            return None
        seconds = int(self._common.crm_time_get_seconds_since_epoch(time))
        self._common.crm_time_free(time)
        return seconds
