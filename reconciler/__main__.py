"""The process: `reconciler`, or `python -m reconciler`."""

import gc


def main() -> None:
    """Run the command line without looking for garbage: verbs that run once end before it matters.

    That is a quarter of their time. The agent looks for it: its verb switches it on again.
    """
    gc.disable()
    from reconciler.cli import main as command_line  # noqa: PLC0415  what it brings along is much

    try:
        command_line()
    finally:
        # Python looks once more when it ends, disabled or not, but not at what is frozen.
        gc.freeze()


if __name__ == "__main__":
    main()
