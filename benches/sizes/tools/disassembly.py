"""A linked image, read from its disassembly: functions, what they call, and tables of functions."""

import bisect
import re

from .commands import output_of
from .control_flow import ControlFlow


class Instruction:
    def __init__(self, address, name, operands):
        self.address, self.name, self.operands = address, name, operands

    def __repr__(self):
        return f"{self.address:#x}: {self.name} {self.operands}"

    def target(self):
        """Returns the address that a branch goes to, where it says so."""
        found = re.search(r"\b0x([0-9a-f]+)(?: <|$)", self.operands)
        return int(found.group(1), 16) if found else None


class Function:
    """A function's code, and what `ControlFlow` finds out about it. Positions count its instructions."""

    def __init__(self, name, start, end):
        self.name, self.start, self.end = name, start, end
        self.code = []
        # By position: bytes of stack in use before the instruction, None where control never comes.
        self.depth = []
        # By position: the positions that may come before.
        self.before = []
        # Why its control flow was not understood. It matters only if something calls it.
        self.error = None
        # (position, address of the callee, whether the call returns)
        self.calls = []
        # (position, register, whether the call returns)
        self.indirect = []
        # By how much the stack has moved when it returns to a caller through t0: outlined beginnings of functions.
        self.stack_left = 0

    def is_outlined(self):
        """Reports whether the compiler made it of code that functions have in common."""
        return self.name.startswith("OUTLINED_FUNCTION")


class Image:
    """All functions of an image and the words of its constants."""

    def __init__(self, path):
        self.path = path
        names = {}
        for line in output_of("llvm-nm", "-n", "-C", path).splitlines():
            address, kind, name = line.split(None, 2)
            if kind in "tTwW" and not name.startswith((".L", "$")):
                names.setdefault(int(address, 16), name)
        self.starts = sorted(names)
        ends = self.starts[1:] + [self.starts[-1] + 0x10000]
        self.functions = {start: Function(names[start], start, end) for start, end in zip(self.starts, ends)}
        self.words = {}
        self.is_arm = False
        self.read_code()
        self.read_constants()
        # Outlined code first: it may move the stack of its callers.
        for function in sorted(self.functions.values(), key=lambda one: not one.is_outlined()):
            try:
                ControlFlow(self, function).follow()
            except ValueError as error:
                function.error = error

    def at(self, address):
        """Returns the function that holds an address."""
        position = bisect.bisect_right(self.starts, address) - 1
        return self.functions[self.starts[position]] if position >= 0 else None

    def read_code(self):
        sections = ("--section=.text", "--section=.init", "--section=.trap")
        text = output_of("llvm-objdump", "-d", "--no-show-raw-insn", *sections, self.path)
        self.is_arm = "elf32-littlearm" in text
        for line in text.splitlines():
            # Data among the code is shown with its bytes in spite of --no-show-raw-insn.
            found = re.match(r"\s*([0-9a-f]+):\s+(?:(?:[0-9a-f]{2}\s)+\s*)?(\S+)\s*(.*)", line)
            if not found or found.group(2) == "file":
                continue
            address, name, operands = int(found.group(1), 16), found.group(2), found.group(3)
            if name in (".word", ".long"):
                self.words[address] = int(operands.split()[0], 16)
            elif not name.startswith((".", "<unknown")):
                operands = operands.split("@")[0].strip()
                self.at(address).code.append(Instruction(address, name, operands))
        for function in self.functions.values():
            if function.code and is_padding(function.code[-1]):
                function.code.pop()

    def read_constants(self):
        """Reads the words of constants, tables of functions among them."""
        text = output_of("llvm-objdump", "-s", "--section=.rodata", "--section=.data", self.path)
        for line in text.splitlines():
            found = re.match(r" ([0-9a-f]+) ((?:[0-9a-f]{2,8} ?){1,4}) ", line)
            if found:
                raw = bytes.fromhex(found.group(2).replace(" ", ""))
                for offset in range(0, len(raw) - 3, 4):
                    self.words[int(found.group(1), 16) + offset] = int.from_bytes(raw[offset:offset + 4], "little")

    def function_at_word(self, address):
        """Returns the function that a word points to, if it points to one."""
        value = self.words.get(address, 0)
        return self.functions.get(value - 1 if self.is_arm and value & 1 else value)

    def methods_at(self, offset):
        """Returns every function at this offset of any table of methods, which begins with drop, size and alignment."""
        found = {}
        for address, value in self.words.items():
            align = self.words.get(address + 8)
            is_table = (value == 0 or self.function_at_word(address)) and align in (1, 2, 4, 8)
            if is_table and all(self.function_at_word(address + other) for other in range(12, offset + 1, 4)):
                function = self.function_at_word(address + offset)
                found[function.start] = function
        return list(found.values())


def is_padding(one):
    """Reports whether a linker put an instruction between two functions: d4 d4, which traps, and reads like a branch."""
    return one.name == "bmi" and one.target() == one.address + 4 - 88
