"""Tests which connections are admitted, closed for others, and turned away, from addresses that are no loopback addresses."""

import contextlib
import json
import resource

from harness import names

from .conftest import PRESENCE

SET_BODY = json.dumps({"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall"}).encode()
SET_HEADERS = f"Content-Type: application/json\r\nContent-Length: {len(SET_BODY)}\r\n"
PROXIES = ("--trusted-proxy", "198.51.100.0/24", "--trusted-proxy", "2001:db8:0:2::1")
LOOPBACK = ("127.0.0.1", "::1")
# More than the server has places for by default: 8,192.
SILENT = min(10_500, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500)


def test_silent_connections_of_one_address_lock_nobody_out(site):
    site = site("--trusted-proxy", "198.51.100.0/24")
    assert SILENT > 8_192, "the limit of open files is too low to attack"
    silent = [site.connect("192.0.2.1") for _ in range(SILENT)]
    for address in ("192.0.2.1", "192.0.2.2", "198.51.100.7", "2001:db8:0:1::1", *LOOPBACK):
        assert site.asks(address) == 200, address
    assert sum(peer.is_open() for peer in silent) <= 256
    assert site.metric("connections") <= 256 + 10


def test_silent_connections_of_many_addresses_lock_nobody_out(site):
    """They are more than all places, within what each address may have."""
    site = site()
    silent = [site.connect(f"192.0.2.{100 + number % 50}") for number in range(SILENT)]
    for address in ("192.0.2.1", "192.0.2.100", "198.51.100.7", "2001:db8:0:1::1", *LOOPBACK):
        assert site.asks(address) == 200, address
    assert sum(peer.is_open() for peer in silent) <= 8_192 - 64, "some places are kept for loopback"
    assert site.metric('connections_refused_total{limit="all"}') == 0


def test_a_network_of_ipv6_counts_as_one_address(site):
    site = site("--connections-per-address", "4", "--idle-seconds", "3600")
    same = ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::3", "2001:db8:0:1::1"]
    first, *others, elsewhere = site.idle([*same, "2001:db8:0:2::1"])
    fifth = site.connect("2001:db8:0:1::2")
    assert first.is_closed()
    assert [peer.ask() for peer in (*others, elsewhere, fifth)] == [200] * 5


def test_a_proxy_and_loopback_have_more_than_other_addresses(site):
    site = site("--connections-per-address", "4", "--idle-seconds", "3600", *PROXIES)
    for address in ("198.51.100.7", "2001:db8:0:2::1", *LOOPBACK):
        peers = [site.connect(address) for _ in range(50)]
        assert [peer.ask() for peer in peers] == [200] * 50, address
    assert site.metric("connections_replaced_total") == 0


def test_the_longest_idle_goes_first_and_what_is_served_stays(site):
    site = site("--connections", "40", "--connections-per-address", "40", "--idle-seconds", "3600")
    # Ten places are kept for this machine.
    feeds = [site.connect(f"192.0.2.{number}").send(path="/presence/changes") for number in (1, 2)]
    assert [feed.socket.recv(12) for feed in feeds] == [b"HTTP/1.1 200"] * 2
    idle = site.idle(f"192.0.2.{10 + number}" for number in range(28))
    # What asks again is no longer the one that was idle longest.
    idle.append(idle.pop(0))
    assert idle[-1].ask() == 200
    site.wait_for_idle(28)
    for oldest in idle[:10]:
        assert site.asks("192.0.2.99") == 200
        assert oldest.is_closed()
    assert all(peer.is_open() for peer in idle[10:])
    assert idle[-1].send("POST", f"{PRESENCE}/setPresence", SET_HEADERS, SET_BODY).response()[0] == 200
    for feed in feeds:
        seen = b""
        while b"InACall" not in seen:
            seen += feed.socket.recv(65_536)


def test_a_connection_whose_body_comes_slowly_is_not_idle(site):
    site = site("--connections", "8", "--idle-seconds", "3600")
    # Two places are kept for this machine. A body lasts ten seconds: if this takes longer, it is no fault of the server.
    for _ in range(10):
        body = site.connect("192.0.2.1").send("POST", f"{PRESENCE}/setPresence", SET_HEADERS, SET_BODY[:-1])
        idle = site.idle(f"192.0.2.{10 + number}" for number in range(5))
        another = site.connect("192.0.2.99")
        was_served = another.ask() == 200 and idle[0].is_closed()
        with contextlib.suppress(ConnectionError):
            body.socket.sendall(SET_BODY[-1:])
        status = body.response()[0]
        for peer in (body, another, *idle):
            peer.close()
        site.wait_for_idle(0)
        if status != 408:
            break
    assert was_served and status == 200


def test_while_all_are_busy_loopback_gets_in_and_others_are_told_to_come_back(site, tmp_path):
    log = tmp_path / "access.log"
    limits = ("--connections", "40", "--connections-per-address", "16", "--trusted-proxy", "198.51.100.1")
    site = site(*limits, "--access-log", str(log))
    busy = [site.connect(address).send(path="/presence/changes") for address in ["192.0.2.1"] * 16 + ["198.51.100.1"] * 14]
    for peer in busy:
        assert peer.socket.recv(12) == b"HTTP/1.1 200"
    turned_away = [("192.0.2.1", 429), ("192.0.2.2", 503), ("198.51.100.1", 503), ("2001:db8:0:1::1", 503)]
    for address, status in turned_away:
        refused, headers = site.connect(address).response()
        assert (refused, headers["content-type"]) == (status, "application/json"), address
        assert 1 <= int(headers["retry-after"]) <= 10
    for address in LOOPBACK * 10:
        assert site.asks(address) == 200
    assert site.metric('connections_refused_total{limit="address"}') == 1
    assert site.metric('connections_refused_total{limit="all"}') == 3
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    rejected = [(line["client"], line["status"]) for line in lines if line["event"] == "rejected"]
    assert rejected == turned_away, "each has its line"
    busy[0].close()
    # The server notices it at once, and when it sends a heartbeat at the latest.
    while (status := site.connect("192.0.2.2").send().response()[0]) == 503:
        pass
    assert status == 200


def test_other_machines_may_probe_and_read_nothing_else_without_a_token(site):
    site = site("--host", "presence.example")

    def ask(path, host):
        peer = site.connect("192.0.2.1")
        peer.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return peer.response()[0]

    for path, by_address, by_name in [
        ("/health/live", 200, 200),
        ("/health/ready", 200, 200),
        ("/metrics", 421, 401),
        ("/openapi.json", 421, 401),
    ]:
        assert (ask(path, "192.0.2.1:8080"), ask(path, "presence.example")) == (by_address, by_name), path
        assert site.connect("192.0.2.1").send(path=path).response()[0] == 200, path


def test_the_first_byte_must_come_soon_but_not_from_loopback(site):
    site = site("--idle-seconds", "3600")
    local, remote = site.connect("127.0.0.1"), site.connect("192.0.2.1")
    begun = site.connect("192.0.2.2")
    begun.socket.sendall(b"G")
    assert remote.is_closed()
    assert local.is_open() and begun.is_open()
    begun.socket.sendall(b"ET / HTTP/1.1\r\nHost: presence.example\r\n\r\n")
    assert begun.response()[0] == 401
    assert local.ask() == 200


def test_a_client_whose_connection_is_closed_before_its_request_is_told_to_come_back(site):
    """So many that come at once get in one after another."""
    site = site("--connections", "4", "--idle-seconds", "3600")
    peers = [site.connect("127.0.0.1") for _ in range(8)]
    assert site.asks("127.0.0.1") == 200, "all before it were admitted"
    for peer in peers[:5]:
        # Its request crosses the response.
        with contextlib.suppress(OSError):
            peer.send()
        status, headers = peer.response()
        assert status == 503 and 1 <= int(headers["retry-after"]) <= 10


def test_a_silent_connection_takes_little_memory(site, record_property):
    site = site("--idle-seconds", "3600")
    site.asks("127.0.0.1")
    before = site.server.resident()
    count = 8_000
    silent = [site.connect("127.0.0.1") for _ in range(count)]
    # When another one is served, all before it have been accepted.
    assert site.asks("127.0.0.1") == 200
    each = (site.server.resident() - before) / count
    record_property("bytes", each)
    print(f"{each:.0f} bytes each")
    assert all(peer.is_open() for peer in silent)
    assert each < 2_048, f"{each:.0f} bytes for each silent connection"
