"""Rules evaluated by Pacemaker itself: pe_eval_expr() of libpe_rules 2.1.5, called on XML and node attributes."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from tests.cib.pacemaker_libraries import ABSENT, load
from tests.programs import absent


class _MatchData(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ("re", "params", "meta")]


class _ResourceData(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("standard", "provider", "agent")]


class _OperationData(ctypes.Structure):
    _fields_ = [("op_name", ctypes.c_char_p), ("interval", ctypes.c_uint)]


class _RuleData(ctypes.Structure):
    _fields_ = [
        ("node_hash", ctypes.c_void_p),
        ("role", ctypes.c_int),
        ("now", ctypes.c_void_p),
        ("match_data", ctypes.POINTER(_MatchData)),
        ("rsc_data", ctypes.POINTER(_ResourceData)),
        ("op_data", ctypes.POINTER(_OperationData)),
    ]


@dataclass(frozen=True)
class Situation:
    """What a rule is asked about."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    now: str = "2024-05-15 12:00:00 Z"
    agent: tuple[str, str | None, str] = ("ocf", "pacemaker", "ping")
    operation: tuple[str, int] = ("monitor", 10_000)


class RuleEvaluator:
    def __init__(self) -> None:
        self._common = load("crmcommon")
        self._rules = load("pe_rules")
        try:
            self._glib = ctypes.CDLL("libglib-2.0.so.0")
            self._xml = ctypes.CDLL("libxml2.so.2")
        except OSError:
            absent(ABSENT)
        self._glib.g_hash_table_new.restype = ctypes.c_void_p
        self._glib.g_hash_table_new.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self._glib.g_hash_table_insert.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        self._glib.g_hash_table_destroy.argtypes = [ctypes.c_void_p]
        self._xml.xmlReadMemory.restype = ctypes.c_void_p
        self._xml.xmlReadMemory.argtypes = [ctypes.c_char_p, ctypes.c_int, *[ctypes.c_char_p] * 2, ctypes.c_int]
        self._xml.xmlDocGetRootElement.restype = ctypes.c_void_p
        self._xml.xmlDocGetRootElement.argtypes = [ctypes.c_void_p]
        self._xml.xmlFreeDoc.argtypes = [ctypes.c_void_p]
        self._common.crm_time_new.restype = ctypes.c_void_p
        self._common.crm_time_new.argtypes = [ctypes.c_char_p]
        self._common.crm_time_free.argtypes = [ctypes.c_void_p]
        self._rules.pe_eval_expr.argtypes = [ctypes.c_void_p, ctypes.POINTER(_RuleData), ctypes.c_void_p]

    def holds(self, rule: Element, situation: Situation) -> bool:
        """Whether Pacemaker finds the rule true."""
        text = ET.tostring(rule)
        document = self._xml.xmlReadMemory(text, len(text), None, None, 0)
        now = self._common.crm_time_new(situation.now.encode())
        keep: list[ctypes.Array[ctypes.c_char]] = []
        tables = [self._table(t, keep) for t in (situation.attributes, situation.parameters, situation.meta)]
        match = _MatchData(None, tables[1], tables[2])
        resource = _ResourceData(*(None if part is None else part.encode() for part in situation.agent))
        operation = _OperationData(situation.operation[0].encode(), situation.operation[1])
        data = _RuleData(tables[0], 0, now, ctypes.pointer(match), ctypes.pointer(resource), ctypes.pointer(operation))
        try:
            root = self._xml.xmlDocGetRootElement(document)
            return bool(self._rules.pe_eval_expr(root, ctypes.byref(data), None))
        finally:
            for table in tables:
                self._glib.g_hash_table_destroy(table)
            self._common.crm_time_free(now)
            self._xml.xmlFreeDoc(document)

    def _table(self, entries: Mapping[str, str], keep: list["ctypes.Array[ctypes.c_char]"]) -> int:
        hash_, equal = (ctypes.cast(f, ctypes.c_void_p) for f in (self._glib.g_str_hash, self._glib.g_str_equal))
        table = int(self._glib.g_hash_table_new(hash_, equal))
        for entry in entries.items():
            buffers = [ctypes.create_string_buffer(text.encode()) for text in entry]
            keep.extend(buffers)
            self._glib.g_hash_table_insert(table, *(ctypes.cast(buffer, ctypes.c_void_p) for buffer in buffers))
        return table
