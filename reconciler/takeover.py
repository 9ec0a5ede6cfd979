"""The verb `import`: a live cluster, a CIB file or another language's text -> manifests, printed or written."""

from collections.abc import Callable
from pathlib import Path

from reconciler.cib.document import Cib, CibError, parse
from reconciler.host import cibfile, newfiles
from reconciler.host.directory import DEFAULT_LIMITS, explain
from reconciler.importer.importer import Imported, import_cib
from reconciler.reading import Fault, Reading
from reconciler.settings import Settings


class TakeoverError(Exception):
    """Nothing can be imported, or it cannot be written; the message is for people."""


def take(settings: Settings, file: Path | None, *, overrides: bool = True) -> Imported:
    """Import this node's cluster, or the CIB in a file; without `overrides` what people set by hand stays theirs.

    Raises:
        TakeoverError: it cannot be read, or is no CIB.
    """
    return import_cib(_read(settings, file), overrides=overrides)


def translate(file: Path, language: str, *, overrides: bool = True) -> tuple[Imported, tuple[Fault, ...]]:
    """Import what a text in another language says, `crm` or `haresources`, and return what of it could not be read.

    Raises:
        TakeoverError: the file cannot be read, is empty, or is XML.
    """
    # Seldom wanted: nobody else is to wait for their import.
    from reconciler import crm, haresources  # noqa: PLC0415

    readers: dict[str, Callable[[str], Reading]] = {"crm": crm.read, "haresources": haresources.read}
    text = _text(file)
    if not text.strip():
        raise TakeoverError(f"{file}: is empty")
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise TakeoverError(f"{file}: is XML: a CIB is read with --cib")
    reading = readers[language](text)
    notes = [f"Not imported: {fault}" for fault in reading.faults]
    return import_cib(reading.cib, notes, reading.remarks, overrides=overrides), reading.faults


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise TakeoverError(f"{file}: cannot be read: {explain(error)}") from error
    except UnicodeDecodeError as error:
        raise TakeoverError(f"{file}: cannot be read: not UTF-8 at byte {error.start}") from error


def _read(settings: Settings, file: Path | None) -> Cib:
    try:
        if file:
            return cibfile.read(file)
        # What asks a cluster is much, and a file needs none of it.
        from reconciler.host.observer import COMMANDS  # noqa: PLC0415
        from reconciler.host.shell import Call, Shell  # noqa: PLC0415
        from reconciler.observation import Source  # noqa: PLC0415

        answer = Shell().run(Call(COMMANDS[Source.CIB], timeout=settings.command_timeout))
        if answer.failure:
            raise TakeoverError(f"{answer.message}; where there is no cluster, name a file of its CIB with --cib")
        return parse(answer.stdout)
    except cibfile.UnreadableError as error:
        raise TakeoverError(str(error)) from error
    except CibError as error:
        raise TakeoverError(f"{file or 'the cluster'}: {error}") from error


def write(directory: Path, imported: Imported) -> None:
    """Write the manifests to a new or empty directory.

    Raises:
        TakeoverError: they cannot be written, or there is more than can be read again.
    """
    sizes = {file.name: len(file.text.encode()) for file in imported.files}
    for name, size in sizes.items():
        if size > DEFAULT_LIMITS.file_bytes:
            most = f"of a manifest at most {DEFAULT_LIMITS.file_bytes} are read"
            raise TakeoverError(f"{directory}/{name}: would have {size} bytes for one object, and {most}")
    if sum(sizes.values()) > DEFAULT_LIMITS.total_bytes:
        most = f"of all manifests together at most {DEFAULT_LIMITS.total_bytes} are read"
        raise TakeoverError(f"{directory}: would have {sum(sizes.values())} bytes, and {most}")
    trouble = newfiles.write(directory, {file.name: file.text for file in imported.files})
    if trouble:
        raise TakeoverError(trouble)


def is_partial(imported: Imported) -> bool:
    """Tell whether something was left out that nobody asked to be left out."""
    return not all(item.chosen for item in imported.left_out)


def summary(imported: Imported, directory: Path | None) -> list[str]:
    """Say on a few lines what was imported and what was not; without a directory it is printed."""
    lines = [f"{item.ref}: not imported: {item.why}" for item in imported.left_out]
    objects, files = imported.objects, len(imported.files)
    where = f" in {files} file{'s' * (files != 1)}" if directory else ""
    lines.append(f"{directory or 'import'}: {objects} object{'s' * (objects != 1)}{where}")
    if imported.attention:
        counts = ", ".join(f"{number} {topic}" for topic, number in sorted(imported.attention.items()))
        lines.append(f"comments in the manifests say what needs attention: {counts}")
    return lines
