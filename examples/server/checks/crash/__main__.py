"""Kills the server at random moments while clients write, and checks that it comes back with everything acknowledged: state,
deadlines to the millisecond, versions. Makes its disk fail at random moments, upon which it must end by itself and lose nothing
acknowledged; and makes it full, upon which it must refuse changes, do nothing of them, and serve reads as before. After some kills, damages the end of a copy's journal: a server on that copy must hold an earlier state."""

import argparse
import random
import shutil
import subprocess
import time

from harness.names import numbered
from harness.server import NotReady, Server

from . import damage, disk
from .actions import ACTIONS, APPLICATIONS
from .follower import Follower
from .model import User, Visible, observe
from .traffic import Clock, Ticker, Mismatch, Writer, advance, look
from harness.require import require

WRITERS = 8
USERS_EACH = 12


class Crash:
    def __init__(self, seed):
        self.seed = seed
        self.random = random.Random(f"{seed} crash")
        self.server = Server()
        with self.server.client() as client:
            self.clock = Clock(advance(client, 0))
        self.users = {numbered("crash", number): User(self.clock.now) for number in range(WRITERS * USERS_EACH)}
        names = list(self.users)
        self.writers = [
            Writer(seed, number, {name: self.users[name] for name in names[number::WRITERS]}, self.clock)
            for number in range(WRITERS)
        ]
        self.ticker = Ticker(seed, self.clock, self.users)
        self.follower = Follower()
        self.resuming = Follower(random.Random(f"{seed} follower"))
        self.counts = {"kills": 0, "stops": 0, "unanswered and done": 0, "unanswered and not done": 0, "deadlines": 0}
        self.damages = []
        self.shortened = self.moved = self.rejected = 0
        self.faults = {kind: 0 for kind in disk.KINDS}
        self.not_started = 0
        self.slowest_start = 0

    def round(self, end):
        """Runs traffic, ends the server, starts it again, and checks all users."""
        for follower in (self.follower, self.resuming):
            follower.begin(self.server)
        for follower in (self.follower, self.resuming):
            follower.wait_until_current(self.users)
        for worker in (*self.writers, self.ticker):
            worker.begin(self.server)
        end()
        for worker in (*self.writers, self.ticker, self.follower, self.resuming):
            worker.end()
        if end == self.kill and self.random.random() < 0.5:
            self.check_damaged_copy()
        self.slowest_start = max(self.slowest_start, self.server.start())
        self.reconcile()
        for follower in (self.follower, self.resuming):
            follower.check(self.users)

    def wait(self):
        time.sleep(self.random.uniform(0.02, 0.4))

    def kill(self):
        self.wait()
        self.server.kill()
        self.counts["kills"] += 1

    def stop(self):
        self.wait()
        if status := self.server.stop():
            raise Mismatch(f"the server ended with status {status}:\n{self.server.messages()}")
        self.counts["stops"] += 1

    def fault(self, kind):
        """Runs a round on a failing disk. If it fails during the start, starts the server on a sound disk instead."""
        self.server.kill()
        number, how = self.random.randint(1, disk.LATEST[kind]), self.random.choice(["once", "on"])
        try:
            self.server.start(disk.failing(kind, number, how))
        except NotReady as error:
            if error.status not in (2, 74):
                raise Mismatch(f"{kind} {number} failed {how}: {error}") from error
            self.not_started += 1
            self.server.start()
        else:
            wait = self.wait_on_full_disk if kind == "full" else self.wait_for_failure
            self.round(lambda: wait(kind, f"{kind} {number} {how}"))

    def wait_for_failure(self, kind, what):
        try:
            status = self.server.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            # The failing call was not reached, or its failure was harmless.
            self.server.kill()
            return
        if status != 74:
            raise Mismatch(f"{what}: the server ended with status {status}:\n{self.server.messages()}")
        self.faults[kind] += 1

    def wait_on_full_disk(self, kind, what):
        """Lets the clients write, and read what the server had before; once there is room, they go on."""
        refused = sum(writer.refused for writer in self.writers)
        try:
            status = self.server.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.server.kill()
        else:
            raise Mismatch(f"{what}: the server ended with status {status}:\n{self.server.messages()}")
        self.faults[kind] += sum(writer.refused for writer in self.writers) > refused

    def reconcile(self):
        """Compares the server's state with what it had acknowledged. Requests without a response were executed, or not."""
        with self.server.client() as client:
            now = advance(client, 0)
            if now not in {self.clock.now, self.ticker.pending or self.clock.now}:
                raise Mismatch(f"the clock stands at {now}, not at {self.clock.now} or {self.ticker.pending}")
            for writer in self.writers:
                # No request is in flight while the clock moves, so a request sent after an advance came too late.
                if writer.pending and now == self.clock.now:
                    self.reconcile_pending(client, writer, *writer.pending)
            self.clock.move_to(now, self.users)
            for name, user in self.users.items():
                look(client, name, user)
            if self.random.random() < 0.5:
                self.check_next_deadlines(client)

    def reconcile_pending(self, client, writer, name, action, arguments):
        user = self.users[name]
        done = user.copy()
        done.apply(action, arguments)
        found = observe(client.presence(name))
        if done.version != user.version and found == (done.visible(), done.version):
            self.replace(writer, name, done)
        elif found != (user.visible(), user.version):
            raise Mismatch(f"{name} is {found}, neither {user} nor {done}")
        elif done != user:
            self.reconcile_invisible(client, writer, name, user, done)
            return
        self.counts["unanswered and done" if self.users[name] is done else "unanswered and not done"] += 1

    def reconcile_invisible(self, client, writer, name, user, done):
        """Resolves a request whose effect is invisible, such as a keep-alive, by commands that lead to one state either way."""
        for session in sorted({*user.sessions, *done.sessions}):
            response = client.act(name, "clearPresence", {"sessionId": session})
            statuses = {either.apply("clearPresence", {"session": session}) for either in (user, done)}
            if response.status not in statuses:
                raise Mismatch(f"clearing {session} of {name} got {response.status}, not {statuses}")
        for action, arguments, body in (
            ("clearUserPreferredPresence", {}, None),
            ("clearLocation", {}, None),
            ("setStatusMessage", {"content": "", "until": None}, {"statusMessage": {"message": {"content": ""}}}),
        ):
            if action in ACTIONS and client.act(name, action, body).status != 200:
                raise Mismatch(f"{action} of {name} failed")
            user.apply(action, arguments)
            done.apply(action, arguments)
        found = observe(client.presence(name))
        for either in (user, done):
            if found == (either.visible(), either.version):
                self.replace(writer, name, either)
                return
        raise Mismatch(f"{name} is {found}, neither {user} nor {done}")

    def replace(self, writer, name, user):
        self.users[name] = writer.users[name] = user

    def check_next_deadlines(self, client):
        """Checks that deadlines are exact after a restart, by a read a millisecond before each and one at it."""
        due = {deadline for user in self.users.values() if (deadline := user.next_deadline())}
        for deadline in sorted(due)[:3]:
            for moment in (deadline - 1, deadline):
                if moment > self.clock.now:
                    self.clock.move_to(advance(client, moment - self.clock.now), self.users)
                for name, user in self.users.items():
                    if user.now == deadline or user.next_deadline() == deadline:
                        look(client, name, user)
            self.counts["deadlines"] += 1

    def check_damaged_copy(self):
        """Checks that a server on a damaged copy starts, with each user in the state after one of its commands. It may reject a
        journal whose file is newer than its log."""
        data = damage.copy_of(self.server.data)
        try:
            path = damage.newest_journal(data)
            if self.random.random() < 0.5:
                damage.move(path, self.random)
            how, is_moved = damage.damage(path, self.random)
            self.damages.append(how.split()[0])
            self.moved += is_moved
            try:
                server = Server(data=data)
            except NotReady as error:
                if not is_moved or error.status != 2 or path.name.removesuffix("-wal") not in str(error):
                    raise Mismatch(f"after {how} of {path.name}, in its file too: {is_moved}: {error}") from error
                self.rejected += 1
                return
            with server, server.client() as client:
                now = advance(client, 0)
                found = {
                    name: self.check_damaged_user(client, name, user, now, f"{path.name}: {how}")
                    for name, user in self.users.items()
                }
                self.shortened += any(found[name] != (user.visible(), user.version) for name, user in self.users.items())
                self.check_writes(client, self.random.choice(list(self.users)))
        finally:
            shutil.rmtree(data)

    def check_damaged_user(self, client, name, user, now, how):
        found = observe(client.presence(name))
        candidates = [user]
        for pending_name, action, arguments in (writer.pending for writer in self.writers if writer.pending):
            if pending_name == name:
                done = user.copy()
                done.apply(action, arguments)
                candidates.append(done)
        if not any(candidate.ever_was(found, now) for candidate in candidates):
            raise Mismatch(f"after {how}, {name} is {found} at {now}, which never was: {user}")
        return found

    def check_writes(self, client, name):
        """Checks that a server on damaged data accepts writes, those of an existing user and those of a new one."""
        body = {"sessionId": APPLICATIONS[0], "availability": "DoNotDisturb", "activity": "Presenting"}
        new_user = numbered("new user", self.random.getrandbits(64))
        for user in (name, new_user):
            if (response := client.act(user, "setPresence", body)).status != 200:
                raise Mismatch(f"a server on damaged data accepts no writes: {response}")
        if observe(client.presence(new_user)) != (Visible(("DoNotDisturb", "Presenting")), 1):
            raise Mismatch(f"a server on damaged data shows {client.presence(new_user)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--faults", type=int, default=30, help="of the disk")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    print(f"crash: seed {options.seed}", flush=True)
    crash = Crash(options.seed)
    try:
        for number in range(options.kills):
            # Before every tenth kill, the server is stopped by SIGTERM, which must lose nothing either.
            if number % 10 == 9:
                crash.round(crash.stop)
            crash.round(crash.kill)
        for number in range(options.faults):
            crash.fault(disk.KINDS[number % len(disk.KINDS)])
    finally:
        crash.server.close()
    acknowledged = sum(writer.acknowledged for writer in crash.writers)
    kinds = ", ".join(f"{crash.damages.count(kind)} {kind}" for kind in damage.KINDS)
    print(f"crash: the feed sent {crash.follower.changes} changes, and {crash.follower.started_over} times start-over")
    resuming = crash.resuming
    print(f"crash: on a bad network it sent {resuming.changes} changes, and a scan broke off {resuming.resumed_scans} times")
    require(resuming.resumed_scans > options.kills, "hardly a scan broke off")
    # Each run of the server has new ids; a reader that is too slow starts over too.
    require(resuming.started_over <= 2 * crash.follower.started_over, "scans that broke off were not resumed")
    print(
        f"crash: damage of journals: {kinds}; {crash.shortened} were cut short by it; "
        f"{crash.moved} were in the file already, {crash.rejected} of those rejected"
    )
    print(f"crash: slowest start {crash.slowest_start * 1000:.0f} ms")
    require(acknowledged > 50 * options.kills and crash.follower.changes > 10 * options.kills, "too little has happened")
    require(crash.shortened > 0 or len(crash.damages) < 10, "no damage ever did any")
    faults = ", ".join(f"{count} in {kind}" for kind, count in crash.faults.items())
    refused = sum(writer.refused for writer in crash.writers)
    print(
        f"crash: faults of the disk: {faults}; {crash.not_started} kept the server from starting, "
        f"full ones refused {refused} commands, all others ended it"
    )
    require(sum(crash.faults.values()) + crash.not_started >= options.faults // 2, "the disk hardly ever failed")
    counts = ", ".join(f"{count} {name}" for name, count in crash.counts.items())
    print(
        f"crash: {counts}; {acknowledged} acknowledged commands, none lost; {len(crash.damages)} damaged journals, none misread; "
        f"{time.monotonic() - began:.0f} s"
    )


if __name__ == "__main__":
    main()
