"""What a machine may say, as small as it can be, for the tests of the pure modules that think about it."""

from collections.abc import Iterable, Mapping

from reconciler.manifests import load
from reconciler.observation import Answer, Observation, Snapshot, Source, understand
from reconciler.state import Desired

MANIFEST = """
apiVersion = "ha.reconciler.io/v1alpha1"
kind = "{kind}"
metadata.name = "{name}"
{spec}
"""
NETWORK = """
spec.node = "a"
[[spec.links]]
name = "eth0"
addresses = ["10.0.0.1/24"]
"""
ADDRESSES = """[{"ifname": "eth0", "flags": ["UP"], "mtu": 1500, "operstate": "UP", "addr_info": [
{"family": "inet", "local": "10.0.0.1", "prefixlen": 24, "scope": "0", "label": "eth0"}]}]"""
CMAP = """nodelist.local_node_pos (u32) = {position}
nodelist.node.0.name (str) = a
nodelist.node.0.ring0_addr (str) = 10.0.0.1
nodelist.node.1.name (str) = b
nodelist.node.1.ring0_addr (str) = 10.0.0.2
nodelist.node.2.name (str) = c
nodelist.node.2.ring0_addr (str) = 10.0.0.3
"""


def desired(revision: str = "1", **objects: str) -> Desired:
    """Desired objects, by `kind__name = spec`."""
    texts = {}
    for key, spec in objects.items():
        kind, _, name = key.partition("__")
        texts[f"{key}.toml"] = MANIFEST.format(kind=kind, name=name.replace("_", "-"), spec=spec)
    found = load(texts, revision)
    assert not found.rejected
    return found


def cib(
    resources: str = "", *, constraints: str = "", owned: Iterable[str] = (), status: str = "", **attributes: str
) -> str:
    """A CIB of nodes a, b and c (ids 1 to 3); attributes of the root are given with _ for -."""
    given = {"admin_epoch": "0", "epoch": "5", "num_updates": "0", "have_quorum": "1", "dc_uuid": "1", **attributes}
    keep = {"admin_epoch", "num_updates"}
    words = " ".join(f'{name if name in keep else name.replace("_", "-")}="{value}"' for name, value in given.items())
    refs = "".join(f'<obj_ref id="{name}"/>' for name in owned)
    tags = f'<tags><tag id="reconciler-owned">{refs}</tag></tags>' if refs else ""
    return f"""<cib {words}>
  <configuration>
    <crm_config/>
    <nodes><node id="1" uname="a"/><node id="2" uname="b"/><node id="3" uname="c"/></nodes>
    <resources>{resources}</resources>
    <constraints>{constraints}</constraints>{tags}
  </configuration>
  <status>{status}</status>
</cib>
"""


DUMMY = '<primitive id="r" class="ocf" provider="pacemaker" type="Dummy"/>'
"""What the CIB calls the primitive that `WANTED` asks for."""

WANTED: Mapping[str, str] = {"Primitive__r": 'spec.agent = "ocf:pacemaker:Dummy"'}


def observation(
    text: str | None = None,
    *,
    previous: Observation | None = None,
    node: str = "a",
    agents: Iterable[int] | None = (1, 2),
    answers: Mapping[Source, Answer] | None = None,
) -> Observation:
    """What a node sees when its CIB is this text; None: cibadmin fails."""
    seen = Answer(text) if text is not None else Answer("", "exit", "cibadmin failed with exit code 102: not connected")
    told = {
        Source.CIB: seen,
        Source.ADDRESSES: Answer(ADDRESSES),
        Source.ROUTES: Answer("[]"),
        Source.CMAP: Answer(CMAP.format(position="abc".index(node))),
        **(answers or {}),
    }
    group = None if agents is None else frozenset(agents)
    return understand(Snapshot(told, 1000.0, f"{node}.example", "abc".index(node) + 1, group), "", previous)
