"""Measures the server with wrk, and writes the table of examples/server/README.md. `--short` only checks that nothing fails."""

import argparse
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import time

from harness import names
from harness.fill import SET, fill
from harness.server import PACKAGE, Server
from harness.require import require

HERE = pathlib.Path(__file__).parent
CALLS = ("set", "clear", "get", "bulk 650")
# The whole server, the server without its journal, and the server without its directory either.
WHOLE, NO_JOURNAL, NO_DIRECTORY = "whole", "no-journal", "no-directory"
OPTIONS = {
    WHOLE: [],
    NO_JOURNAL: ["--benchmark", "no-journal"],
    NO_DIRECTORY: ["--benchmark", "no-directory"],
}
USERS = 100_000
CONNECTIONS = 32
# The directory's share of a request's processor time, journal aside, is to be at most this.
MAX_SHARE = 0.15
# The second least and the second most of nine: a median of as many lies between them in 96 of 100 cases.
CUT = 1
BEGIN, END = "<!-- load: written by checks/run load -->", "<!-- end of load -->"


def user(number):
    """Returns the id of a numbered user, as in requests.lua."""
    return f"{number * 2654435761 % 2**32:08x}-0000-4000-8000-{number:012x}"


def measure(server, call, seconds, requests):
    """Runs wrk once. Returns its results, and the server's processor time in microseconds for each request."""
    environment = {
        "CALL": call,
        "USERS": USERS,
        "REQUESTS": requests,
        "SESSION": names.APPLICATION,
        "TOKEN": names.DEVELOPER_TOKEN,
    }
    before = server.cpu_seconds()
    wrk = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / "requests.lua"), server.url],
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    spent = server.cpu_seconds() - before
    found = re.search(r"^RESULT (.*)$", wrk.stdout, re.MULTILINE)
    require(wrk.returncode == 0 and found, wrk.stdout + wrk.stderr)
    result = json.loads(found[1])
    require(result["requests"] > 0 and result["failures"] == 0 and result["rejected"] == 0, f"{call}: {result}")
    return {
        "rate": result["requests"] / result["microseconds"] * 1e6,
        "p50": result["p50"],
        "p99": result["p99"],
        "cpu": spent / result["requests"] * 1e6,
    }


def measure_all(seconds, repetitions, clears):
    """Runs each call on each kind of server, once for each repetition. The order of the kinds changes, so that slow moments
    affect them alike, and the runs that are compared follow each other."""
    servers = {kind: Server("--users", str(USERS), *options, virtual_clock=False) for kind, options in OPTIONS.items()}
    kinds = list(servers)
    runs = {}
    try:
        for repetition in range(repetitions):
            kinds = kinds[1:] + kinds[:1] if repetition % 2 else kinds[::-1]
            for call in CALLS:
                for kind in kinds:
                    requests = 0
                    if call == "clear":
                        requests = clears
                        # Each connection may send one more request before the last response is counted.
                        sessions = range(clears + 2 * CONNECTIONS)
                        fill(servers[kind], [(user(number), "setPresence", SET) for number in sessions])
                    runs.setdefault((call, kind), []).append(measure(servers[kind], call, seconds, requests))
    finally:
        for server in servers.values():
            server.close()
    return runs


def verdict(low, high):
    """Returns what a share is known to be, from where its median surely lies."""
    if high <= MAX_SHARE:
        return "holds"
    return "**missed**" if low > MAX_SHARE else "cannot be told"


def table(runs):
    """Returns the table of the README, and the calls in which the directory's share is too large. The values are medians; the
    share also has the range in which its median lies, as far as so few repetitions tell."""
    lines = [
        "| call | requests a second | p50 | p99 | processor time | of that journal | directory's share, journal aside "
        f"| at most {MAX_SHARE:.0%} |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    too_large = []
    for call in CALLS:
        whole = {name: statistics.median(run[name] for run in runs[call, WHOLE]) for name in runs[call, WHOLE][0]}
        processor = {kind: [run["cpu"] for run in runs[call, kind]] for kind in OPTIONS}
        journal = statistics.median(a - b for a, b in zip(processor[WHOLE], processor[NO_JOURNAL], strict=True))
        shares = sorted(1 - b / a for a, b in zip(processor[NO_JOURNAL], processor[NO_DIRECTORY], strict=True))
        low, high = (shares[CUT], shares[-1 - CUT]) if len(shares) > 2 * CUT else (-math.inf, math.inf)
        if low > MAX_SHARE:
            too_large.append(call)
        cells = [
            call,
            f"{whole['rate']:,.0f}",
            f"{whole['p50'] / 1000:.2f} ms",
            f"{whole['p99'] / 1000:.2f} ms",
            f"{whole['cpu']:.1f} µs",
            f"{journal:.1f} µs",
            f"{statistics.median(shares):.0%} ({low:.0%} to {high:.0%})".replace("-0%", "0%"),
            verdict(low, high),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines), too_large


def measured(*arguments):
    """Returns what .ci/measured says of this report."""
    program = PACKAGE.parent.parent / ".ci/measured"
    return subprocess.run([program, arguments[0], "load", *arguments[1:]], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def write(text, stamp):
    text = f"{text}\n\n<!-- stamp: {stamp} -->\n<!-- measured: written by .ci/tables -->\n\n{measured('sentence', stamp)}\n\n<!-- end of measured -->"
    readme = PACKAGE / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    _, after = rest.split(END)
    readme.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="one run of a second each")
    options = parser.parse_args()
    began = time.monotonic()
    # What is changed while it is measured is not measured.
    stamp = measured("stamp")
    runs = measure_all(1, 1, 4_000) if options.short else measure_all(4, 9, 90_000)
    text, too_large = table(runs)
    print(text)
    if not options.short:
        write(text, stamp)
    print(f"load: {sum(map(len, runs.values()))} runs without a failure, {time.monotonic() - began:.0f} s")
    if too_large and not options.short:
        raise SystemExit(f"load: the directory takes more than {MAX_SHARE:.0%} of a request's processor time: {', '.join(too_large)}")


if __name__ == "__main__":
    main()
