"""A backup as SQLite's own tool sees it."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.require import require


def query(path, sql):
    """Asks SQLite's tool about a copy of a database, because it leaves files beside it. Returns its lines."""
    with tempfile.TemporaryDirectory(prefix="presence-") as directory:
        copy = shutil.copy(path, directory)
        result = subprocess.run(["sqlite3", "-batch", "-bail", copy, sql], capture_output=True, text=True, check=True)
    return result.stdout.splitlines()


def check(backup, texts):
    """Checks the databases of a backup: their structure, that no row is missing, and that each text is in a row of one of them."""
    missing = set(texts)
    journals = sorted(Path(backup).glob("*.sqlite"))
    require(journals, f"{backup} has no journals")
    for path in journals:
        require(query(path, "PRAGMA integrity_check") == ["ok"], path)
        gaps = query(path, "SELECT count(*) - (max(row) - min(row) + 1) FROM log HAVING count(*) > 0")
        require(gaps in ([], ["0"]), f"{path}: rows are missing: {gaps}")
        # As text, the bytes of a row end at the first zero.
        rows = "\n".join(query(path, "SELECT hex(bytes) FROM log"))
        missing = {text for text in missing if text.encode().hex().upper() not in rows}
    require(not missing, f"{backup} lacks {sorted(missing)}")
