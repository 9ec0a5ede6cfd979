"""Small files that outlive the agent."""

import os
import subprocess
import sys
from pathlib import Path

from reconciler.host import store


def test_a_text_is_utf_8_whatever_the_locale_says(tmp_path: Path) -> None:
    file = tmp_path / "cib.xml"
    script = (
        "import sys; from pathlib import Path; from reconciler.host import store; store.write(Path(sys.argv[1]), 'é')"
    )
    options = ("-X", "utf8=0", "-X", "warn_default_encoding", "-W", "error::EncodingWarning:reconciler.host.store")
    subprocess.run((sys.executable, *options, "-c", script, str(file)), check=True)
    assert file.read_bytes() == "é".encode()


def test_what_was_saved_comes_back_and_is_for_this_user_only(tmp_path: Path) -> None:
    file = tmp_path / "state" / "kept.json"
    assert store.save(file, {"a": [1, "é"]}) == ""
    assert store.load(file) == {"a": [1, "é"]}
    assert file.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in file.parent.iterdir()] == ["kept.json"]


def test_a_link_put_in_the_way_is_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    for name in (".kept.json.new", "kept.json"):
        (tmp_path / name).symlink_to(precious)
    assert store.save(tmp_path / "kept.json", 1) == ""
    assert precious.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "kept.json").is_symlink()


def test_a_file_that_is_rewritten_keeps_its_owner_its_mode_and_the_link_to_it(tmp_path: Path) -> None:
    file, link = tmp_path / "cib.xml", tmp_path / "link.xml"
    file.write_text("old", encoding="utf-8")
    link.symlink_to(file)
    file.chmod(0o640)
    other = 1234 if os.geteuid() == 0 else os.geteuid()
    os.chown(file, other, -1)
    assert store.write(link, "new") == ""
    assert file.read_text(encoding="utf-8") == "new"
    assert link.is_symlink()
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (other, 0o640)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["cib.xml", "link.xml"]


def test_what_cannot_be_written_is_said_and_what_is_no_json_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("{", encoding="utf-8")
    assert "cannot be written" in store.save(tmp_path / "file" / "kept.json", 1)
    assert store.load(tmp_path / "file") is None
    assert store.load(tmp_path / "nowhere") is None


def test_an_inventory_that_is_damaged_holds_what_can_be_read(tmp_path: Path) -> None:
    store.save(tmp_path / store.INVENTORY, [["eth0", "192.0.2.1/24"], ["eth1"], "eth2"])
    assert store.inventory(tmp_path) == {("eth0", "192.0.2.1/24")}
