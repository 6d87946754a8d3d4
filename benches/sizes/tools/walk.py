"""Follows the code of a function: where it goes, whom it calls, and how far it has moved the stack."""

import re

# Instructions of an IT block that matter here: what they are, and when they are carried out.
CONDITIONAL = re.compile(r"(push|pop|ldm|ldr|bl|blx|bx|add|sub|mov)(eq|ne|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)")

BRANCHES = {"j", "beqz", "bnez", "beq", "bne", "blt", "bge", "bltu", "bgeu", "blez", "bgez", "bltz", "bgtz"}


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
            if left is None:
                return
            if not tables:
                return self.expect_filling()
            waiting = [(left, max(depth for _, depth in tables))]
            function.before[left] |= {place for place, _ in tables}

    def expect_filling(self):
        """What nothing leads to fills up what is behind a return, the last of it with what a linker fills with."""
        last = len(self.function.code) - 1
        for place, (one, depth) in enumerate(zip(self.function.code, self.function.depth)):
            fills = one.name in ("nop", "udf", "unimp") or one.operands == "r8, r8" or place == last and one.name == "bmi"
            if depth is None and not fills:
                raise ValueError(f"{self.function.name}: nothing leads to {one}")

    def call(self, place, address, returns):
        self.function.calls.append((place, address, returns))

    def step(self, place, depth, tables):
        """The places that an instruction leads to, with the depth of the stack there."""
        function, one = self.function, self.function.code[place]
        before = function.code[place - 1] if place else None
        name, operands, target = one.name.removesuffix(".w"), one.operands, one.target()
        conditional = CONDITIONAL.fullmatch(name) if self.image.is_arm else None
        if conditional:
            return self.if_so(place, depth, *conditional.groups())
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
            if name in ("ret", "unimp", "mret"):
                return []
            if name == "jal":
                self.call(place, target, True)
                return following
            is_branch = name in BRANCHES
            is_final = name == "j"
        if not is_branch:
            return following
        if target in self.places:
            branch = [(self.places[target], depth)]
        else:
            self.call(place, target, False)
            branch = []
        return branch if is_final else branch + following

    def if_so(self, place, depth, name, condition):
        """An instruction that is carried out on a condition, and those behind it if not."""
        function, one = self.function, self.function.code[place]
        if name in ("bl", "blx"):
            raise ValueError(f"{function.name}: calls on a condition: {one}")
        if name == "bx" and one.operands != "lr":
            function.indirect.append((place, one.operands, False))
        moves = name in ("push", "pop") or re.match(r"sp\b", one.operands)
        if moves and not self.leaves_if_so(place, condition):
            raise ValueError(f"{function.name}: moves the stack on a condition: {one}")
        # Who left is no matter any more; to whom it went on counts as called from deeper than it was.
        return [(place + 1, depth)]

    def leaves_if_so(self, place, condition):
        """Do the instructions on this condition end in a return, or in another function?"""
        for one in self.function.code[place:]:
            name = one.name.removesuffix(".w")
            if re.fullmatch(r"it[te]*", name):
                continue
            if not name.endswith(condition):
                return False
            if name.startswith("b") or "pc" in one.operands:
                return one.target() not in self.places
        return False

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
