"""Lets thousands of clients come at once to a server with few places, as they do after a network is back. Each has its own
connection and waits as Microsoft's clients do: exactly as long as `Retry-After` says, and three times at most. All must get in.
Takes up to a minute and a half, because that is how long so few places may need."""

import argparse
import asyncio
import collections
import json
import resource
import time

from harness import names
from harness.server import Server
from harness.require import require

# The first request and three more.
TRIES = 4
TIMEOUT = 120


class Client:
    """A client that sets the presence of its own user."""

    def __init__(self, server, number):
        self.server = server
        body = json.dumps({"sessionId": names.APPLICATION, "availability": "Busy", "activity": "InACall"})
        self.request = (
            f"POST /v1.0/users/{names.numbered('storm', number)}/presence/setPresence HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {names.APPLICATION_TOKEN}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        self.connection = None
        # The status of each try, and the seconds that the client was told to wait.
        self.statuses = []
        self.waits = []

    async def connect(self):
        self.connection = await asyncio.open_connection(self.server.host, self.server.port)

    async def run(self, start):
        await start.wait()
        while (status := await self.ask()) == 429 and len(self.statuses) < TRIES:
            # The server closes idle connections, so a new one is opened after the wait.
            self.connection[1].close()
            await asyncio.sleep(self.waits[-1])
            await self.connect()
        self.connection[1].close()
        return status

    async def ask(self):
        reader, writer = self.connection
        writer.write(self.request)
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), TIMEOUT)).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        await reader.readexactly(int(headers.get("content-length", 0)))
        self.statuses.append(int(head[0].split()[1]))
        if "retry-after" in headers:
            self.waits.append(int(headers["retry-after"]))
        return self.statuses[-1]


async def storm(server, count):
    clients = [Client(server, number) for number in range(count)]
    for client in clients:
        await client.connect()
    start = asyncio.Event()
    running = [asyncio.create_task(client.run(start)) for client in clients]
    began = time.monotonic()
    start.set()
    statuses = await asyncio.gather(*running)
    return clients, collections.Counter(statuses), time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=4000)
    parser.add_argument("--places", type=int, default=64, help="the server's --requests")
    options = parser.parse_args()
    most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))
    with Server("--requests", str(options.places)) as server:
        clients, statuses, seconds = asyncio.run(storm(server, options.clients))
        with server.client() as client:
            for number in range(options.clients):
                require(client.presence(names.numbered("storm", number))["activity"] == "InACall", number)
    tries = collections.Counter(len(client.statuses) for client in clients)
    rejected = sum(len(client.waits) for client in clients)
    longest = max((wait for client in clients for wait in client.waits), default=0)
    told = ", ".join(f"{count} after {number}" for number, count in sorted(tries.items()))
    print(f"storm: rejected {rejected} times, told to wait up to {longest} s")
    require(rejected > 0, "there was no storm")
    require(statuses == {200: options.clients}, statuses)
    print(f"storm: {options.clients} clients at once, {options.places} places: all got in ({told} tries) in {seconds:.0f} s")


if __name__ == "__main__":
    main()
