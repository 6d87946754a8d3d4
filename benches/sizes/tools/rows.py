"""The rows of the record: what each is, its budget, and how it is measured.

flash         every byte that is loaded (code, constants, vectors), in an image that links the calls and nothing that uses
              them, minus the same image without the library; memcpy and the like count where the calls need them
memory        the size of a value
stack seen    how far below its caller a call wrote, at most in all that an emulator plays
stack bound   the same on any path that the code can take, read from the disassembly of all these images
instructions  of a call, calls within it included, at most in a scenario that an emulator plays
at worst      the same for every input of small size: src/every says which those are
"""

import collections

from .images import MACHINES

# The name in the record, the table that shows it, its label there, its budget on the Cortex-M0 or None, and how a device
# measures it.
Row = collections.namedtuple("Row", "name table label budget measure")

MACHINES_PLAYED = tuple(f"{image}-scenario" for image in MACHINES)
MACHINES_EVERY = tuple(f"{image}-every" for image in MACHINES)
STORED, DETAILS, DIRECTORY = ("stored-every",), ("details-whole-every",), ("directory-every",)

FLASH, MEMORY, STACK, CALLS, REQUESTS = ("flash", "memory", "stack", "calls", "requests")


def flash(name, label, image, budget=None):
    return Row(f"flash-{name}", FLASH, label, budget, lambda device: device.flash(image))


def memory(name, label, measure, budget=None):
    return Row(f"memory-{name}", MEMORY, label, budget, measure)


def stack_seen(name, label, images, budget=None):
    return Row(f"stack-{name}", STACK, label, budget, lambda device: device.stack_seen(*images))


def stack_bound(name, label, images, probe="", budget=None):
    return Row(f"bound-{name}", STACK, label, budget, lambda device: device.stack_bound(*images, probe=probe))


def calls_of(name, table, label, images, probe, calls, budget=None):
    return Row(name, table, label, budget, lambda device: device.instructions(*images, probe=probe, label=calls))


def scenario(name, label, probe, calls="idle", budget=None):
    return calls_of(f"instructions-{name}", CALLS, label, MACHINES_PLAYED, f"^{probe}$", calls, budget)


def worst(name, label, images, probe, calls="idle"):
    return calls_of(f"worst-{name}", CALLS, label, images, f"^{probe}$", calls)


def request(name, label, image, calls):
    return calls_of(name, REQUESTS, label, [image], "", calls)


def per_byte(name, label, images, calls):
    return Row(name, REQUESTS, label, None, lambda device: device.instructions_per_byte(*images, label=calls))


def session_of(device, user):
    """Returns the bytes by which a user grows with a session."""
    return device.size_of(f"{user}_5") - device.size_of(f"{user}_4")


def user_without_sessions(device):
    return device.size_of("USER_OF_4") - 4 * session_of(device, "USER_OF")


ROWS = (
    flash("machine-u8", "One user, `u8` ids", "machine-bytes", budget=4096),
    flash("machine-guid", "One user, GUID ids", "machine-guids", budget=4096),
    flash("requests", "The same behind `graph::serve`", "requests", budget=16384),
    flash("lines", "The same behind `graph::serve_line`", "lines", budget=16896),
    flash("requests-batch", "`serve` with feature `batch`", "requests-batch"),
    flash("lines-batch", "`serve_line` with feature `batch`", "lines-batch"),
    memory("fixed", "A user without its sessions", user_without_sessions, budget=64),
    memory("session-guid", "Each session, GUID ids", lambda device: session_of(device, "USER_OF_GUIDS"), budget=40),
    memory("session-u8", "Each session, `u8` ids", lambda device: session_of(device, "USER_OF"), budget=24),
    stack_seen("machine", "One user: most seen", MACHINES_PLAYED + MACHINES_EVERY, budget=512),
    stack_seen("requests", "`serve`: most seen", ["requests-scenario", "requests-every"], budget=1536),
    stack_seen("lines", "`serve_line`: most seen", ["lines-scenario", "lines-every"], budget=1536),
    stack_bound("machine", "One user: no path takes more", MACHINES, budget=512),
    stack_bound("requests", "`serve`: no path takes more", ["requests"], budget=1536),
    stack_bound("lines", "`serve_line`: no path takes more", ["lines"], budget=1536),
    scenario("set", "`set_presence` and `apply`", "probe_set", budget=1500),
    scenario("clear", "`clear_presence` and `apply`", "probe_clear", budget=1000),
    scenario("advance", "`next_due`, nothing due", "probe_advance", budget=200),
    scenario("presence", "`presence`", "probe_presence", budget=100),
    scenario("advance-due", "`next_due` and `apply`, something due", "probe_advance", calls="due"),
    scenario("explain", "`explain`", "probe_explain"),
    worst("set", "At worst: `set_presence` and `apply`", MACHINES_EVERY, "probe_set"),
    worst("clear", "At worst: `clear_presence` and `apply`", MACHINES_EVERY, "probe_clear"),
    worst("advance", "At worst: `next_due`, nothing due", MACHINES_EVERY, "probe_advance"),
    worst("presence", "At worst: `presence`", MACHINES_EVERY, "probe_presence"),
    worst("advance-due", "At worst: `next_due` and `apply`, something due", MACHINES_EVERY, "probe_advance", calls="due"),
    worst("explain", "At worst: `explain`", MACHINES_EVERY, "probe_explain"),
    request("worst-requests", "`serve`, plain spelling", "requests-every", "idle"),
    request("worst-lines", "`serve_line`, plain spelling", "lines-every", "idle"),
    request("worst-requests-longest", "`serve`, longest spelling", "requests-every", "longest"),
    request("worst-lines-longest", "`serve_line`, longest spelling", "lines-every", "longest"),
    per_byte("hostile-requests", "`serve`, each of 4,096 hostile bytes", ["requests-every"], "hostile"),
    per_byte("hostile-lines", "`serve_line`, each of 4,096 hostile bytes", ["lines-every"], "hostile"),
    flash("stored", "One user, `snapshot::save`, `restore` and `rebase`", "stored"),
    flash("details", "`Details`: every command, advanced, saved and restored", "details-whole"),
    flash("directory", "A `Directory`: every command, advanced and read", "directory"),
    flash("follow", "A lamp that follows Graph: follower and sign-in", "follow-client", budget=24576),
    flash("calls", "A client's calls: every target and body, batches", "calls-client-whole"),
    flash("light", "A light's serial line: `serve_line` and feature `lines`", "light-lines"),
    flash("requests-whole", "`serve` with features `batch` and `details`", "requests-whole"),
    flash("lines-whole", "`serve_line` with features `batch` and `details`", "lines-whole"),
    memory("details", "`Details` with texts of 280 bytes", lambda device: device.size_of("DETAILS_OF_280", *DETAILS)),
    stack_bound("save", "`snapshot::save`: no path takes more", ["stored"], "^probe_save$"),
    stack_bound("restore", "`snapshot::restore`: no path takes more", ["stored"], "^probe_restore$"),
    stack_bound("details", "`Details`, a command: no path takes more", ["details-whole"], "^probe_(?!save|restore)"),
    stack_bound("save-details", "`save_details`: no path takes more", ["details-whole"], "^probe_save$"),
    stack_bound("restore-details", "`restore_details`: no path takes more", ["details-whole"], "^probe_restore$"),
    stack_bound("directory", "A `Directory`: no path takes more", ["directory"]),
    stack_seen("follow", "Follower and sign-in: most seen", ["follow-client-scenario"], budget=2048),
    stack_bound("follow", "Follower and sign-in: no path takes more", ["follow-client"], budget=2048),
    stack_bound("calls", "A client's calls: no path takes more", ["calls-client-whole"]),
    stack_seen("light", "A light's serial line: most seen", ["light-lines-scenario"]),
    stack_seen("requests-whole", "`serve` with both features: most seen", ["requests-whole-every"]),
    stack_seen("lines-whole", "`serve_line` with both features: most seen", ["lines-whole-every"]),
    worst("save", "At worst: `snapshot::save`", STORED, "probe_save"),
    worst("restore", "At worst: `snapshot::restore`", STORED, "probe_restore"),
    worst("save-details", "At worst: `save_details`", DETAILS, "probe_save"),
    worst("restore-details", "At worst: `restore_details`", DETAILS, "probe_restore"),
    per_byte("hostile-restore", "Either `restore`, each of 4,096 bytes that are no snapshot", STORED + DETAILS, "hostile"),
    worst("update-details", "At worst: a command of `Details` and `apply`", DETAILS, "probe_update"),
    worst("advance-details", "At worst: `next_due_details` and `apply`, something due", DETAILS, "probe_advance", calls="due"),
    worst("execute", "At worst: `Directory::execute`, nothing due", DIRECTORY, "probe_execute"),
    worst("execute-due", "At worst: `Directory::execute`, everything overdue", DIRECTORY, "probe_execute", calls="due"),
    worst("advance-directory", "At worst: `Directory::advance`, one step", DIRECTORY, "probe_advance", calls=""),
    worst("presence-directory", "At worst: `Directory::presence`, nothing due", DIRECTORY, "probe_presence"),
    worst(
        "read-directory",
        "At worst: `Directory::presence` or `version`, everything overdue",
        DIRECTORY,
        "probe_(presence|version)",
        calls="",
    ),
    request("worst-requests-whole", "`serve`, about details", "requests-whole-every", "idle"),
    request("worst-lines-whole", "`serve_line`, about details", "lines-whole-every", "idle"),
    request("worst-requests-whole-longest", "`serve`, about details, longest spelling", "requests-whole-every", "longest"),
    request("worst-lines-whole-longest", "`serve_line`, about details, longest spelling", "lines-whole-every", "longest"),
    per_byte("worst-requests-batch", "`serve`, each of 4,096 bytes of a batch or bulk read", ["requests-whole-every"], "batch"),
    per_byte("worst-lines-batch", "`serve_line`, each of 4,096 bytes of a batch or bulk read", ["lines-whole-every"], "batch"),
    per_byte("hostile-requests-whole", "`serve` with both features, each of 4,096 hostile bytes", ["requests-whole-every"], "hostile"),
    per_byte("hostile-lines-whole", "`serve_line` with both features, each of 4,096 hostile bytes", ["lines-whole-every"], "hostile"),
)
