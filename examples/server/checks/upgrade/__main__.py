"""Restarts the server under load, at a socket that stays open, as systemd's socket units do it in an upgrade: this program holds
the socket. No connection may be refused, every request must be answered, and what was acknowledged before must be there after. Says
how long the longest request waited."""

import itertools
import json
import signal
import socket
import subprocess
import tempfile
import threading
import time

from harness import names
from harness.fill import SET, fill
from harness.require import require
from harness.server import Server, program
from harness.wire import Client

UPGRADES = 5
CLIENTS = 8
# So many wait, at each upgrade, from a moment on at which no server runs.
WAITING = 50
# Users that each start loads.
USERS = 20_000
# The requests that each client makes between two upgrades.
BETWEEN = 20
# Much longer than any of it takes, so that a check that hangs ends.
PATIENCE = 120
# Gives standard input to the server as the first file behind the standard ones, as sd_listen_fds(3) says.
PASS = 'exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'


class Manager:
    """Holds the socket and the data, and runs one server after the other."""

    def __init__(self, data):
        self.data = data
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.address = self.socket.getsockname()
        self.log = tempfile.TemporaryFile()
        self.process = None

    def start(self):
        """Starts a server. Returns when it is ready."""
        command = [program(), "--listen", "systemd", "--data", self.data, "--users", str(2 * USERS), *names.OPTIONS]
        self.process = subprocess.Popen(
            ["sh", "-c", PASS, "sh", *command], stdin=self.socket, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        line = self.process.stdout.readline()
        require(line.startswith("listening on "), (line, self.messages()))

    def stop(self):
        """Ends the server as systemd does."""
        self.process.send_signal(signal.SIGTERM)
        require(self.process.wait(timeout=PATIENCE) == 0, self.messages())
        self.process.stdout.close()

    def messages(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def connect(self):
        return Client(*self.address, names.DEVELOPER_TOKEN, timeout=PATIENCE)


class Load(threading.Thread):
    """A client that sets the presence of its own user and reads it, each time on a new connection."""

    def __init__(self, manager, number, is_over):
        super().__init__(daemon=True)
        self.manager, self.is_over = manager, is_over
        self.user = names.numbered("upgrade", number)
        # When each request began, and how long it took.
        self.times = []
        self.failure = None

    def run(self):
        try:
            for availability, activity in itertools.cycle(names.SESSION_PAIRS):
                body = {"sessionId": names.APPLICATION, "availability": availability, "activity": activity}
                response = self.ask(lambda client: client.act(self.user, "setPresence", body))
                require(response.status == 200, response)
                shown = self.ask(lambda client: client.presence(self.user))
                require(shown["activity"] == activity, (shown, activity))
                if self.is_over.is_set():
                    return
        except Exception as failure:
            self.failure = failure

    def ask(self, request):
        began = time.monotonic()
        with self.manager.connect() as client:
            answer = request(client)
        self.times.append((began, time.monotonic() - began))
        return answer


def wait_for_progress(clients, count):
    """Waits until each client has made so many more requests."""
    goals = [len(client.times) + count for client in clients]
    until = time.monotonic() + PATIENCE
    for client, goal in zip(clients, goals, strict=True):
        while len(client.times) < goal:
            require(client.failure is None, repr(client.failure))
            require(time.monotonic() < until, "no requests are answered")
            time.sleep(0.005)


def upgrade(manager):
    """Replaces the server. Returns the seconds from the signal to the end, to the next server's readiness, and of each request
    that began in between."""
    began = time.monotonic()
    manager.stop()
    stopped = time.monotonic()
    # Nobody is there who could accept these.
    waiting = []
    for _ in range(WAITING):
        connection = socket.create_connection(manager.address, timeout=PATIENCE)
        head = f"Host: localhost\r\nAuthorization: Bearer {names.DEVELOPER_TOKEN}\r\nConnection: close\r\n"
        connection.sendall(f"GET /v1.0/users/{names.USER}/presence HTTP/1.1\r\n{head}\r\n".encode())
        waiting.append((time.monotonic(), connection))
    manager.start()
    ready = time.monotonic()
    waits = []
    for sent, connection in waiting:
        with connection, connection.makefile("rb") as stream:
            answer = stream.read()
            require(answer.startswith(b"HTTP/1.1 200 "), answer)
            require(json.loads(answer.partition(b"\r\n\r\n")[2])["id"] == names.USER, answer)
        waits.append(time.monotonic() - sent)
    return stopped - began, ready - began, waits


def milliseconds(seconds):
    return f"{1000 * seconds:.0f} ms"


def main():
    with tempfile.TemporaryDirectory(prefix="presence-") as data:
        with Server("--users", str(2 * USERS), data=data, virtual_clock=False) as server:
            fill(server, [(names.numbered("stored", number), "setPresence", SET) for number in range(USERS)])
            require(server.stop() == 0, server.messages())
        manager, is_over = Manager(data), threading.Event()
        manager.start()
        try:
            clients = [Load(manager, number, is_over) for number in range(CLIENTS)]
            for client in clients:
                client.start()
            outcomes, away = [], []
            for _ in range(UPGRADES):
                wait_for_progress(clients, BETWEEN)
                began = time.monotonic()
                outcomes.append(upgrade(manager))
                away.append((began, began + outcomes[-1][1]))
            wait_for_progress(clients, BETWEEN)
            is_over.set()
            for client in clients:
                client.join(PATIENCE)
                require(client.failure is None and not client.is_alive(), repr(client.failure))
            manager.stop()
        finally:
            manager.process.kill()
    times = [time for client in clients for time in client.times]
    met = [took for began, took in times if any(began + took > begin and began < end for begin, end in away)]
    others = [took for began, took in times if not any(began + took > begin and began < end for begin, end in away)]
    waits = [wait for _, _, waits in outcomes for wait in waits]
    require(met and others and len(waits) == UPGRADES * WAITING, (len(met), len(others), len(waits)))
    print(
        f"upgrade: away for {milliseconds(min(ready for _, ready, _ in outcomes))} to "
        f"{milliseconds(max(ready for _, ready, _ in outcomes))}, of which up to "
        f"{milliseconds(max(stopped for stopped, _, _ in outcomes))} to end, with {USERS} users"
    )
    print(
        f"upgrade: {UPGRADES} under load: {len(times) + len(waits)} requests, all answered, on a new connection each; "
        f"the longest that met one took {milliseconds(max(met + waits))}, the longest other {milliseconds(max(others))}"
    )


if __name__ == "__main__":
    main()
