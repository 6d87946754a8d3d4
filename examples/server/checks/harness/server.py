"""The server as a process: starts it on a free port, measures its memory and processor time, kills it."""

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
from .require import require

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
READY_TIMEOUT = 30
TICKS = os.sysconf("SC_CLK_TCK")


def program():
    """Returns the program under test: a release build of this package, or the one that PRESENCE_SERVER names."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", PACKAGE / "target"))
    return os.environ.get("PRESENCE_SERVER", str(target / "release" / "presence-server"))


class NotReady(RuntimeError):
    """The server ended before it was ready."""

    def __init__(self, status, messages):
        super().__init__(f"the server did not become ready, status {status}:\n{messages}")
        self.status = status


class Server:
    """A running server. Its data is in a temporary directory, unless one is given."""

    def __init__(self, *options, data=None, virtual_clock=True, tokens=True, environment=None, listen="127.0.0.1:0"):
        self.options = [*options]
        self.options += names.OPTIONS if tokens else []
        self.options += ["--virtual-clock"] if virtual_clock else []
        self.own_data = None if data else tempfile.mkdtemp(prefix="presence-")
        self.data = data or self.own_data
        self.log = tempfile.TemporaryFile()
        self.process = None
        self.environment = environment
        self.listen = listen
        self.start()

    def start(self, environment=None):
        """Starts the server, also again on the same data. Returns the seconds until it was ready."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            [program(), "--listen", self.listen, "--data", str(self.data), *self.options],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=environment or self.environment,
        )
        watchdog = threading.Timer(READY_TIMEOUT, self.process.kill)
        watchdog.start()
        address = None
        for line in self.process.stdout:
            if address := re.search(r"http://\[?([0-9a-f.:]+)\]?:([0-9]+)", line):
                break
        watchdog.cancel()
        if address is None:
            raise NotReady(self.process.wait(), self.messages())
        self.host, self.port = address[1], int(address[2])
        # Unread output would block the server.
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        return time.monotonic() - began

    @property
    def url(self):
        return f"http://{self.host}:{self.port}"

    def client(self, token=names.DEVELOPER_TOKEN):
        return Client(self.host, self.port, token)

    def advance(self, seconds):
        """Advances the virtual clock."""
        with self.client() as client:
            response = client.post(f"/dev/advance?seconds={seconds:.3f}".removesuffix(".000"))
        require(response.status == 200, response)

    def kill(self):
        """Kills the server. Mismatch after a loss of power, the kernel still writes its buffers."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Sends SIGTERM. Returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=READY_TIMEOUT)
        finally:
            self.process.kill()

    def messages(self):
        """Returns what the server wrote to standard error."""
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def resident(self):
        """Returns the resident memory, in bytes."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))

    def cpu_seconds(self):
        """Returns the processor time used so far, including the kernel's."""
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
