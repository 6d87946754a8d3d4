"""A disk that fails, below a server that does not know of it: disk.c, loaded before the C library."""

import functools
import os
import pathlib
import subprocess
import tempfile

KINDS = ("sync", "write", "full", "read", "truncate")
# How far into a server's life it may fail: mostly while it is written to. It reads and truncates when it starts only.
LATEST = {"sync": 120, "write": 400, "full": 400, "read": 16, "truncate": 4}


@functools.cache
def library():
    """Compiled once, and kept as long as this process."""
    directory = tempfile.TemporaryDirectory(prefix="presence-disk-")
    path = pathlib.Path(directory.name) / "disk.so"
    source = pathlib.Path(__file__).with_suffix(".c")
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", path, source], check=True)
    return directory, path


def failing(kind, number, how):
    """What a server is started with, so that this call of that kind fails, `once` or from then `on`."""
    return {**os.environ, "LD_PRELOAD": str(library()[1]), "FAILING_DISK": f"{kind} {number} {how}"}
