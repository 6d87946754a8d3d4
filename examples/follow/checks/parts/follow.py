"""presence-follow as a process: its lines, its messages, and its end."""

import json
import os
import pathlib
import queue
import signal
import subprocess
import threading
import time

from harness.require import require

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
# Longer than anything takes on a machine that is busy.
PATIENCE = 90


def program():
    """Returns the program under test: a debug build of this package."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", PACKAGE / "target"))
    return str(target / "debug" / "presence-follow")


class Follow:
    """A running presence-follow."""

    def __init__(self, *options, environment=None, stdin=subprocess.DEVNULL):
        command = [program(), *map(str, options)]
        pipe = subprocess.PIPE
        environment = {**os.environ, **(environment or {})}
        self.process = subprocess.Popen(command, stdin=stdin, stdout=pipe, stderr=pipe, text=True, bufsize=1, env=environment)
        self.lines, self.messages = queue.Queue(), queue.Queue()
        self.seen, self.said = [], []
        for stream, to in ((self.process.stdout, self.lines), (self.process.stderr, self.messages)):
            threading.Thread(target=self._read, args=(stream, to), daemon=True).start()

    @staticmethod
    def _read(stream, to):
        for line in stream:
            to.put(line.rstrip("\n"))
        to.put(None)

    def _wait(self, lines, kept, matches, what):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                line = lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                line = None
            require(line is not None, f"{what} did not come; came: {kept}; said: {self.said} {list(self.messages.queue)}")
            kept.append(line)
            if matches(line):
                return line

    def state(self, matches):
        """Waits for a state that matches, and returns it."""
        return json.loads(self._wait(self.lines, self.seen, lambda line: matches(json.loads(line)), "the state"))

    def shows(self, activity, link=None):
        """Waits until an activity is shown, and a link is as it is said, `source: state`."""
        return self.state(lambda state: state["activity"] == activity and (link or {}).items() <= state["links"].items())

    def message(self, part):
        """Waits for a message with a part, and returns it."""
        return self._wait(self.messages, self.said, lambda line: part in line, repr(part))

    def end(self):
        """Waits for the end, and returns the exit code, the lines, and the messages."""
        code = self.process.wait(PATIENCE)
        for lines, kept in ((self.lines, self.seen), (self.messages, self.said)):
            while (line := lines.get(timeout=PATIENCE)) is not None:
                kept.append(line)
        return code, self.seen, self.said

    def stop(self):
        """Sends what Ctrl-C sends. Returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.end()[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def once(*options, environment=None):
    """Runs it with --once. Returns the exit code, the state, and the messages."""
    with Follow(*options, "--once", environment=environment) as follow:
        code, lines, messages = follow.end()
    require(len(lines) == 1, (lines, messages))
    return code, json.loads(lines[0]), messages
