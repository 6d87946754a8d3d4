"""A failing disk below an unmodified server: disk.c, loaded before the C library."""

import functools
import os
import pathlib
import subprocess
import tempfile

KINDS = ("sync", "write", "full", "read", "truncate")
# The latest call of each kind to fail, mostly during writes. A server reads and truncates only when it starts.
LATEST = {"sync": 120, "write": 400, "full": 400, "read": 16, "truncate": 4}


@functools.cache
def library():
    """Compiles the library, once for this process."""
    directory = tempfile.TemporaryDirectory(prefix="presence-disk-")
    path = pathlib.Path(directory.name) / "disk.so"
    source = pathlib.Path(__file__).with_suffix(".c")
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", path, source], check=True)
    return directory, path


def failing(kind, number, how):
    """Returns the environment of a server whose call with this number fails, only `once` or from then `on`."""
    return {**os.environ, "LD_PRELOAD": str(library()[1]), "FAILING_DISK": f"{kind} {number} {how}"}
