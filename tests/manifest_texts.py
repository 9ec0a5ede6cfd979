"""Small manifests, and what is wrong with them."""

from reconciler.manifests import load

HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\n'
DUMMY = 'spec.agent = "ocf:heartbeat:Dummy"\n'


def faults(*texts: str) -> list[str]:
    """What is said of m1.toml, m2.toml …"""
    files = {f"m{number}.toml": text for number, text in enumerate(texts, 1)}
    return [str(rejected) for rejected in load(files, "r").rejected]


def item(kind: str, name: str, body: str) -> str:
    return f'[[items]]\nkind = "{kind}"\nmetadata.name = "{name}"\n{body}\n'


def listed(*items: str) -> str:
    return HEAD + 'kind = "List"\n' + "".join(items)


def one(kind: str, body: str, name: str = "x") -> str:
    return HEAD + f'kind = "{kind}"\nmetadata.name = "{name}"\n{body}\n'


VIP = item("Primitive", "vip", DUMMY)
WEB = item("Primitive", "web", DUMMY)
EVERYTHING = (
    VIP,
    WEB,
    item("Group", "g", "spec.resources = ['web', 'vip']"),
    item("Clone", "c", "spec.resource = 'g'"),
    item("Location", "l", "spec = { resource = 'c', node = 'n', score = 1 }"),
    item("ClusterProperties", "p", "spec.properties = { stonith-enabled = false }"),
)
