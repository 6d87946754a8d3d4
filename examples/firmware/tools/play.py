"""Plays transcripts on emulated boards, and compares responses, lights and logs with the expected ones.

A transcript is a text file. Lines that begin with one of these marks are played, all others are comments:

    > {"id":…}      sends a line to the device
    < {"id":…}      expects the next line from the device; "…":0 in an object stands for any other members
    = busy          expects a light, by its name in lights.txt, at once or within 600 ms: a change may have to wait for that long
    ~ no-news       expects a light within the next six seconds, for lights that blink
    - no-news       expects that the light does not show this within the next six seconds
    % info light    expects the next line of the device's log, without its time; `% 40x info light` expects it so often
    @ 4m 59.5s      advances time until the device has run for so long since its last reset
    ! A             presses a button for a tenth of a second; a board without it is sent the line behind the colon instead
    ! A 31ms        presses it for so long, and waits for as long after the release
    ! 40x 11s: {…}  sends a line so many times, at so long intervals, with its number in place of COUNT; each must succeed
    ! reset         presses the reset button
    ! power         lets the power of LEDs that are apart from the board blink: they are dark then
    ! hang          lets the main loop hang until the watchdog resets the board; a board without one in the emulator is reset
    ! flood 6s      sends a line that is no request over and over for so long, faster than it is served; only what the device says
                    besides its rejections is expected
    ! flood 6s A: {…}  also presses a button in the middle, whose change must be reported at once; a board without it is sent the
                    line behind the colon afterwards
    ! echo          from now on, sends all that the device says back to it, as a terminal that echoes
    ! long          sends a line that is longer than the device's buffer
    ! bytes: {…}\\r  sends bytes and no end of a line, with escapes as in Python

ADELE, CALENDAR, CALLS and CHAT stand for ids, and so do ALFA to INDIA."""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from .boards import BOARDS
from .machine import FAST, FIRST_TICK, SLOW, Machine

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAMES = {
    "ADELE": "fa8bf3dc-eca7-46b7-bad1-db199b62afc3",
    "CALENDAR": "22553876-f5ab-4529-bffb-cfe50aa89f87",
    "CALLS": "7f3a5b1c-1f0e-4a43-9a0b-6f2c8d1e4b5a",
    "CHAT": "c0ffee00-5a3e-4f1d-8b7a-2d9e6c4f1a3b",
    "SOMEONE": "11111111-2222-3333-4444-555555555555",
    "BUTTON": "62757474-6f6e-4000-8000-000000000000",
}
NAMES |= {
    name: f"00000000-0000-4000-8000-{number:012}"
    for number, name in enumerate(("ALFA", "BRAVO", "CHARLIE", "DELTA", "ECHO", "FOXTROT", "GOLF", "HOTEL", "INDIA"), 1)
}
LONG = b'{"id":"' + b"x" * 1100 + b'","method":"GET","url":"/me/presence"}\n'
# The time for sending requests and reading a matrix, in seconds.
TOLERANCE = 0.5
MILLIS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Mismatch(Exception):
    """A device that behaves differently from a transcript."""


def written_out(text):
    """Returns a text with names replaced by their ids."""
    return re.sub(r"\b[A-Z]{4,}\b", lambda name: NAMES.get(name[0], name[0]), text)


def matches(expected, actual):
    """Reports whether a JSON value is the expected one."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        is_open = "…" in expected
        wanted = {name: value for name, value in expected.items() if name != "…"}
        return (is_open or wanted.keys() == actual.keys()) and all(
            name in actual and matches(value, actual[name]) for name, value in wanted.items()
        )
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(matches, expected, actual))
    if isinstance(expected, (int, float)) and isinstance(actual, (int, float)):
        return abs(expected - actual) < TOLERANCE
    return type(expected) is type(actual) and expected == actual


def millis(text):
    """Returns the milliseconds of a length of time such as `1h 30m 0.5s`."""
    return sum(round(float(count) * MILLIS[unit]) for count, unit in re.findall(r"([0-9.]+)(ms|s|m|h|d)", text))


def lights():
    """Returns the lights of lights.txt, by name and board."""
    table, name = {}, None
    with open(os.path.join(HERE, "transcripts", "lights.txt"), encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if line.startswith("    ") and name:
                table[name, words[0]] = words[1]
            elif len(words) == 1:
                name = words[0]
    return table


class Transcript:
    """A transcript that is played on one board."""

    def __init__(self, board, image, path):
        self.board, self.image, self.path = board, image, path
        self.lights = lights()
        self.waiting = []
        self.log = []

    def play(self):
        """Plays the transcript to its end."""
        with open(self.path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        if not any(line[:2] in ("< ", "= ", "~ ") for line in lines):
            raise Mismatch(f"{self.path} expects nothing")
        has_flood = any(line.startswith("! flood") for line in lines)
        machine = Machine(self.board, self.image, SLOW if has_flood else FAST)
        try:
            for number, line in enumerate(lines, 1):
                try:
                    self.step(machine, line)
                except (Mismatch, ValueError, LookupError, RuntimeError, OSError) as error:
                    raise Mismatch(f"{os.path.relpath(self.path)}:{number}: {line}\n    {error}") from error
            if self.waiting:
                raise Mismatch(f"{self.path}: unexpected lines: {self.waiting}")
            machine.check_clock()
            self.compare_log(machine.log)
        finally:
            machine.close()

    def step(self, machine, line):
        """Plays a line."""
        mark, _, text = line.partition(" ")
        if mark == ">":
            self.expect_silence()
            machine.send(written_out(text).encode() + b"\n")
        elif mark == "@":
            self.expect_silence()
            left = millis(text) - (machine.tick() - FIRST_TICK & 0xFFFF_FFFF)
            if left <= 0:
                raise Mismatch(f"the device's clock is {-left} ms past that")
            machine.wait(left)
        elif mark == "!":
            self.expect_silence()
            self.act(machine, text)
        elif mark == "<":
            self.waiting = self.waiting or machine.lines()
            actual = self.waiting.pop(0) if self.waiting else ""
            if not actual or not matches(json.loads(written_out(text)), json.loads(actual)):
                raise Mismatch(f"got {actual or 'nothing'}")
            return
        elif mark == "=":
            self.expect_light(machine, text, 600)
        elif mark == "~":
            self.expect_light(machine, text, 6000)
        elif mark == "-":
            end = machine.tick() + 6000
            while machine.tick() <= end:
                if machine.light() == self.lights[text, self.board.name]:
                    raise Mismatch("the light shows it")
                machine.wait(50)
        elif mark == "%":
            count, _, line = text.partition("x ")
            self.log += [line] * int(count) if count.isdecimal() else [text]
        elif line[:1] and line[0] in "><=~%@!-":
            raise Mismatch("a space is missing after the mark")
        self.waiting += machine.lines()

    def act(self, machine, text):
        """Presses a button, or sends lines in another way than one by one."""
        what, _, line = text.partition(": ")
        what, _, time = what.partition(" ")
        if what == "reset" or what == "hang" and not machine.board.has_watchdog:
            machine.check_clock()
            machine.reset()
        elif what == "hang" and machine.board.has_watchdog:
            machine.check_clock()
            machine.hang()
        elif what == "flood":
            self.flood(machine, time, line)
        elif what == "echo":
            machine.echoes = True
        elif what == "power":
            machine.board.darken(machine)
        elif what == "long":
            machine.send(LONG)
        elif what == "bytes":
            machine.send(written_out(line).encode("latin-1").decode("unicode_escape").encode("latin-1"))
        elif what[:-1].isdecimal():
            for number in range(int(what[:-1])):
                self.succeed(machine, line.replace("COUNT", str(number + 1)))
                machine.wait(millis(time))
        elif what in machine.board.pins:
            machine.press(what, millis(time) if time else 100)
        elif line:
            # A button has no response.
            self.waiting += self.succeed(machine, line)
            machine.wait(200)
        else:
            raise Mismatch(f"the board has no {what}")

    def flood(self, machine, text, line):
        """Floods the device, and expects that it says what it has to say meanwhile."""
        time, _, button = text.partition(" ")
        is_pressed = button in machine.board.pins
        pressed = machine.flood(b"x\n", millis(time), button if is_pressed else None)
        rejections, others = [], []
        for said in machine.lines():
            fields = json.loads(said)
            (rejections if fields.get("id", "") is None and fields["status"] == 400 else others).append(said)
        if len(rejections) < 100:
            raise Mismatch(f"only {len(rejections)} lines were served")
        if is_pressed:
            # Between any two lines it looks at its buttons.
            seconds = [(tick - FIRST_TICK & 0xFFFF_FFFF) / 1000 for tick in pressed]
            times = [json.loads(said)["at"] for said in others]
            if not any(seconds[0] <= at <= seconds[1] + 0.1 for at in times):
                raise Mismatch(f"pressed between {seconds}, and changes at {times}")
        elif line:
            others += self.succeed(machine, line)
        self.waiting += others

    def succeed(self, machine, line):
        """Sends a line whose response must be that it has succeeded. Returns the lines before the response."""
        machine.send(written_out(line).encode() + b"\n")
        *before, response = machine.lines()
        if json.loads(response).get("status") != 200:
            raise Mismatch(f"got {response}")
        return before

    def expect_light(self, machine, name, patience):
        """Checks that the light shows something within so many milliseconds."""
        end = machine.tick() + patience
        while (seen := machine.light()) != self.lights[name, self.board.name]:
            if machine.tick() > end:
                raise Mismatch(f"the light shows {seen} after {patience} ms")
            machine.wait(50)

    def expect_silence(self):
        """Checks that no unexpected line has arrived."""
        if self.waiting:
            raise Mismatch(f"unexpected before this: {self.waiting}")

    def compare_log(self, log):
        """Compares the decoded log with the expected one."""
        decoder = os.path.join(HERE, "decode", "target", "debug", "decode")
        decoded = subprocess.run([decoder, self.image], input=log, stdout=subprocess.PIPE, check=True).stdout.decode()
        actual = [line.split(" ", 1)[1] for line in decoded.splitlines()]
        expected = [line for line in self.log if self.board.pins or not line.startswith("info button")]
        if actual != expected:
            shorter = min(len(expected), len(actual))
            index = next((i for i, pair in enumerate(zip(expected, actual)) if pair[0] != pair[1]), shorter)
            raise Mismatch(f"{os.path.relpath(self.path)}: log line {index + 1} differs; the whole log is:\n{decoded}")


def main():
    """`play [BOARD…] [TRANSCRIPT…]`: plays the named transcripts on the named boards; without names, all of them."""
    folder = os.path.join(HERE, "transcripts")
    every = sorted(name[:-4] for name in os.listdir(folder) if name.endswith(".txt") and name != "lights.txt")
    boards = [name for name in sys.argv[1:] if name in BOARDS] or list(BOARDS)
    names = [name for name in sys.argv[1:] if name not in BOARDS] or every
    # One emulator per processor at a time.
    jobs = [(name, transcript) for transcript in names for name in boards]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = sum(pool.map(lambda job: play(*job), jobs))
    print(f"{len(jobs) - failed} passed, {failed} failed")
    return 1 if failed or not jobs else 0


def play(name, transcript):
    """Plays a transcript on a board, prints the outcome, and returns the number of failures."""
    board, start = BOARDS[name], time.monotonic()
    image = os.path.join(HERE, "target", board.target, "release", board.name)
    try:
        Transcript(board, image, os.path.join(HERE, "transcripts", f"{transcript}.txt")).play()
        outcome = "ok"
    except (Mismatch, LookupError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        outcome = f"FAILED\n{error}"
    print(f"{name:12} {transcript:12} {time.monotonic() - start:5.1f} s  {outcome}\n", end="", flush=True)
    return outcome != "ok"


if __name__ == "__main__":
    sys.exit(main())
