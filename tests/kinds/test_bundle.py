"""Bundles: containers, their network and storage, and the primitive inside."""

from reconciler import manifests
from reconciler.cib.document import parse
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from tests.kinds.words import both_ways, reads, refuses, rewritten, spec

HEAD = 'apiVersion = "ha.reconciler.io/v1alpha1"\nkind = "List"\n'


def test_a_bundle_in_both_languages() -> None:
    both_ways(
        "Bundle",
        """podman = { image = "localhost/db:1", replicas = 3, promoted-max = 1, replicas-per-host = 1,
          run-command = "/usr/sbin/pacemaker_remoted", network = "host", options = "--log-driver=none" }
        network = { ip-range-start = "192.0.2.10", control-port = 9999, host-interface = "bond1", host-netmask = 24,
          add-host = false, port-mapping = [{ port = 80, internal-port = 8080 }, { range = "90-99", id = "p" }] }
        storage = [{ source-dir = "/srv", target-dir = "/var/srv", options = "rw" },
          { source-dir-root = "/var/log/db", target-dir = "/var/log", id = "s" }]
        resource = "db"
        meta = { is-managed = true }""",
        """<bundle id="b"><meta_attributes id="b-meta_attributes">
        <nvpair id="b-meta_attributes-is-managed" name="is-managed" value="true"/></meta_attributes>
        <podman image="localhost/db:1" replicas="3" replicas-per-host="1" promoted-max="1"
          run-command="/usr/sbin/pacemaker_remoted" network="host" options="--log-driver=none"/>
        <network ip-range-start="192.0.2.10" control-port="9999" host-interface="bond1" host-netmask="24"
          add-host="false"><port-mapping id="b-port" port="80" internal-port="8080"/>
        <port-mapping id="p" range="90-99"/></network>
        <storage><storage-mapping id="b-storage" source-dir="/srv" target-dir="/var/srv" options="rw"/>
        <storage-mapping id="s" source-dir-root="/var/log/db" target-dir="/var/log"/></storage>
        <primitive id="db" class="lsb" type="db"/></bundle>""",
        "p",
        "s",
    )


def test_a_container_alone_is_short() -> None:
    both_ways("Bundle", 'docker.image = "x"', '<bundle id="b"><docker image="x"/></bundle>')
    both_ways("Bundle", 'rkt.image = "x"', '<bundle id="b"><rkt image="x"/></bundle>')


LIVE = """<bundle id="b"><docker image="x" masters="1" replicas="02"/><network add-host="true"/><storage/>
<primitive id="db" class="lsb" type="db"/></bundle>"""


def test_old_words_and_defaults_stay() -> None:
    reads("Bundle", LIVE, 'docker = { image = "x", replicas = 2, promoted-max = 1 }\nresource = "db"')
    after = rewritten("Bundle", LIVE, 'docker = { image = "y", replicas = 2, promoted-max = 2 }\nresource = "db"')
    assert '<docker image="y" masters="2" replicas="02" />' in after
    assert '<network add-host="true" />' in after


def test_ports_and_directories_keep_their_ids() -> None:
    live = """<bundle id="b"><docker image="x"/><network><port-mapping id="1p" port="80"/>
    <port-mapping id="2p" port="81" internal-port="81"/></network><storage>
    <storage-mapping id="1s" source-dir="/a" target-dir="/a"/></storage></bundle>"""
    after = rewritten(
        "Bundle",
        live,
        'docker.image = "x"\nnetwork.port-mapping = [{ port = 81 }]\n'
        'storage = [{ source-dir = "/b", target-dir = "/a" }]',
    )
    assert '<network><port-mapping id="2p" port="81" internal-port="81" /></network>' in after
    assert '<storage-mapping id="1s" source-dir="/b" target-dir="/a" />' in after


def test_one_form_at_a_time() -> None:
    refuses("Bundle", 'resource = "db"', "needs one of `docker`, `podman` and `rkt`")
    refuses("Bundle", 'docker.image = "x"\npodman.image = "x"', "needs one of")
    refuses("Bundle", 'docker.image = "x"\nnetwork.port-mapping = [{}]', "needs either a `port`")
    refuses("Bundle", 'docker.image = "x"\nstorage = [{ target-dir = "/x" }]', "needs either a `source-dir`")


def test_the_primitive_is_inside() -> None:
    kind = CLUSTER_KINDS["Bundle"]
    assert kind.members(spec("Bundle", 'docker.image = "x"\nresource = "db"')) == ("db",)
    text = (
        HEAD
        + '[[items]]\nkind = "Primitive"\nmetadata.name = "db"\nspec.agent = "ocf:heartbeat:pgsql"\n'
        + '[[items]]\nkind = "Bundle"\nmetadata.name = "b"\nspec = { docker.image = "x", resource = "db" }\n'
    )
    cib = """<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0">
    <configuration><crm_config/><nodes/><resources/><constraints/></configuration><status/></cib>"""
    made = plan(manifests.load({"a.toml": text}, "r"), observe(parse(cib)), frozenset(), Policy())
    assert made.configuration.find("resources/bundle/primitive[@id='db']") is not None


def test_the_addresses_of_a_bundle_belong_to_the_cluster() -> None:
    text = (
        HEAD
        + '[[items]]\nkind = "Bundle"\nmetadata.name = "b"\n'
        + 'spec = { docker = { image = "x", replicas = 2 }, network.ip-range-start = "192.0.2.10" }\n'
        + '[[items]]\nkind = "NodeNetwork"\nmetadata.name = "n1"\nspec.node = "n1"\n'
        + 'spec.links = [{ name = "bond1", addresses = ["192.0.2.11/24"] }]\n'
    )
    (fault,) = manifests.load({"a.toml": text}, "r").rejected
    assert "192.0.2.11" in str(fault)
