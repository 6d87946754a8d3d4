"""An emulated board at virtual speed: where its processor sleeps, time leaps to whatever comes next.

The image is the one for the real board. Whenever the device is about to sleep, a plugin of the emulator halts it; then its
serial line is fed, its log and its light are read, and it is let go on, for as long as it asked for or shorter. So bytes come
in at a moment that the test chooses, and hours pass in seconds."""

import fcntl
import json
import os
import re
import select
import socket
import struct
import subprocess
import tempfile
import termios
import time

from . import elf

PLUGIN = "target/halt.so"
# How long the emulator may take for anything, in seconds of the host.
PATIENCE = 120


class Machine:
    """A board that runs."""

    def __init__(self, board, image):
        self.board = board
        self.symbols = elf.symbols(image)
        self.folder = tempfile.TemporaryDirectory()
        self.complaints = tempfile.TemporaryFile()
        self.received = b""
        self.log = b""
        self.halts, says = os.pipe()
        hears, self.answers = os.pipe()
        row = self.address(board.row) & ~1 if board.row else 0
        plugin = f"{PLUGIN},sleep={self.address('sleep_hook') & ~1},row={row},says={says},hears={hears}"
        self.process = subprocess.Popen(
            # It ends with the test, however that ends.
            ["setpriv", "--pdeathsig", "KILL", board.qemu, "-M", *board.machine, "-accel", "tcg", "-display", "none", "-monitor", "none"]
            + ["-icount", "shift=3,sleep=off", "-plugin", plugin, "-kernel", image]
            + ["-serial", self.server("serial"), "-qmp", self.server("monitor")]
            + ["-qtest", self.server("memory"), "-qtest-log", "none"],
            stdin=subprocess.DEVNULL,
            stderr=self.complaints,
            pass_fds=(says, hears),
        )
        os.close(says)
        os.close(hears)
        self.serial = self.connect("serial")
        self.monitor = self.connect("monitor").makefile("rw")
        self.monitor.readline()
        self.command("qmp_capabilities")
        self.memory = self.connect("memory").makefile("rw")
        self.until_halted()
        # On a real board resistors do that.
        for button in board.pins:
            self.set_pin(button, 1)

    def server(self, name):
        """A socket that the emulator listens on."""
        return f"unix:{os.path.join(self.folder.name, name)},server=on,wait=off"

    def connect(self, name):
        """Connects to one of the emulator's sockets."""
        connection = socket.socket(socket.AF_UNIX)
        for _ in range(500):
            try:
                connection.connect(os.path.join(self.folder.name, name))
                connection.settimeout(PATIENCE)
                return connection
            except OSError:
                if self.process.poll() is not None:
                    self.complaints.seek(0)
                    raise RuntimeError(f"the emulator did not start: {self.complaints.read().decode()}") from None
                time.sleep(0.02)
        raise TimeoutError(f"the emulator does not listen to {name}")

    def close(self):
        """Switches it off."""
        self.process.kill()
        self.process.wait()
        os.close(self.halts)
        os.close(self.answers)
        self.folder.cleanup()

    # --- halting and going on

    def go(self, until_row=False):
        """Lets the device run until it is about to sleep, or to light a row of its matrix; says whether it is a row."""
        os.write(self.answers, b"r" if until_row else b"g")
        return self.until_halted()

    def until_halted(self):
        """Waits until the device halts."""
        ready, _, _ = select.select([self.halts], [], [], PATIENCE)
        what = os.read(self.halts, 1) if ready else b""
        if not what:
            raise TimeoutError("the device neither sleeps nor lives")
        self.collect()
        return what == b"r"

    def limit_sleep(self, millis):
        """Lets the device sleep as long as it wants, but at most so many milliseconds."""
        counts = self.address("SLEEP_COUNTS")
        self.write(counts, min(self.word(counts), -int(-millis * self.board.rate // 1)))

    def tick(self):
        """The device's clock, in milliseconds, as of when it last woke."""
        return self.word(self.address("TICK"))

    def wait(self, millis):
        """Lets so many milliseconds pass."""
        start = self.tick()
        while (left := millis - (self.tick() - start & 0xFFFF_FFFF)) > 0:
            self.limit_sleep(left)
            self.go()

    def reset(self):
        """Presses the reset button."""
        # The emulator answers only when the processor has stopped, and that it can only when it is let go on.
        self.start_command("system_reset")
        time.sleep(0.1)
        self.go()
        self.result_of("system_reset")

    # --- the serial line

    def send(self, data):
        """Sends bytes to the device. It wakes for them as fast as they come."""
        for place in range(0, len(data), self.board.fifo):
            self.serial.sendall(data[place:place + self.board.fifo])
            self.until_taken()
            self.go()

    def until_taken(self):
        """Waits until the UART holds every byte. The device is halted meanwhile, its time too."""
        for _ in range(5000):
            (left,) = struct.unpack("i", fcntl.ioctl(self.serial, termios.TIOCOUTQ, bytes(4)))
            if left == 0:
                return
            time.sleep(0.0002)
        raise TimeoutError("the device does not take bytes in")

    def lines(self):
        """Takes the lines that have come from the device."""
        *lines, self.received = self.received.split(b"\n")
        return [line.decode() for line in lines]

    def collect(self):
        """Reads what has come over the serial line, and the log out of the device's memory, as a debug probe does."""
        self.serial.setblocking(False)
        try:
            while data := self.serial.recv(65536):
                self.received += data
        except BlockingIOError:
            pass
        self.serial.settimeout(PATIENCE)
        channel = self.address("_SEGGER_RTT") + 24
        _, buffer, size, write, read, _ = struct.unpack("<6I", self.read(channel, 24))
        if write < read:
            self.log += self.read(buffer + read, size - read)
            read = 0
        if write > read:
            self.log += self.read(buffer + read, write - read)
            self.write(channel + 16, write)

    # --- memory, registers and pins

    def address(self, name):
        """Where something of the firmware is."""
        return elf.find(self.symbols, name)

    def ask(self, question):
        """Asks the emulator about memory and pins."""
        self.memory.write(question + "\n")
        self.memory.flush()
        answer = self.memory.readline().split()
        if not answer or answer[0] != "OK":
            raise RuntimeError(f"{question}: {answer}")
        return answer[1] if len(answer) > 1 else ""

    def read(self, address, length):
        """Bytes of memory."""
        return bytes.fromhex(self.ask(f"read {address:#x} {length:#x}")[2:])

    def word(self, address):
        """A 32-bit word of memory, or a register of a device."""
        return int(self.ask(f"readl {address:#x}"), 16)

    def write(self, address, value):
        """Writes a 32-bit word."""
        self.ask(f"writel {address:#x} {value:#x}")

    def command(self, name, **arguments):
        """Tells the emulator's monitor something, and gives its answer."""
        self.start_command(name, **arguments)
        return self.result_of(name)

    def start_command(self, name, **arguments):
        """Tells the emulator's monitor something."""
        self.monitor.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.monitor.flush()

    def result_of(self, name):
        """The monitor's answer."""
        while "return" not in (answer := json.loads(self.monitor.readline())):
            if "error" in answer:
                raise RuntimeError(f"{name}: {answer}")
        return answer["return"]

    def light(self):
        """The picture of the light."""
        return self.board.light(self)

    def press(self, button):
        """Presses a button for a tenth of a second."""
        for level in (0, 1):
            # The device has looked at its buttons and is about to sleep: it must not sleep through this.
            before = self.tick()
            self.set_pin(button, level)
            self.go()
            if self.tick() - before & 0xFFFF_FFFF > 50:
                raise RuntimeError(f"button {button} moved, and the device slept on")
            self.wait(100)

    def set_pin(self, button, level):
        """Sets the level of a button's pin."""
        kind, which, pin = self.board.pins[button]
        paths = []
        for folder in ("/machine", "/machine/unattached"):
            children = self.command("qom-list", path=folder)
            paths += [f"{folder}/{child['name']}" for child in children if child["type"] == f"child<{kind}>"]
        paths.sort(key=lambda path: [int(number) for number in re.findall(r"\d+", path)])
        self.ask(f"set_irq_in {paths[which]} unnamed-gpio-in {pin} {level}")
