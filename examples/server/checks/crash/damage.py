"""Damages the end of what was written last, as a torn write or a failing disk does.

A crash can only tear what has not been synchronized. This damages more: also parts of a write-ahead log that were in the
database file by then, half moved or all. Then the file is newer than what is left of its log, and may be refused."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

# The tail in which damage may lie, in bytes.
TAIL = 64 * 1024
# What a write-ahead log begins with.
LOG = b"\x37\x7f\x06"
KINDS = ("cut", "flip", "garbage", "zeros", "append")


def copy_of(data):
    """A copy of the data, as they lie there after a crash."""
    copy = pathlib.Path(tempfile.mkdtemp(prefix="presence-damaged-"))
    shutil.copytree(data, copy, dirs_exist_ok=True)
    return copy


def newest_journal(data):
    """The journal that was written to last: a write-ahead log if there is one."""
    files = [path for path in pathlib.Path(data).rglob("*") if path.is_file() and path.stat().st_size > 0]
    logs = [path for path in files if path.name.endswith("-wal") or "journal" in path.name.lower()]
    return max(logs or files, key=lambda path: path.stat().st_mtime_ns)


def frames(content):
    """The frames of a write-ahead log that count: where each begins, and where the last ends. A log is used again from its
    beginning, so old frames may follow, with another salt than the head has."""
    frame = 24 + int.from_bytes(content[8:12], "big")
    begins = []
    end = 32
    while content[end + 8 : end + 16] == content[16:24] and end + frame <= len(content):
        begins.append(end)
        end += frame
    return begins, end


def end_of_what_was_written(content):
    """Where the newest record of a journal ends. A file may be longer: it is allocated ahead."""
    return frames(content)[1] if content[:3] == LOG else len(content.rstrip(b"\0"))


# Moves what a log has into its file, and ends without taking the log away.
MOVE = "import os, sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA wal_checkpoint'); os._exit(0)"


def move(path, random):
    """Moves what is in a write-ahead log into its file, as a server does from time to time: all of it, or as far as it came,
    for pages are moved in order. The log stays as it is."""
    log = path.read_bytes()
    if log[:3] != LOG:
        return
    database = path.with_name(path.name.removesuffix("-wal"))
    before = database.read_bytes()
    subprocess.run([sys.executable, "-c", MOVE, database], check=True)
    after = database.read_bytes()
    assert path.read_bytes() == log, "it was not to be changed"
    if random.random() < 0.5:
        moved = random.randrange(len(after)) // 4096 * 4096
        database.write_bytes(after[:moved] + before[moved:])


def is_in_file_too(path, content, start):
    """Whether the database file has any page already that a write-ahead log loses with what follows this place: what the
    transaction wrote before it goes as well."""
    if content[:3] != LOG:
        return True
    size = int.from_bytes(content[8:12], "big")
    database = path.with_name(path.name.removesuffix("-wal")).read_bytes()
    lost = []
    for begin in reversed(frames(content)[0]):
        # The last frame of a transaction says how large the file is after it.
        if begin + 24 + size <= start and any(content[begin + 4 : begin + 8]):
            break
        lost.append(begin)
    for begin in lost:
        place = (int.from_bytes(content[begin : begin + 4], "big") - 1) * size
        if database[place : place + size] == content[begin + 24 : begin + 24 + size]:
            return True
    return False


def damage(path, random):
    """Damages the last bytes of a file. Returns how, for the report, and whether its database file had them already."""
    whole = path.read_bytes()
    content = bytearray(whole)
    written = end_of_what_was_written(content)
    tail = random.randint(1, min(TAIL, written))
    kind = random.choice(KINDS)
    match kind:
        case "cut":
            del content[written - tail :]
        case "flip":
            for _ in range(random.randint(1, 8)):
                content[random.randrange(written - tail, written)] ^= 1 << random.randrange(8)
        case "garbage":
            content[written - tail : written] = random.randbytes(tail)
        case "zeros":
            content[written - tail : written] = bytes(tail)
        case "append":
            content[written : written + tail] = random.randbytes(tail)
    path.write_bytes(content)
    start = next((at for at in range(written - tail, written) if content[at : at + 1] != whole[at : at + 1]), written)
    return f"{kind} {tail} bytes", is_in_file_too(path, whole, start)
