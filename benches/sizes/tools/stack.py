"""The bound of a probe's stack: the deepest path through the calls that its code can make, whatever the input.

There is no bound, and so it fails, where functions call themselves, or where nothing tells which function is called.

A call through a table of methods may go to every function at this offset of any table. Writers that keep bytes free
(`Reserve`) call the writer below them; how many lie on top of each other is known from where they are built.
"""

import re
import sys

from .commands import Failure
from .control_flow import plain_name
from .disassembly import Image

# Serving one request makes one `Reserve` around the caller's writer (src/graph/serve.rs).
RESERVES = 1

# Where the method itself was handed over instead of its table, nothing in the code says which one it is. By their
# signatures, what writes is handed writers, and what stores is handed observers of changes: none of them a store.
HANDED_NO_STORE = re.compile(r"graph(::|\.\.)(respond|single_user)(::|\.\.)")
OF_A_STORE = re.compile(r"graph(::|\.\.)store(::|\.\.)Store")

STORES = {"str", "strb", "strh", "strd", "stm", "cmp", "cmn", "tst", "push", "sw", "sb", "sh"}

sys.setrecursionlimit(10_000)


class UnknownCallee(LookupError):
    """A method that was handed over: the code does not say which one it is."""


def bounds(path):
    """Returns the bound of each probe of an image: its name, bytes, and the path to there as names and bytes from there on."""
    try:
        return list(StackBound(Image(path)).of_probes())
    except (ValueError, UnknownCallee) as error:
        raise Failure(f"{path}: the stack has no bound: {error}") from None


class StackBound:
    """The bounds of an image's functions."""

    def __init__(self, image):
        self.image = image
        # By start of a function and number of writers: the bound, and the path to it.
        self.known, self.open = {}, []
        self.callers = {}
        self.methods = {one.start: one for offset in range(12, 48, 4) for one in image.methods_at(offset)}.values()
        for function in image.functions.values():
            for position, address, _ in function.calls:
                self.callers.setdefault(address, []).append((function, position))

    def of_probes(self):
        """Yields the bound of every probe."""
        for function in sorted(self.image.functions.values(), key=lambda one: one.name):
            if found := re.search(r"\bprobe_\w+", function.name):
                yield (found.group(0), *self.bound(function, RESERVES))

    def bound(self, function, reserves):
        """Returns the most stack from here on, with so many writers that keep bytes free below each other, and the path."""
        key = (function.start, reserves)
        if key in self.known:
            return self.known[key]
        if key in self.open:
            raise ValueError("recursion: " + " > ".join(self.image.functions[start].name for start, _ in self.open))
        if function.error:
            raise function.error
        self.open.append(key)
        deepest, path = max([depth for depth in function.depth if depth is not None] + [0]), []
        for position, callee, below in self.callees(function, reserves):
            if function.depth[position] is None:
                continue
            further, further_path = self.bound(callee, below)
            if function.depth[position] + further > deepest or function.depth[position] + further == deepest and not path:
                deepest, path = function.depth[position] + further, further_path
        self.open.pop()
        self.known[key] = deepest, [(function.name, deepest)] + path
        return self.known[key]

    def callees(self, function, reserves):
        """Yields what a function may call: its position, the callee, and the number of writers left for it."""
        for position, address, _ in function.calls:
            callee = self.image.functions.get(address)
            if callee is None:
                raise ValueError(f"{function.name}: calls the middle of something at {address:#x}")
            yield position, callee, reserves
        for position, register, _ in function.indirect:
            callees = self.methods_called(function, position, register)
            if not callees:
                raise ValueError(f"{function.name}: nothing tells what it calls: {function.code[position]}")
            below = reserves - 1 if is_reserve(function) else reserves
            yield from ((position, callee, below) for callee in callees if below > 0 or not is_reserve(callee))

    def methods_called(self, function, position, register):
        """Returns every method that a call through a register may go to; none if some table has none."""
        try:
            tables = [self.image.methods_at(offset) for offset in self.offsets(function, position, register, set())]
            return [callee for table in tables for callee in table] if all(tables) else []
        except UnknownCallee:
            callers = [caller for caller, _ in self.callers[function.start]] if function.is_outlined() else [function]
            if not all(HANDED_NO_STORE.search(caller.name) for caller in callers):
                raise
            return [callee for callee in self.methods if not OF_A_STORE.search(callee.name)]

    def offsets(self, function, position, register, seen):
        """Returns the offsets in tables of methods that a register may have been loaded from, on every way to here."""
        found = set()
        # Backwards: the position before, the register, and where on the stack it was saved, if it was.
        waiting = [(before, register, None) for before in function.before[position]]
        if not waiting:
            raise UnknownCallee(f"{function.name}: {function.code[position]}")
        while waiting:
            at, register, saved = way = waiting.pop()
            if (function.start, way) in seen:
                continue
            seen.add((function.start, way))
            one, depth = function.code[at], function.depth[at]
            origin = origin_of_register(function, one, register) if saved is None else origin_of_saved(one, depth, saved)
            if isinstance(origin, int):
                found.add(origin)
                continue
            register, saved = origin or (register, saved)
            if saved is not None and origin and register is None:
                saved -= depth
            if not function.before[at]:
                if saved is not None or not function.is_outlined():
                    raise UnknownCallee(f"{function.name}: {register}")
                for caller, back in self.callers[function.start]:
                    found |= self.offsets(caller, back, register, seen)
            waiting += [(before, register, saved) for before in function.before[at]]
        return found


def origin_of_register(function, one, register):
    """Returns where an instruction takes a register from: an offset in a table, or (register, None), or (None, where on
    the stack); None if it leaves the register."""
    name = plain_name(one)
    if name in STORES or not one.operands.startswith(register + ","):
        second = re.fullmatch(rf"\w+, {register}, \[(\w+)(?:, #(\d+))?\]", one.operands) if name == "ldrd" else None
        return loaded(function, one, second.group(1), int(second.group(2) or 0) + 4) if second else None
    if name in ("mov", "mv"):
        return one.operands.split(", ")[1], None
    found = re.fullmatch(rf"{register}, (?:\w+, )?\[(\w+)(?:, #(\d+))?\]|{register}, (\d+)\((\w+)\)", one.operands)
    if not found or name not in ("ldr", "lw", "ldrd"):
        raise UnknownCallee(f"{function.name}: where does it get {register} from? {one}")
    return loaded(function, one, found.group(1) or found.group(4), int(found.group(2) or found.group(3) or 0))


def loaded(function, one, base, offset):
    """Returns where a word was loaded from: an offset in a table, or a place on the stack."""
    if base == "r7":
        raise UnknownCallee(f"{function.name}: {one}")
    return (None, offset) if base == "sp" else offset


def origin_of_saved(one, depth, saved):
    """Returns the register that an instruction saves on the stack, as (register, None); None if it saves another or none."""
    name = plain_name(one)
    stored = re.fullmatch(r"(\w+), \[sp(?:, #(\d+))?\]|(\w+), (\d+)\(sp\)", one.operands)
    if name in ("str", "sw") and stored and int(stored.group(2) or stored.group(4) or 0) - depth == saved:
        return stored.group(1) or stored.group(3), None
    pair = re.fullmatch(r"(\w+), (\w+), \[sp(?:, #(\d+))?\]", one.operands)
    if name == "strd" and pair:
        offset = int(pair.group(3) or 0) - depth
        if saved in (offset, offset + 4):
            return pair.group(1 if saved == offset else 2), None
    return None


def is_reserve(function):
    return re.search(r"graph(::|\.\.).*\bReserve\b", function.name) is not None
