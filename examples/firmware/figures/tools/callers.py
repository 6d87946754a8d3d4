#!/usr/bin/env python3
"""Names the functions of an image that call others whose name matches.

usage: callers.py IMAGE PATTERN
"""

import re
import sys

from disassembly import Image

image = Image(sys.argv[1])
wanted = re.compile(sys.argv[2])
for function in image.functions.values():
    called = {image.functions[address].name for _, address, _ in function.calls if address in image.functions}
    for name in sorted(called):
        if wanted.search(name) and not wanted.search(function.name):
            print(f"{function.name} calls {name}")
