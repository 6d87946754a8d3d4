"""Follows the feed of changes through all crashes. A change that was sent must never be undone.

One of the followers has a bad network: its connections break off after a few events, in the scan too, and it resumes.
"""

import itertools
import threading
import time

from harness.feed import Feed

from .model import observe
from .traffic import DISCONNECTED, Mismatch


class Follower:
    """A follower whose connections break off after a random number of events, if it is given random numbers."""

    def __init__(self, random=None):
        self.random = random
        self.cursor = None
        self.changes = 0
        self.started_over = 0
        self.resumed_scans = 0
        self.is_scanning = False
        # The last version received of each user, and the users received in a scan, whose change may be sent once more.
        self.versions = {}
        self.scanned = set()
        # Everything received since the last check.
        self.received = []
        self.failure = None

    def begin(self, server):
        self.server = server
        self.connect()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def connect(self):
        self.feed = Feed(self.server, self.cursor)
        if self.feed.status != 200:
            raise Mismatch(f"the feed has status {self.feed.status}")

    def run(self):
        try:
            while self.receive_some(self.random and self.random.randint(0, 40)):
                self.feed.close()
                self.resumed_scans += self.is_scanning
                self.connect()
        except DISCONNECTED:
            pass
        except Exception as failure:
            self.failure = failure

    def receive_some(self, most):
        """Receives at most so many events. Reports whether there may be more; the feed ends with the server."""
        received = 0
        for event in itertools.islice(self.feed, most):
            self.receive(event)
            received += 1
        return received == most

    def receive(self, event):
        if event.cursor is None:
            raise Mismatch(f"the feed sends {event} without an id")
        if event.kind == "start-over":
            self.started_over += 1
            self.is_scanning = True
            self.versions.clear()
            self.scanned.clear()
        elif event.kind == "presence":
            name = event.data["id"]
            visible, version = observe(event.data)
            known = self.versions.get(name, 0)
            if version < known or (version == known and name not in self.scanned):
                raise Mismatch(f"the feed sends version {version} of {name} after {known}")
            if self.is_scanning:
                self.scanned.add(name)
            else:
                self.scanned.discard(name)
                self.changes += 1
            self.versions[name] = version
            self.received.append((name, visible, version))
        elif event.kind == "up-to-date":
            self.is_scanning = False
        else:
            raise Mismatch(f"the feed sends {event}")
        self.cursor = event.cursor

    def wait_until_current(self, users, timeout=10):
        """Waits until the last version of every user was received, while no client writes."""
        until = time.monotonic() + timeout
        while missing := {name for name, user in users.items() if self.versions.get(name, 0) != user.version}:
            if self.failure:
                raise self.failure
            if time.monotonic() > until:
                raise Mismatch(f"the feed leaves out {len(missing)} users: {missing}")
            time.sleep(0.005)

    def end(self):
        """Waits for the end of the feed, after the server has ended."""
        self.thread.join(timeout=60)
        if self.thread.is_alive():
            raise Mismatch("the feed of a server that was killed goes on")
        if self.failure:
            raise self.failure

    def check(self, users):
        """Checks that everything received is in the history: it was durable, so a crash must not undo it."""
        for name, visible, version in self.received:
            if users[name].history.get(version) != visible:
                raise Mismatch(f"the feed sent {visible}, version {version}, of {name}: {users[name].history.get(version)}")
        self.received.clear()
