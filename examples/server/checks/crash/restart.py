"""Measures the restart of a large server, and checks that deadlines on the wall clock survive it."""

import os
import sys
import time

from harness.fill import SET, fill
from harness.names import APPLICATION, numbered
from harness.server import Server
from harness.require import require

USERS = 100_000


def action(number):
    """Returns the action for a numbered user: a session, or a preferred presence."""
    if number % 2:
        return "setUserPreferredPresence", {"availability": "Away", "activity": "Away"}
    return "setPresence", SET


def check(server, users):
    """Checks some of the users, evenly."""
    with server.client() as client:
        for number in range(0, users, users // 650):
            presence = client.presence(numbered("restart", number))
            expected = "Offline" if number % 2 else "InACall"
            require(presence["activity"] == expected, presence)


def restart(users):
    """Kills a server with this many users, and compares the time until it is ready again with the time that writing took."""
    with Server("--users", str(users)) as server:
        began = time.monotonic()
        fill(server, [(numbered("restart", number), *action(number)) for number in range(users)])
        filled = time.monotonic() - began
        server.kill()
        took = server.start()
        check(server, users)
        # Both must keep everybody, although one needs other shards and the other is far too small.
        cores = os.sched_getaffinity(0)
        for options, allowed in ((["--users", str(users)], {min(cores)}), (["--users", "1"], cores)):
            server.kill()
            os.sched_setaffinity(0, allowed)
            server.options[:2] = options
            server.start()
            os.sched_setaffinity(0, cores)
            check(server, users)
        require(f"{users} users are stored" in server.messages(), server.messages())
        print(f"restart: {users} users written in {filled:.1f} s, ready again {took:.2f} s after a kill")
        # Within one run, because seconds depend on the machine: it takes a twentieth.
        require(took <= filled, f"a restart takes {took:.2f} s, longer than writing it all, {filled:.2f} s")


def wall_clock():
    """Checks a deadline that passes while the server is down, and a later one."""
    with Server(virtual_clock=False) as server:
        names = [numbered("wall", number) for number in range(2)]
        with server.client() as client:
            began = time.time()
            for name, duration in zip(names, ("PT1S", "PT3S")):
                session = {"sessionId": APPLICATION, "availability": "Busy", "activity": "InACall"}
                require(client.act(name, "setPresence", session).status == 200)
                preferred = {"availability": "Away", "activity": "Away", "expirationDuration": duration}
                require(client.act(name, "setUserPreferredPresence", preferred).status == 200)
            ended = time.time()
        server.kill()
        time.sleep(max(0, ended + 1.1 - time.time()))
        server.start()
        with server.client() as client:
            require(client.presence(names[0])["activity"] == "InACall")
            # A read that was sent after the deadline shows what follows, however busy this machine is.
            activity = "Away"
            while activity == "Away":
                sent = time.time()
                activity = client.presence(names[1])["activity"]
                require(activity != "Away" or sent < ended + 3, "a deadline did not come")
            require(time.time() >= began + 3, "a deadline came too early")
        print("restart: on the wall clock a deadline came in time, through a kill")


if __name__ == "__main__":
    wall_clock()
    restart(int(sys.argv[1]) if len(sys.argv) > 1 else USERS)
