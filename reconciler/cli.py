"""The command line: puts the parts together, and turns what they say into text and exit codes."""

import gc
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

# Before pydantic is imported: it would look through every installed package for plugins, and there are none.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from reconciler import __version__, settings
from reconciler.settings import Settings, SettingsError

OK, ERROR, CHANGES = 0, 1, 2

_DIRECTORY = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_desired = click.option("--desired", type=_DIRECTORY, help="Directory of manifests, instead of the configured one.")
_cib = click.option("--cib", type=_FILE, help="Work on this CIB file, without a cluster.")
_node = click.option("--node", default="", help="Name of this node in the cluster.")


class Failure(click.ClickException):
    """An error for people: printed to stderr, exit code 1."""

    def show(self, file: Any = None) -> None:  # noqa: ARG002
        """Print the message as it is."""
        click.echo(self.message, err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--config", type=_FILE, help=f"Settings file [default: {settings.DEFAULT_FILE}].")
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Reconcile a Corosync/Pacemaker cluster with a directory of manifests."""
    try:
        context.obj = settings.load(config)
    except SettingsError as error:
        raise Failure(str(error)) from error


@cli.command(short_help="Check every manifest and cross-reference, offline.")
@click.argument("directory", type=_DIRECTORY)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
def validate(directory: Path, format_: str) -> None:
    """Parse and check every manifest and every cross-reference, offline. What is only doubtful is a warning."""
    from reconciler.doubts import doubts  # noqa: PLC0415
    from reconciler.oneshot import OneshotError, wanted  # noqa: PLC0415

    try:
        desired = wanted(directory)
    except OneshotError as error:
        raise Failure(str(error)) from error
    warned = doubts(desired.state)
    if format_ == "json":
        faults = [
            {"file": item.file, "object": item.object, "field": item.field, "message": item.message}
            for item in desired.rejected
        ]
        warnings = [
            {"file": desired.files[item.ref], "object": str(item.ref), "field": item.field, "message": item.message}
            for item in warned
        ]
        said = {"valid": not faults, "objects": len(desired.state), "rejected": faults, "warnings": warnings}
        click.echo(json.dumps(said, indent=2))
    else:
        _reject(desired.rejected)
        for item in warned:
            click.echo(f"warning: {desired.files[item.ref]}: {item}", err=True)
        if not desired.rejected:
            number = len(desired.state)
            also = f", {len(warned)} warning{'s' * (len(warned) != 1)}" if warned else ""
            click.echo(f"{directory}: {number} object{'s' * (number != 1)}, no faults{also}")
    sys.exit(ERROR if desired.rejected else OK)


def _reject(rejected: Sequence[Any]) -> None:
    for item in rejected:
        click.echo(str(item), err=True)


@cli.command()
@_desired
@_cib
@_node
@click.option("--format", "format_", type=click.Choice(["text", "json", "xml", "crm"]), default="text")
@click.pass_obj
def plan(config: Settings, desired: Path | None, cib: Path | None, node: str, format_: str) -> None:
    """Show what would change, and what Pacemaker would then do. Exit code 0: in sync, 2: changes, 1: error."""
    from reconciler import oneshot, text  # noqa: PLC0415

    planned = _planned(config, desired, cib, node)
    decided = planned.decision.plan
    match format_:
        case "json":
            click.echo(json.dumps(text.decision_json(planned.decision), indent=2))
        case "xml":
            # Also of a plan that is held: what would be sent.
            cluster = planned.decision.cluster
            click.echo(text.plan_xml(cluster.plan if cluster else decided), nl=False)
            click.echo(text.asides(decided), nl=False, err=True)
        case "crm":
            click.echo(text.plan_crm(decided), nl=False)
            click.echo(text.asides(decided), nl=False, err=True)
        case _:
            ages = {} if cib else oneshot.override_ages(config, planned)
            click.echo(text.decision_text(planned.decision, colour=sys.stdout.isatty(), ages=ages), nl=False)
    sys.exit(CHANGES if decided.changes or decided.holds else OK)


def _planned(config: Settings, desired: Path | None, cib: Path | None, node: str) -> Any:
    from reconciler import oneshot  # noqa: PLC0415

    try:
        return oneshot.plan(config, desired or config.desired, cib, node)
    except oneshot.RejectedError as error:
        _reject(error.rejected)
        raise Failure(str(error)) from error
    except oneshot.OneshotError as error:
        raise Failure(str(error)) from error


@cli.command()
@_desired
@_cib
@_node
@click.pass_obj
def apply(config: Settings, desired: Path | None, cib: Path | None, node: str) -> None:
    """Plan, apply and verify once. Exit code 0: in sync, 2: something is held back, 1: error."""
    from reconciler import oneshot, text  # noqa: PLC0415

    def show(planned: Any) -> None:
        click.echo(text.decision_text(planned.decision, colour=sys.stdout.isatty()), nl=False)

    try:
        left = oneshot.apply(config, desired or config.desired, cib, node, show)
    except oneshot.RejectedError as error:
        _reject(error.rejected)
        raise Failure(str(error)) from error
    except oneshot.OneshotError as error:
        raise Failure(str(error)) from error
    for hold in left.holds:
        click.echo(f"held: {hold.ref or hold.scope}: {hold.reason}: {hold.message}", err=True)
    click.echo("In sync." if not left.changes and not left.holds else "Not in sync: something is held back.")
    sys.exit(CHANGES if left.changes or left.holds else OK)


@cli.command("import", short_help="Write manifests of what a cluster or a file configures.")
@_cib
@click.option("--crm", type=_FILE, help="Read what `crm configure save` prints, or a person wrote for crm.")
@click.option("--haresources", type=_FILE, help="Read Heartbeat's haresources.")
@click.option("--output", type=_DIRECTORY, help="A new or empty directory for the files [default: print all].")
@click.option("--without-overrides", is_flag=True, help="Leave to people what they set by hand: standby, stop, move …")
@click.pass_obj
def import_(config: Settings, /, output: Path | None, without_overrides: bool, **files: Path | None) -> None:
    """Write manifests of all that the cluster, or a file, configures; planning them against it is empty.

    Exit code 1: nothing was imported, or not all of it: what was left out is named on stderr, and the rest is there.
    """
    from reconciler import takeover  # noqa: PLC0415

    given = {language: file for language, file in files.items() if file}
    if len(given) > 1:
        raise Failure("import: only one of --cib, --crm and --haresources at a time")
    language, file = next(iter(given.items()), ("cib", None))
    faults: tuple[Any, ...] = ()
    try:
        if language == "cib" or file is None:
            imported = takeover.take(config, file, overrides=not without_overrides)
        else:
            imported, faults = takeover.translate(file, language, overrides=not without_overrides)
        if output:
            takeover.write(output, imported)
    except takeover.TakeoverError as error:
        raise Failure(str(error)) from error
    if not output:
        for text in imported.whole():
            click.echo(text, nl=False)
    for fault in faults:
        click.echo(f"{file}: {fault}", err=True)
    for line in takeover.summary(imported, output):
        click.echo(line, err=True)
    sys.exit(ERROR if faults or takeover.is_partial(imported) else OK)


@cli.command()
@click.pass_obj
def run(config: Settings) -> None:
    """Run the agent until it is told to stop."""
    import logging  # noqa: PLC0415  the other verbs log nothing, and start sooner without

    from reconciler.host.lock import AlreadyRunningError  # noqa: PLC0415
    from reconciler.host.logs import configure  # noqa: PLC0415
    from reconciler.serve import Service  # noqa: PLC0415

    gc.enable()
    configure(config.log_format, journal="JOURNAL_STREAM" in os.environ)
    service = Service(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.hints.stop())
    signal.signal(signal.SIGHUP, lambda *_: service.hints.give("signal"))
    try:
        service.run()
    except (AlreadyRunningError, OSError) as error:
        logging.getLogger("reconciler").error("%s", error)  # noqa: TRY400
        sys.exit(ERROR)


@cli.command()
@click.option("--reason", required=True, help="Why, for whoever finds the cluster suspended.")
@click.option("--until", "end", required=True, metavar="TIME", help="For how long (2h), or until when (RFC 3339).")
@click.pass_obj
def suspend(config: Settings, reason: str, end: str) -> None:
    """Freeze all changes on all nodes; observing goes on. Exit code 2: of this node only."""
    from reconciler import freeze  # noqa: PLC0415
    from reconciler.host.shell import Shell  # noqa: PLC0415

    _frozen(lambda: freeze.suspend(config, Shell(), reason, end))


@cli.command()
@click.pass_obj
def resume(config: Settings) -> None:
    """Let changes be made again. Exit code 2: of this node only."""
    from reconciler import freeze  # noqa: PLC0415
    from reconciler.host.shell import Shell  # noqa: PLC0415

    _frozen(lambda: freeze.resume(config, Shell()))


@cli.command(short_help="Release the plan with this digest from what holds it.")
@click.argument("digest")
@_desired
@_node
@click.pass_obj
def approve(config: Settings, digest: str, desired: Path | None, node: str) -> None:
    """Release the plan with this digest, and nothing but that, from what holds it. `plan` says the digest."""
    from reconciler import approving  # noqa: PLC0415
    from reconciler.freeze import FreezeError  # noqa: PLC0415
    from reconciler.oneshot import OneshotError, RejectedError  # noqa: PLC0415

    try:
        approved = approving.approve(config, desired or config.desired, node, digest)
    except RejectedError as error:
        _reject(error.rejected)
        raise Failure(str(error)) from error
    except (OneshotError, FreezeError) as error:
        raise Failure(str(error)) from error
    click.echo(approving.words(approved))


def _frozen(verb: Any) -> None:
    from reconciler.freeze import FreezeError  # noqa: PLC0415

    try:
        done = verb()
    except FreezeError as error:
        raise Failure(str(error)) from error
    click.echo(done.message)
    sys.exit(OK if done.everywhere else CHANGES)


@cli.command()
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
@click.option("--watch", is_flag=True, help="Show it again whenever it changes.")
@click.pass_obj
def status(config: Settings, format_: str, watch: bool) -> None:
    """Show what the agent knows. Exit code 0: all synced and healthy, 2: not, 1: no agent."""
    from reconciler import show  # noqa: PLC0415

    _repeat(config, watch, format_, lambda document: show.status_text(document, colour=sys.stdout.isatty()))


@cli.command(short_help="List the objects that the agent knows, and why.")
@click.argument("kind", default="")
@click.argument("name", default="")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
@click.option("--watch", is_flag=True, help="Show it again whenever it changes.")
@click.pass_obj
def get(config: Settings, kind: str, name: str, format_: str, watch: bool) -> None:
    """List the objects that the agent knows, their conditions, and why."""
    from reconciler import show  # noqa: PLC0415

    def text(document: Any) -> str:
        return show.get_text(document, colour=sys.stdout.isatty())

    _repeat(config, watch, format_, text, lambda document: show.select(document, kind, name))


@cli.command()
@click.argument("kind")
@click.argument("name")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text")
@click.pass_obj
def describe(config: Settings, kind: str, name: str, format_: str) -> None:
    """Show everything that the agent knows of one object."""
    from reconciler import show  # noqa: PLC0415

    _repeat(
        config,
        False,
        format_,
        show.describe_text,
        lambda document: show.describe(document, kind, name, config.state_dir),
    )


def _repeat(config: Settings, watch: bool, format_: str, text: Any, select: Any = None) -> None:
    """Show the agent's document once, or whenever it changes."""
    from reconciler import show  # noqa: PLC0415
    from reconciler.report import all_well  # noqa: PLC0415

    try:
        for document in show.documents(config.runtime_dir, watch):
            chosen = select(document) if select else document
            click.echo(json.dumps(chosen, indent=2) if format_ == "json" else text(chosen), nl=format_ == "json")
            code = OK if all_well(chosen) else CHANGES
    except show.NoAgentError as error:
        raise Failure(str(error)) from error
    except KeyboardInterrupt:
        code = OK
    sys.exit(code)


@cli.command()
@click.option("--output", type=_DIRECTORY, default=Path("crds"), show_default=True, help="Directory to write to.")
def schema(output: Path) -> None:
    """Write the JSON schemas and Kubernetes definitions of all kinds."""
    from reconciler.schema import documents  # noqa: PLC0415

    output.mkdir(parents=True, exist_ok=True)
    for name, content in documents().items():
        (output / name).write_text(content, encoding="utf-8")
    click.echo(f"{output}: {len(documents())} files")


def main() -> None:
    """Run the command line."""
    try:
        cli(prog_name="reconciler", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        # click would leave with 2 after a wrong word, which here says that there are changes.
        sys.exit(ERROR)
    except click.Abort:
        sys.exit(ERROR)
