"""Clients that write at random and remember what was acknowledged, and a clock that goes on between their requests."""

import contextlib
import http.client
import random
import threading

from .actions import choose
from .model import seen

GONE = (ConnectionError, http.client.HTTPException, TimeoutError, OSError)


class Unlike(AssertionError):
    """The server did something else than the rules say, or lost something."""


class Worker:
    """Does one thing again and again in a thread of its own, until the server is gone."""

    def __init__(self):
        # What was asked and not answered.
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
        except GONE:
            pass
        except Exception as failure:
            self.failure = failure

    def end(self):
        self.thread.join(timeout=60)
        if self.thread.is_alive():
            raise Unlike("a request to a server that was killed is still waiting")
        if self.failure:
            raise self.failure


class Writer(Worker):
    """A client with users of its own. Its requests follow each other, so that it is known in which order they happened."""

    def __init__(self, seed, number, users, clock):
        super().__init__()
        self.random = random.Random(f"{seed} writer {number}")
        self.users = users
        self.clock = clock
        self.acknowledged = 0
        self.throttled = 0

    def step(self, client):
        name = self.random.choice(list(self.users))
        user = self.users[name]
        # So that it is known at which moment a request is carried out.
        with self.clock.standing_still():
            if self.random.random() < 0.2:
                look(client, name, user)
            else:
                self.write(client, name, user)
        return True

    def write(self, client, name, user):
        action, arguments, body = choose(self.random, user)
        self.pending = (name, action, arguments)
        answer = client.act(name, action, body)
        self.pending = None
        if answer.status == 429:
            self.throttled += 1
            return
        expected = user.apply(action, arguments)
        self.acknowledged += 1
        if answer.status != expected:
            raise Unlike(f"{action} {body} of {name} was answered {answer.status}, not {expected}: {answer.body}")


def look(client, name, user):
    found = seen(client.presence(name))
    if found != (user.visible(), user.version):
        raise Unlike(f"{name} is shown as {found}, not as {user.visible()}, version {user.version}")


class Ticker(Worker):
    """Lets virtual time pass now and then: mostly moments, sometimes minutes, so that sessions fade and end."""

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
                raise Unlike(f"the clock stands at {now} instead of {self.pending}")
            self.pending = None
            self.clock.move_to(now, self.users)
        return True


def advance(client, millis):
    """Lets virtual time pass. Returns the moment at which it stands then."""
    answer = client.post(f"/dev/advance?seconds={millis / 1000:.3f}")
    if answer.status != 200:
        raise Unlike(f"the clock does not move: {answer}")
    return answer.json["now"]


class Clock:
    """The virtual clock: requests are carried out while it stands still, it moves while none is under way."""

    def __init__(self, now):
        self.now = now
        self.condition = threading.Condition()
        self.under_way = 0
        self.is_moving = False

    def move_to(self, now, users):
        self.now = now
        for user in users.values():
            user.advance(now)

    @contextlib.contextmanager
    def standing_still(self):
        with self.condition:
            self.condition.wait_for(lambda: not self.is_moving)
            self.under_way += 1
        try:
            yield
        finally:
            with self.condition:
                self.under_way -= 1
                self.condition.notify_all()

    @contextlib.contextmanager
    def moving(self):
        with self.condition:
            self.is_moving = True
            self.condition.wait_for(lambda: self.under_way == 0)
        try:
            yield
        finally:
            with self.condition:
                self.is_moving = False
                self.condition.notify_all()
