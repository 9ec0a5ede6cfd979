"""What holds for every text: nothing raises, words are a shell's words, and what our own writer says is read back."""

import shlex
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler import manifests
from reconciler.cib.document import parse, serialize
from reconciler.crm import read
from reconciler.crm.configuration import KEYWORDS
from reconciler.crm.lines import split
from reconciler.kinds import CLUSTER_KINDS
from reconciler.kinds.observe import observe
from reconciler.planner import plan
from reconciler.pruning import Policy
from reconciler.reading import StatementError
from reconciler.state import Desired
from reconciler.text import plan_crm
from tests.configurations import desired, objects
from tests.examples import often
from tests.strategies.resources import Objects

NOTHING = """<cib validate-with="pacemaker-3.9" admin_epoch="0" epoch="1" num_updates="0"><configuration>
<crm_config/><nodes><node id="1" uname="vm-node1"/><node id="2" uname="vm-node2"/></nodes><resources/><constraints/>
</configuration></cib>"""
EXAMPLES = sorted(path for path in (Path(__file__).parents[2] / "crds" / "examples").iterdir() if path.is_dir())


def reads_back(wanted: Desired) -> None:
    planned = plan(wanted, observe(parse(NOTHING)), frozenset(), Policy()).plan
    reading = read(plan_crm(planned))
    assert reading.faults == ()
    seen = observe(reading.cib)
    left = plan(wanted, seen, frozenset(), Policy()).plan
    assert {str(change.ref) for change in left.changes} == set()
    assert {ref for ref in seen.all if ref.kind != "Node"} <= set(wanted.state)


@often(100)
@given(wish=objects(rare=False))
def test_what_our_writer_says_reads_back_as_the_same_objects(wish: Objects) -> None:
    reads_back(desired(wish))


@pytest.mark.parametrize("directory", EXAMPLES, ids=lambda path: path.name)
def test_what_our_writer_says_of_the_examples_reads_back(directory: Path) -> None:
    loaded = manifests.load({str(path): path.read_text() for path in directory.rglob("*.toml")}, "r")
    assert not loaded.rejected
    state = {
        ref: spec
        for ref, spec in loaded.state.items()
        if ref.kind in CLUSTER_KINDS and not (ref.kind == "Bundle" and getattr(spec, "podman", None))
    }
    reads_back(Desired(state, "r"))


VOCABULARY = """a b n1 100: inf: params meta op monitor operations rule and or date in spec lt start=x end=y hours=1
    #uname eq
    defined $id=a $id-ref=b @a @a:b $a:b=c a=b a="x ' " \\ { } ( ) [ ] /a/ to select attributes role=Master a:Master
    a:start = : * xml <primitive <a read write xpath:x meta:a:b:c type:x attr:a docker network port-mapping storage
    primitive group description=x ocf::x:y ocf:x # \x01 ü docker tag attr:a=b pattern:x n1: Mandatory: _rsc_set_
    symmetrical=no sequential=true loss-policy=stop crmsh-ref member passwd=canary
    secret="canary" x.password='canary'
"""
WORDS = st.sampled_from(VOCABULARY.split())
STATEMENTS = st.builds(
    lambda keyword, words: " ".join([keyword, *words]), st.sampled_from(sorted(KEYWORDS)), st.lists(WORDS, max_size=8)
)


@often(100)
@given(st.lists(STATEMENTS, max_size=6).map("\n".join) | st.text())
@example("group a a\nclone b a\nclone a b")
@example("xml <group id='g'><crmsh-ref id='g'/></group>")
@example("clone a b\nclone b a")
@example("xml <primitive xmlns='a' id='b'/>")
@example("bundle b docker <=1")
def test_any_text_gives_a_cib_and_faults(text: str) -> None:
    reading = read(text)
    again = parse(serialize(reading.cib.root))
    observe(again)
    lines = text.count("\n") + 1
    assert all(1 <= fault.line <= lines and fault.statement and fault.message for fault in reading.faults)
    assert "canary" not in "".join(map(str, reading.faults))


def a_shells(text: str) -> list[str] | None:
    try:
        return shlex.split(text)
    except ValueError:
        return None


def ours(text: str) -> list[str] | None:
    try:
        return [token.text for token in split(text)]
    except StatementError:
        return None


@often(100)
@given(st.text(st.sampled_from("ab \t\n\"'\\=ü")))
def test_words_are_those_of_a_shell(text: str) -> None:
    assert ours(text) == a_shells(text)
