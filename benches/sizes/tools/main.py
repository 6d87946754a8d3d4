"""Measures what the library costs a small device: flash, memory, stack and instructions on four bare-metal targets,
optimised for size.

Prints the tables, compares them with the record (sizes.txt) and with the budgets, and looks for what must not be linked, in
every image and in one that links every public function.

Fails when a row has grown by more than 2 %, when a budget is missed, when something is linked that must not be, when a
function calls itself, when a public function is in no image, when the stack has no bound or was seen to exceed it, when a
document shows something else than the record, or when one of these faults, planted, is not found.
"""

import argparse
import concurrent.futures
import glob
import os

from . import controls, images, linked, pages, public_functions, record, rows, toolchain
from .commands import Failure
from .stack import bounds

MANIFEST = "../../Cargo.toml"
# Everything but `serde`, `defmt` and `arbitrary`, which link what formats, or what is for fuzzers.
FEATURES = "alloc,batch,client,details,indicator,lines,embassy-time,fugit"


def main():
    parser = argparse.ArgumentParser(prog="measure", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--record", action="store_true", help="write the record anew, and the tables of the documents")
    mode.add_argument("--flash", action="store_true", help="print only flash on the Cortex-M0: about a minute, no emulator")
    stack_help = "print the deepest path through each probe of an image, as target/images has them"
    mode.add_argument("--stack", metavar="IMAGE", type=os.path.abspath, help=stack_help)
    compiler_help = "rustup's toolchain or Debian's; by default rustup's if it can be had"
    parser.add_argument("--compiler", choices=toolchain.COMPILERS, help=compiler_help)
    options = parser.parse_args()
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    try:
        problems = list(stack(options) if options.stack else flash(options) if options.flash else everything(options))
    except Failure as failure:
        problems = [failure]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def flash(options):
    """Prints the flash that everything takes on the Cortex-M0, and returns which budgets it misses."""
    toolchain.install_packages(toolchain.LLVM)
    device = images.Device(toolchain.install_rust(options.compiler), toolchain.CORTEX_M0)
    device.build(images.FLASH_SETS)
    recorded = record.read()
    measured = {}
    print(f"{'flash, bytes':<60} {'now':>7} {'record':>7} {'change':>7} {'budget':>7}")
    for row in rows.ROWS:
        if row.table == rows.FLASH:
            key = device.compiler.name, device.target, row.name
            now = row.measure(device)
            before = recorded.get(key, now)
            print(f"{row.label:<60} {now:>7,} {before:>7,} {now - before:>+7,} {row.budget or '':>7}")
            measured[key] = now
    return [*record.missing(measured), *record.over_budget(measured)]


def stack(options):
    """Prints the bound of each probe of an image, and how much each function on the deepest path adds."""
    for probe, bound, path in bounds(options.stack):
        print(f"{probe}: {bound} bytes")
        for (name, here), (_, below) in zip(path, path[1:] + [("", 0)]):
            print(f"{here - below:>8} {name}")
    return []


def everything(options):
    """Measures every row on every target, and returns what is wrong."""
    toolchain.install_packages(toolchain.ALL_PACKAGES)
    compiler = toolchain.install_rust(options.compiler)
    os.makedirs("target", exist_ok=True)
    images.build_plugin()
    measured, problems = {}, []
    # As many targets at a time as there are processors.
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        for target, values, found in pool.map(measure, [compiler] * len(toolchain.TARGETS), toolchain.TARGETS):
            measured.update({(compiler.name, target, name): value for name, value in values.items()})
            problems += found
    print(pages.tables(measured, compiler.name))
    missing = list(record.missing(measured))
    if options.record and not missing:
        record.write(measured, compiler.name, compiler.version())
    recorded = record.read()
    documented = compiler.document(MANIFEST, FEATURES)
    problems += missing
    sources = sorted(glob.glob("src/everything/*.rs"))
    library = glob.glob("../../src/**/*.rs", recursive=True)
    problems += public_functions.problems(documented, sources, library)
    problems += controls.of_comparisons(documented, sources, library)
    problems += record.over_budget(measured)
    problems += record.grown(measured, recorded)
    for note in record.shrunk(measured, recorded):
        print(note)
    documents = pages.from_record(recorded, record.versions())
    if options.record:
        pages.write(documents)
    problems += pages.outdated(documents)
    return problems


def measure(compiler, target):
    """Measures a target: its name, the value of each row, and what is wrong."""
    device = images.Device(compiler, target)
    device.build(images.FLASH_SETS + images.PLAYED_SETS + (images.EVERYTHING_SET, images.PLANTED_SET))
    for image in images.names(images.PLAYED_SETS):
        device.play(image)
    values = {row.name: row.measure(device) for row in rows.ROWS}
    return target, values, [*device.exceeded_bounds(), *linked.problems(device), *controls.problems(device)]
