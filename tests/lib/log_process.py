"""The program log_writer (tests/crash/log_writer.c) as a process that can be killed and checked."""
import os, pathlib, subprocess, tempfile

PROGRAM = pathlib.Path(os.environ["DOCKET_BIN"]) / "log_writer"
PRELOAD = pathlib.Path(os.environ["DOCKET_BIN"]) / "libfaultfs.so"
TEXT_BYTES = "80"


def folder():
    return tempfile.TemporaryDirectory(prefix="docket-crash-")


def start(log, seed, faults={}):
    """Appends to `log` for ever; `faults` are variables of libfaultfs.so."""
    env = dict(os.environ)
    if faults:
        # A sanitizer's library does not mind to come second.
        env.update(faults, LD_PRELOAD=str(PRELOAD), ASAN_OPTIONS="verify_asan_link_order=0")
    return subprocess.Popen([PROGRAM, "append", log, TEXT_BYTES, str(seed)], env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def acknowledged(output):
    """The last position that was printed whole."""
    lines = output.split("\n")[:-1]
    return int(lines[-1]) if lines else 0


def check(log):
    """(whether all is good, what log_writer printed)."""
    done = subprocess.run([PROGRAM, "check", log, TEXT_BYTES], capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def assert_holds(log, position):
    """The log verifies and reaches to `position` at least."""
    good, said = check(log)
    if not good and position == 0 and "there is no log" in said:
        return 0
    assert good, f"verify: {said}"
    assert int(said) >= position, f"acknowledged up to {position}, the log ends at {said}"
    return int(said)
