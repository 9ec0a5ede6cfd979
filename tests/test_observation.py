"""What the machine's answers mean, and which of them mean nothing."""

from gc import collect, get_objects

import pytest

from reconciler.cib.document import Cib
from reconciler.decision import Remembered, decide
from reconciler.observation import Answer, Source
from reconciler.pruning import Policy
from tests.observations import DUMMY, WANTED, cib, desired, observation


def test_a_node_knows_its_name_from_corosync_or_else_from_the_host() -> None:
    assert observation(cib()).node == "a"
    silent = {Source.CMAP: Answer("", "exit", "corosync-cmapctl failed with exit code 1")}
    assert observation(cib(), answers=silent).node == "a.example"
    assert observation(cib(), answers=silent).rings is None
    assert observation(cib()).rings == ("10.0.0.1", "10.0.0.2", "10.0.0.3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not well-formed XML"),
        ("<cib", "not well-formed XML"),
        ("<cib/>", "no <configuration>"),
        ("<pacemaker-result/>", "the document is a <pacemaker-result>"),
    ],
)
def test_rubbish_instead_of_a_cib_is_no_cib(text: str, said: str) -> None:
    seen = observation(text)
    assert (seen.cib, seen.cluster, seen.status, seen.running) == (None, None, None, frozenset())
    assert seen.problems[Source.CIB].failure == "parse"
    assert said in seen.why("cib")
    assert seen.network is not None


@pytest.mark.parametrize("text", ["", "[", '{"a": 1}', '[{"ifname": 5}]', "null"])
def test_rubbish_from_ip_is_no_network(text: str) -> None:
    seen = observation(cib(), answers={Source.ADDRESSES: Answer(text)})
    assert seen.network is None
    assert seen.problems[Source.ADDRESSES].failure == "parse"
    assert seen.cib is not None


def test_a_failed_command_is_no_answer_whatever_it_printed() -> None:
    seen = observation(cib(), answers={Source.CIB: Answer(cib(), "timeout", "cibadmin took longer than 2 s")})
    assert seen.cib is None
    assert seen.why("cib") == "cibadmin took longer than 2 s"


def test_the_same_text_is_not_read_twice() -> None:
    first = observation(cib(DUMMY))
    again = observation(cib(DUMMY), previous=first)
    assert again.cib is first.cib
    assert again.cluster is first.cluster
    assert again.status is first.status


def test_a_plan_from_objects_read_long_ago_still_changes_the_cib() -> None:
    """Only the counters move, pass after pass; then somebody wants something else."""
    wanted = desired(Primitive__r='spec.agent = "ocf:pacemaker:Dummy"\nspec.params.fake = "1"')
    seen = None
    for number in range(4):
        seen = observation(cib(DUMMY, owned=["r"], num_updates=str(number)), previous=seen)
        decided = decide(wanted, seen, Policy(), Remembered())
        assert [str(change.ref) for change in decided.plan.changes] == ["Primitive/r"]
        [command] = decided.plan.commands
        assert 'name="fake"' in command.stdin


def test_a_cluster_that_was_quiet_for_long_can_still_be_changed() -> None:
    """Thousands of looks at the same configuration leave neither a chain of CIBs nor their memory behind."""
    seen = observation(cib(DUMMY, owned=["r"]))
    for number in range(1, 1200):
        seen = observation(cib(DUMMY, owned=["r"], num_updates=str(number)), previous=seen)
    wanted = desired(Primitive__r='spec.agent = "ocf:pacemaker:Dummy"\nspec.params.fake = "1"')
    assert [str(change.ref) for change in decide(wanted, seen, Policy(), Remembered()).plan.changes] == ["Primitive/r"]
    collect()
    assert sum(isinstance(thing, Cib) for thing in get_objects()) < 100


HISTORY = """<node_state id="1" uname="a" in_ccm="true" crmd="online" join="member" expected="member"><lrm id="1">
<lrm_resources><lrm_resource id="r" class="ocf" provider="pacemaker" type="Dummy">
<lrm_rsc_op id="r_last_0" operation_key="r_{task}_0" operation="{task}" call-id="{call}" rc-code="{code}"
 op-status="{status}" interval="0" on_node="a" transition-key="1:1:0:x" transition-magic="0:0;1:1:0:x"/>
</lrm_resource></lrm_resources></lrm></node_state>"""


@pytest.mark.parametrize(
    ("task", "call", "code", "status", "runs"),
    [
        ("start", "5", "0", "0", True),
        ("start", "-1", "193", "-1", True),
        # Pacemaker replaces a start without recurring operations by the stop that is under way.
        ("stop", "-1", "193", "-1", True),
        ("stop", "6", "0", "0", False),
        ("monitor", "4", "7", "0", False),
    ],
)
def test_a_resource_runs_until_its_stop_has_ended(task: str, call: str, code: str, status: str, runs: bool) -> None:
    history = HISTORY.format(task=task, call=call, code=code, status=status)
    seen = observation(cib(DUMMY, owned=["r"], status=history))
    assert seen.running == ({"r"} if runs else frozenset())
    nothing = desired(Primitive__other=WANTED["Primitive__r"])
    plan = decide(nothing, seen, Policy(), Remembered()).plan
    deleted = [str(change.ref) for change in plan.changes if change.after is None]
    assert deleted == ([] if runs else ["Primitive/r"])
