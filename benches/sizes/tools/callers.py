#!/usr/bin/env python3
"""Names the functions of an image that call others whose name matches.

usage: callers.py IMAGE PATTERN
"""

import re
import sys

from disassembly import Image



def main():
    image = Image(sys.argv[1])
    wanted = re.compile(sys.argv[2])
    callers = {}
    for function in image.functions.values():
        for _, address, _ in function.calls:
            callers.setdefault(address, set()).add(function)
    for function in image.functions.values():
        if not wanted.search(function.name):
            continue
        waiting, seen = list(callers.get(function.start, ())), set()
        while waiting:
            caller = waiting.pop()
            # What the compiler has taken out of functions belongs to them.
            if caller.is_outlined() and caller not in seen:
                waiting += callers.get(caller.start, ())
            elif not caller.is_outlined() and not wanted.search(caller.name):
                print(f"{caller.name} calls {function.name}")
            seen.add(caller)


if __name__ == "__main__":
    main()
