"""What a linked image does, read from its disassembly: functions, their calls, and how far each has moved the stack."""

import bisect
import re
import subprocess

REGISTER = r"(?:[arst]\d+|r\d+|sp|lr|pc|ra|r1[0-2])"


class Instruction:
    def __init__(self, address, name, operands):
        self.address, self.name, self.operands = address, name, operands

    def __repr__(self):
        return f"{self.address:#x}: {self.name} {self.operands}"

    def target(self):
        """The address that a branch goes to, where it says so."""
        found = re.search(r"\b0x([0-9a-f]+)(?: <|$)", self.operands)
        return int(found.group(1), 16) if found else None


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
            found = re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)", line)
            if not found or found.group(2) == "file":
                continue
            address, name, operands = int(found.group(1), 16), found.group(2), found.group(3)
            if name in (".word", ".long"):
                self.words[address] = int(operands.split()[0], 16)
            elif not name.startswith((".", "<unknown")):
                operands = operands.split("@")[0].strip()
                self.at(address).code.append(Instruction(address, name, operands))

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


class Walk:
    """Follows a function's code from its beginning, and counts how far the stack has moved."""

    def __init__(self, image, function):
        self.image, self.function = image, function
        self.places = {one.address: place for place, one in enumerate(function.code)}
        self.frame_pointer = None

    def run(self):
        function = self.function
        function.depth = [None] * len(function.code)
        function.before = [set() for _ in function.code]
        waiting = [(0, 0)] if function.code else []
        tables = []
        while True:
            while waiting:
                place, depth = waiting.pop()
                if place >= len(function.code):
                    continue
                if function.depth[place] is not None:
                    if function.depth[place] != depth:
                        raise ValueError(f"{function.name}: two depths of stack at {function.code[place]}")
                    continue
                function.depth[place] = depth
                following = self.step(place, depth, tables)
                waiting += following
                for after, _ in following:
                    if after < len(function.code):
                        function.before[after].add(place)
            # What only a table of jumps leads to.
            left = next((place for place, depth in enumerate(function.depth) if depth is None), None)
            if left is None or not tables:
                return
            waiting = [(left, max(depth for _, depth in tables))]
            function.before[left] |= {place for place, _ in tables}

    def call(self, place, address, returns):
        self.function.calls.append((place, address, returns))

    def step(self, place, depth, tables):
        """The places that an instruction leads to, with the depth of the stack there."""
        function, one = self.function, self.function.code[place]
        before = function.code[place - 1] if place else None
        name, operands, target = one.name.removesuffix(".w"), one.operands, one.target()
        depth += self.moved(one, depth)
        following = [(place + 1, depth)]
        if self.image.is_arm:
            if name == "bl" and target in self.places and target != function.start:
                # A branch further than other branches of a Cortex-M0 reach.
                return [(self.places[target], depth)]
            if name == "bl":
                self.call(place, target, True)
                return following
            if name == "blx":
                function.indirect.append((place, operands, True))
                return following
            if name == "bx":
                if operands != "lr":
                    function.indirect.append((place, operands, False))
                return []
            if name in ("tbb", "tbh") or (name in ("mov", "add") and operands.startswith("pc,")):
                tables.append((place, depth))
                return []
            if (name.startswith(("pop", "ldm")) and "pc" in operands) or (name == "ldr" and operands.startswith("pc")):
                return []
            if name in ("udf", "trap"):
                return []
            is_branch = re.fullmatch(r"b(eq|ne|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?|cbn?z", name)
            is_final = name == "b" and not self.is_conditional(place)
        else:
            if name in ("jalr", "jr"):
                return self.through_register(place, depth, before, tables)
            if name in ("ret", "unimp", "mret", "ebreak") and (name != "ebreak" or "drive" not in function.name):
                return [] if name != "ebreak" else following
            if name == "jal":
                self.call(place, target, True)
                return following
            is_branch = name == "j" or name in ("beqz", "bnez", "beq", "bne", "blt", "bge", "bltu", "bgeu", "blez", "bgez", "bltz", "bgtz")
            is_final = name == "j"
        if not is_branch:
            return following
        if target in self.places:
            branch = [(self.places[target], depth)]
        else:
            self.call(place, target, False)
            branch = []
        return branch if is_final else branch + following

    def is_conditional(self, place):
        """Is the instruction the last of an IT block?"""
        before = self.function.code[place - 1].name if place else ""
        return before == "it"

    def through_register(self, place, depth, before, tables):
        """A jump of RISC-V through a register: a far call, a return, a table, or a call of nobody knows whom."""
        function, one = self.function, self.function.code[place]
        found = re.fullmatch(r"(?:(\w+), )?(?:(-?\d+)\()?(\w+)\)?", one.operands)
        link, offset, register = found.group(1) or ("ra" if one.name == "jalr" else None), int(found.group(2) or 0), found.group(3)
        following = [(place + 1, depth)]
        if before and before.name == "auipc" and before.operands.startswith(register + ","):
            high = int(before.operands.split(",")[1], 0)
            target = (before.address + (high << 12) + offset) & 0xFFFFFFFF
            if link is None and target in self.places:
                return [(self.places[target], depth)]
            self.call(place, target, link is not None)
            if link == "t0":
                following = [(place + 1, depth + self.image.functions[target].leaves)]
            return following if link else []
        if link is None and register == "t0":
            function.leaves = depth
            return []
        if link is None and function.code[place - 1 if place else 0].name in ("lw", "li", "lui", "addi", "mv") and self.is_table(place, register):
            tables.append((place, depth))
            return []
        function.indirect.append((place, register, link is not None))
        return following if link else []

    def is_table(self, place, register):
        """Was the register loaded from a table in the constants, with nothing but its index added?"""
        code = self.function.code
        for back in range(place - 1, max(place - 8, -1), -1):
            if code[back].operands.startswith(register + ","):
                loaded = re.fullmatch(rf"{register}, 0\((\w+)\)", code[back].operands)
                if code[back].name != "lw" or not loaded:
                    return False
                base = loaded.group(1)
                return any(one.name == "add" and one.operands.startswith(base + ",") for one in code[max(back - 3, 0):back])
        return False

    def moved(self, one, depth):
        """By how much an instruction moves the stack down."""
        name, operands = one.name.removesuffix(".w"), one.operands
        if self.image.is_arm:
            if name == "push":
                return 4 * listed(operands)
            if name == "pop":
                return -4 * listed(operands)
            if found := re.fullmatch(r"\w+, \[sp, #-(\d+)\]!", operands):
                return int(found.group(1))
            if found := re.fullmatch(r"\w+, \[sp\], #(\d+)", operands):
                return -int(found.group(1))
            if found := re.fullmatch(r"r7, sp, #(\d+)", operands) if name == "add" else None:
                self.frame_pointer = depth - int(found.group(1))
            if found := re.fullmatch(r"sp, (r7|r6)", operands) if name == "mov" else None:
                return self.restored(one) - depth
            if found := re.fullmatch(r"sp, (r\d)", operands) if name == "add" else None:
                return self.literal(one, found.group(1))
            if found := re.fullmatch(r"(?:sp, )?sp, #(\d+)", operands):
                if name in ("sub", "subw", "add", "addw"):
                    return int(found.group(1)) * (1 if name.startswith("sub") else -1)
            if not re.match(r"(\{?|.*\], )sp\b", operands) or name.startswith(("str", "ldr", "cmp", "stm", "ldm")) and "!" not in operands:
                return 0
        else:
            if found := re.fullmatch(r"sp, sp, (-?\d+)", operands) if name == "addi" else None:
                return -int(found.group(1))
            if not operands.startswith("sp,"):
                return 0
        raise ValueError(f"{self.function.name}: how does this move the stack? {one}")


    def literal(self, one, register):
        """How far down `ldr r6, [pc, #8]; add sp, r6` moves the stack."""
        before = self.function.code[self.places[one.address] - 1]
        found = re.fullmatch(rf"{register}, \[pc, #(\d+)\]", before.operands)
        word = self.image.words.get((before.address + 4 & ~3) + int(found.group(1))) if found else None
        if word is None:
            raise ValueError(f"{self.function.name}: how does this move the stack? {one}")
        return -(word - (word >> 31 << 32))

    def restored(self, one):
        """The depth of the stack that is restored from the frame pointer: `subs r6, r7, #7; subs r6, #5; mov sp, r6`."""
        depth = self.frame_pointer
        place = self.places[one.address] - 1
        while found := re.fullmatch(r"(?:r6, )?(r6|r7), #(\d+)", self.function.code[place].operands):
            if self.function.code[place].name not in ("subs", "sub"):
                break
            depth += int(found.group(2))
            if found.group(1) == "r7":
                return depth
            place -= 1
        raise ValueError(f"{self.function.name}: how does this move the stack? {one}")


def listed(registers):
    """How many registers stand in a list."""
    count = 0
    for part in registers.strip("{} ").split(","):
        ends = [int(re.sub(r"\D", "", end)) for end in part.split("-")] if "-" in part else []
        count += ends[1] - ends[0] + 1 if ends else 1
    return count
