"""Puts the server into service as its README says, on a machine of its own with a real systemd: see `inside`."""

import os
import pathlib
import subprocess
import sys
import tempfile

from harness.server import program

HERE = pathlib.Path(__file__).parent
TIMEOUT = 300


def main():
    with tempfile.TemporaryDirectory(prefix="presence-") as directory:
        output = pathlib.Path(directory) / "output"
        output.touch()
        environment = {**os.environ, "PRESENCE_SERVER": os.path.realpath(program())}
        command = [HERE / "machine", output, sys.executable, "-m", "service.inside"]
        machine = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT
        )
        if machine.returncode != 0:
            print(machine.stdout)
        text = output.read_text()
        print(text if machine.returncode else "\n".join(line for line in text.splitlines() if line.startswith("service: ")))
        if machine.returncode != 0 or "service: all is well" not in text:
            raise SystemExit(f"service: the machine ended with status {machine.returncode}")


if __name__ == "__main__":
    main()
