"""Writes golden data: lets a program of some version write a data directory with users of every kind, and notes what it shows of them.

usage: PRESENCE_SERVER=PROGRAM python -m crash.golden DIRECTORY"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from harness.require import require
from harness.server import Server

from .moves import MANY, populate, shown


def main():
    target = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="presence-") as directory:
        data = Path(directory) / "data"
        # As many shards as cores, so two need a machine with two.
        with Server(*MANY, data=data) as server:
            populate(server)
            expected = shown(server)
            require(server.stop() == 0, server.messages())
        (data / "lock").unlink()
        require(not list(data.glob("*-wal")), "the journals are not closed")
        shutil.copytree(data, target)
    (target / "shown.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
