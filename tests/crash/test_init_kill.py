"""docket-broker --init killed after any of its writes, syncs and renames, and at random moments: what is left either
is a whole site, or is made one by a second --init. A folder with docket.yaml is a whole site."""
import os, pathlib, random, signal, subprocess, tempfile, time
from site_of import BIN, Program

RANDOM_KILLS = 10


def init(folder, site="1", faults={}):
    env = dict(os.environ)
    if faults:
        env.update(faults, LD_PRELOAD=str(BIN / "libfaultfs.so"), ASAN_OPTIONS="verify_asan_link_order=0")
    return subprocess.Popen([BIN / "docket-broker", "--init", folder, "--site", site], env=env, text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def ended(process):
    said = process.communicate(timeout=30)[1]
    return process.returncode, said


def complete(folder):
    """Inits again where docket.yaml is missing; returns whether that was so."""
    code, said = ended(init(folder))
    if code != 0:
        assert "already" in said and "DK_EEXISTS" in said, said
        assert (folder / "docket.yaml").exists()
    names = sorted(p.name for p in folder.iterdir())
    assert [n for n in names if n != "creating"] == ["docket.yaml", "keys", "log"], names
    modes = [(folder / n).stat().st_mode & 0o7777 for n in ("", "docket.yaml", "keys", "keys/broker.key", "log",
                                                            "log/data.mdb")]
    assert modes == [0o750, 0o644, 0o700, 0o600, 0o2750, 0o640], [oct(m) for m in modes]
    return code == 0


def serves(folder):
    """The broker starts on it and answers."""
    broker = Program([BIN / "docket-broker", "--config", folder], folder / "broker.log").start()
    done = subprocess.run([BIN / "docket", "--config", folder, "status"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert broker.end() == 0, broker.said()


def test_killed_after_each_call():
    number, again = 0, 0
    while True:
        number += 1
        with tempfile.TemporaryDirectory(prefix="dk", dir="/tmp") as parent:
            folder = pathlib.Path(parent) / "s"
            code, said = ended(init(folder, faults={"DK_FAULT": f"any:{number}:KILL"}))
            if code == 0:
                break
            assert code == -signal.SIGKILL, said
            again += complete(folder)
            if number % 8 == 0:
                serves(folder)
    assert number > 30 and again >= number - 3, f"{again} of {number - 1} kills left something to complete"
    print(f"killed after each of {number - 1} calls: {again} times a second --init completed it")


def test_killed_at_random(chance):
    with tempfile.TemporaryDirectory(prefix="dk", dir="/tmp") as parent:
        began = time.monotonic()
        assert ended(init(pathlib.Path(parent) / "whole"))[0] == 0
        takes_s, again = time.monotonic() - began, 0
        for number in range(RANDOM_KILLS):
            folder = pathlib.Path(parent) / str(number)
            process = init(folder)
            time.sleep(chance.random() * takes_s)
            process.kill()
            process.communicate()
            again += complete(folder)
        serves(folder)
    print(f"{RANDOM_KILLS} kills at random: {again} completed")


def test_failures_are_said():
    """A full disk: said, and completed later. Another number over what is there: refused."""
    with tempfile.TemporaryDirectory(prefix="dk", dir="/tmp") as parent:
        folder = pathlib.Path(parent) / "s"
        for call in ("write", "pwrite", "fsync", "rename"):
            code, said = ended(init(folder, faults={"DK_FAULT": f"{call}:2:ENOSPC"}))
            assert code == 1 and "No space left" in said, said
        assert complete(folder)
        (folder / "docket.yaml").unlink()
        code, said = ended(init(folder, site="2"))
        assert code == 1 and "is of site 1: give --site 1" in said, said
        assert complete(folder)
        serves(folder)


seed = int(os.environ.get("DOCKET_SEED", random.randrange(1 << 31)))
print(f"DOCKET_SEED={seed}", flush=True)
test_killed_after_each_call()
test_killed_at_random(random.Random(seed))
test_failures_are_said()
