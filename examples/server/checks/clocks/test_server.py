"""The server's time on a machine that sleeps, that is paused, and whose wall clock is set. Nothing here waits for minutes:
the clocks are moved, and the server looks at them every second."""

import calendar
import resource
import time
from contextlib import contextmanager

from harness import names
from harness.feed import Feed

HOUR = 3600
DAY = 24 * HOUR
# From 2026 into 2099.
FAR = 73 * 365 * DAY
# How much later than at once the server may notice something, on a machine that has much else to do.
PATIENCE = 60
# The most that the server's time and the wall clock differ when they are the same: a second is cut off, a request takes time.
NEAR = 5

CALL = {"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall"}


def call(client, user, lease):
    response = client.act(user, "setPresence", {**CALL, "expirationDuration": lease})
    assert response.status == 200, response


def now(client):
    """Returns the server's time, in seconds since 1970: the date of an error."""
    response = client.get("/nothing")
    assert response.status == 404, response
    date = response.json["error"]["innerError"]["date"]
    return calendar.timegm(time.strptime(date, "%Y-%m-%dT%H:%M:%SZ"))


def metric(client, name):
    text = client.get("/metrics").body.decode()
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"presence_{name} "))


def activity(client, user):
    return client.presence(user)["activity"]


def sequence(client, user):
    """Returns the sequence number, which is longer or greater as text when it is later."""
    text = client.presence(user)["sequenceNumber"]
    return len(text), text


def eventually(holds):
    """Waits until something holds. What the server does within a second is awaited longer, for the machine may be busy."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)
    return found


def told(server, *texts):
    """Waits until a line of the server's messages has these texts."""
    eventually(lambda: any(all(text in line for text in texts) for line in server.messages().splitlines()))


@contextmanager
def followed(server):
    """Gives the events of the feed that come when its scan is complete."""
    feed = Feed(server, timeout=PATIENCE)
    events = iter(feed)
    while next(events).kind != "up-to-date":
        pass
    yield events
    feed.close()


def assert_told_offline(events, user):
    """Checks that the next change is this user's, to Offline."""
    presence = next(event.data for event in events if event.kind == "presence")
    assert (presence["id"], presence["activity"]) == (user, "Offline")


def test_a_sleep_counts(machine, server):
    with server.client() as client:
        call(client, names.USER, "PT1H")
        call(client, names.OTHER_USER, "PT4H")
        machine.run(2 * HOUR)
        assert activity(client, names.USER) == "Offline", "at once, and not when something is noticed"
        assert activity(client, names.OTHER_USER) == "InACall"
        assert abs(now(client) - machine.wall()) <= NEAR
        assert "stepped" not in server.messages()


def test_deadlines_that_came_in_a_sleep_are_published_without_a_request(machine, server):
    with server.client() as client:
        call(client, names.USER, "PT1H")
    with followed(server) as events:
        machine.run(2 * HOUR)
        assert_told_offline(events, names.USER)


def test_a_paused_machine_is_followed(machine, server):
    with server.client() as client:
        call(client, names.USER, "PT1H")
        call(client, names.OTHER_USER, "PT4H")
        with followed(server) as events:
            machine.step(2 * HOUR)
            assert_told_offline(events, names.USER)
        told(server, "stepped forward by 7200 s (2h)")
        assert (metric(client, 'clock_steps_total{direction="forward"}'), metric(client, "clock_ahead_seconds") < 1) == (1, True)
        assert activity(client, names.OTHER_USER) == "InACall"
        assert abs(now(client) - machine.wall()) <= NEAR


def test_a_step_back_of_half_a_minute_is_ignored(machine, server):
    with server.client() as client:
        call(client, names.USER, "PT1H")
        machine.step(-30)
        for _ in range(3):
            # What is seen after each of these: more than a minute has gone by.
            machine.run(61)
            time.sleep(1.2)
        assert abs(now(client) - machine.wall() - 30) <= NEAR, "it stays ahead, and goes on"
        machine.step(2 * HOUR)
        told(server, "stepped forward by 71")
        assert "back" not in server.messages()
        assert activity(client, names.USER) == "Offline"


def test_a_step_back_that_lasts_is_undone_for_good(machine, server):
    with server.client() as client:
        call(client, names.USER, "PT4H")
        message = {"statusMessage": {"message": {"content": "here", "contentType": "text"}}}
        assert client.act(names.USER, "setStatusMessage", message).status == 200
        before = sequence(client, names.USER)
        machine.step(-HOUR)
        told(server, "stepped back by 3600 s (1h)")
        assert abs(now(client) - machine.wall() - HOUR) <= NEAR, "not yet"
        assert metric(client, 'clock_steps_total{direction="back"}') == 1
        assert abs(metric(client, "clock_ahead_seconds") - HOUR) <= NEAR
        machine.run(61)
        told(server, "back by 3600 s (1h)", "shifted")
        assert metric(client, 'clock_steps_total{direction="back"}') == 1, "it was counted when it was seen"
        for is_restarted in (False, True):
            if is_restarted:
                server.kill()
                server.start()
                client.close()
                client.connection.port = server.port
            assert abs(now(client) - machine.wall()) <= NEAR
            presence = client.presence(names.USER)
            assert presence["activity"] == "InACall"
            assert sequence(client, names.USER) == before, "nothing has changed"
            with server.client(names.USER_TOKEN) as user:
                published = user.presence(names.USER)["statusMessage"]["publishedDateTime"][:19]
            published = calendar.timegm(time.strptime(published, "%Y-%m-%dT%H:%M:%S"))
            assert abs(published - machine.wall() + 61) <= NEAR + PATIENCE, "its date is right again"
        assert "ahead" not in server.messages()
        # What remains of the lease is what remained: 61 seconds of four hours are over, and what the test took.
        machine.run(4 * HOUR - 61 - PATIENCE * 3)
        assert activity(client, names.USER) == "InACall"
        machine.run(PATIENCE * 3)
        assert activity(client, names.USER) == "Offline"


def test_a_shift_is_not_shown_before_there_is_room_for_it(machine, server):
    def expiry():
        explanation = client.get(f"/users/{names.USER}/presence/explain").json
        text = explanation["sessions"][0]["expiresAt"]
        return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))

    def full():
        return "presence_disk_full 0" not in client.get("/metrics").body.decode()

    with server.client() as client:
        call(client, names.USER, "PT4H")
        stored = expiry()
        machine.step(-HOUR)
        told(server, "stepped back by 3600 s (1h)")
        # A commit takes more than a page, the messages take less.
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        machine.run(61)
        told(server, "back by 3600 s (1h)", "shifted")
        eventually(full)
        assert expiry() == stored
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        eventually(lambda: not full())
        assert expiry() == stored - HOUR
        server.kill()
        server.start()
        client.close()
        client.connection.port = server.port
        assert expiry() == stored - HOUR


def test_a_kill_leaves_the_clock_before_a_shift_or_after_it(machine, server):
    """Kills the server around the moment at which it shifts its shards. Whatever came of it, leases are what they were."""
    users = [names.numbered("clocks", number) for number in range(20)]
    with server.client() as client:
        for user in users:
            call(client, user, "PT4H")
    began = machine.boot()
    leads = [0]
    for delay in (0.2, 0.6, 0.9, 1.0, 1.1):
        machine.step(-HOUR)
        told(server, "stepped back by 3600 s (1h)")
        machine.run(61)
        time.sleep(delay)
        server.kill()
        # Only what the next run says counts.
        server.log.seek(0)
        server.log.truncate()
        server.start()
        with server.client() as client:
            leads.append(now(client) - machine.wall())
            was_shifted = abs(leads[-1] - leads[-2]) <= NEAR
            # Behind the data, the wall clock does not tell how long ago that was stored.
            assert was_shifted or 0 <= leads[-2] + HOUR - leads[-1] <= 61 + 2 * PATIENCE, leads
            assert ("ahead of the wall clock" in server.messages()) == (leads[-1] > NEAR), leads
            assert {activity(client, user) for user in users} == {"InACall"}
    with server.client() as client:
        machine.run(4 * HOUR - int(machine.boot() - began) - PATIENCE)
        assert {activity(client, user) for user in users} == {"InACall"}
        machine.run(PATIENCE + 5 * (61 + 2 * PATIENCE))
        assert {activity(client, user) for user in users} == {"Offline"}


def test_a_minute_in_2099_is_undone(machine, server):
    with server.client() as client:
        call(client, names.USER, "PT4H")
        machine.step(FAR)
        told(server, f"stepped forward by {FAR} s")
        assert activity(client, names.USER) == "Offline", "no one can tell it from a long pause"
        call(client, names.OTHER_USER, "PT1H")
        before = sequence(client, names.USER), sequence(client, names.OTHER_USER)
        machine.step(-FAR)
        told(server, f"stepped back by {FAR} s")
        machine.run(61)
        told(server, f"back by {FAR} s", "shifted")
        assert abs(now(client) - machine.wall()) <= NEAR
        server.kill()
        server.start()
        client.close()
        client.connection.port = server.port
        assert abs(now(client) - machine.wall()) <= NEAR
        assert activity(client, names.OTHER_USER) == "InACall"
        assert (sequence(client, names.USER), sequence(client, names.OTHER_USER)) == before
        call(client, names.USER, "PT1H")
        assert sequence(client, names.USER) > before[0]
        machine.run(2 * HOUR)
        assert [activity(client, user) for user in (names.USER, names.OTHER_USER)] == ["Offline", "Offline"]


def test_data_that_is_ahead_is_told_and_reset(machine, server):
    machine.step(DAY)
    told(server, f"stepped forward by {DAY} s (1d)")
    with server.client() as client:
        call(client, names.USER, "PT4H")
        before = sequence(client, names.USER)
    server.kill()
    machine.step(-DAY)
    server.start()
    # A day, but for the seconds that this has taken.
    told(server, "the data is 86", " s (", "ahead of the wall clock, and so is the server; --reset-clock shifts it")
    with server.client() as client:
        assert abs(now(client) - machine.wall() - DAY) <= NEAR + PATIENCE
        # A machine may not know the time yet: nothing is shifted by itself.
        machine.run(61)
        time.sleep(1.2)
        machine.run(61)
        time.sleep(1.2)
        assert abs(now(client) - machine.wall() - DAY) <= NEAR + PATIENCE
        assert activity(client, names.USER) == "InACall"
    server.kill()
    server.options.append("--reset-clock")
    server.start()
    told(server, "ahead of the wall clock: all stored instants are shifted")
    server.options.remove("--reset-clock")
    for _ in range(2):
        with server.client() as client:
            assert abs(now(client) - machine.wall()) <= NEAR
            assert activity(client, names.USER) == "InACall"
            assert sequence(client, names.USER) == before
        server.kill()
        server.start()
    with server.client() as client:
        machine.run(4 * HOUR)
        assert activity(client, names.USER) == "Offline"
