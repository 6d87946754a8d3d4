"""An emulated board whose time advances to the next event whenever its processor sleeps.

The image is the one for the real board. A plugin of the emulator halts the device before each sleep. Its serial line is then
fed, its log and its light are read, and it is resumed for as long as it wants to sleep, or shorter. So bytes arrive at moments
that the test chooses, and hours pass in seconds."""

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
import threading
import time

from . import elf

PLUGIN = "target/halt.so"
# The time after which an operation of the emulator fails, in seconds of the host.
TIMEOUT = 120
# The longest sleep of the device in milliseconds, and the sleeps that may pass without a look at its log, which is short.
LONGEST_NAP, MOST_SLEEPS = 3000, 20
# An instruction takes 2 to the power of so many nanoseconds: the device is so fast that its work takes no time, or, for a flood,
# as slow as the smallest board, with eight million instructions in a second.
FAST, SLOW = 3, 7
# The most bytes that wait for the device during a flood, and the most that are echoed to it without an end.
WAITING, MOST_ECHOED = 1024, 100_000
# Five minutes before it wraps: see src/clock.rs.
FIRST_TICK = 2**32 - 300_000


class Machine:
    """A running board."""

    def __init__(self, board, image, shift=FAST):
        self.board = board
        self.symbols = elf.symbols(image)
        self.folder = tempfile.TemporaryDirectory()
        self.errors = tempfile.TemporaryFile()
        self.received = b""
        self.log = b""
        self.events = []
        self.echoes = self.is_flooding = False
        self.echoed, self.unechoed = 0, b""
        self.halts, events = os.pipe()
        replies, self.replies = os.pipe()
        row = self.address(board.row) & ~1 if board.row else 0
        plugin = f"{PLUGIN},sleep={self.address('sleep_hook') & ~1},row={row},events={events},replies={replies}"
        self.process = subprocess.Popen(
            # The emulator ends with the test, however that ends.
            ["setpriv", "--pdeathsig", "KILL", board.qemu, "-M", *board.machine, "-accel", "tcg", "-display", "none", "-monitor", "none"]
            + ["-icount", f"shift={shift},sleep=off", "-plugin", plugin, "-kernel", image]
            + ["-serial", self.server("serial"), "-qmp", self.server("monitor")]
            + ["-qtest", self.server("memory"), "-qtest-log", "none"],
            stdin=subprocess.DEVNULL,
            stderr=self.errors,
            pass_fds=(events, replies),
        )
        os.close(events)
        os.close(replies)
        try:
            self.begin()
        except BaseException:
            # Else it would stay with the others of this test.
            self.close()
            raise

    def begin(self):
        """Connects to the emulator, and waits until the device is about to sleep for the first time."""
        self.serial = self.connect("serial")
        self.monitor = self.connect("monitor").makefile("rw")
        self.monitor.readline()
        self.command("qmp_capabilities")
        self.memory = self.connect("memory").makefile("rw")
        self.until_halted()
        self.start_clock()
        # On a real board, resistors pull the pins up.
        for button in self.board.pins:
            self.set_pin(button, 1)

    def server(self, name):
        """Returns the option for a socket that the emulator listens on."""
        return f"unix:{os.path.join(self.folder.name, name)},server=on,wait=off"

    def connect(self, name):
        """Connects to one of the emulator's sockets."""
        connection = socket.socket(socket.AF_UNIX)
        for _ in range(500):
            try:
                connection.connect(os.path.join(self.folder.name, name))
                connection.settimeout(TIMEOUT)
                return connection
            except OSError:
                if self.process.poll() is not None:
                    self.errors.seek(0)
                    raise RuntimeError(f"the emulator did not start: {self.errors.read().decode()}") from None
                time.sleep(0.02)
        raise TimeoutError(f"the emulator does not listen on {name}")

    def close(self):
        """Ends the emulator."""
        self.process.kill()
        self.process.wait()
        os.close(self.halts)
        os.close(self.replies)
        self.folder.cleanup()

    # --- halting and resuming

    def go(self, until_row=False, sleeps=1):
        """Resumes the device for so many sleeps, or until it is about to light a row of its matrix. Returns True for a row."""
        self.resume(b"r" if until_row else bytes([sleeps]))
        is_row = self.until_halted()
        if self.echoes and not until_row:
            self.echo()
        return is_row

    def resume(self, until=b"\x01"):
        """Resumes the device without waiting for it to halt."""
        os.write(self.replies, until)

    def until_halted(self):
        """Waits until the device halts. Returns True if it halted at a row."""
        # Of bytes that nobody reads, a socket holds only some hundred: the device would wait for ever.
        sources = [self.halts] if self.is_flooding else [self.halts, self.serial]
        while self.halts not in (ready := select.select(sources, [], [], TIMEOUT)[0]):
            if not ready:
                raise TimeoutError("the device neither sleeps nor responds")
            self.read_serial()
        what = os.read(self.halts, 1)
        if not what:
            raise RuntimeError("the emulator has ended")
        self.collect()
        return what == b"r"

    def limit_sleep(self, millis):
        """Limits the next sleep of the device to a number of milliseconds."""
        counts = self.address("SLEEP_COUNTS")
        self.write(counts, min(self.word(counts), -int(-millis * self.board.rate // 1)))

    def sleep_millis(self):
        """Returns for how many milliseconds the device is about to sleep."""
        return self.word(self.address("SLEEP_COUNTS")) / self.board.rate

    def tick(self):
        """Returns the device's clock in milliseconds, as of its last wake-up."""
        return self.word(self.address("TICK"))

    def wait(self, millis):
        """Advances time by a number of milliseconds."""
        start = self.tick()
        while (left := millis - (self.tick() - start & 0xFFFF_FFFF)) > 0:
            self.limit_sleep(left)
            # Those that are over before the end in any case need no halt.
            self.go(sleeps=max(1, min(left // LONGEST_NAP - 1, MOST_SLEEPS)))

    def start_clock(self):
        """Notes the device's clock and its counter, for `check_clock`."""
        self.started_at = self.tick(), self.board.counter(self)[0]

    def check_clock(self):
        """Checks that the device's clock has advanced as far as its counter has."""
        (tick, start), (counter, rate) = self.started_at, self.board.counter(self)
        # Both wrap, the counter sooner.
        period = 2**32 / rate
        ahead = ((self.tick() - tick & 0xFFFF_FFFF) - (counter - start & 0xFFFF_FFFF) / rate) % period
        # The device has looked at its counter when it woke, and has worked since.
        if min(ahead, period - ahead) > 100:
            raise RuntimeError(f"the device's clock is {ahead:.0f} ms ahead of its counter, modulo {period:.0f}")

    def reset(self):
        """Presses the reset button."""
        # The emulator responds when the processor has stopped, for which the processor must be resumed.
        self.start_command("system_reset")
        time.sleep(0.1)
        self.go()
        self.result_of("system_reset")
        self.start_clock()

    def hang(self):
        """Lets the main loop sleep for ever, as if it hung, until the watchdog resets the board."""
        self.events.clear()
        self.write(self.address("SLEEP_COUNTS"), 0xFFFF_FFFF)
        self.go()
        # Events come before the next result.
        self.command("query-status")
        if "WATCHDOG" not in self.events or self.tick() - FIRST_TICK & 0xFFFF_FFFF > 100:
            raise RuntimeError(f"no watchdog has reset the board: {self.events}")
        self.start_clock()

    # --- the serial line

    def send(self, data):
        """Sends bytes to the device, which wakes for them."""
        for start in range(0, len(data), self.board.fifo):
            self.serial.sendall(data[start:start + self.board.fifo])
            self.until_received()
            self.go()

    def until_received(self):
        """Waits until the UART holds every byte. The device and its time are halted meanwhile."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            if self.waiting() == 0:
                return
            time.sleep(0.0002)
        raise TimeoutError("the device does not receive bytes")

    def waiting(self):
        """Returns how many bytes were sent that the UART does not hold yet."""
        return struct.unpack("i", fcntl.ioctl(self.serial, termios.TIOCOUTQ, bytes(4)))[0]

    def echo(self):
        """Sends back what the device has said, as a terminal that echoes does, until it says nothing more."""
        while self.unechoed:
            data, self.unechoed = self.unechoed, b""
            self.echoed += len(data)
            if self.echoed > MOST_ECHOED:
                raise RuntimeError(f"the device answers its own output: {data}")
            for start in range(0, len(data), self.board.fifo):
                self.serial.sendall(data[start:start + self.board.fifo])
                self.until_received()
                self.resume()
                self.until_halted()

    def flood(self, line, millis, button=None):
        """Sends a line over and over for so many milliseconds of the device's clock, faster than it is served. Presses a button
        when half of them are over; returns the device's clock before and after that."""
        start, pressed = self.tick(), None
        # Somebody must read all the time: while the device cannot send, the emulator answers nothing.
        self.serial.settimeout(0.1)
        reader = threading.Thread(target=self.read_until_stopped)
        self.is_flooding = True
        reader.start()
        try:
            return self.flood_until(line, start, millis, button)
        finally:
            self.is_flooding = False
            reader.join()
            self.serial.settimeout(TIMEOUT)
            # If the last bytes were lost, the line that follows them is rejected: this one.
            self.send(b"\n")

    def read_until_stopped(self):
        """Reads the serial line during a flood."""
        while self.is_flooding:
            try:
                self.received += self.serial.recv(65536)
            except TimeoutError:
                pass

    def flood_until(self, line, start, millis, button):
        """Floods the device until so many milliseconds have passed since `start`, and then until it sleeps."""
        pressed = None
        # It must not sleep before the first byte arrives.
        self.write(self.address("SLEEP_COUNTS"), 0)
        self.resume()
        while (passed := self.tick() - start & 0xFFFF_FFFF) < millis:
            if self.waiting() < WAITING:
                self.serial.sendall(line * (WAITING // len(line)))
            ready, _, _ = select.select([self.halts], [], [], 0.001)
            if ready:
                # It has served all of them and is about to sleep: no time passes until there are more.
                self.until_halted()
                self.write(self.address("SLEEP_COUNTS"), 0)
                self.resume()
            if button and not pressed and passed > millis / 2:
                before = self.tick()
                self.set_pin(button, 0)
                pressed = before, self.tick()
        if pressed:
            self.set_pin(button, 1)
        self.until_halted()
        return pressed

    def lines(self):
        """Returns the lines received from the device since the last call."""
        *lines, self.received = self.received.split(b"\n")
        return [line.decode() for line in lines]

    def collect(self):
        """Reads what the device has sent and logged."""
        if not self.is_flooding:
            self.read_serial()
        self.read_log()

    def read_serial(self):
        """Reads the serial line."""
        self.serial.setblocking(False)
        try:
            while data := self.serial.recv(65536):
                self.received += data
                if self.echoes:
                    self.unechoed += data
        except BlockingIOError:
            pass
        self.serial.settimeout(TIMEOUT)

    def read_log(self):
        """Reads the log out of the device's memory, as a debug probe does."""
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
        """Returns the address of a symbol of the firmware."""
        return elf.find(self.symbols, name)

    def query(self, command):
        """Sends a command about memory or pins to the emulator, and returns its result."""
        self.memory.write(command + "\n")
        self.memory.flush()
        response = self.memory.readline().split()
        if not response or response[0] != "OK":
            raise RuntimeError(f"{command}: {response}")
        return response[1] if len(response) > 1 else ""

    def read(self, address, length):
        """Reads bytes of memory."""
        return bytes.fromhex(self.query(f"read {address:#x} {length:#x}")[2:])

    def word(self, address):
        """Reads a 32-bit word of memory, or a register of a peripheral."""
        return int(self.query(f"readl {address:#x}"), 16)

    def write(self, address, value):
        """Writes a 32-bit word of memory."""
        self.query(f"writel {address:#x} {value:#x}")

    def command(self, name, **arguments):
        """Executes a command of the emulator's monitor, and returns its result."""
        self.start_command(name, **arguments)
        return self.result_of(name)

    def start_command(self, name, **arguments):
        """Starts a command of the emulator's monitor."""
        self.monitor.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.monitor.flush()

    def result_of(self, name):
        """Waits for the result of a command of the monitor."""
        while "return" not in (response := json.loads(self.monitor.readline())):
            if "error" in response:
                raise RuntimeError(f"{name}: {response}")
            self.events.append(response.get("event"))
        return response["return"]

    def light(self):
        """Returns the current light, in the notation of lights.txt."""
        return self.board.light(self)

    def press(self, button, millis):
        """Presses a button for a number of milliseconds, and waits for as long after the release."""
        for level in (0, 1):
            # The device has sampled its buttons and is about to sleep: it must wake for this.
            before = self.tick()
            self.set_pin(button, level)
            self.go()
            if self.tick() - before & 0xFFFF_FFFF > 50:
                raise RuntimeError(f"button {button} did not wake the device")
            self.wait(millis)
            if self.board.wakes_at and self.board.wakes_at(self, button) == level:
                raise RuntimeError(f"button {button} would not wake the device when it moves")

    def set_pin(self, button, level):
        """Sets the level of a button's pin."""
        kind, which, pin = self.board.pins[button]
        paths = []
        for folder in ("/machine", "/machine/unattached"):
            children = self.command("qom-list", path=folder)
            paths += [f"{folder}/{child['name']}" for child in children if child["type"] == f"child<{kind}>"]
        paths.sort(key=lambda path: [int(number) for number in re.findall(r"\d+", path)])
        self.query(f"set_irq_in {paths[which]} unnamed-gpio-in {pin} {level}")
