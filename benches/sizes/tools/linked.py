"""What must not be linked: panics, allocation, formatting, floating point, division of 64 bits, and recursion."""

import re

from .commands import output_of
from .disassembly import Image
from .images import FLASH_SETS, names

FORBIDDEN = re.compile(
    # Panics.
    r"core::panicking|unwrap_failed|expect_failed|slice_.*_fail"
    # Allocation.
    r"|(^| )alloc(::|\.\.)|__rust_|__rg_|__rdl_"
    # Floating point.
    r"|__aeabi_([fd][a-z0-9]+|c[fd]cmp[a-z]+|u?[il]2[fd])$"
    r"|__(add|sub|mul|div|neg)[sd]f[0-9]$|__(eq|ne|lt|le|gt|ge|unord|cmp)[sd]f2$"
    r"|__fix[a-z]*[sd]f[a-z]*$|__float[a-z]*[sd]f$|__(extend|trunc)[sd]f[a-z0-9]*$"
)
FORMATTING = re.compile(r"core::fmt::")
DIVISION = re.compile(r"__aeabi_u?ldivmod$|__(u?div|u?mod|u?divmod)di[34]$|__u?(div|mod)ti3$|u64_div_rem|u128_div_rem")
# The functions that may divide 64 bits: dates of a wall clock, the end of a day of one (where a request about a user's details
# is read), and the conversions to core's durations, which count nanoseconds, and from and to the ticks of other crates' clocks.
DIVIDES = re.compile(
    r"DateTime>?::from_unix_millis|graph::request::Request>?::parse_for|convert..From.*core..time..Duration|time::ticks::"
)

# Startup and the end of an image, in assembly: no code of the library, and nothing calls it back.
NO_CODE_OF_OURS = re.compile(r"^(Reset|_abs_start|_start_rust|_start_trap\w*|default_setup_\w+)$|^semihosting::sys::")

# The images with requests about details.
MAY_DIVIDE = ("requests-whole", "lines-whole", "calls-client-whole")


def problems(device):
    """Yields a complaint for all that is linked and must not be, and for an image that does not say what is linked."""
    for name in names(FLASH_SETS):
        if name == "base":
            continue
        lines = symbols(device, name)
        if not any("probe_" in line for line in lines):
            yield f"{device.target} {name}: no symbols"
        for line in lines:
            if FORBIDDEN.search(line) or FORMATTING.search(line) or DIVISION.search(line) and name not in MAY_DIVIDE:
                yield f"{device.target} {name}: {line}"
    for problem in problems_of_everything(device):
        yield f"{device.target} everything: {problem}"


def problems_of_everything(device):
    """Yields the complaints about the image that links every public function."""
    if sum("presence_core" in line for line in symbols(device, "everything")) <= 400:
        yield "no symbols"
    yield from faults(device, "everything")


def faults(device, name):
    """Yields what is wrong with an image in which everything may be linked but what must not be."""
    for line in symbols(device, name):
        if FORBIDDEN.search(line) or FORMATTING.search(line):
            yield line
    image = Image(device.path(name))
    # Calls of code that is not understood may be overlooked.
    for function in image.functions.values():
        if function.error and not NO_CODE_OF_OURS.search(function.name):
            yield f"not understood: {function.error}"
    for cycle in cycles(image):
        yield "recursion: " + " > ".join(function.name for function in cycle)
    for caller, callee in callers(image, DIVISION):
        if not DIVIDES.search(caller.name):
            yield f"{caller.name} calls {callee.name}"


def symbols(device, image):
    return output_of("llvm-nm", "-C", device.path(image)).splitlines()


def callers(image, pattern):
    """Yields the functions that call others whose name matches, which is counted as one function, and what they call."""
    callers = {}
    for function in image.functions.values():
        for _, address, _ in function.calls:
            callers.setdefault(address, set()).add(function)
    for callee in image.functions.values():
        if not pattern.search(callee.name):
            continue
        waiting, seen = list(callers.get(callee.start, ())), set()
        while waiting:
            caller = waiting.pop()
            if caller in seen:
                continue
            seen.add(caller)
            # Code that the compiler has taken out of functions belongs to them.
            if caller.is_outlined():
                waiting += callers.get(caller.start, ())
            elif not pattern.search(caller.name):
                yield caller, callee


def callees(image, function):
    """Yields the functions that a function's instructions lead to, but for its own loops: every branch counts, so that no
    call is overlooked. A call through a table of methods is not followed: `stack` does that in the images that it bounds."""
    for one in function.code:
        callee = image.functions.get(one.target())
        if callee and (callee is not function or one.name in ("bl", "jal")):
            yield callee
    for _, address, _ in function.calls:
        if address in image.functions:
            yield image.functions[address]


def cycles(image):
    """Yields chains of calls that come back to where they began: at least one, if there are any."""
    done = set()
    for root in image.functions.values():
        if root in done:
            continue
        # Depth first, with a stack of our own.
        path, waiting = [root], [callees(image, root)]
        done.add(root)
        while waiting:
            callee = next(waiting[-1], None)
            if callee is None:
                path.pop()
                waiting.pop()
            elif callee in path:
                yield path[path.index(callee):] + [callee]
            elif callee not in done:
                done.add(callee)
                path.append(callee)
                waiting.append(callees(image, callee))
