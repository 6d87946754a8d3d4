"""Runs schemathesis on the server's own description: no 5xx but 507; no status, header or body that is not described; invalid
requests are rejected, and so are requests without a token. The requests are the same in every run."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

from harness import names
from harness.server import Server
from harness.require import require

HERE = pathlib.Path(__file__).parent
EXAMPLES = 80
SEED = 4
METHODS = ("delete", "get", "head", "patch", "post", "put")
AT_MOST_SECONDS = 180


def description():
    """Returns the server's description of itself."""
    return json.loads((HERE.parents[1] / "openapi.json").read_text(encoding="utf-8"))


def run(server, examples):
    """Runs schemathesis against a server. Returns its exit status and output."""
    command = [
        pathlib.Path(sys.executable).with_name("schemathesis"),
        *("--config-file", HERE / "schemathesis.toml"),
        "run",
        f"{server.url}/openapi.json",
        *("--seed", SEED),
        *("--max-examples", examples),
        *("--continue-on-failure", "--warnings", "off"),
        # Without it, the description's own path is left out.
        *("--include-path-regex", "."),
    ]
    result = subprocess.run(
        [str(argument) for argument in command],
        env={**os.environ, "TOKEN": names.DEVELOPER_TOKEN, "USER_TOKEN": names.USER_TOKEN, "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=AT_MOST_SECONDS,
    )
    return result.returncode, result.stdout


def main():
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    began = time.monotonic()
    with Server("--users", "10000") as server:
        status, output = run(server, examples)
        is_alive = server.is_alive()
    print(output)
    require(is_alive, "the server has ended")
    require(status == 0, f"schemathesis found something, status {status}")
    cases = re.search(r"([0-9,]+) generated", output)[1]
    operations = re.search(r"Tested: +([0-9]+)", output)[1]
    require(f"{operations}/{operations}" in output, "some operations were left out")
    described = sum(method in METHODS for item in description()["paths"].values() for method in item)
    require(int(operations) == described > 0, f"{operations} operations were tested, {described} are described")
    # Without examples nothing is generated, and nothing fails.
    require(int(cases.replace(",", "")) >= 10 * described, f"only {cases} requests")
    print(f"openapi: {operations} operations, {cases} requests, all as described, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
