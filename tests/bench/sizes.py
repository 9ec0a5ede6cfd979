"""`plan` and `import` of large CIB files, beside `cibadmin --query` of the same file."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.bench import large
from tests.bench.process import Command, Cost, costs
from tests.bench.table import Figure
from tests.programs import CORPUS

_PRIMITIVES = 5000
_TIMES = 9
_SLOWER = 5.0
_LARGER = 6.0
_START = "pass"
_IMPORTS = "import reconciler.cli, reconciler.oneshot, reconciler.takeover, reconciler.text"


def figures(directory: Path) -> list[Figure]:
    """Measure the corpus's largest CIB, if it is here, and a generated one of 5000 primitives."""
    generated = directory / f"{_PRIMITIVES}-primitives.xml"
    generated.write_text(large.configured_cib(_PRIMITIVES), encoding="utf-8")
    found = []
    for source in (CORPUS / "cib" / "pcs-cib-large.xml", generated):
        if source.exists():
            found += _beside_cibadmin(source, directory)
        else:
            print(f"{source.name} is NOT measured: the corpus of CIBs is not here (RECONCILER_CORPUS)")
    return found


def _beside_cibadmin(source: Path, directory: Path) -> list[Figure]:
    place = directory / source.stem
    place.mkdir()
    cib, desired = place / source.name, place / "desired"
    shutil.copyfile(source, cib)
    _run("import", "--cib", str(cib), "--output", str(desired))
    # Recorded as ours, so that planning finds nothing to do at all.
    _run("apply", "--cib", str(cib), "--desired", str(desired))
    reconciler = (sys.executable, "-m", "reconciler")
    commands = {
        "cibadmin": Command(("cibadmin", "--query"), {"CIB_file": str(cib)}),
        "start": Command((sys.executable, "-c", _START), {}),
        "imports": Command((sys.executable, "-c", _IMPORTS), {"PYDANTIC_DISABLE_PLUGINS": "__all__"}),
        "plan": Command((*reconciler, "plan", "--cib", str(cib), "--desired", str(desired)), {}),
        "import": Command((*reconciler, "import", "--cib", str(cib)), {}),
    }
    found = dict(zip(commands, costs(list(commands.values()), _TIMES), strict=True))
    size = cib.stat().st_size
    return [
        figure
        for verb in ("plan", "import")
        for figure in (_time(verb, source.name, found), _memory(verb, source.name, found, size))
    ]


def _time(verb: str, name: str, found: dict[str, Cost]) -> Figure:
    """Compare elapsed time, less that of an interpreter which does nothing; without its imports too in the detail."""
    ours, start, imports, bare = (found[key] for key in (verb, "start", "imports", "cibadmin"))
    return Figure(
        f"{verb} --cib {name}, less `python -c pass` / cibadmin --query",
        (ours.seconds - start.seconds) / bare.seconds,
        "x",
        _SLOWER,
        detail=f"{ours.seconds * 1000:.0f} - {start.seconds * 1000:.0f} ms / {bare.seconds * 1000:.0f} ms; "
        f"by processor time {(ours.processor - start.processor) / bare.processor:.1f} x; "
        f"less an interpreter with our imports {(ours.seconds - imports.seconds) / bare.seconds:.1f} x",
    )


def _memory(verb: str, name: str, found: dict[str, Cost], size: int) -> Figure:
    """Compare what is used beyond an interpreter with all imports; the whole and cibadmin's in the detail."""
    ours, imports, bare = (found[key] for key in (verb, "imports", "cibadmin"))
    return Figure(
        f"{verb} --cib {name}: memory beyond an interpreter with our imports / the XML",
        (ours.memory - imports.memory) / size,
        "x",
        _LARGER,
        detail=f"{ours.memory / 1e6:.0f} - {imports.memory / 1e6:.0f} MB / {size / 1e6:.2f} MB; "
        f"all of it {ours.memory / size:.0f} x; cibadmin {bare.memory / size:.0f} x",
    )


def _run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "reconciler", *words], capture_output=True, check=True)
