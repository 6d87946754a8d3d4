"""The images: building them, reading sizes from them, and playing them in an emulator."""

import collections
import functools
import math
import os
import re
import shutil
import subprocess

from . import stack
from .commands import Failure, output_of, run

# One user of four sessions, with ids of either size.
MACHINES = ("machine-bytes", "machine-guids")
# The same behind `graph`: requests over HTTP, and one a line.
WIRES = ("requests", "lines")
# The user's stored form, and a directory of eight users.
STORED_AND_DIRECTORY = ("stored", "directory")

# What is built together: the end of the images' names, the features, the images. What plays nothing links what is measured,
# and no more.
FLASH_SETS = (
    ("", "", ("base",) + MACHINES + WIRES + STORED_AND_DIRECTORY),
    ("-batch", "batch", WIRES),
    ("-whole", "batch,details", WIRES + ("details",)),
    ("-client", "client", ("follow",)),
    ("-lines", "lines", ("light",)),
    ("-client-whole", "batch,client,details", ("calls",)),
)
PLAYED_SETS = (
    ("-scenario", "scenario", MACHINES + WIRES),
    ("-every", "every", MACHINES + WIRES + STORED_AND_DIRECTORY),
    ("-whole-every", "every,batch,details", WIRES + ("details",)),
    ("-client-scenario", "scenario,client", ("follow",)),
    ("-lines-scenario", "scenario,lines", ("light",)),
)
EVERYTHING_SET = ("", "everything", ("everything",))
# What must be found: see controls.
PLANTED_SET = ("", "planted", ("planted",))


def names(sets):
    """Returns the names of all images of these sets."""
    return [image + suffix for suffix, _, images in sets for image in images]


# The images whose stack has a bound. On the whole wire and behind a light's line, functions are called through tables, and no
# disassembly tells whose.
BOUNDED = [name for name in names(PLAYED_SETS) if not name.startswith(("requests-whole", "lines-whole", "light"))]

EMULATORS = {
    "thumbv6m-none-eabi": ("qemu-system-arm", "-M", "microbit"),
    "thumbv7m-none-eabi": ("qemu-system-arm", "-M", "lm3s6965evb"),
    "thumbv7em-none-eabihf": ("qemu-system-arm", "-M", "mps2-an386"),
    "riscv32imc-unknown-none-elf": ("qemu-system-riscv32", "-M", "virt", "-bios", "none"),
}
PLUGIN = "target/libmeasure.so"

# The most that the calls of a probe took under a label.
Call = collections.namedtuple("Call", "probe label instructions stack count")


def build_plugin():
    """Compiles the plugin that counts in the emulator."""
    version = output_of("qemu-system-arm", "--version").split()[3]
    api = 1 if int(version.split(".")[0]) < 9 else 2
    run("gcc", "-O2", "-Wall", "-Werror", "-fPIC", "-shared", f"-DAPI={api}", "-o", PLUGIN, "plugin/measure.c")


class Device:
    """The images of one target, and what is read from them."""

    def __init__(self, compiler, target):
        self.compiler, self.target = compiler, target
        self.directory = f"target/images/{compiler.name}/{target}"
        self.calls = {}

    def path(self, image):
        return os.path.join(self.directory, image)

    def build(self, sets):
        """Builds images, and keeps each under its name and the end of its set's names."""
        os.makedirs(self.directory, exist_ok=True)
        for suffix, features, images in sets:
            built = self.compiler.build(self.target, images, features)
            for image in images:
                shutil.copy(os.path.join(built, image), self.path(image + suffix))

    def play(self, image):
        """Plays an image in the emulator, and keeps the calls that it made."""
        path, calls = self.path(image), os.path.abspath(self.path(image) + ".calls")
        if os.path.exists(calls):
            os.remove(calls)
        low, high = self.address(image, "__sheap"), self.address(image, "_stack_start")
        # Semihosting ends the emulator, with the status that the image gives.
        options = ["-display", "none", "-monitor", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native"]
        options += ["-plugin", f"{os.path.abspath(PLUGIN)},out={calls},lo={low:#x},hi={high:#x}", "-kernel", path]
        try:
            run(*EMULATORS[self.target], *options, timeout=600)
        except (Failure, subprocess.TimeoutExpired) as error:
            raise Failure(f"{path}: a call did not do what it should: {error}") from None
        with open(calls) as lines:
            read = [line.split() for line in lines]
        self.calls[image] = [Call(probe, label, *map(int, numbers)) for probe, label, *numbers in read]
        if not read:
            raise Failure(f"{path}: no calls were seen")

    def address(self, image, symbol):
        """Returns the address of a linker symbol."""
        lines = (line.split() for line in output_of("llvm-nm", self.path(image)).splitlines())
        return next(int(line[0], 16) for line in lines if line[-1] == symbol)

    # Flash and memory.

    def loaded(self, image):
        """Returns the number of bytes that are loaded into the device: code, constants, vectors."""
        lines = output_of("llvm-size", "-A", self.path(image)).splitlines()
        sections = (line.split() for line in lines if re.match(r"\.(vector_table|init|trap|text|rodata|data)", line))
        return sum(int(section[1]) for section in sections)

    def flash(self, image):
        """Returns the bytes by which an image exceeds the one without the library."""
        return self.loaded(image) - self.loaded("base")

    def size_of(self, static, image="machine-bytes-scenario"):
        """Returns the size of a static."""
        for line in output_of("llvm-nm", "-S", "-C", self.path(image)).splitlines():
            if static in line:
                return int(line.split()[1], 16)
        raise Failure(f"{self.path(image)}: no symbol {static}")

    # Calls in the emulator.

    def seen(self, images, probe, label):
        """Returns the calls of images that match a probe's pattern and a label, or any label."""
        calls = [
            call
            for image in images
            for call in self.calls[image]
            if re.search(probe, call.probe) and label in ("", call.label)
        ]
        if not calls:
            raise Failure(f"{self.target}: {', '.join(images)}: no call of {probe} with label {label or 'any'}")
        return calls

    def instructions(self, *images, probe="", label=""):
        """Returns the most instructions that a call took."""
        return max(call.instructions for call in self.seen(images, probe, label))

    def instructions_per_byte(self, *images, label):
        """Returns the most instructions for each byte of an input of 4,096 bytes, rounded up."""
        return math.ceil(self.instructions(*images, label=label) / 4096)

    def stack_seen(self, *images):
        """Returns the most stack that a call took."""
        return max(call.stack for call in self.seen(images, "", ""))

    # Paths through the code.

    @functools.lru_cache(maxsize=None)
    def bounds(self, image):
        """Returns the stack that no path exceeds: a list of probe and bytes. A generic probe stands in it once for each type."""
        return [(probe, bound) for probe, bound, _ in stack.bounds(self.path(image))]

    def stack_bound(self, *images, probe=""):
        """Returns the most that any path through the probes takes, also in the images that play them.

        A compiler inlines into a probe what its surroundings suggest, so each image has bounds of its own.
        """
        built = names(FLASH_SETS + PLAYED_SETS)
        variants = [image + end for image in images for end in ("", "-every", "-scenario") if image + end in built]
        bounds = [bound for variant in variants for bound in self.bounds(variant)]
        return max(bytes for name, bytes in bounds if re.search(probe, name))

    def exceeded_bounds(self):
        """Yields a complaint for each call that took more stack than its bound allows, or that has no bound."""
        for image in BOUNDED:
            highest = {}
            for probe, bound in self.bounds(image):
                # Calls of a generic probe are counted together, so the highest bound is theirs.
                highest[probe] = max(bound, highest.get(probe, 0))
            for call in self.calls[image]:
                if call.probe not in highest:
                    yield f"{self.target} {image}: no bound for {call.probe}"
                elif call.stack > highest[call.probe]:
                    bound = highest[call.probe]
                    yield f"{self.target} {image}: {call.probe} took {call.stack} bytes of stack, the bound is {bound}"
