"""The server as a process: started on a free port, asked for its memory and its time, killed."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from . import names
from .wire import Client

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
READY_WITHIN = 30
TICKS = os.sysconf("SC_CLK_TCK")


def program():
    """The program under test: a release build of this package, or what PRESENCE_SERVER names."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", PACKAGE / "target"))
    return os.environ.get("PRESENCE_SERVER", str(target / "release" / "presence-server"))


class NotReady(RuntimeError):
    """It ended before it was ready."""

    def __init__(self, status, messages):
        super().__init__(f"the server did not become ready, status {status}:\n{messages}")
        self.status = status


class Server:
    """A running server. Its data lie in a directory of their own, unless one is given."""

    def __init__(self, *options, data=None, virtual_clock=True, tokens=True):
        self.options = [*options]
        self.options += names.OPTIONS if tokens else []
        self.options += ["--virtual-clock"] if virtual_clock else []
        self.own_data = None if data else tempfile.mkdtemp(prefix="presence-")
        self.data = data or self.own_data
        self.log = tempfile.TemporaryFile()
        self.process = None
        self.start()

    def start(self, environment=None):
        """Starts it, or starts it again on the same data. Returns how long it took to be ready, in seconds."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [program(), "--listen", "127.0.0.1:0", "--data", str(self.data), *self.options],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=environment,
        )
        watchdog = threading.Timer(READY_WITHIN, self.process.kill)
        watchdog.start()
        address = None
        for line in self.process.stdout:
            if address := re.search(r"http://([0-9.]+):([0-9]+)", line):
                break
        watchdog.cancel()
        if address is None:
            raise NotReady(self.process.wait(), self.messages())
        self.host, self.port = address[1], int(address[2])
        # Nobody may block it by not reading what it prints.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        return time.monotonic() - began

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def client(self, token=names.DEVELOPER_TOKEN):
        return Client(self.host, self.port, token)

    def advance(self, seconds):
        """Lets virtual time pass."""
        with self.client() as client:
            answer = client.post(f"/dev/advance?seconds={seconds:.3f}".removesuffix(".000"))
        assert answer.status == 200, answer

    def kill(self):
        """Ends it as a loss of power would, but for what the kernel still holds."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Asks it to end. Returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=READY_WITHIN)
        finally:
            self.process.kill()

    def messages(self):
        """What it wrote to its standard error."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def resident(self):
        """Its resident memory, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))

    def cpu_seconds(self):
        """The processor time that it has used, its own and the kernel's."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def is_alive(self):
        return self.process.poll() is None

    def close(self):
        if self.is_alive():
            self.kill()
        self.log.close()
        if self.own_data:
            shutil.rmtree(self.own_data, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
