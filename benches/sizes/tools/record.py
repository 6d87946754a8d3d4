"""The record of the last measuring that was accepted: `sizes.txt`, a line for each compiler, and for its every target and row."""

import os
import re

from .rows import ROWS
from .toolchain import CORTEX_M0, TARGETS

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../sizes.txt")
HEADER = "# compiler, and what it says that it is, or target, row, bytes or instructions; written by benches/sizes/measure --record\n"
# A compiler, and what it says that it is.
VERSION = re.compile(r"(\S+) (rustc .*)")
# Grown or shrunk by less than this is not worth a new record.
TOLERANCE = 0.02


def read():
    """Returns the record: values by compiler, target and name of a row."""
    record = {}
    with open(PATH) as lines:
        for line in lines:
            if not line.startswith("#") and not VERSION.match(line):
                compiler, target, row, value = line.split()
                record[compiler, target, row] = int(value)
    return record


def versions():
    """Returns what `rustc --version` said when the record was made, by compiler."""
    with open(PATH) as lines:
        return dict(VERSION.match(line).groups() for line in lines if VERSION.match(line))


def write(measured, compiler, version):
    """Writes what was measured with a compiler, and keeps the sizes that others have, of rows that there still are."""
    names = {row.name for row in ROWS}
    others = {key: value for key, value in read().items() if key[0] != compiler and key[1] in TARGETS and key[2] in names}
    # In a stable order, whichever compiler was measured last.
    lines = [f"{' '.join(one)}\n" for one in sorted({**versions(), compiler: version}.items())]
    lines += [f"{' '.join(key)} {value}\n" for key, value in sorted({**others, **measured}.items(), key=order)]
    # A file of its own first: what fails here leaves the record as it was.
    with open(f"{PATH}.new", "w") as file:
        file.writelines([HEADER, *lines])
    os.replace(f"{PATH}.new", PATH)


def order(item):
    (compiler, target, row), _ = item
    return compiler, list(TARGETS).index(target), [one.name for one in ROWS].index(row)


def missing(measured):
    """Yields a complaint for each row that has no value: it would pass every comparison."""
    for (_, target, name), value in measured.items():
        if value <= 0:
            yield f"{target}: nothing was measured for {name}"


def over_budget(measured):
    """Yields a complaint for each row that misses its budget on the Cortex-M0."""
    for row in ROWS:
        for (_, target, name), value in measured.items():
            if name == row.name and target == CORTEX_M0 and row.budget and value > row.budget:
                yield f"{name}: {value}, the budget is {row.budget}"


def grown(measured, recorded):
    """Yields a complaint for each row that has grown by more than the tolerance, or that is not recorded."""
    for key, value in measured.items():
        before = recorded.get(key)
        if before is None:
            yield f"not recorded with this compiler: {' '.join(key)} {value}"
        elif value > before * (1 + TOLERANCE):
            yield f"{key[1]}, {key[2]}: grown from {before} to {value}: record it, or mend it"


def shrunk(measured, recorded):
    """Yields a note for each row that has shrunk by more than the tolerance."""
    for key, value in measured.items():
        if key in recorded and value < recorded[key] * (1 - TOLERANCE):
            yield f"{key[1]}, {key[2]}: shrunk from {recorded[key]} to {value}: record it"
