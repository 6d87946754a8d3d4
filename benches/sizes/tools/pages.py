"""The generated parts of the documents: tables between marks that say what writes them."""

import collections
import os

from .rows import CALLS, FLASH, MEMORY, REQUESTS, ROWS, STACK
from .toolchain import COMPILERS, CORTEX_M0, RUST, TARGETS

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
SIZES, PERFORMANCE, SECURITY = (os.path.join(ROOT, path) for path in ("docs/sizes.md", "docs/performance.md", "SECURITY.md"))

# By table: the head of its first column.
HEADS = {
    FLASH: "Flash, bytes",
    MEMORY: "Memory, bytes",
    STACK: "Stack, bytes",
    CALLS: "Instructions of a call",
    REQUESTS: "Instructions of a request, at worst",
}

# What SECURITY.md says that a peer can cost: text, row, and the number of bytes of a row that is for each byte.
Cost = collections.namedtuple("Cost", "text row bytes")
COSTS = (
    Cost("A request, in the longest spelling that is accepted", "worst-requests-longest", 1),
    Cost("The same, one a line", "worst-lines-longest", 1),
    Cost("4,096 bytes that are no request", "hostile-requests", 4096),
    Cost("The same, one a line", "hostile-lines", 4096),
    Cost("4,096 bytes of a batch or a bulk read", "worst-requests-batch", 4096),
    Cost("The same, one a line", "worst-lines-batch", 4096),
    Cost("A request about details, in the longest spelling that is accepted", "worst-requests-whole-longest", 1),
    Cost("The same, one a line", "worst-lines-whole-longest", 1),
    Cost("4,096 bytes that are no snapshot", "hostile-restore", 4096),
    Cost("Setting a session, in `set_presence` and `apply`", "worst-set", 1),
    Cost("One transition that falls due, in `next_due` and `apply`", "worst-advance-due", 1),
    Cost("A command in a directory of eight users, everything overdue", "worst-execute-due", 1),
)


def fill(text, mark, generated):
    """Returns a document with new text between `<!-- mark: … -->` and `<!-- end of mark -->`."""
    begin, end = text.find(f"<!-- {mark}: "), text.find(f"<!-- end of {mark} -->")
    if begin < 0 or end < begin or not generated.strip():
        raise ValueError(f"no marks, or no text, for {mark}")
    begin = text.index("\n", begin) + 1
    return f"{text[:begin]}\n{generated.strip()}\n\n{text[end:]}"


def cell(row, value):
    """Returns a value; bold where it is more than the budget of the Cortex-M0, a dash where there is none yet."""
    if value is None:
        return "–"
    return f"**{value:,}**" if row.budget and value > row.budget else f"{value:,}"


def table(record, compiler, name):
    """Returns one of the tables; with a column for budgets, if it has any."""
    rows = [row for row in ROWS if row.table == name]
    has_budgets = any(row.budget for row in rows)
    head = [HEADS[name]] + ["budget"] * has_budgets + list(TARGETS.values())
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for row in rows:
        budget = [f"{row.budget:,}" if row.budget else ""] * has_budgets
        lines.append([row.label, *budget, *(cell(row, record.get((compiler, target, row.name))) for target in TARGETS)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def tables(record, compiler):
    """Returns all tables of a compiler."""
    return "\n".join(table(record, compiler, name) for name in HEADS)


def costs(record):
    """Returns what a peer can cost a Cortex-M0."""
    lines = ["| | instructions |\n| --- | ---: |\n"]
    for cost in COSTS:
        instructions = cost.bytes * record[RUST, CORTEX_M0, cost.row]
        lines.append(f"| {cost.text} | {instructions:,} |\n")
    return "".join(lines)


def from_record(record, versions):
    """Returns the documents that show the record, by path."""
    text = read(SIZES)
    for compiler in COMPILERS:
        measured_with = f"Measured with {versions[compiler]}.\n\n"
        text = fill(text, f"small devices, {compiler}", measured_with + tables(record, compiler))
    return {SIZES: text, SECURITY: fill(read(SECURITY), "cost", costs(record))}


def read(path):
    with open(path, encoding="utf-8") as text:
        return text.read()


def write(pages):
    for path, text in pages.items():
        with open(path, "w", encoding="utf-8") as page:
            page.write(text)


def outdated(pages):
    """Yields a complaint for each document that shows something else."""
    for path, text in pages.items():
        if read(path) != text:
            yield f"{os.path.relpath(path, ROOT)} says something else than the record: run .ci/tables"
