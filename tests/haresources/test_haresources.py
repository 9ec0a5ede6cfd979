"""Heartbeat's haresources: what its words become, what cannot be said today, and that Pacemaker takes the result."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cib.document import parse, serialize
from reconciler.haresources import read
from reconciler.kinds.observe import observe
from reconciler.state import Ref
from tests.cib.pacemaker_patches import PatchOracle
from tests.examples import often

Objects = dict[str, dict[str, Any]]


def objects(text: str) -> Objects:
    reading = read(text)
    assert reading.faults == ()
    seen = observe(reading.cib)
    assert not seen.unsupported
    assert not seen.unknown
    return {
        str(ref): spec.model_dump(mode="json", by_alias=True, exclude_defaults=True) for ref, spec in seen.state.items()
    }


def remarks(text: str, name: str) -> list[str]:
    return [remark.text for remark in read(text).remarks if remark.name == name]


def test_the_reference_case() -> None:
    assert objects("vm-node1 IPaddr::192.168.1.60/24/bond1 apache2") == {
        "Node/vm-node1": {"id": "vm-node1"},
        "Primitive/ip-192.168.1.60": {
            "agent": "ocf:heartbeat:IPaddr2",
            "params": {"ip": "192.168.1.60", "cidr_netmask": "24", "nic": "bond1"},
            "operations": [{"name": "monitor", "interval": "10s", "timeout": "20s"}],
        },
        "Primitive/apache2": {
            "agent": "ocf:heartbeat:apache",
            "params": {"configfile": "/etc/apache2/apache2.conf"},
            "operations": [
                {"name": "monitor", "interval": "10s", "timeout": "20s"},
                {"name": "start", "timeout": "60s"},
                {"name": "stop", "timeout": "60s"},
            ],
        },
        "Group/group-apache2": {"resources": ["ip-192.168.1.60", "apache2"]},
        "Location/group-apache2-prefers-vm-node1": {
            "resource": "group-apache2", "node": "vm-node1", "score": "100",
        },
    }  # fmt: skip


IP = "ocf:heartbeat:IPaddr2"


@pytest.mark.parametrize(
    ("word", "agent", "params"),
    [
        ("10.0.0.1", IP, {"ip": "10.0.0.1"}),
        ("10.0.0.1/24", IP, {"ip": "10.0.0.1", "cidr_netmask": "24"}),
        ("IPaddr::10.0.0.1/24/eth0", IP, {"ip": "10.0.0.1", "cidr_netmask": "24", "nic": "eth0"}),
        ("IPaddr2::10.0.0.1/255.255.240.0/eth0:1/10.0.15.255", IP, {
            "ip": "10.0.0.1", "cidr_netmask": "20", "nic": "eth0", "iflabel": "1", "broadcast": "10.0.15.255",
        }),
        ("10.0.0.1/24/10.0.0.255", IP, {"ip": "10.0.0.1", "cidr_netmask": "24", "broadcast": "10.0.0.255"}),
        ("IPv6addr::2001:db8::1/64/eth0", IP, {"ip": "2001:db8::1", "cidr_netmask": "64", "nic": "eth0"}),
        ("2001:db8::1/64", IP, {"ip": "2001:db8::1", "cidr_netmask": "64"}),
        ("IPsrcaddr::10.0.0.1", "ocf:heartbeat:IPsrcaddr", {"ipaddress": "10.0.0.1"}),
        ("Filesystem::/dev/sda1::/srv/data::ext3::noatime", "ocf:heartbeat:Filesystem", {
            "device": "/dev/sda1", "directory": "/srv/data", "fstype": "ext3", "options": "noatime",
        }),
        ("Filesystem::/dev/sda1::/", "ocf:heartbeat:Filesystem", {
            "device": "/dev/sda1", "directory": "/", "fstype": "auto",
        }),
        ("LVM::vg0", "ocf:heartbeat:LVM", {"volgrpname": "vg0"}),
        ("MailTo::a@x,b@y::Web", "ocf:heartbeat:MailTo", {"email": "a@x,b@y", "subject": "Web"}),
        ("MailTo::root", "ocf:heartbeat:MailTo", {"email": "root"}),
        ("Delay::45", "ocf:heartbeat:Delay", {"startdelay": "45", "stopdelay": "45", "mondelay": "0"}),
        ("WinPopup::hosts", "ocf:heartbeat:WinPopup", {"hostfile": "hosts"}),
        ("Raid1::/etc/raidtab.md0::/dev/md0", "ocf:heartbeat:Raid1", {
            "raidconf": "/etc/raidtab.md0", "raiddev": "/dev/md0",
        }),
        ("Xinetd::cvs", "ocf:heartbeat:Xinetd", {"service": "cvs"}),
        ("portblock::tcp::80::block", "ocf:heartbeat:portblock", {
            "protocol": "tcp", "portno": "80", "action": "block",
        }),
        ("ldirectord::ha.cf", "ocf:heartbeat:ldirectord", {"configfile": "/etc/ha.d/ha.cf"}),
        ("ldirectord", "ocf:heartbeat:ldirectord", {"configfile": "/etc/ha.d/ldirectord.cf"}),
        ("oracle::RK1::/oracle/10.2::orark1", "ocf:heartbeat:oracle", {
            "sid": "RK1", "home": "/oracle/10.2", "user": "orark1",
        }),
        ("apache::/opt/web/httpd.conf", "ocf:heartbeat:apache", {"configfile": "/opt/web/httpd.conf"}),
        ("apache", "ocf:heartbeat:apache", {}),
        ("httpd", "ocf:heartbeat:apache", {"configfile": "/etc/httpd/conf/httpd.conf"}),
        ("postgresql", "systemd:postgresql", {}),
        ("nfs-kernel-server.service", "systemd:nfs-kernel-server", {}),
        ("openvpn@office", "systemd:openvpn@office", {}),
    ],
)  # fmt: skip
def test_words(word: str, agent: str, params: dict[str, str]) -> None:
    text = f"n1 {word}"
    [primitive] = [spec for name, spec in objects(text).items() if name.startswith("Primitive/")]
    assert (primitive["agent"], primitive.get("params", {})) == (agent, params)
    assert [operation for operation in primitive["operations"] if operation["name"] == "monitor"]


def test_drbd_runs_on_both_nodes_and_the_rest_where_it_is_promoted() -> None:
    text = "n1 10.0.0.1/24 drbddisk::r0 Filesystem::/dev/drbd0::/data::xfs mysql"
    found = objects(text)
    assert found["Primitive/drbd-r0"]["agent"] == "ocf:linbit:drbd"
    assert found["Primitive/drbd-r0"]["params"] == {"drbd_resource": "r0"}
    assert found["Clone/drbd-r0-clone"]["meta"]["promotable"] == "true"
    assert found["Group/group-mysql"] == {"resources": ["ip-10.0.0.1", "fs-data", "mysql"]}
    assert found["Colocation/group-mysql-with-drbd-r0-clone"] == {
        "resource": "group-mysql", "with": "drbd-r0-clone", "with-role": "Promoted", "score": "INFINITY",
    }  # fmt: skip
    assert found["Order/drbd-r0-clone-before-group-mysql"] == {
        "first": "drbd-r0-clone", "then": "group-mysql", "first-action": "promote", "then-action": "start",
    }  # fmt: skip
    assert remarks(text, "group-mysql") == [
        "What stood before drbddisk is started after it here: the group waits for DRBD."
    ]
    assert remarks(text.replace("10.0.0.1/24 ", ""), "group-mysql") == []


def test_drbd_alone_prefers_to_be_promoted_on_its_node() -> None:
    assert objects("n1 drbddisk::r0")["Location/drbd-r0-clone-prefers-n1"] == {
        "resource": "drbd-r0-clone", "node": "n1", "score": "100", "role": "Promoted",
    }  # fmt: skip


def test_lines_go_on_and_comments_do_not_count() -> None:
    text = "# nothing\n\nn1 10.0.0.1 \\\n  mysql # the database\n   \t\nn2 smb\\\n"
    assert {name for name in objects(text) if not name.startswith("Node/")} == {
        "Primitive/ip-10.0.0.1", "Primitive/mysql", "Group/group-mysql", "Location/group-mysql-prefers-n1",
        "Primitive/smb", "Location/smb-prefers-n2",
    }  # fmt: skip


def test_names_are_unique_and_lines_that_share_a_resource_are_remarked_on() -> None:
    text = "n1 10.0.0.1 mysql MailTo::root\nn2 10.0.0.2 mysql MailTo::root"
    names = [name.partition("/")[2] for name in objects(text)]
    assert len(names) == len(set(names))
    assert any("mysql is on line 1 too" in remark for remark in remarks(text, "mysql-1"))
    assert remarks(text, "mail-1") == []


def test_what_heartbeat_did_and_pacemaker_does_not_is_said() -> None:
    assert any("monitor operation" in remark for remark in remarks("n1 mysql", ""))
    [failback] = remarks("n1 mysql", "mysql-prefers-n1")
    assert "auto_failback" in failback
    assert "resource-stickiness" in failback


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("n1", "line 1: n1: names no resource after the node"),
        ("n1 IPaddr::x", "line 1: n1 IPaddr::x: IPaddr::x is left out: 'x' is not an address"),
        ("n1 10.0.0.1/24/eth0/eth1", "'eth1' is neither netmask nor interface nor broadcast address"),
        ("n1 10.0.0.1/255.0.255.0", "'255.0.255.0' is not a netmask"),
        ("n1 Filesystem::/dev/sda1", "does not say its directory"),
        ("n1 Filesystem::a::b::c::d::e", "has more than its 4 arguments (device, directory, fstype, options)"),
        ("n1 Delay::soon", "does not say a number of seconds"),
        ("n1 drbddisk", "names no DRBD resource: write drbddisk::NAME for each"),
        ("n1 myscript::x", "nobody but its author knows what the script myscript does with its arguments"),
        ("n1 -x", "'-x' is no name of a script"),
        ("n1 a\x01b", "has the character '\\x01', which no CIB can hold"),
    ],
)  # fmt: skip
def test_faults(text: str, fault: str) -> None:
    [found] = read(f"{text}\nn2 mysql\n").faults
    assert fault in str(found)
    assert Ref("Primitive", "mysql") in observe(read(f"{text}\nn2 mysql\n").cib).state


EVERYTHING = """
node-a 10.0.0.170/25/eth0:0/10.0.0.191 drbddisk::r0 drbddisk::r1 Filesystem::/dev/drbd0::/var/www::ext3::noatime \\
    LVM::vg0 IPsrcaddr::10.0.0.170 Delay::5 apache2 mysql MailTo::root::Web
node-b drbddisk::r2
node-b.example.com WinPopup::x Xinetd::cvs portblock::tcp::80::block ldirectord oracle::a::b::c httpd 192.0.2.7
"""


def test_pacemaker_takes_it() -> None:
    reading = read(EVERYTHING)
    assert reading.faults == ()
    assert PatchOracle().valid(reading.cib.text)


WORDS = """n1 n2 10.0.0.1 10.0.0.1/24/eth0 IPaddr:: ::x Filesystem::a::b drbddisk::r0 drbddisk Delay::1 Delay::x 1x
mysql - @ \\ # LVM::vg MailTo::a é systemd a::b /x/y IPv6addr::fe80::1 1.2.3.4/255.255.0.0 ::1 fe80::1/64 LVM WAS
apache2 IPaddr::10.0.0.1::eth0"""


@often(100)
@given(
    st.lists(st.lists(st.sampled_from(WORDS.split()), max_size=5).map(" ".join), max_size=4).map("\n".join) | st.text()
)
def test_any_text_gives_a_cib_and_faults(text: str) -> None:
    reading = read(text)
    observed = observe(parse(serialize(reading.cib.root)))
    assert not observed.unsupported
    assert not observed.unknown
    assert all(1 <= fault.line <= text.count("\n") + 1 for fault in reading.faults)
