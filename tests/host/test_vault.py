"""Reading secrets: what is read, what is refused and how that is said, what is remembered."""

import json
import os
from pathlib import Path

import pytest

from reconciler import manifests
from reconciler.host import vault
from reconciler.host.vault import KEPT, Vault, read
from reconciler.kinds.parameters import parameters
from reconciler.observation import Observation
from reconciler.secret import Place, Secret, Source, Unavailable
from reconciler.state import API_VERSION, Desired, Ref
from tests.observations import cib, observation
from tests.programs import need_root

FENCE = Ref("Primitive", "fence")
LIVE = (
    '<primitive id="fence" class="stonith" type="fence_x"><instance_attributes id="fence-a">'
    '<nvpair id="fence-a-plug" name="plug" value="{}"/></instance_attributes></primitive>'
)


def desired(secret: str = "") -> Desired:
    said = f"spec.params.plug = {secret}" if secret else ""
    text = f"""apiVersion = "{API_VERSION}"
kind = "Primitive"
metadata.name = "fence"
spec.agent = "stonith:fence_x"
{said}
"""
    loaded = manifests.load({"m.toml": text}, "r")
    assert not loaded.rejected
    return loaded


def plug(found: Desired) -> Secret:
    ((_, _, value),) = parameters(found.state[FENCE])
    assert isinstance(value, Secret)
    return value


def live(seen: Observation) -> str:
    assert seen.cluster
    ((_, _, value),) = parameters(seen.cluster.state[FENCE])
    return value


def of(file: Path) -> Source:
    return Source(Place.FILE, str(file))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "secret"
    made.write_text("swordfish\n", encoding="utf-8")
    made.chmod(0o600)
    return made


def test_a_file_is_read_without_its_line_break(file: Path) -> None:
    assert read(of(file)) == "swordfish"
    file.chmod(0o400)
    link = file.with_name("link")
    link.symlink_to(file)
    assert read(of(link)) == "swordfish"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o610])
def test_a_file_that_others_can_read_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    why = f"has mode {mode:04o}, which lets others than its owner in; take it away (chmod go=)"
    assert read(of(file)) == Unavailable(why)


def test_a_file_of_somebody_else_is_refused(file: Path) -> None:
    need_root("only it can give a file away")
    os.chown(file, 12345, 0)
    assert read(of(file)) == Unavailable("belongs to user 12345; must be root's (chown root)")


def test_what_is_no_file_is_refused_and_blocks_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo", 0o600)
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/zero")):
        assert read(of(path)) == Unavailable("is not a regular file")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    said = {
        tmp_path / "missing": "does not exist, or is a link that leads nowhere",
        tmp_path / "loop": "links lead in a circle",
        tmp_path / "fifo" / "x": "Not a directory",
    }
    for path, why in said.items():
        assert read(of(path)) == Unavailable(f"cannot be read: {why}")


def test_a_large_file_is_refused_without_being_read_whole(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(1 << 40)
    large.chmod(0o600)
    assert read(of(large)) == Unavailable("has more than 4096 bytes")


def test_a_credential_is_read_where_systemd_puts_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "SERVICE_CREDENTIALS", file.parent / "none")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    source = Source(Place.CREDENTIAL, "secret")
    found = read(source)
    assert isinstance(found, Unavailable)
    assert "LoadCredential=" in found.why
    monkeypatch.setattr(vault, "SERVICE_CREDENTIALS", file.parent)
    assert read(source) == "swordfish"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(file.parent))
    file.chmod(0o440)
    assert read(source) == "swordfish"
    file.chmod(0o444)
    assert isinstance(read(source), Unavailable)
    assert read(Source(Place.CREDENTIAL, "other")) == Unavailable(
        "cannot be read: does not exist, or is a link that leads nowhere"
    )


def test_what_has_no_secrets_is_left_as_it_is(tmp_path: Path) -> None:
    made, wanted, seen = Vault(tmp_path, tmp_path / "none"), desired('"x"'), observation(cib(LIVE.format("y")))
    assert made.fill(wanted) is wanted
    assert made.conceal(seen) is seen
    assert made.keep() == ""
    assert not (tmp_path / KEPT).exists()


def test_a_secret_is_read_in_every_pass(file: Path) -> None:
    made, wanted = Vault(file.parent, file.parent / "none"), desired(f'{{ file = "{file}" }}')
    first = made.fill(wanted)
    assert plug(first) == "swordfish"
    assert first.secrets == (plug(first),)
    assert made.fill(wanted) is first
    file.write_text("trout\n", encoding="utf-8")
    assert plug(made.fill(wanted)) == "trout"
    file.unlink()
    gone = plug(made.fill(wanted))
    assert not gone.known
    assert gone.problem == f"file {file} cannot be read: does not exist, or is a link that leads nowhere"
    file.write_text("trout\n", encoding="utf-8")
    file.chmod(0o600)
    assert plug(made.fill(wanted)) == "trout"


def test_the_live_value_is_closed_as_long_as_it_is_there(file: Path) -> None:
    state = file.parent / "state"
    made = Vault(state, file.parent / "none")
    filled = made.fill(desired(f'{{ file = "{file}" }}'))
    seen = made.conceal(observation(cib(LIVE.format("swordfish"))))
    assert str(live(seen)) == str(plug(filled)) != "swordfish"
    assert live(seen) == "swordfish"
    assert made.conceal(seen) is seen
    assert made.keep() == ""
    again = Vault(state, file.parent / "none")
    again.fill(desired())
    assert str(live(again.conceal(observation(cib(LIVE.format("swordfish")))))) == str(plug(filled))
    again.conceal(observation(cib()))
    assert live(again.conceal(observation(cib(LIVE.format("public"))))) == "public"
    assert isinstance(live(again.conceal(observation(cib(LIVE.format("public"))))), str)
    assert not isinstance(live(again.conceal(observation(cib(LIVE.format("public"))))), Secret)


def test_what_is_kept_holds_no_secret_and_is_roots_alone(file: Path) -> None:
    made = Vault(file.parent, file.parent / "none")
    made.fill(desired(f'{{ file = "{file}" }}'))
    assert made.keep() == ""
    kept = file.parent / KEPT
    assert kept.stat().st_mode & 0o777 == 0o600
    content = json.loads(kept.read_text(encoding="utf-8"))
    assert content["given"] == [["Primitive", "fence", "plug"]]
    assert set(content) == {"key", "given"}
    assert "swordfish" not in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "kept", ["", "[]", '{"key": "zz", "given": 7}', '{"key": "00", "given": [["a"], 1, ["a", 1, "b"]]}']
)
def test_what_was_kept_may_be_damaged(file: Path, kept: str) -> None:
    (file.parent / KEPT).write_text(kept, encoding="utf-8")
    made = Vault(file.parent, file.parent / "none")
    assert plug(made.fill(desired(f'{{ file = "{file}" }}'))) == "swordfish"
    assert made.keep() == ""
    assert json.loads((file.parent / KEPT).read_text(encoding="utf-8"))["given"] == [["Primitive", "fence", "plug"]]


def digest(state: Path, authkey: Path, file: Path) -> str:
    made = Vault(state, authkey)
    found = str(plug(made.fill(desired(f'{{ file = "{file}" }}'))))
    assert made.keep() == ""
    return found


def test_digests_are_the_same_on_all_nodes_with_an_authkey_and_else_on_one(file: Path) -> None:
    one, other, authkey = file.parent / "one", file.parent / "other", file.parent / "authkey"
    alone = digest(one, authkey, file)
    assert digest(one, authkey, file) == alone
    assert digest(other, authkey, file) != alone
    authkey.write_bytes(b"k" * 256)
    authkey.chmod(0o400)
    shared = digest(one, authkey, file)
    assert shared == digest(other, authkey, file) != alone
    for spoilt in (lambda: authkey.chmod(0o444), lambda: authkey.write_bytes(b"short")):
        authkey.chmod(0o400)
        spoilt()
        assert digest(one, authkey, file) == alone
