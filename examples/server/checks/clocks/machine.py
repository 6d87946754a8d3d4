"""A machine whose clocks a test moves: clocks.c, loaded before the C library of an unmodified program."""

import functools
import mmap
import os
import pathlib
import struct
import subprocess
import tempfile
import time

NANOSECONDS = 1_000_000_000


@functools.cache
def library():
    """Compiles the library, once for this process."""
    directory = tempfile.TemporaryDirectory(prefix="presence-clocks-")
    path = pathlib.Path(directory.name) / "clocks.so"
    source = pathlib.Path(__file__).with_name("clocks.c")
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", path, source], check=True)
    return directory, path


class Machine:
    """The clocks of all programs that are started with `environment`. They go on by themselves, as those of this machine do."""

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="presence-clocks-")
        self.file.write(bytes(16))
        self.file.flush()
        self.memory = mmap.mmap(self.file.fileno(), 16)
        self.environment = {**os.environ, "LD_PRELOAD": str(library()[1]), "MOVED_CLOCKS": self.file.name}
        self.wall_moved = self.boot_moved = 0

    def run(self, seconds):
        """Lets time go by: on the wall clock and the boot-time clock, as while the machine sleeps."""
        self.boot_moved += seconds
        struct.pack_into("=q", self.memory, 8, self.boot_moved * NANOSECONDS)
        self.step(seconds)

    def step(self, seconds):
        """Sets the wall clock only, as a time server or a person does; also what a paused virtual machine sees afterwards."""
        self.wall_moved += seconds
        struct.pack_into("=q", self.memory, 0, self.wall_moved * NANOSECONDS)

    def wall(self):
        """Returns the time of the wall clock, in seconds since 1970."""
        return time.time() + self.wall_moved

    def boot(self):
        """Returns the time of the boot-time clock, in seconds since the start of this machine."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) + self.boot_moved

    def close(self):
        self.memory.close()
        self.file.close()
