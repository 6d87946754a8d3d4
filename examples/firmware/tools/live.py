"""Runs an emulated board in real time, with a terminal on its serial line and its light drawn above that.

The terminal stays as it is, with its own editing of lines: the emulator never touches it."""

import os
import select
import shutil
import signal
import sys
import time
import tty

from .boards import BOARDS
from .machine import Machine

# The colour of LEDs that are no RGB LEDs, red on the micro:bit and green elsewhere.
RED, GREEN = (255, 48, 32), (64, 255, 96)
HELP = (
    "{}, in the emulator. Below is its serial line:",
    "type a line such as Busy, or a request, and Enter.",
    "{}! reset resets, Ctrl-C ends it.",
    "Programs find it at {}, as at a board's port.",
)


def led(colour):
    """Draws an LED; without a colour, a dark one."""
    return "\x1b[38;5;240m·\x1b[0m " if colour is None else "\x1b[38;2;{};{};{}m●\x1b[0m ".format(*colour)


def picture(light):
    """Draws a light, whose notation is that of lights.txt, in rows."""
    if "/" in light:
        return ["".join(led(RED if mark == "#" else None) for mark in row) for row in light.split("/")]
    if light in ("lit", "dark"):
        return [led(GREEN if light == "lit" else None)]
    if len(light) == 7 and light[0] == "#":
        # Duty cycles, which look brighter than their numbers do on a screen.
        parts = [round(255 * (int(light[at:at + 2], 16) / 255) ** (1 / 2.2)) for at in (1, 3, 5)]
        return [8 * led(parts if any(parts) else None)]
    return ["".join(led(GREEN if mark == "#" else None) for mark in light)]


class Port:
    """A pseudo-terminal at which programs find the device, as at the serial port of a board."""

    def __init__(self):
        # Both ends stay open, so that it is there between two programs.
        self.end, self.programs_end = os.openpty()
        tty.setraw(self.programs_end)
        os.set_blocking(self.end, False)
        self.name = os.ttyname(self.programs_end)

    def read(self):
        """Returns what a program has written."""
        return os.read(self.end, 4096)

    def say(self, line):
        """Says a line of the device to whichever program reads."""
        try:
            os.write(self.end, line.encode() + b"\r\n")
        except BlockingIOError:
            pass  # No program has read for long.


class Screen:
    """A terminal: the light in its first rows, and the serial line, which scrolls below."""

    def __init__(self, machine):
        self.machine = machine
        self.drawn = None
        self.port = Port()
        buttons = "".join(f"! {name}, " for name in machine.board.pins)
        press = f"{buttons[:-2]} press buttons, " if buttons else ""
        text = [HELP[0].format(machine.board.name), HELP[1], HELP[2].format(press), HELP[3].format(self.port.name)]
        light = picture(machine.light())
        self.text = text + [""] * (len(light) - len(text))
        self.begin()
        signal.signal(signal.SIGWINCH, lambda *_: self.begin())

    def begin(self):
        """Clears the screen, and lets only what is below the light scroll."""
        size = shutil.get_terminal_size()
        first = len(self.text) + 2
        line = "─" * size.columns
        self.write(f"\x1b[2J\x1b[{first - 1};1H\x1b[38;5;240m{line}\x1b[0m\x1b[{first};{size.lines}r\x1b[{first};1H")
        self.drawn = None

    def draw(self):
        """Draws the light if it has changed. The cursor stays where it is."""
        light = self.machine.light()
        if light == self.drawn:
            return
        self.drawn = light
        rows = picture(light)
        rows += [""] * (len(self.text) - len(rows))
        # Each starts in a row that it clears: the light, and beside it the text.
        drawn = (f"\x1b[{row};1H\x1b[2K  {leds}\x1b[{row};21H{text}" for row, (leds, text) in enumerate(zip(rows, self.text), 1))
        self.write("\x1b7" + "".join(drawn) + "\x1b8")

    def end(self):
        """Lets the whole screen scroll again."""
        lines = shutil.get_terminal_size().lines
        self.write(f"\x1b[r\x1b[{lines};1H\n")

    @staticmethod
    def write(text):
        sys.stdout.write(text)
        sys.stdout.flush()


class Plain:
    """What is no terminal gets the serial line, and no light."""

    port = None

    def draw(self):
        """Draws nothing."""

    def end(self):
        """Leaves everything as it is."""


class Live:
    """A board whose clock goes as the host's."""

    def __init__(self, machine):
        self.machine, self.screen = machine, None
        self.start()
        self.screen = Screen(machine) if sys.stdout.isatty() else Plain()

    def start(self):
        """Notes the times of the device and of the host."""
        self.began, self.first_tick = time.monotonic(), self.machine.tick()

    def behind(self):
        """Returns by how many milliseconds the device is behind the host."""
        elapsed = (time.monotonic() - self.began) * 1000
        return elapsed - (self.machine.tick() - self.first_tick & 0xFFFF_FFFF)

    def run(self):
        """Runs the board until its input ends."""
        while True:
            self.say()
            self.screen.draw()
            sleep = self.machine.sleep_millis() - self.behind()
            port = self.screen.port
            ready, _, _ = select.select([sys.stdin, port.end] if port else [sys.stdin], [], [], max(0, sleep / 1000))
            self.machine.limit_sleep(max(0, self.behind()))
            self.machine.go()
            if port and port.end in ready:
                self.machine.send(port.read())
            if sys.stdin in ready:
                line = os.read(sys.stdin.fileno(), 4096)
                if not line:
                    return
                self.take(line)

    def say(self):
        """Prints what the device has said."""
        for line in self.machine.lines():
            print(line, flush=True)
            if self.screen and self.screen.port:
                self.screen.port.say(line)

    def take(self, line):
        """Sends a line to the device, or does what a line with an exclamation mark says."""
        words = line.decode(errors="replace").split()
        if words[:1] != ["!"]:
            self.machine.send(line)
        elif words[1:] == ["reset"]:
            self.machine.reset()
            self.start()
        elif len(words) == 2 and words[1] in self.machine.board.pins:
            self.machine.press(words[1], 100)
        else:
            print(f"{self.machine.board.name} has no such button", flush=True)


def main():
    """`live BOARD IMAGE`: runs an image until its input ends or Ctrl-C is typed."""
    _, board, image = sys.argv
    machine = Machine(BOARDS[board], image)
    live = None
    try:
        live = Live(machine)
        live.run()
    except KeyboardInterrupt:
        pass
    finally:
        if live:
            live.say()
            live.screen.end()
        machine.close()


if __name__ == "__main__":
    main()
