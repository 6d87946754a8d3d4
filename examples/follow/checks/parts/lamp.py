"""A lamp: the emulated micro:bit, whose serial line is a pseudo-terminal, as a board's is that is plugged in."""

import pathlib
import re
import select
import subprocess

from harness.require import require

FIRMWARE = pathlib.Path(__file__).resolve().parents[3] / "firmware"
IMAGE = FIRMWARE / "target/thumbv6m-none-eabi/release/microbit"
# Longer than anything takes on a machine that is busy.
PATIENCE = 90


class Lamp:
    """A lamp at a port that keeps its name, as a link to whatever pseudo-terminal the emulator has."""

    def __init__(self, port):
        self.port = port
        self.plug_in()

    def plug_in(self):
        command = ["qemu-system-arm", "-M", "microbit", "-display", "none", "-monitor", "none", "-serial", "pty", "-kernel", IMAGE]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else ""
        found = re.search(r"redirected to (\S+)", line)
        require(found, f"the emulator did not start: {line!r}")
        self.port.symlink_to(found[1])

    def unplug(self):
        self.port.unlink()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.unplug()
