"""Follows the feed of changes through all crashes. What it is told is history: it must never be taken back."""

import threading
import time

from harness.feed import Feed

from .model import seen
from .traffic import GONE, Unlike


class Follower:
    def __init__(self):
        self.cursor = None
        self.changes = 0
        self.started_over = 0
        # The last version of each user that it was told; whose change may be told once more, after everybody was told.
        self.versions = {}
        self.told_with_everybody = set()
        # Everything that it was told since it was last checked.
        self.told = []
        self.failure = None

    def begin(self, server):
        self.feed = Feed(server, self.cursor)
        if self.feed.status != 200:
            raise Unlike(f"the feed is answered {self.feed.status}")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            for event in self.feed:
                self.take(event)
        except GONE:
            pass
        except Exception as failure:
            self.failure = failure

    def take(self, event):
        if event.kind == "start-over":
            self.started_over += 1
            self.versions.clear()
            self.told_with_everybody.clear()
        elif event.kind == "presence":
            name = event.data["id"]
            visible, version = seen(event.data)
            known = self.versions.get(name, 0)
            if version < known or (version == known and name not in self.told_with_everybody):
                raise Unlike(f"the feed tells version {version} of {name} after {known}")
            if event.cursor is None:
                self.told_with_everybody.add(name)
            else:
                self.told_with_everybody.discard(name)
                self.changes += 1
            self.versions[name] = version
            self.told.append((name, visible, version))
        elif event.kind != "up-to-date":
            raise Unlike(f"the feed tells {event}")
        self.cursor = event.cursor or self.cursor

    def catch_up(self, users, within=10):
        """While nobody writes: waits until it was told the last version of every user. Nobody may be left out."""
        until = time.monotonic() + within
        while missing := {name for name, user in users.items() if self.versions.get(name, 0) != user.version}:
            if self.failure:
                raise self.failure
            if time.monotonic() > until:
                raise Unlike(f"the feed leaves out {len(missing)} users: {missing}")
            time.sleep(0.005)

    def end(self):
        """Waits for its end, when the server is gone."""
        self.thread.join(timeout=60)
        if self.thread.is_alive():
            raise Unlike("the feed of a server that was killed goes on")
        if self.failure:
            raise self.failure

    def check(self, users):
        """Everything that was told is what happened: it was durable, so a crash does not undo it."""
        for name, visible, version in self.told:
            if users[name].history.get(version) != visible:
                raise Unlike(f"the feed told {visible}, version {version}, of {name}: {users[name].history.get(version)}")
        self.told.clear()
