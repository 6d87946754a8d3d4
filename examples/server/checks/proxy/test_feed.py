"""Tests that changes come through a proxy as they happen, and that it does not take a quiet stream for a dead one."""

import socket
import time

from harness import names
from harness.feed import Feed
from harness.fill import SET, fill


def set_activity(server, user, activity):
    availability = {"InACall": "Busy", "Away": "Away"}[activity]
    body = {"sessionId": names.APPLICATION, "availability": availability, "activity": activity}
    with server.client() as client:
        assert client.act(user, "setPresence", body).status == 200


def up_to_date(events):
    return next(event for event in events if event.kind == "up-to-date")


def test_a_change_comes_while_the_stream_is_open(behind_nginx):
    server, nginx = behind_nginx()
    feed = Feed(nginx)
    events = iter(feed)
    up_to_date(events)
    # One event is far less than a buffer of nginx: with buffering it would wait there until the stream ends.
    for activity in ("InACall", "Away", "InACall"):
        set_activity(server, names.USER, activity)
        event = next(events)
        assert (event.data["id"], event.data["activity"]) == (names.USER, activity)
    # The client knows nothing but the proxy, and resumes through it.
    feed.close()
    set_activity(server, names.OTHER_USER, "Away")
    assert next(iter(Feed(nginx, event.cursor))).data["id"] == names.OTHER_USER


def test_a_scan_comes_whole(behind_nginx):
    server, nginx = behind_nginx()
    users = {names.numbered("proxy", number) for number in range(2000)}
    fill(server, [(user, "setPresence", SET) for user in users])
    found = set()
    for event in Feed(nginx):
        if event.kind == "up-to-date":
            break
        if event.kind == "presence":
            found.add(event.data["id"])
    assert found == users


def test_a_quiet_stream_outlives_the_timeout_of_the_proxy(behind_nginx):
    server, nginx = behind_nginx("--heartbeat", "1", read_timeout=5)
    events = iter(Feed(nginx))
    up_to_date(events)
    time.sleep(11)
    set_activity(server, names.USER, "InACall")
    assert next(events).data["id"] == names.USER


def test_the_timeout_of_the_proxy_ends_a_stream_without_heartbeats(behind_nginx):
    """Checks the check above: the time-out is real."""
    _, nginx = behind_nginx(read_timeout=1)
    events = iter(Feed(nginx))
    up_to_date(events)
    assert next(events, None) is None
    assert "timed out" in nginx.messages()


def test_a_client_that_hangs_up_is_released(behind_nginx):
    server, nginx = behind_nginx("--heartbeat", "1")
    for _ in range(3):
        up_to_date(iter(feed := Feed(nginx)))
        feed.connection.sock.shutdown(socket.SHUT_RDWR)
        feed.close()
    until = time.monotonic() + 30
    with server.client() as client:
        while b"presence_change_readers 0\n" not in client.get("/metrics").body:
            assert time.monotonic() < until, "the server still sends to clients that have gone"
            time.sleep(0.1)
