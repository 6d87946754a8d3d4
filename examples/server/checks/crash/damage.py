"""Damages the end of what was written last, as a torn write or a failing disk does.

A crash can only tear what has not been synchronized. This damages more: also parts of a write-ahead log that were in the
database file by then, half moved or all. Then the file is newer than what is left of its log, and may be refused."""

import pathlib
import shutil
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


def is_in_file_too(path, content, start):
    """Whether any page that a write-ahead log has from this place on is in the database file already."""
    if content[:3] != LOG:
        return True
    size = int.from_bytes(content[8:12], "big")
    database = path.with_name(path.name.removesuffix("-wal")).read_bytes()
    for begin in frames(content)[0]:
        place = (int.from_bytes(content[begin : begin + 4], "big") - 1) * size
        page = content[begin + 24 : begin + 24 + size]
        if begin + 24 + size > start and database[place : place + size] == page:
            return True
    return False


def damage(path, random):
    """Damages the last bytes of a file. Returns how, for the report, and whether its database file had them already."""
    content = bytearray(path.read_bytes())
    written = end_of_what_was_written(content)
    tail = random.randint(1, min(TAIL, written))
    is_moved = is_in_file_too(path, content, written - tail)
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
    return f"{kind} {tail} bytes", is_moved
