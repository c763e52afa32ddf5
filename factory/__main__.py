"""``python -m factory`` and ``rationale-factory``: the same command."""

import os
import sys


def main() -> None:
    """Run the command line. Modules in the working directory are found, but never before ours."""
    if not {os.getcwd(), ""} & {*sys.path}:
        sys.path.append(os.getcwd())
    from factory.cli.runs import app

    app()


if __name__ == "__main__":
    main()
