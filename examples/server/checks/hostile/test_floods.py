"""Tests very many users, connections and readers of changes. Beyond a limit they get 429 or 507, or wait."""

import contextlib
import random
import threading
import time

from harness import names
from harness.feed import Feed
from harness.fill import SET, post_batch
from harness.names import APPLICATION, numbered
from harness.server import Server

from .conftest import MEBIBYTE, MEMORY_LIMIT
from .raw import PRESENCE, TOKEN, Raw, get

CONNECTIONS = 4_000


def batch(client, action, ids, body):
    """Sends one action for each of up to 20 users. Returns their statuses."""
    return post_batch(client, [(user, action, body) for user in ids])


def test_s9_users_without_end(tmp_path):
    """A full server rejects new users with 507, and serves the users it has; users without a session are evicted."""
    options = ["--users", "1000", "--users-per-application", "1000"]
    with Server(*options) as server, server.client(names.APPLICATION_TOKEN) as client:
        statuses = []
        for begin in range(0, 4_000, 20):
            statuses += batch(client, "setPresence", [numbered("flood", n) for n in range(begin, begin + 20)], SET)
        taken = [n for n, status in enumerate(statuses) if status == 200]
        # The users are spread over shards, which fill up at different moments.
        assert set(statuses) == {200, 507} and 900 <= len(taken) <= 1_000 and taken[:800] == list(range(800))
        before = server.resident()
        # Rule M5: reading needs no slot.
        for begin in range(0, 65_000, 650):
            ids = [numbered("reader", n) for n in range(begin, begin + 650)]
            assert client.post("/v1.0/communications/getPresencesByUserId", {"ids": ids}).status == 200
        assert client.presence(numbered("flood", 0))["activity"] == "InACall"
        response = client.act(numbered("flood", 3_999), "setPresence", SET)
        assert (response.status, response.code) == (507, "InsufficientStorage")
        # Rule S9: replacing needs no slot. Rule M5: a user without a session is evicted.
        assert client.act(numbered("flood", 0), "setPresence", SET).status == 200
        clear = {"sessionId": APPLICATION}
        for begin in range(0, len(taken), 20):
            ids = [numbered("flood", n) for n in taken[begin : begin + 20]]
            assert set(batch(client, "clearPresence", ids, clear)) == {200}
        assert client.act(numbered("flood", 3_999), "setPresence", SET).status == 200
        grown = (server.resident() - before) / MEBIBYTE
        assert grown < 32, f"the server has grown by {grown:.0f} MiB"


def test_s9_sessions_without_end(server, developer):
    """The sessions of one user are bounded."""
    user = numbered("sessions", 0)
    statuses = [developer.act(user, "setPresence", {**SET, "sessionId": numbered("session", n)}).status for n in range(200)]
    accepted = statuses.index(507)
    assert accepted >= 3 and statuses == [200] * accepted + [507] * (200 - accepted)


def test_thousands_of_idle_connections(server):
    with contextlib.ExitStack() as stack:
        for number in range(CONNECTIONS):
            raw = stack.enter_context(Raw(server))
            if number % 3 == 1:
                raw.send("GET / HT")
            elif number % 3 == 2:
                raw.send(get())
        asked = time.monotonic()
        assert Raw(server).send(get()).response().status == 200
        assert time.monotonic() - asked < 2
        assert server.resident() <= MEMORY_LIMIT * MEBIBYTE


def test_thousands_of_readers_of_changes(server, developer):
    """Readers that hang up or never read cost bounded memory, and release their permits."""
    statuses = []
    with contextlib.ExitStack() as stack:
        for number in range(3_000):
            raw = stack.enter_context(Raw(server))
            raw.send(get("/presence/changes"))
            if number % 2:
                raw.close()
            elif number % 100 == 0:
                raw.socket.settimeout(5)
                statuses.append(int(raw.socket.recv(12)[-3:]))
        assert set(statuses) <= {200, 429} and statuses[0] == 200
        change_all(developer, 200)
        assert server.resident() <= MEMORY_LIMIT * MEBIBYTE
    # Their permits are released.
    until = time.monotonic() + 20
    while (feed := Feed(server)).status != 200:
        feed.close()
        assert time.monotonic() < until, "readers that hung up keep their permits"
        time.sleep(0.2)
    feed.close()


def change_all(client, users, seed=0):
    """Makes a visible change of each of these users."""
    pick = random.Random(seed)
    for begin in range(0, users, 20):
        availability, activity = pick.choice(names.SESSION_PAIRS)
        body = {**SET, "availability": availability, "activity": activity}
        assert batch(client, "setPresence", [numbered("change", n) for n in range(begin, begin + 20)], body) == [200] * 20


def test_a_reader_that_does_not_read(server, developer):
    """It costs bounded memory and delays no other client; another reader receives everything, and so does it in the end."""
    slow = [Feed(server) for _ in range(20)]
    received = {}

    def follow():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            for event in quick:
                if event.kind == "presence":
                    received[event.data["id"]] = event.data["sequenceNumber"]

    quick = Feed(server)
    threading.Thread(target=follow, daemon=True).start()
    change_all(developer, 1_000)
    before = server.resident()
    longest = 0
    for seed in range(12):
        asked = time.monotonic()
        change_all(developer, 1_000, seed)
        longest = max(longest, (time.monotonic() - asked) / 50)
    grown = (server.resident() - before) / MEBIBYTE
    assert grown < 64, f"the server has grown by {grown:.0f} MiB"
    assert longest < 0.5, f"a batch waited {longest:.2f} s for readers that do not read"
    expected = {user: developer.presence(user)["sequenceNumber"] for user in map(lambda n: numbered("change", n), range(1_000))}
    until = time.monotonic() + 10
    while any(received.get(user) != number for user, number in expected.items()):
        assert time.monotonic() < until, "a reader did not receive everything"
        time.sleep(0.05)
    latest = {}
    for event in slow[0]:
        if event.kind == "start-over":
            latest.clear()
        elif event.kind == "presence":
            latest[event.data["id"]] = event.data["sequenceNumber"]
        if all(latest.get(user) == number for user, number in expected.items()):
            break
    assert latest.items() >= expected.items()
    for feed in (*slow, quick):
        feed.close()


def test_a_cursor_is_resumed_or_rejected(server, developer):
    change_all(developer, 20)
    first = Feed(server)
    cursor = next(event.cursor for event in first if event.kind == "up-to-date")
    first.close()
    change_all(developer, 20, seed=7)
    resumed = Feed(server, cursor)
    event = next(iter(resumed))
    assert event.kind == "presence" and event.cursor
    resumed.close()
    for nonsense in ("", "0", "x", "-1", "9" * 40, "%00", cursor[:-1] + "x", cursor + "-1", "0" * 16 + cursor[16:]):
        feed = Feed(server, nonsense)
        assert feed.status in (200, 400)
        if feed.status == 200:
            assert next(iter(feed)).kind == "start-over", nonsense
        feed.close()


def test_more_requests_than_the_limit(server):
    """Every request gets a response of 200 or 429."""
    raws = [Raw(server) for _ in range(1_000)]
    for raw in raws:
        raw.send(get() * 20)
    statuses = {raw.response().status for raw in raws for _ in range(20)}
    assert statuses <= {200, 429}
    for raw in raws:
        raw.close()


def test_connections_that_are_reset_at_once(server):
    for _ in range(2_000):
        raw = Raw(server)
        raw.socket.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER: closing resets.
        raw.send(get(PRESENCE, TOKEN))
        raw.close()
