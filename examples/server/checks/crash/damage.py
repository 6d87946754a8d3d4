"""Damages the end of what was written last, as a torn write or a failing disk does."""

import pathlib
import shutil
import tempfile

# The tail in which damage may lie, in bytes.
TAIL = 64 * 1024
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


def end_of_what_was_written(content):
    """Where the newest record of a journal ends. A file may be longer: it is allocated ahead, or used again from its beginning,
    as SQLite's write-ahead logs are: there, old frames have another salt than the file's head."""
    if content[:3] != b"\x37\x7f\x06":
        return len(content.rstrip(b"\0"))
    frame = 24 + int.from_bytes(content[8:12], "big")
    end = 32
    while content[end + 8 : end + 16] == content[16:24] and end + frame <= len(content):
        end += frame
    return end


def damage(path, random):
    """Damages the last bytes of a file. Returns how, for the report."""
    content = bytearray(path.read_bytes())
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
    return f"{kind} {tail} bytes"
