"""Running other programs."""

import subprocess
import sys


class Failure(Exception):
    """A reason to stop that is shown without a traceback."""


def output_of(*command, **options):
    """Returns what a command writes to standard output; its errors go to ours."""
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, **options)
    if result.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: ended with {result.returncode}")
    return result.stdout


def run(*command, **options):
    """Runs a command whose output is of no interest unless it fails."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **options}
    result = subprocess.run(command, **options)
    if result.returncode != 0:
        sys.stderr.write(result.stdout)
        raise Failure(f"{' '.join(map(str, command))}: ended with {result.returncode}")


def succeeds(*command, **options):
    """Reports whether a command ends with success; what it writes goes to standard error."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, **options).returncode == 0
    except FileNotFoundError:
        return False
