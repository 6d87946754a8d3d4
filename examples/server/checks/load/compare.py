"""Compares programs of the server, as the one with musl and the one with glibc: `python -m load.compare PROGRAM OTHER...` says what
a request costs with each of the others, relative to the first, measured in turns. Fails where one of them surely costs more than it
may: where even the second least of all ratios is larger."""

import argparse
import os
import statistics

from harness.fill import SET, fill
from harness.server import Server

from . import __main__ as load

CALLS = ("set", "get", "bulk 650")
SECONDS = 3
REPETITIONS = 9
# The most that a request may cost with another program, relative to the first.
MAX_RATIO = 1.1


def start(program):
    """Starts a program of the server."""
    os.environ["PRESENCE_SERVER"] = program
    return Server("--users", str(load.USERS), virtual_clock=False)


def measure(programs, repetitions, seconds):
    """Returns the runs of each call and program. Each program is first, and last, as often as the others, or nearly."""
    servers = [start(program) for program in programs]
    order = list(range(len(servers)))
    runs = {}
    try:
        for server in servers:
            fill(server, [(load.user(number), "setPresence", SET) for number in range(load.USERS // 10)])
        for _ in range(repetitions):
            order = order[1:] + order[:1]
            for call in CALLS:
                for number in order:
                    runs.setdefault((call, number), []).append(load.measure(servers[number], call, seconds, 0))
        memory = [server.resident() for server in servers]
    finally:
        for server in servers:
            server.close()
    return runs, memory


def ratios(runs, call, number, figure):
    """Returns the ratios of a figure, with a program and with the first, of runs that followed each other."""
    pairs = zip(runs[call, number], runs[call, 0], strict=True)
    return sorted(run[figure] / first[figure] for run, first in pairs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    options = parser.parse_args()
    runs, memory = measure(options.programs, options.repetitions, options.seconds)
    too_much = []
    for number, program in list(enumerate(options.programs))[1:]:
        print(f"compare: {program}: {memory[number] / memory[0]:.2f} of the memory of {options.programs[0]}")
        for call in CALLS:
            cpu, rate, p99 = (ratios(runs, call, number, figure) for figure in ("cpu", "rate", "p99"))
            print(
                f"compare: {call}: {statistics.median(cpu):.2f} of the processor time ({cpu[load.CUT]:.2f} to {cpu[-1 - load.CUT]:.2f}), "
                f"{statistics.median(rate):.2f} of the requests a second, {statistics.median(p99):.2f} of the p99"
            )
            if cpu[load.CUT] > MAX_RATIO:
                too_much.append(f"{program}: {call}")
    if too_much:
        raise SystemExit(f"compare: a request costs more than {MAX_RATIO:.2f} of what it costs with the first: {', '.join(too_much)}")


if __name__ == "__main__":
    main()
