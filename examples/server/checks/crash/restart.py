"""Measures the restart of a large server, and checks that deadlines on the wall clock survive it."""

import os
import sys
import time

from harness.fill import SET, fill
from harness.names import APPLICATION, numbered
from harness.server import Server
from harness.require import require

USERS = 100_000
AT_MOST_SECONDS = 2.0


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
    """Kills a server with this many users, and checks the time until it is ready again."""
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
        require(took <= AT_MOST_SECONDS, f"a restart takes {took:.2f} s, more than {AT_MOST_SECONDS} s")


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
            require(client.presence(names[1])["activity"] == "Away", "a deadline came too early, or the check took too long")
            while client.presence(names[1])["activity"] == "Away":
                require(time.time() < ended + 4, "a deadline did not come")
                time.sleep(0.001)
            at = time.time()
        late = at - ended - 3
        require(at - began >= 3 and late < 0.25, f"the deadline came {late:.3f} s late")
        print(f"restart: on the wall clock a deadline came at most {(at - began - 3) * 1000:.0f} ms late, through a kill")


if __name__ == "__main__":
    wall_clock()
    restart(int(sys.argv[1]) if len(sys.argv) > 1 else USERS)
