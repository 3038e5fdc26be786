"""Waiting for what other processes bring about."""
import time


def wait_until(what, holds, timeout_s=60):
    """Asks holds() until it is true, and gives what it said. `what` is told when it takes too long: a text, or what makes one."""
    end = time.monotonic() + timeout_s
    while not (held := holds()):
        assert time.monotonic() < end, f"not within {timeout_s} s: {what() if callable(what) else what}"
        time.sleep(0.05)
    return held
