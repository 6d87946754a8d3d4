"""The desk in real time: what its machine sleeps counts. It reads the wall clock and the monotonic clock, as the standard library
does."""

import json
import os
import pathlib
import queue
import subprocess
import threading

import pytest

from harness import names

ROOT = pathlib.Path(__file__).resolve().parents[4]
PATIENCE = 60


class Desk:
    def __init__(self, machine):
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.process = subprocess.Popen(
            [target / "debug" / "examples" / "desk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=machine.environment,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def next(self):
        """Returns the next line that the desk prints."""
        return self.lines.get(timeout=PATIENCE)

    def call(self, lease):
        """Sets a session, and returns the status of the response, after the change that it causes."""
        body = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall", "expirationDuration": lease}
        request = {"id": "1", "method": "POST", "url": f"/users/{names.USER}/presence/setPresence", "body": body}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        while "status" not in (line := self.next()):
            pass
        return line["status"]


@pytest.fixture
def desk(machine):
    desk = Desk(machine)
    yield desk
    desk.process.stdin.close()
    assert desk.process.wait(timeout=PATIENCE) == 0


def is_offline(line):
    return '"activity":"Offline"' in json.dumps(line, separators=(",", ":"))


def test_a_sleep_ends_sessions_without_a_request(machine, desk):
    assert desk.call("PT1H") == 200
    machine.run(2 * 3600)
    assert is_offline(desk.next())


def test_a_step_back_hides_no_later_sleep(machine, desk):
    machine.step(-8 * 3600)
    assert desk.call("PT1H") == 200
    machine.run(2 * 3600)
    assert is_offline(desk.next())
