"""Runs the tests of the JavaScript client with node, each file against its own server."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from harness import names
from harness.throttle import Throttle

HERE = pathlib.Path(__file__).parent / "javascript"


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_javascript(server, name):
    constants = {name: value for name, value in vars(names).items() if name.isupper()}
    with Throttle(server, remaining=0) as throttle:
        settings = {"url": server.url, "throttled": throttle.url, "names": constants}
        run = subprocess.run(
            ["node", "--test", "--test-reporter=tap", str(HERE / name)],
            env={**os.environ, "PRESENCE": json.dumps(settings)},
            capture_output=True,
            text=True,
            timeout=120,
        )
    counts = dict(re.findall(r"^# (tests|pass|skipped|todo) ([0-9]+)$", run.stdout, re.MULTILINE))
    assert run.returncode == 0, run.stdout + run.stderr
    assert int(counts["tests"]) == int(counts["pass"]) > 1 and counts["skipped"] == counts["todo"] == "0", run.stdout
