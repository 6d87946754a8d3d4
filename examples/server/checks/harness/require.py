"""What a check requires, outside tests of pytest: an `assert` does nothing under `python -O`."""


def require(condition, message="not as it should be"):
    """Fails the check unless something holds. The message may be anything that can be printed."""
    if not condition:
        raise AssertionError(message)
