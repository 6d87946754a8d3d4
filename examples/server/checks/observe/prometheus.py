"""Prometheus and promtool, as Debian has them."""

import json
import pathlib
import re
import socket
import subprocess
import time
import urllib.parse
import urllib.request

from harness.require import require

OBSERVE = pathlib.Path(__file__).resolve().parents[2] / "observe"
READY_TIMEOUT = 60


def promtool(*arguments, text=None):
    """Runs promtool, and requires that it finds nothing. Returns what it says."""
    command = ["promtool", *(str(argument) for argument in arguments)]
    result = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    require(result.returncode == 0, f"promtool {' '.join(command[1:])}:\n{result.stdout}")
    return result.stdout


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Prometheus:
    """A Prometheus with the configuration of the example, that scrapes a server every second."""

    def __init__(self, directory, target):
        self.port = free_port()
        text = (OBSERVE / "prometheus.yml").read_text(encoding="utf-8")
        for pattern, replacement, count in ((r"127\.0\.0\.1:8080", target, 1), ("_interval: 15s", "_interval: 1s", 2)):
            text, found = re.subn(pattern, replacement, text)
            require(found == count, pattern)
        (directory / "prometheus.yml").write_text(text, encoding="utf-8")
        (directory / "alerts.yml").write_bytes((OBSERVE / "alerts.yml").read_bytes())
        promtool("check", "config", directory / "prometheus.yml")
        self.log = open(directory / "prometheus.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as response:
            answer = json.load(response)
        require(answer["status"] == "success", answer)
        return answer["data"]

    def query(self, expression):
        """Returns the series of an expression, now."""
        return self.get("query", query=expression)["result"]

    def wait_for(self, expression):
        """Waits until an expression has a series."""
        began = time.monotonic()
        while True:
            require(self.process.poll() is None, "Prometheus has ended")
            try:
                if found := self.query(expression):
                    return found
            except OSError:
                # It is starting.
                pass
            require(time.monotonic() - began < READY_TIMEOUT, f"{expression} has no series")
            time.sleep(0.2)

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
