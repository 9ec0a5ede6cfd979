"""`corosync-quorumtool` in every shape."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.corosync.cmap import ParseFailure
from reconciler.corosync.quorumtool import Member, Qdevice, Quorum, quorum
from tests.corosync.samples import quorumtool

WITH_DEVICE_COLUMN = """\
    Nodeid      Votes    Qdevice Name
         1          1         NR red (local)
         2          1         NR green
"""

HEXADECIMAL_WITH_ADDRESSES = """\
    Nodeid      Votes    Qdevice Name
0x00000001          1         NR 10.0.0.1 (local)
0x0000000a          1         NR fd00::2
"""


def read(text: str) -> Quorum:
    found = quorum(text)
    assert isinstance(found, Quorum), found
    return found


def test_two_nodes() -> None:
    found = read(quorumtool(WITH_DEVICE_COLUMN, flags="2Node Quorate WaitForAll"))
    assert (found.quorate, found.provider, found.local_id, found.ring_id) == (True, "corosync_votequorum", 1, "1.16d")
    assert (found.expected_votes, found.highest_expected, found.total_votes, found.quorum_votes) == (3, 3, 2, 2)
    assert found.flags == ("2Node", "Quorate", "WaitForAll")
    assert found.members == (Member(1, "red", 1, local=True), Member(2, "green", 1, local=False))
    assert found.qdevice is None


def test_without_quorum_activity_is_blocked() -> None:
    found = read(quorumtool(WITH_DEVICE_COLUMN, quorate="No", flags="", quorum="2 Activity blocked"))
    assert (found.quorate, found.blocked, found.quorum_votes, found.flags) == (False, True, 2, ())


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (
            "    Nodeid      Votes Name\n         1          1 red (local)\n         2          1 green\n",
            ["red", "green"],
        ),
        (HEXADECIMAL_WITH_ADDRESSES, ["10.0.0.1", "fd00::2"]),
    ],
)
def test_other_tables(rows: str, names: list[str]) -> None:
    assert [member.name for member in read(quorumtool(rows)).members] == names


def test_complaints_before_the_table_are_passed_over() -> None:
    assert len(read(quorumtool("Unable to get node 2 info\n" + WITH_DEVICE_COLUMN)).members) == 2


@pytest.mark.parametrize(
    ("states", "last", "expected"),
    [
        ("A,V,NMW", "            Qdevice", Qdevice(registered=True, alive=True, voting=True, votes=1)),
        ("A,NV,NMW", "            Qdevice (votes 1)", Qdevice(registered=True, alive=True, voting=False, votes=1)),
        ("NA,NV,MW", "            Qdevice (votes 1)", Qdevice(registered=True, alive=False, voting=False, votes=1)),
        ("NR", "            Qdevice (votes 1)", Qdevice(registered=False, alive=False, voting=False, votes=1)),
    ],
)
def test_a_quorum_device_is_no_member(states: str, last: str, expected: Qdevice) -> None:
    votes = 0 if "votes" in last else 1
    rows = f"    Nodeid      Votes    Qdevice Name\n         1          1   {states} red (local)\n"
    rows += f"         2          1   {states} green\n         0          {votes}{last}\n"
    found = read(quorumtool(rows, flags="Quorate Qdevice"))
    assert found.qdevice == expected
    assert [member.id for member in found.members] == [1, 2]


@pytest.mark.parametrize(
    "row",
    [
        "     32636          0         NR",  # no name
        "     32636 garbage",
        "         2          1         NR green blue",
        "         2          1         NR red\n         2          1         NR green",
        "         0          1         NR green",
        "",
    ],
)
def test_an_unexpected_member_fails_the_whole_text(row: str) -> None:
    rows = f"    Nodeid      Votes    Qdevice Name\n         1          1         NR red (local)\n{row}\n"
    assert isinstance(quorum(quorumtool(rows)), ParseFailure)


@pytest.mark.parametrize("text", ["", "Cannot initialize QUORUM service\n", quorumtool("")])
def test_other_texts_are_failures(text: str) -> None:
    assert isinstance(quorum(text), ParseFailure)


@given(st.integers(0, 800), st.text(max_size=20))
def test_nothing_raises(cut: int, tail: str) -> None:
    quorum(quorumtool(WITH_DEVICE_COLUMN)[:cut] + tail)
