#!/usr/bin/env python3
"""Bounds the stack of an image's probes: the deepest path through the calls that its code can make, whatever the input.

Fails where there is no bound: recursion, or a call of nobody knows whom.

usage: stack.py IMAGE [RESERVES]
       RESERVES: how many sinks that keep room free (`Reserve`) lie on top of each other at most

A call through a table of methods may go to every function that stands in this place of any table. The sinks that keep
room free call the sink below them; they are built one on top of the other, and how many is known from where they are built.
"""

import re
import sys

from disassembly import Image

sys.setrecursionlimit(10_000)

# Where the method itself was handed over instead of its table, nothing in the code says which one it is. By their
# signatures, what writes is handed sinks, and what stores is handed what listens to changes: none of them a store.
HANDED_NO_STORE = re.compile(r"graph(::|\.\.)(write|sink|one_user|details::write)(::|\.\.)|\.\.Desk\$u20\$as|<presence_core_figures::wire::Desk as")
OF_A_STORE = re.compile(r"graph(::|\.\.)store(::|\.\.)Store")


class Stack:
    def __init__(self, image, reserves):
        self.image, self.reserves = image, reserves
        self.known, self.open = {}, []
        self.callers = {}
        self.methods = {one.start: one for slot in range(12, 48, 4) for one in image.in_slot(slot)}.values()
        for function in image.functions.values():
            for place, address, _ in function.calls:
                self.callers.setdefault(address, []).append((function, place))

    def bound(self, function, level):
        """The most stack from here on, and the path to it."""
        key = (function.start, level)
        if key in self.known:
            return self.known[key]
        if key in self.open:
            raise ValueError("recursion: " + " > ".join(self.image.functions[start].name for start, _ in self.open))
        if function.trouble:
            raise function.trouble
        self.open.append(key)
        deepest, path = max([depth for depth in function.depth if depth is not None] + [0]), []
        for place, callee, below in self.callees(function, level):
            depth = function.depth[place]
            if depth is None:
                continue
            further, way = self.bound(callee, below)
            if depth + further > deepest or (depth + further == deepest and not path):
                deepest, path = depth + further, way
        self.open.pop()
        self.known[key] = (deepest, [(function.name, deepest)] + path)
        return self.known[key]

    def callees(self, function, level):
        for place, address, _ in function.calls:
            callee = self.image.functions.get(address)
            if callee is None:
                raise ValueError(f"{function.name}: calls the middle of something at {address:#x}")
            yield place, callee, level
        for place, register, _ in function.indirect:
            try:
                tables = [self.image.in_slot(slot) for slot in self.slots(function, place, register, set())]
                callees = [callee for table in tables for callee in table] if all(tables) else []
            except LookupError:
                callers = [caller for caller, _ in self.callers[function.start]] if function.is_outlined() else [function]
                names = [caller.name for caller in callers]
                if not all(HANDED_NO_STORE.search(name) for name in names):
                    raise
                callees = [callee for callee in self.methods if not OF_A_STORE.search(callee.name)]
            if not callees:
                raise ValueError(f"{function.name}: calls nobody knows whom: {function.code[place]}")
            below = level - 1 if is_reserve(function) else level
            yield from ((place, callee, below) for callee in callees if below > 0 or not is_reserve(callee))

    def slots(self, function, place, register, seen):
        """The places in tables of methods that a register may have been loaded from, on every way to here."""
        found = set()
        waiting = [(before, register, None) for before in function.before[place]]
        if not waiting:
            raise LookupError(f"{function.name}: is told whom to call: {function.code[place]}")
        while waiting:
            at, register, kept = way = waiting.pop()
            if (function.start, way) in seen:
                continue
            seen.add((function.start, way))
            one = function.code[at]
            depth = function.depth[at]
            if kept is None:
                origin = self.origin(function, one, register)
            else:
                origin = self.kept(one, depth, kept)
            if isinstance(origin, int):
                found.add(origin)
                continue
            register, kept = origin or (register, kept)
            if kept is not None and origin and register is None:
                kept -= depth
            if not function.before[at]:
                if kept is not None or not function.is_outlined():
                    raise LookupError(f"{function.name}: is told whom to call: {register}")
                for caller, back in self.callers[function.start]:
                    found |= self.slots(caller, back, register, seen)
            waiting += [(before, register, kept) for before in function.before[at]]
        return found

    def origin(self, function, one, register):
        """Where an instruction takes a register from: a place in a table, a register, the stack; None if it leaves it."""
        name = one.name.removesuffix(".w")
        if name in STORES or not one.operands.startswith(register + ","):
            second = re.fullmatch(rf"\w+, {register}, \[(\w+)(?:, #(\d+))?\]", one.operands) if name == "ldrd" else None
            if not second:
                return None
            offset = int(second.group(2) or 0) + 4
            if second.group(1) == "r7":
                raise LookupError(f"{function.name}: is told whom to call: {one}")
            return (None, offset) if second.group(1) == "sp" else offset
        if name in ("mov", "mv"):
            return one.operands.split(", ")[1], None
        found = re.fullmatch(rf"{register}, (?:\w+, )?\[(\w+)(?:, #(\d+))?\]|{register}, (\d+)\((\w+)\)", one.operands)
        if not found or name not in ("ldr", "lw", "ldrd"):
            raise LookupError(f"{function.name}: where does it get {register} from? {one}")
        offset = int(found.group(2) or found.group(3) or 0)
        base = found.group(1) or found.group(4)
        if base == "r7":
            raise LookupError(f"{function.name}: is told whom to call: {one}")
        return (None, offset) if base == "sp" else offset

    @staticmethod
    def kept(one, depth, kept):
        """The register that an instruction puts into a place of the stack; None if it leaves the place."""
        name = one.name.removesuffix(".w")
        stored = re.fullmatch(r"(\w+), \[sp(?:, #(\d+))?\]|(\w+), (\d+)\(sp\)", one.operands)
        if name in ("str", "sw") and stored and int(stored.group(2) or stored.group(4) or 0) - depth == kept:
            return stored.group(1) or stored.group(3), None
        pair = re.fullmatch(r"(\w+), (\w+), \[sp(?:, #(\d+))?\]", one.operands)
        if name == "strd" and pair:
            offset = int(pair.group(3) or 0) - depth
            if kept in (offset, offset + 4):
                return pair.group(1 if kept == offset else 2), None
        return None


STORES = {"str", "strb", "strh", "strd", "stm", "cmp", "cmn", "tst", "push", "sw", "sb", "sh"}


def is_reserve(function):
    return "graph::sink::Reserve" in function.name or "graph..sink..Reserve" in function.name


def short(name):
    return re.sub(r"::h[0-9a-f]{16}$", "", name)


def main():
    image = Image(sys.argv[1])
    reserves = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    stack = Stack(image, reserves)
    for function in sorted(image.functions.values(), key=lambda one: one.name):
        if found := re.search(r"\bprobe_\w+", function.name):
            deepest, path = stack.bound(function, reserves)
            # How much each function on the way adds.
            rest = [below for _, below in path[1:]] + [0]
            steps = [f"{short(name)} {here - below}" for (name, here), below in zip(path, rest)]
            print(found.group(0), deepest, " > ".join(steps), sep="\t")


if __name__ == "__main__":
    main()
