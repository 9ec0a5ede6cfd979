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
_FEW = 10
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
    # Once as it is when it is taken over, and once when it is recorded as ours and there is nothing to do at all.
    unrecorded = place / "unrecorded.xml"
    shutil.copyfile(cib, unrecorded)
    _run("apply", "--cib", str(cib), "--desired", str(desired))
    small, few = place / "small.xml", place / "few"
    small.write_text(large.configured_cib(_FEW), encoding="utf-8")
    _run("import", "--cib", str(small), "--output", str(few))
    reconciler = (sys.executable, "-m", "reconciler")
    commands = {
        "cibadmin": Command(("cibadmin", "--query"), {"CIB_file": str(cib)}),
        "start": Command((sys.executable, "-c", _START), {}),
        "imports": Command((sys.executable, "-c", _IMPORTS), {"PYDANTIC_DISABLE_PLUGINS": "__all__"}),
        "plan": Command((*reconciler, "plan", "--cib", str(cib), "--desired", str(desired)), {}),
        "first plan": Command((*reconciler, "plan", "--cib", str(unrecorded), "--desired", str(desired)), {}),
        "import": Command((*reconciler, "import", "--cib", str(unrecorded)), {}),
        "plan of few": Command((*reconciler, "plan", "--cib", str(small), "--desired", str(few)), {}),
        "import of few": Command((*reconciler, "import", "--cib", str(small)), {}),
    }
    found = dict(zip(commands, costs(list(commands.values()), _TIMES), strict=True))
    read = {"plan": cib, "first plan": unrecorded, "import": unrecorded}
    return [
        figure
        for verb, file in read.items()
        for figure in (_time(verb, source.name, found), _memory(verb, source.name, found, file.stat().st_size))
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
    """Compare what is used beyond the same verb of a few primitives; the whole and cibadmin's in the detail."""
    ours, few, bare = (found[key] for key in (verb, f"{verb.rsplit(maxsplit=1)[-1]} of few", "cibadmin"))
    return Figure(
        f"{verb} --cib {name}: memory beyond that of {_FEW} primitives / the XML",
        (ours.memory - few.memory) / size,
        "x",
        _LARGER,
        detail=f"{ours.memory / 1e6:.0f} - {few.memory / 1e6:.0f} MB / {size / 1e6:.2f} MB; "
        f"all of it {ours.memory / size:.0f} x; cibadmin {bare.memory / size:.0f} x",
    )


def _run(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "reconciler", *words], capture_output=True, check=True)
