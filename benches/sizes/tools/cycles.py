#!/usr/bin/env python3
"""Tells which functions of an image call themselves, directly or through others. What is called through a table of methods is
not followed: stack.py does that, in the images whose stack it bounds.

usage: cycles.py IMAGE
"""

import sys

from disassembly import Image

sys.setrecursionlimit(100_000)


def callees(image, function):
    """Where its instructions lead, but for its own loops: every branch counts, so no call is overlooked."""
    for one in function.code:
        callee = image.functions.get(one.target())
        if callee and (callee is not function or one.name in ("bl", "jal")):
            yield callee
    for _, address, _ in function.calls:
        if address in image.functions:
            yield image.functions[address]


def cycles(image):
    """Chains of calls that come back to where they began: one at least, if there are any."""
    done, path = set(), []

    def visit(function):
        if function in path:
            yield path[path.index(function):] + [function]
        if function in done:
            return
        done.add(function)
        path.append(function)
        for callee in callees(image, function):
            yield from visit(callee)
        path.pop()

    for function in image.functions.values():
        yield from visit(function)


def main():
    for cycle in cycles(Image(sys.argv[1])):
        print("recursion: " + " > ".join(function.name for function in cycle))


if __name__ == "__main__":
    main()
