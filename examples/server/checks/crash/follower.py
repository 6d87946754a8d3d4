"""Follows the feed of changes through all crashes. A change that was sent must never be undone."""

import threading
import time

from harness.feed import Feed

from .model import observe
from .traffic import DISCONNECTED, Mismatch


class Follower:
    def __init__(self):
        self.cursor = None
        self.changes = 0
        self.started_over = 0
        # The last version received of each user, and the users received in a scan, whose change may be sent once more.
        self.versions = {}
        self.scanned = set()
        # Everything received since the last check.
        self.received = []
        self.failure = None

    def begin(self, server):
        self.feed = Feed(server, self.cursor)
        if self.feed.status != 200:
            raise Mismatch(f"the feed has status {self.feed.status}")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            for event in self.feed:
                self.receive(event)
        except DISCONNECTED:
            pass
        except Exception as failure:
            self.failure = failure

    def receive(self, event):
        if event.kind == "start-over":
            self.started_over += 1
            self.versions.clear()
            self.scanned.clear()
        elif event.kind == "presence":
            name = event.data["id"]
            visible, version = observe(event.data)
            known = self.versions.get(name, 0)
            if version < known or (version == known and name not in self.scanned):
                raise Mismatch(f"the feed sends version {version} of {name} after {known}")
            if event.cursor is None:
                self.scanned.add(name)
            else:
                self.scanned.discard(name)
                self.changes += 1
            self.versions[name] = version
            self.received.append((name, visible, version))
        elif event.kind != "up-to-date":
            raise Mismatch(f"the feed sends {event}")
        self.cursor = event.cursor or self.cursor

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
