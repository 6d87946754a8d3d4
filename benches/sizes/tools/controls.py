"""Positive controls: faults that are planted must be found, or what looks for them sees nothing."""

import re

from . import linked, public_functions, record, rows
from .disassembly import Image
from .stack import RESERVES, StackBound, UnknownCallee
from .toolchain import CORTEX_M0

# What must be said of the image `planted` (src/bin/planted.rs).
LINKED = {
    "a panic": r"core::panicking::panic_bounds_check",
    "formatting": r"core::fmt::",
    "allocation": r"alloc::raw_vec::",
    "floating point": r"__aeabi_dmul$|__muldf3$",
    "division of 64 bits": r"^planted::divides\S* calls ",
    "a function that calls itself": r"^recursion: planted::calls_itself",
    "two functions that call each other": r"^recursion: planted::p[io]ng\S* > planted::p[io]ng",
    "code that is not understood": r"^not understood: moves_its_stack",
}
# The probes of that image that have no bound, and what is said of each.
UNBOUNDED = {
    "probe_that_calls_itself": r"^recursion: probe_that_calls_itself > planted::calls_itself",
    "probe_that_calls_what_it_is_handed": r"^probe_that_calls_what_it_is_handed: ",
    "probe_that_moves_its_stack": r"^moves_its_stack: ",
}


def problems(device):
    """Yields a complaint for each fault of the image `planted` that is not found."""
    said = list(linked.faults(device, "planted"))
    for fault, pattern in LINKED.items():
        if not any(re.search(pattern, one) for one in said):
            yield f"{device.target} planted: {fault} is not found"
    image = Image(device.path("planted"))
    for name, pattern in UNBOUNDED.items():
        said = why_unbounded(image, name)
        if not re.search(pattern, said):
            yield f"{device.target} planted: {name} has a bound, or none for another reason: {said}"


def why_unbounded(image, name):
    """Returns why a probe has no bound, and nothing if it has one."""
    probe = next((function for function in image.functions.values() if function.name == name), None)
    if probe is None:
        return "no such probe"
    try:
        StackBound(image).bound(probe, RESERVES)
    except (ValueError, UnknownCallee) as error:
        return str(error)
    return ""


def of_comparisons(documented, sources, library):
    """Yields a complaint for each comparison that would let something pass, tried on values made for it."""
    row = next(row for row in rows.ROWS if row.budget)
    key = "a compiler", CORTEX_M0, row.name
    tried = {
        "a missed budget": record.over_budget({key: row.budget + 1}),
        "growth": record.grown({key: 104}, {key: 100}),
        "a row that is not recorded": record.grown({key: 1}, {}),
        "a row without a value": record.missing({key: 0}),
        "a source without its functions": public_functions.compare(documented, [one for one in sources if "light" not in one]),
        "a source that is never called": public_functions.compare(documented, [*sources, __file__]),
        "an old description": public_functions.stale(record.PATH, [*library, documented]),
    }
    for fault, found in tried.items():
        if not list(found):
            yield f"planted: {fault} is not found"
