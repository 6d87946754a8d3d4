"""The commands `backup` and `restore` of the program, as an operator runs them."""

import os
import subprocess
from pathlib import Path

from harness import names
from harness.server import program
from harness.require import require

TIMEOUT = 60
ATTEMPTS = 5


def run(*arguments, environment=None, directory=None):
    """Runs the program. Returns its exit status, and what it wrote to standard output and standard error."""
    command = [program(), *(str(argument) for argument in arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    result = subprocess.run(command, env=environment, cwd=directory, text=True, timeout=TIMEOUT, **pipes)
    return result.returncode, result.stdout.strip(), result.stderr


def try_backup(server):
    """Lets a server make a backup. Returns its path, or None and the messages if it failed."""
    environment = {**os.environ, "PRESENCE_TOKEN": names.DEVELOPER_TOKEN}
    status, path, messages = run("backup", "--server", f"{server.host}:{server.port}", environment=environment)
    return (Path(path), messages) if status == 0 else (None, messages)


def backup(server):
    """Lets a server make a backup. Returns its path."""
    for _ in range(ATTEMPTS):
        path, messages = try_backup(server)
        # Where the disk is busy, the shards may not meet within a second.
        if path or "does not respond" not in messages:
            break
    require(path is not None, messages)
    return path


def try_restore(path, data, environment=None):
    """Restores a backup. Returns the exit status and the messages."""
    status, _, messages = run("restore", path, "--data", data, environment=environment)
    return status, messages


def restore(path, data):
    """Restores a backup, which must succeed."""
    status, messages = try_restore(path, data)
    require(status == 0, messages)
