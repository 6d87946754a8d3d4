"""Ends moves to other shards at every call that changes files, by a kill and by a failure of the disk: the next start has everybody.

A user is compared by its presence, its version, and the explanation, sessions and deadlines among it. Some are idle, and some erased:
only their versions are left."""

import json
import os
import shutil
import signal
import tempfile
import time

from harness.names import APPLICATION, APPLICATION_TOKEN, OTHER_APPLICATION, OTHER_APPLICATION_TOKEN, numbered
from harness.server import PACKAGE, NotReady, Server

from . import disk
from .traffic import Mismatch
from harness.require import require

# Data that the server has written before it had keys, and what it showed then. `populate` has made it.
UNKEYED = PACKAGE / "tests" / "data" / "unkeyed"
USERS = 32
# One call of so many fails; every one is killed.
FAILED = 5
# A kill leaves what is in the system's buffers, so the data needs no disk.
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None
# More users than a single shard serves, and fewer.
MANY, FEW = ("--users", "5000"), ("--users", "1000")
SESSION = {"availability": "Busy", "activity": "InACall"}
BODIES = {
    "set": ("setPresence", SESSION | {"sessionId": APPLICATION, "expirationDuration": "PT4H"}),
    "set other": ("setPresence", {"sessionId": OTHER_APPLICATION, "availability": "Away", "activity": "Away"}),
    "expire": ("setPresence", SESSION | {"sessionId": APPLICATION, "expirationDuration": "PT5M"}),
    "clear": ("clearPresence", {"sessionId": APPLICATION}),
    "prefer": ("setUserPreferredPresence", {"availability": "Busy", "activity": "Busy", "expirationDuration": "PT8H"}),
    "say": ("setStatusMessage", {"statusMessage": {"message": {"content": "back soon 🦀", "contentType": "text"}}}),
    "work": ("setManualLocation", {"workLocationType": "office", "placeId": "building 7"}),
    "sign out": ("signOut", None),
    "erase": ("erase", None),
}
# What is done to each kind of user, before some time passes.
KINDS = (
    ("set",),
    ("set", "set other", "prefer"),
    ("say",),
    ("expire",),
    ("set", "say", "work"),
    ("prefer", "set", "say", "erase"),
    ("set", "prefer", "sign out"),
    ("expire", "clear", "expire", "clear"),
)


def names():
    """Returns the ids of all users, and of one whom the server has never seen."""
    return [numbered("move", number) for number in range(USERS + 1)]


def populate(server):
    """Fills a server with users of every kind."""
    with server.client(APPLICATION_TOKEN) as one, server.client(OTHER_APPLICATION_TOKEN) as other, server.client() as operator:
        clients = {"set other": other, "work": operator, "erase": operator, "sign out": operator}
        for number, name in enumerate(names()[:USERS]):
            for what in KINDS[number % len(KINDS)]:
                response = clients.get(what, one).act(name, *BODIES[what])
                require(response.status in (200, 204), (what, response))
    server.advance(3600)


def shown(server):
    """Returns what a server shows of each user: its presence, what explains it, and whether an operator's list has it."""
    with server.client() as client:
        users = {name: [client.presence(name), client.get(f"/v1.0/users/{name}/presence/explain").json] for name in names()}
        listed = client.get("/admin/users?$top=999").json
    require("@odata.nextLink" not in listed, listed)
    for user in listed["value"]:
        users[user["id"]].append(user)
    return users


def spread(data):
    """Returns the stored number of shards, and their key."""
    with open(os.path.join(data, "shards")) as file:
        return file.read()


class Ends:
    """Starts on copies of data, each ended early."""

    def __init__(self, data, options, expected):
        self.data, self.options, self.expected = data, options, expected
        # The numbers of starts that were ended before their move counted, and after that.
        self.before = self.after = 0

    def end_everywhere(self):
        """Kills a start at each call that changes files. Makes some of these calls fail, too."""
        calls = 0
        while not self.end_at(calls + 1, "kill"):
            calls += 1
        for number in range(1, calls + 1, FAILED):
            for how in ("once", "on"):
                self.end_at(number, how)

    def end_at(self, number, how):
        """Ends a start at a call. Reports whether it got through."""
        with tempfile.TemporaryDirectory(prefix="presence-", dir=MEMORY) as directory:
            data = os.path.join(directory, "data")
            shutil.copytree(self.data, data)
            is_ready = self.start(data, number, how)
            if not is_ready and spread(data) == spread(self.data):
                self.before += 1
            elif not is_ready:
                self.after += 1
            with Server(*self.options, data=data) as server:
                self.check(server, f"after {how} at call {number}")
        return is_ready

    def start(self, data, number, how):
        """Starts the server on a disk that ends it. Reports whether it is ready nevertheless."""
        try:
            with Server(*self.options, data=data, environment=disk.failing("change", number, how)) as server:
                if how == "once":
                    self.check(server, f"although call {number} failed")
                return True
        except NotReady as error:
            if error.status not in ({-signal.SIGKILL} if how == "kill" else {2, 74}):
                raise Mismatch(f"{how} at call {number}: {error}") from error
            return False

    def check(self, server, when):
        found = shown(server)
        for name, expected in self.expected.items():
            if found[name] != expected:
                raise Mismatch(f"{when}, {name} is {found[name]} instead of {expected}")


def move(data, options, expected):
    """Lets a start move the data, which must change nothing that is shown."""
    ends = Ends(data, options, expected)
    earlier = spread(data)
    with Server(*options, data=data) as server:
        ends.check(server, "after a move")
        server.stop()
    if spread(data) == earlier:
        raise Mismatch(f"{options} moved nothing: {earlier}")


def main():
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("on a single core there is a single shard, and nothing to move")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="presence-", dir=MEMORY) as directory:
        data = os.path.join(directory, "data")
        shutil.copytree(UNKEYED, data)
        expected = json.loads((UNKEYED / "shown.json").read_text())
        before = after = 0
        # To a key, to a single shard, and to several again.
        for options in (MANY, FEW, MANY):
            ends = Ends(data, options, expected)
            ends.end_everywhere()
            before, after = before + ends.before, after + ends.after
            move(data, options, expected)
    require(before > 100 and after > 2, f"{before} and {after} are hardly any ends")
    print(
        f"moves: {before} ended before they counted, {after} after that; all {len(expected)} users were there, with their "
        f"versions; {time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
