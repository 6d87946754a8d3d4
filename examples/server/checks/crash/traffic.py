"""Clients that write at random and record what was acknowledged, and a clock that advances between their requests."""

import contextlib
import http.client
import random
import threading

from .actions import choose
from .model import observe

DISCONNECTED = (ConnectionError, http.client.HTTPException, TimeoutError, OSError)


class Mismatch(AssertionError):
    """The server broke a rule, or lost something."""


class Worker:
    """A thread that repeats a step until the server has ended."""

    def __init__(self):
        # The request without a response.
        self.pending = None
        self.failure = None
        self.thread = None

    def begin(self, server):
        self.pending = None
        self.thread = threading.Thread(target=self.run, args=(server,), daemon=True)
        self.thread.start()

    def run(self, server):
        try:
            with server.client() as client:
                while self.step(client):
                    pass
        except DISCONNECTED:
            pass
        except Exception as failure:
            self.failure = failure

    def end(self):
        self.thread.join(timeout=60)
        if self.thread.is_alive():
            raise Mismatch("a request to a server that was killed is still waiting")
        if self.failure:
            raise self.failure


class Writer(Worker):
    """A client with its own users. It sends one request after the other, so that their order is known."""

    def __init__(self, seed, number, users, clock):
        super().__init__()
        self.random = random.Random(f"{seed} writer {number}")
        self.users = users
        self.clock = clock
        self.acknowledged = 0
        self.throttled = 0
        self.refused = 0

    def step(self, client):
        name = self.random.choice(list(self.users))
        user = self.users[name]
        # The clock stands still, so that the time of the request is known.
        with self.clock.standing_still():
            if self.random.random() < 0.2:
                look(client, name, user)
            else:
                self.write(client, name, user)
        return True

    def write(self, client, name, user):
        action, arguments, body = choose(self.random, user)
        self.pending = (name, action, arguments)
        response = client.act(name, action, body)
        self.pending = None
        if response.status == 429:
            self.throttled += 1
            return
        if response.status == 503:
            # The disk is full, and nothing was changed.
            self.refused += 1
            return
        expected = user.apply(action, arguments)
        self.acknowledged += 1
        if response.status != expected:
            raise Mismatch(f"{action} {body} of {name} got {response.status}, not {expected}: {response.body}")


def look(client, name, user):
    found = observe(client.presence(name))
    if found != (user.visible(), user.version):
        raise Mismatch(f"{name} is shown as {found}, not as {user.visible()}, version {user.version}")


class Ticker(Worker):
    """A thread that advances the virtual clock: mostly by moments, sometimes by minutes, so that sessions fade and expire."""

    def __init__(self, seed, clock, users):
        super().__init__()
        self.random = random.Random(f"{seed} ticker")
        self.clock = clock
        self.users = users
        self.idle = threading.Event()

    def step(self, client):
        self.idle.wait(self.random.uniform(0.005, 0.05))
        millis = self.random.choice([1, self.random.randint(1, 5_000), self.random.randint(1, 200_000)])
        with self.clock.moving():
            self.pending = self.clock.now + millis
            now = advance(client, millis)
            if now != self.pending:
                raise Mismatch(f"the clock stands at {now} instead of {self.pending}")
            self.pending = None
            self.clock.move_to(now, self.users)
        return True


def advance(client, millis):
    """Advances the virtual clock. Returns its new time."""
    response = client.post(f"/dev/advance?seconds={millis / 1000:.3f}")
    if response.status != 200:
        raise Mismatch(f"the clock does not move: {response}")
    return response.json["now"]


class Clock:
    """The virtual clock. It stands still while requests are in flight, and moves while there are none."""

    def __init__(self, now):
        self.now = now
        self.condition = threading.Condition()
        self.in_flight = 0
        self.is_moving = False

    def move_to(self, now, users):
        self.now = now
        for user in users.values():
            user.advance(now)

    @contextlib.contextmanager
    def standing_still(self):
        with self.condition:
            self.condition.wait_for(lambda: not self.is_moving)
            self.in_flight += 1
        try:
            yield
        finally:
            with self.condition:
                self.in_flight -= 1
                self.condition.notify_all()

    @contextlib.contextmanager
    def moving(self):
        with self.condition:
            self.is_moving = True
            self.condition.wait_for(lambda: self.in_flight == 0)
        try:
            yield
        finally:
            with self.condition:
                self.is_moving = False
                self.condition.notify_all()
