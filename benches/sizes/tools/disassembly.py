"""A linked image, read from its disassembly: functions, what they call, and tables of functions."""

import bisect
import re
import subprocess

from walk import Walk


class Instruction:
    def __init__(self, address, name, operands):
        self.address, self.name, self.operands = address, name, operands

    def __repr__(self):
        return f"{self.address:#x}: {self.name} {self.operands}"

    def target(self):
        """The address that a branch goes to, where it says so."""
        found = re.search(r"\b0x([0-9a-f]+)(?: <|$)", self.operands)
        return int(found.group(1), 16) if found else None


def is_padding(one):
    """Whether a linker put it between two functions: d4 d4, which nobody should come to, and which reads like a branch."""
    return one.name == "bmi" and one.target() == one.address + 4 - 88


class Function:
    def __init__(self, name, start, end):
        self.name, self.start, self.end = name, start, end
        self.code = []
        # By place: bytes of stack in use before the instruction.
        self.depth = []
        # Why it was not understood: no matter, unless somebody calls it.
        self.trouble = None
        # By place: the places that may come before.
        self.before = []
        # (place, address of the callee, does it come back)
        self.calls = []
        # (place, register, does it come back)
        self.indirect = []
        # What the stack has moved by when it returns to whom called it through t0: outlined beginnings of functions.
        self.leaves = 0

    def is_outlined(self):
        return self.name.startswith("OUTLINED_FUNCTION")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Image:
    def __init__(self, path):
        self.path = path
        names = {}
        for line in run("llvm-nm", "-n", "-C", path).splitlines():
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
        # Outlined code first: it may move the stack of who calls it.
        for function in sorted(self.functions.values(), key=lambda one: not one.is_outlined()):
            try:
                Walk(self, function).run()
            except ValueError as trouble:
                function.trouble = trouble

    def at(self, address):
        """The function that holds an address."""
        place = bisect.bisect_right(self.starts, address) - 1
        return self.functions[self.starts[place]] if place >= 0 else None

    def read_code(self):
        text = run("llvm-objdump", "-d", "--no-show-raw-insn", "--section=.text", "--section=.init", "--section=.trap", self.path)
        self.is_arm = "elf32-littlearm" in text
        for line in text.splitlines():
            # Data among the code is shown with its bytes, whatever is asked for.
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
        """The words of constants, among them tables of functions."""
        text = run("llvm-objdump", "-s", "--section=.rodata", "--section=.data", self.path)
        for line in text.splitlines():
            found = re.match(r" ([0-9a-f]+) ((?:[0-9a-f]{2,8} ?){1,4}) ", line)
            if found:
                raw = bytes.fromhex(found.group(2).replace(" ", ""))
                for place in range(0, len(raw) - 3, 4):
                    self.words[int(found.group(1), 16) + place] = int.from_bytes(raw[place:place + 4], "little")

    def function_at_word(self, address):
        """The function that a word leads to, if it leads to one."""
        value = self.words.get(address, 0)
        return self.functions.get(value - 1 if self.is_arm and value & 1 else value)

    def in_slot(self, slot):
        """Every function that stands in this place of a table of methods: behind drop, size and alignment."""
        found = {}
        for address, value in self.words.items():
            align = self.words.get(address + 8)
            is_table = (value == 0 or self.function_at_word(address)) and align in (1, 2, 4, 8)
            if is_table and all(self.function_at_word(address + place) for place in range(12, slot + 1, 4)):
                function = self.function_at_word(address + slot)
                found[function.start] = function
        return list(found.values())
