"""Tests slow clients, all at once: each times out, and other clients are not delayed."""

import threading
import time

from harness import names
from harness.names import USER

from .raw import PRESENCE, SET_BODY, TOKEN, Raw, get

HEAD = f"POST {PRESENCE}/setPresence HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
# The server's own limits are 15 s for a head, 20 s for a body, 30 s for everything.
AT_MOST = 35


def trickle(raw, text, pause):
    """Sends single bytes until the server responds or disconnects. Returns the response and the seconds it took."""
    began = time.monotonic()
    raw.socket.settimeout(pause)
    for byte in text:
        raw.send(bytes([byte]))
        try:
            if raw.socket.recv(1, 2):  # MSG_PEEK: a response has come.
                break
            return None, time.monotonic() - began
        except TimeoutError:
            continue
        except ConnectionError:
            return None, time.monotonic() - began
    raw.socket.settimeout(AT_MOST)
    return raw.response(), time.monotonic() - began


ENDLESS = b"x" * 10_000
# The bytes sent at first, those that follow slowly, and the expected statuses; None for no response.
SLOW = {
    "nothing at all": ("", b"", {None, 408}),
    "half a head": ("GET / HTTP/1.1\r\nHost:", b"", {None, 408}),
    "a slow head": ("GET / HTTP/1.1\r\nX: ", ENDLESS, {None, 408}),
    "slow headers": ("GET / HTTP/1.1\r\n", b"X: x\r\n" * 1000, {None, 408}),
    "no body": (f"{HEAD}Content-Length: {len(SET_BODY)}\r\n{TOKEN}\r\n", b"", {408}),
    "a slow body": (f"{HEAD}Content-Length: {len(ENDLESS)}\r\n{TOKEN}\r\n", ENDLESS, {408}),
    "slow chunks": (f"{HEAD}Transfer-Encoding: chunked\r\n{TOKEN}\r\n", b"1\r\nx\r\n" * 1000, {408}),
    "a slow body without a token": (f"{HEAD}Content-Length: {len(ENDLESS)}\r\n\r\n", ENDLESS, {401, 408}),
    "a slow second head": (get(), b"", {200}),
}


def test_slow_clients_time_out(server):
    found = {}

    def run(name, at_first, then):
        with Raw(server, timeout=AT_MOST) as raw:
            raw.send(at_first)
            found[name] = (*trickle(raw, then, 0.5), time.monotonic(), raw.is_closed())

    threads = [threading.Thread(target=run, args=(name, *shape[:2])) for name, shape in SLOW.items()]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    waits = []
    with server.client(names.APPLICATION_TOKEN) as client:
        while any(thread.is_alive() for thread in threads):
            asked = time.monotonic()
            assert client.get(PRESENCE).status == 200
            waits.append(time.monotonic() - asked)
            assert asked - began < AT_MOST + 10, f"still served: {set(SLOW) - set(found)}"
            time.sleep(0.05)
    for name, (_, _, statuses) in SLOW.items():
        response, took, _, is_closed = found[name]
        assert (response and response.status) in statuses, (name, response)
        assert took <= AT_MOST and is_closed, (name, took, is_closed)
    # Whoever waits for a slow client waits until that client is given up.
    given_up = min(took for name, (_, took, _, _) in found.items() if 408 in SLOW[name][2])
    assert max(waits) < given_up / 2, f"others waited {max(waits):.2f} s, slow clients {given_up:.2f} s"


def test_a_client_that_does_not_read_its_answers(server):
    """Its responses fill the kernel's buffers and then wait; other clients are served."""
    bulk = ('{"ids":[' + ",".join([f'"{USER}"'] * 650) + "]}").encode()
    head = "POST /v1.0/communications/getPresencesByUserId HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(bulk)}\r\n{TOKEN}\r\n".encode() + bulk
    raws = [Raw(server) for _ in range(50)]
    for raw in raws:
        raw.socket.setblocking(False)
        try:
            for _ in range(200):
                raw.socket.send(request)
        except BlockingIOError:
            pass
    with server.client(names.APPLICATION_TOKEN) as client:
        for _ in range(20):
            asked = time.monotonic()
            assert client.get(PRESENCE).status == 200
            assert time.monotonic() - asked < 5
    for raw in raws:
        raw.close()
