"""The machine's answers of one moment -> what they mean, or which of them mean nothing. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from reconciler.cib import document, register
from reconciler.cib.cluster import ClusterStatus
from reconciler.cib.document import Cib, CibError
from reconciler.cib.register import Register, Suspension
from reconciler.cib.status import status
from reconciler.frozen import frozen
from reconciler.kinds.observe import Observed, observe
from reconciler.network import iproute
from reconciler.network.iproute import NetworkError, Seen

T = TypeVar("T")

_POSITION = re.compile(r"^nodelist\.local_node_pos \(u32\) = (\d+)$", re.MULTILINE)
_RING = re.compile(r"^nodelist\.node\.\d+\.ring\d+_addr \(str\) = (\S+)$", re.MULTILINE)


class Source(StrEnum):
    """What is asked in every pass; a closed set, used as a metric label."""

    CIB = "cib"
    ADDRESSES = "addresses"
    ROUTES = "routes"
    CMAP = "cmap"
    STATS = "stats"
    QUORUM = "quorum"
    CFGTOOL = "cfgtool"


@frozen
class Answer:
    """One source's text, or why there is none: `failure` is exit, timeout, missing, denied or parse."""

    text: str = field(repr=False)
    failure: str = ""
    message: str = ""
    seconds: float = 0.0


@frozen
class Snapshot:
    """What the machine said.

    `agents` are the node ids with an agent that is able to write, None if corosync cannot be asked; `revisions` are the
    revisions of the manifests that they have, as far as they have said. `suspended` is the suspension of this node
    alone, `remembered` that of the cluster when it was last seen: the first says more, the other helps a node that has
    just started and sees no cluster yet.
    """

    answers: Mapping[Source, Answer]
    at: float
    hostname: str = ""
    nodeid: int | None = None
    agents: frozenset[int] | None = None
    promote_secondaries: Mapping[str, str] = field(default_factory=dict)
    suspended: Suspension | None = None
    remembered: Suspension | None = None
    revisions: Mapping[int, str] = field(default_factory=dict)


class Doings:
    """What a cluster is doing, found out when somebody asks for it: a plan of a file seldom does."""

    def __init__(self, cib: Cib, at: float) -> None:
        self._cib, self._at = cib, at

    @cached_property
    def status(self) -> ClusterStatus:
        """What its CIB says of it."""
        return status(self._cib.root, now=self._at)

    @cached_property
    def running(self) -> frozenset[str]:
        """The ids of the resources that are active on some node, or on which an operation is under way there.

        Pacemaker counts a resource whose stop is under way as stopped if no recurring operation is in its history: the
        stop has taken the start's place there.
        """
        return frozenset(
            name
            for name, resource in self.status.resources.items()
            if any(there.active or there.pending for there in resource.placements.values())
        )

    def __contains__(self, name: object) -> bool:
        """Tell whether a resource is running."""
        return name in self.running


@frozen
class Observation:
    """What the snapshot means. A part that could not be seen is None, and `problems` says why, by source.

    `register` is what the agents share; while there is no CIB to be seen, what was last known of it.
    """

    snapshot: Snapshot
    node: str
    cib: Cib | None = None
    cluster: Observed | None = None
    doings: Doings | None = None
    network: Seen | None = None
    register: Register = field(default_factory=Register)
    problems: Mapping[Source, Answer] = field(default_factory=dict)

    @property
    def rings(self) -> tuple[str, ...] | None:
        """The ring addresses of all nodes in corosync's nodelist; none without corosync, None if it cannot be asked."""
        answer = self.snapshot.answers.get(Source.CMAP)
        if answer is None or answer.failure:
            return None
        return tuple(match[1] for match in _RING.finditer(answer.text))

    def why(self, *sources: str) -> str:
        """Say why something could not be seen."""
        return "; ".join(self.problems[Source(name)].message for name in sources if Source(name) in self.problems)

    @property
    def status(self) -> ClusterStatus | None:
        """What the cluster is doing."""
        return self.doings.status if self.doings else None

    @property
    def running(self) -> frozenset[str]:
        """The ids of the resources that are running."""
        return self.doings.running if self.doings else frozenset()


def of_cib(cib: Cib, node: str, at: float) -> Observation:
    """Return what a CIB alone tells, seen from nowhere."""
    return Observation(Snapshot({}, at), node, cib, observe(cib), Doings(cib, at), None, register.read(cib))


def understand(snapshot: Snapshot, node: str, previous: Observation | None) -> Observation:
    """Read the answers. `node` is the configured name of this node, empty to find it out.

    What `previous` already understood of the same text is taken over.
    """
    problems = {source: answer for source, answer in snapshot.answers.items() if answer.failure}
    cib = _read(_cib, snapshot, (Source.CIB,), problems, previous)
    network = _read(_network, snapshot, (Source.ADDRESSES, Source.ROUTES), problems, previous)
    same = previous is not None and cib is not None and cib is previous.cib
    name = node or _corosync_name(snapshot) or snapshot.hostname
    return Observation(
        snapshot,
        name,
        cib,
        previous.cluster if previous and same else _observed(cib, previous),
        previous.doings if previous and same else Doings(cib, snapshot.at) if cib else None,
        network,
        _register(cib, snapshot, previous),
        problems,
    )


def _register(cib: Cib | None, snapshot: Snapshot, previous: Observation | None) -> Register:
    if cib is not None:
        return register.read(cib)
    return previous.register if previous else Register(suspended=snapshot.remembered)


def _corosync_name(snapshot: Snapshot) -> str:
    """Find this node's name in corosync's nodelist: the one at `nodelist.local_node_pos` (cmap_keys(7))."""
    answer = snapshot.answers.get(Source.CMAP)
    text = answer.text if answer and not answer.failure else ""
    position = _POSITION.search(text)
    name = (
        re.search(rf"^nodelist\.node\.{position[1]}\.name \(str\) = (\S+)$", text, re.MULTILINE) if position else None
    )
    return name[1] if name else ""


def _read(
    reader: Callable[[Snapshot, Observation | None], T],
    snapshot: Snapshot,
    sources: tuple[Source, ...],
    problems: dict[Source, Answer],
    previous: Observation | None,
) -> T | None:
    if any(source in problems or source not in snapshot.answers for source in sources):
        return None
    try:
        return reader(snapshot, previous)
    except (CibError, NetworkError) as error:
        answer = snapshot.answers[sources[0]]
        problems[sources[0]] = replace(answer, failure="parse", message=f"{sources[0]}: {error}")
        return None


def _cib(snapshot: Snapshot, previous: Observation | None) -> Cib:
    text = snapshot.answers[Source.CIB].text
    if previous and previous.cib and previous.cib.text == text:
        return previous.cib
    return document.parse(text)


def _observed(cib: Cib | None, previous: Observation | None) -> Observed | None:
    """Read the objects, or take them over from a CIB that has the same configuration word for word."""
    if cib is None:
        return None
    if previous and previous.cib and previous.cluster and _configuration(cib) == _configuration(previous.cib):
        # Of the CIB that the objects were read from, which may be older than the previous one: edits name its elements.
        return replace(previous.cluster, cib=cib.sharing(previous.cluster.cib))
    return observe(cib)


def _configuration(cib: Cib) -> str:
    text = cib.text
    return text[text.find("<configuration") : text.find("</configuration>")]


def _network(snapshot: Snapshot, previous: Observation | None) -> Seen:  # noqa: ARG001
    answers = snapshot.answers
    return iproute.parse(answers[Source.ADDRESSES].text, answers[Source.ROUTES].text, snapshot.promote_secondaries)
