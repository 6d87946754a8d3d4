"""The control flow of a function: where each instruction leads, what it calls, and how far the stack has moved there."""

import re

# Instructions of an IT block that matter here: what they are, and when they are executed.
CONDITIONAL = re.compile(r"(push|pop|ldm|ldr|bl|blx|bx|add|sub|mov)(eq|ne|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)")

BRANCHES = {"j", "beqz", "bnez", "beq", "bne", "blt", "bge", "bltu", "bgeu", "blez", "bgez", "bltz", "bgtz"}


class ControlFlow:
    """Follows a function's code from its beginning, and counts how far the stack has moved."""

    def __init__(self, image, function):
        self.image, self.function = image, function
        self.positions = {one.address: position for position, one in enumerate(function.code)}
        self.frame_pointer = None

    def follow(self):
        """Fills in the function's depths, predecessors and calls. Raises ValueError where it does not understand the code."""
        function = self.function
        function.depth = [None] * len(function.code)
        function.before = [set() for _ in function.code]
        waiting = [(0, 0)] if function.code else []
        tables = []
        while True:
            while waiting:
                position, depth = waiting.pop()
                if position >= len(function.code):
                    continue
                if function.depth[position] is not None:
                    if function.depth[position] != depth:
                        raise ValueError(f"{function.name}: two depths of stack at {function.code[position]}")
                    continue
                function.depth[position] = depth
                following = self.step(position, depth, tables)
                waiting += following
                for after, _ in following:
                    if after < len(function.code):
                        function.before[after].add(position)
            # Only a table of jumps leads to what is left.
            left = next((position for position, depth in enumerate(function.depth) if depth is None), None)
            if left is None:
                return
            if not tables:
                return self.expect_padding()
            waiting = [(left, max(depth for _, depth in tables))]
            function.before[left] |= {position for position, _ in tables}

    def expect_padding(self):
        """Checks that unreachable code is padding behind a return, or what a linker fills up with at the end."""
        last = len(self.function.code) - 1
        for position, (one, depth) in enumerate(zip(self.function.code, self.function.depth)):
            is_fill = one.name in ("nop", "udf", "unimp") or one.operands == "r8, r8" or position == last and one.name == "bmi"
            if depth is None and not is_fill:
                raise ValueError(f"{self.function.name}: nothing leads to {one}")

    def call(self, position, address, returns):
        self.function.calls.append((position, address, returns))

    def step(self, position, depth, tables):
        """Returns the positions that an instruction leads to, with the depth of the stack there."""
        one = self.function.code[position]
        conditional = CONDITIONAL.fullmatch(plain_name(one)) if self.image.is_arm else None
        if conditional:
            return self.conditional(position, depth, *conditional.groups())
        depth += self.moved(one, depth)
        if self.image.is_arm:
            return self.step_arm(position, depth, tables)
        return self.step_riscv(position, depth, tables)

    def step_arm(self, position, depth, tables):
        function, one = self.function, self.function.code[position]
        name, operands, target = plain_name(one), one.operands, one.target()
        following = [(position + 1, depth)]
        if name == "bl" and target in self.positions and target != function.start:
            # A branch further than other branches of a Cortex-M0 reach.
            return [(self.positions[target], depth)]
        if name == "bl":
            self.call(position, target, True)
            return following
        if name == "blx":
            function.indirect.append((position, operands, True))
            return following
        if name == "bx":
            if operands != "lr":
                function.indirect.append((position, operands, False))
            return []
        if name in ("tbb", "tbh") or (name in ("mov", "add") and operands.startswith("pc,")):
            tables.append((position, depth))
            return []
        if (name.startswith(("pop", "ldm")) and "pc" in operands) or (name == "ldr" and operands.startswith("pc")):
            return []
        if name in ("udf", "trap"):
            return []
        if not re.fullmatch(r"b(eq|ne|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?|cbn?z", name):
            return following
        return self.branch(position, depth, is_final=name == "b" and not self.ends_if_then_block(position))

    def step_riscv(self, position, depth, tables):
        one = self.function.code[position]
        following = [(position + 1, depth)]
        if one.name in ("jalr", "jr"):
            return self.jump_through_register(position, depth, tables)
        if one.name in ("ret", "unimp", "mret"):
            return []
        if one.name == "jal":
            self.call(position, one.target(), True)
            return following
        if one.name not in BRANCHES:
            return following
        return self.branch(position, depth, is_final=one.name == "j")

    def branch(self, position, depth, is_final):
        """Follows a branch: inside the function, or to another one."""
        target = self.function.code[position].target()
        following = [] if is_final else [(position + 1, depth)]
        if target in self.positions:
            return [(self.positions[target], depth)] + following
        self.call(position, target, False)
        return following

    def conditional(self, position, depth, name, condition):
        """Follows an instruction of an IT block, as if it were not executed: depths behind it are those of going on."""
        function, one = self.function, self.function.code[position]
        if name == "bl":
            self.call(position, one.target(), True)
        if name == "blx":
            function.indirect.append((position, one.operands, True))
        if name == "bx" and one.operands != "lr":
            function.indirect.append((position, one.operands, False))
        moves = name in ("push", "pop") or re.match(r"sp\b", one.operands)
        if moves and not self.leaves_on(position, condition):
            raise ValueError(f"{function.name}: moves the stack on a condition: {one}")
        # A return needs no depth; a jump to another function counts as made from deeper than it is.
        return [(position + 1, depth)]

    def leaves_on(self, position, condition):
        """Reports whether the instructions on this condition end in a return, or in another function."""
        for one in self.function.code[position:]:
            name = plain_name(one)
            if re.fullmatch(r"it[te]*", name):
                continue
            # A call comes back, and is made from where the stack has moved to.
            if not name.endswith(condition) or name in ("bl" + condition, "blx" + condition):
                return False
            if name == "b" + condition:
                return one.target() not in self.positions
            if name == "bx" + condition or one.operands.startswith("pc") or name.startswith(("pop", "ldm")) and "pc" in one.operands:
                return True
        return False

    def ends_if_then_block(self, position):
        """Reports whether the instruction is the only one of an IT block."""
        return position > 0 and self.function.code[position - 1].name == "it"

    def jump_through_register(self, position, depth, tables):
        """Follows a jump of RISC-V through a register: a far call, a return, a table, or an indirect call."""
        function, one = self.function, self.function.code[position]
        before = function.code[position - 1] if position else None
        found = re.fullmatch(r"(?:(\w+), )?(?:(-?\d+)\()?(\w+)\)?", one.operands)
        link = found.group(1) or ("ra" if one.name == "jalr" else None)
        offset, register = int(found.group(2) or 0), found.group(3)
        following = [(position + 1, depth)]
        if before and before.name == "auipc" and before.operands.startswith(register + ","):
            high = int(before.operands.split(",")[1], 0)
            target = (before.address + (high << 12) + offset) & 0xFFFFFFFF
            if link is None and target in self.positions:
                return [(self.positions[target], depth)]
            self.call(position, target, link is not None)
            if link == "t0":
                following = [(position + 1, depth + self.image.functions[target].stack_left)]
            return following if link else []
        if link is None and register == "t0":
            function.stack_left = depth
            return []
        # Other instructions may stand between the load and the jump.
        if link is None and self.is_from_table(position, register):
            tables.append((position, depth))
            return []
        function.indirect.append((position, register, link is not None))
        return following if link else []

    def is_from_table(self, position, register):
        """Reports whether the register was loaded from a table in the constants, with nothing but its index added."""
        code = self.function.code
        # What every way of going on from a choice needs may stand between the load and the jump.
        for back in range(position - 1, max(position - 24, -1), -1):
            if code[back].name in BRANCHES or code[back].name in ("jal", "jalr", "jr", "ret"):
                return False
            if code[back].operands.startswith(register + ","):
                loaded = re.fullmatch(rf"{register}, 0\((\w+)\)", code[back].operands)
                if code[back].name != "lw" or not loaded:
                    return False
                base = loaded.group(1)
                return any(one.name == "add" and one.operands.startswith(base + ",") for one in code[max(back - 3, 0):back])
        return False

    def moved(self, one, depth):
        """Returns the bytes by which an instruction moves the stack down."""
        moved = self.moved_arm(one, depth) if self.image.is_arm else self.moved_riscv(one)
        if moved is None:
            raise ValueError(f"{self.function.name}: how does this move the stack? {one}")
        return moved

    def moved_arm(self, one, depth):
        name, operands = plain_name(one), one.operands
        if name == "push":
            return 4 * registers_in(operands)
        if name == "pop":
            return -4 * registers_in(operands)
        if found := re.fullmatch(r"\w+, \[sp, #-(\d+)\]!", operands):
            return int(found.group(1))
        if found := re.fullmatch(r"\w+, \[sp\], #(\d+)", operands):
            return -int(found.group(1))
        if name == "add" and (found := re.fullmatch(r"r7, sp, #(\d+)", operands)):
            self.frame_pointer = depth - int(found.group(1))
        if name == "mov" and (found := re.fullmatch(r"sp, (r[4-7])", operands)):
            restored = self.depth_of_frame_pointer(one, found.group(1))
            return None if restored is None else restored - depth
        if name == "add" and (found := re.fullmatch(r"sp, (r\d)", operands)):
            return self.literal(one, found.group(1))
        if found := re.fullmatch(r"(?:sp, )?sp, #(\d+)", operands):
            if name in ("sub", "subw", "add", "addw"):
                return int(found.group(1)) * (1 if name.startswith("sub") else -1)
        reads_only = name.startswith(("str", "ldr", "cmp", "stm", "ldm")) and "!" not in operands
        return 0 if reads_only or not re.match(r"(\{?|.*\], )sp\b", operands) else None

    @staticmethod
    def moved_riscv(one):
        if one.name == "addi" and (found := re.fullmatch(r"sp, sp, (-?\d+)", one.operands)):
            return -int(found.group(1))
        return None if one.operands.startswith("sp,") else 0

    def literal(self, one, register):
        """Returns by how much `ldr r6, [pc, #8]; add sp, r6` moves the stack down."""
        before = self.function.code[self.positions[one.address] - 1]
        found = re.fullmatch(rf"{register}, \[pc, #(\d+)\]", before.operands)
        word = self.image.words.get((before.address + 4 & ~3) + int(found.group(1))) if found else None
        return None if word is None else -(word - (word >> 31 << 32))

    def depth_of_frame_pointer(self, one, register):
        """Returns the depth that is restored from the frame pointer: `subs r6, r7, #7; subs r6, #5; mov sp, r6`."""
        depth = self.frame_pointer
        if depth is None:
            return None
        position = self.positions[one.address] - 1
        while found := re.fullmatch(rf"(?:{register}, )?({register}|r7), #(\d+)", self.function.code[position].operands):
            if self.function.code[position].name not in ("subs", "sub"):
                break
            depth += int(found.group(2))
            if found.group(1) == "r7":
                return depth
            position -= 1
        return None


def plain_name(one):
    """Returns the name of an instruction, whatever its width."""
    return one.name[:-2] if one.name.endswith(".w") else one.name


def registers_in(operands):
    """Returns the number of registers in a list such as `{r4-r7, lr}`."""
    count = 0
    for part in operands.strip("{} ").split(","):
        ends = [int(re.sub(r"\D", "", end)) for end in part.split("-")] if "-" in part else []
        count += ends[1] - ends[0] + 1 if ends else 1
    return count
