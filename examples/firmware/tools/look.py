"""Types lines at `run` in a pseudo-terminal, and looks at the screen: the responses, and the light in its colours."""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from .live import picture
from .play import lights

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Only a screen that never shows what it should takes as long, in seconds.
TIMEOUT = 120
LED = r"\x1b\[38;2;(\d+;\d+;\d+)m●"
# The strongest part of the colour of a board's LEDs while the user is busy: red or green.
STRONGEST = {"microbit": 0, "virt": 0, "lm3s6965evb": 1, "mps2-an386": 1}
READ = '{"id":"read","method":"GET","url":"/me/presence"}'


class Terminal:
    """A terminal of 80 by 24 in which a board runs. When it has ended, a program goes on reading the terminal."""

    def __init__(self, board):
        self.session = f"run-{board}-{os.getpid()}"
        command = f"./run {board}; echo ended with status $?; cat"
        self.tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", HERE, "-s", self.session, command)

    @staticmethod
    def tmux(*arguments):
        """Executes a command of tmux, and returns its output."""
        return subprocess.run(["tmux", *arguments], check=True, stdout=subprocess.PIPE).stdout.decode()

    def screen(self):
        """Returns what the screen shows, with colours; rows that were wrapped are joined."""
        return self.tmux("capture-pane", "-p", "-e", "-J", "-t", self.session)

    def type(self, line):
        """Types a line."""
        self.tmux("send-keys", "-t", self.session, "-l", line)
        self.tmux("send-keys", "-t", self.session, "Enter")

    def see(self, what, test):
        """Waits until a screen passes a test."""
        end = time.monotonic() + TIMEOUT
        while not test(screen := self.screen()):
            if time.monotonic() > end:
                raise RuntimeError(f"never seen: {what}\n{screen}")
            time.sleep(0.1)

    def see_text(self, text):
        """Waits until the screen shows a text."""
        self.see(text, lambda screen: text in screen)

    def see_light(self, light):
        """Waits until the screen shows a light, and returns the colours of its LEDs."""
        colours = re.findall(LED, "".join(picture(light)))
        self.see(f"the light {light}", lambda screen: re.findall(LED, screen) == colours)
        return [[int(part) for part in colour.split(";")] for colour in colours]

    def close(self):
        """Ends everything in it."""
        subprocess.run(["tmux", "kill-session", "-t", self.session], check=False, stderr=subprocess.DEVNULL)


def look(board):
    """Plays a conversation on a board, prints the outcome, and returns the number of failures."""
    start, terminal, light = time.monotonic(), Terminal(board), lights()
    try:
        terminal.see_text("Ctrl-C ends it")
        terminal.type("Busy")
        terminal.see_text('{"id":null,"status":200}')
        leds = terminal.see_light(light["busy", board])
        if not leds or any(max(led) != led[STRONGEST[board]] for led in leds):
            raise RuntimeError(f"the light has the colours {leds}")
        terminal.type(READ)
        terminal.see_text('"availability":"Busy","activity":"Busy","outOfOffice')
        terminal.type("Offline")
        terminal.see_text('"cause":"cleared"')
        if terminal.see_light(light["dark", board]):
            raise RuntimeError("a light that is dark is lit")
        terminal.tmux("send-keys", "-t", terminal.session, "C-c")
        terminal.see_text("ended with status 0")
        # A terminal that does not block any more fails to be read.
        terminal.type("still here")
        terminal.see("an echo by the terminal and one by `cat`", lambda screen: screen.count("still here") == 2)
        outcome = "ok"
    except (RuntimeError, subprocess.SubprocessError) as error:
        outcome = f"FAILED\n{error}"
    finally:
        terminal.close()
    print(f"{board:12} {'a terminal':12} {time.monotonic() - start:5.1f} s  {outcome}\n", end="", flush=True)
    return outcome != "ok"


def main():
    """`look BOARD…`: looks at each of these boards."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return 1 if sum(pool.map(look, sys.argv[1:])) or not sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
