"""``python -m factory publish`` in a process of its own, on a copy of a run. Used by the tests of publishing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.hub_server import HubServer


def started(*arguments: object, server: HubServer | None = None, **variables: str) -> subprocess.Popen[str]:
    environment = os.environ | (server.environment() if server else {}) | variables
    command = [sys.executable, "-m", "factory", "publish", *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def printed(*arguments: object, code: int = 0, server: HubServer | None = None, **variables: str) -> str:
    """What the command prints; where it fails, on standard error."""
    process = started(*arguments, server=server, **variables)
    out, err = process.communicate(timeout=180)
    assert process.returncode == code, out + err
    assert "Traceback" not in out + err
    return err if code else out


def in_json(*arguments: object, server: HubServer | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(printed(*arguments, "--json", server=server))
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
