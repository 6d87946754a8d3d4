"""Damages the end of the latest writes, as a torn write or a failing disk does.

A crash can only tear unsynchronised writes. This damages more: also parts of a write-ahead log that are already in the database
file, wholly or in part. Then the file is newer than the rest of its log, and the server may reject it."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
from harness.require import require

# The size of the tail that may be damaged, in bytes.
TAIL = 64 * 1024
# The first bytes of a write-ahead log.
LOG = b"\x37\x7f\x06"
KINDS = ("cut", "flip", "garbage", "zeros", "append")


def copy_of(data):
    """Copies the data of a crashed server."""
    copy = pathlib.Path(tempfile.mkdtemp(prefix="presence-damaged-"))
    shutil.copytree(data, copy, dirs_exist_ok=True)
    return copy


def newest_journal(data):
    """Returns the file that was written last: a write-ahead log, if there is one."""
    files = [path for path in pathlib.Path(data).rglob("*") if path.is_file() and path.stat().st_size > 0]
    logs = [path for path in files if path.name.endswith("-wal") or "journal" in path.name.lower()]
    return max(logs or files, key=lambda path: path.stat().st_mtime_ns)


def frames(content):
    """Returns the offsets of a write-ahead log's valid frames, and the end of the last. A log is reused from its beginning, so
    stale frames may follow, whose salt differs from the head's."""
    frame = 24 + int.from_bytes(content[8:12], "big")
    begins = []
    end = 32
    while content[end + 8 : end + 16] == content[16:24] and end + frame <= len(content):
        begins.append(end)
        end += frame
    return begins, end


def end_of_what_was_written(content):
    """Returns the end of a journal's newest record. The file may be longer, because it is allocated ahead."""
    return frames(content)[1] if content[:3] == LOG else len(content.rstrip(b"\0"))


# Moves the contents of a log into its file, and ends without removing the log.
MOVE = "import os, sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA wal_checkpoint'); os._exit(0)"


def move(path, random):
    """Moves the contents of a write-ahead log into its file, as a server does from time to time: wholly, or a first part, since
    pages are moved in order. The log stays unchanged."""
    log = path.read_bytes()
    if log[:3] != LOG:
        return
    database = path.with_name(path.name.removesuffix("-wal"))
    before = database.read_bytes()
    subprocess.run([sys.executable, "-c", MOVE, database], check=True)
    after = database.read_bytes()
    require(path.read_bytes() == log, "the log has changed")
    if random.random() < 0.5:
        moved = random.randrange(len(after)) // 4096 * 4096
        database.write_bytes(after[:moved] + before[moved:])


def is_in_file_too(path, content, start):
    """Reports whether the database file already contains a page that a log loses when it is damaged from this offset on. The
    log also loses the earlier frames of the damaged transaction."""
    if content[:3] != LOG:
        return True
    size = int.from_bytes(content[8:12], "big")
    database = path.with_name(path.name.removesuffix("-wal")).read_bytes()
    lost = []
    for begin in reversed(frames(content)[0]):
        # The last frame of a transaction contains the size of the file after it.
        if begin + 24 + size <= start and any(content[begin + 4 : begin + 8]):
            break
        lost.append(begin)
    for begin in lost:
        offset = (int.from_bytes(content[begin : begin + 4], "big") - 1) * size
        if database[offset : offset + size] == content[begin + 24 : begin + 24 + size]:
            return True
    return False


def damage(path, random):
    """Damages the last bytes of a file. Returns a description, and whether its database file already contains a lost page."""
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
