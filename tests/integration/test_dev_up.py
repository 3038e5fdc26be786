"""`./dev up` in a terminal of its own: Ctrl-C ends all programs cleanly, whenever it comes, and leaves nothing running;
the next `./dev up` goes on with what was there."""
import fcntl, os, pathlib, pty, re, select, shutil, signal, subprocess, sys, tempfile, termios, time
from site_of import BIN, skip

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROLES = ("routing", "sla", "notification", "analytics")
for program in ("setsid", "setpriv"):
    if not shutil.which(program):
        skip(f"{program} is not installed")


class Terminal:
    """`./dev up` as a shell starts it: leader of the foreground job of a terminal."""

    def __init__(self, data, *arguments):
        master, slave = pty.openpty()

        def own_terminal():
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # who starts this in the background ignores it
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        env = dict(os.environ, DOCKET_DATA=str(data), DOCKET_BIN=str(BIN))
        self.process = subprocess.Popen([ROOT / "dev", "up", *arguments], stdin=slave, stdout=slave, stderr=slave,
                                        preexec_fn=own_terminal, env=env, cwd="/")
        os.close(slave)
        self.master, self.text = master, ""

    def read(self, wait_s):
        """What it wrote meanwhile; False once nobody holds the terminal."""
        if select.select([self.master], [], [], wait_s)[0]:
            try:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            except OSError:  # EIO
                return False
        return True

    def wait_for(self, words, timeout_s=60):
        end = time.monotonic() + timeout_s
        while words not in self.text:
            assert self.read(0.1) and time.monotonic() < end, f"no \"{words}\" in: {self.text}"

    def interrupt(self, times=1):
        for _ in range(times):
            os.write(self.master, b"\x03")
            time.sleep(0.05)

    def end(self, timeout_s=60):
        end = time.monotonic() + timeout_s
        while self.process.poll() is None:
            assert time.monotonic() < end, f"it does not end: {self.text}"
            self.read(0.1)
        while self.read(0.2) and select.select([self.master], [], [], 0)[0]:
            pass
        os.close(self.master)
        return self.process.returncode


def running(data):
    """Processes that have the data folder in their command line."""
    found = []
    for cmdline in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(data).encode() in cmdline.read_bytes() and int(cmdline.parent.name) != os.getpid():
                found.append(cmdline.read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def docket(data, *arguments):
    done = subprocess.run([BIN / "docket", "--config", data, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


def test_interrupted(data, arguments, times, act):
    terminal = Terminal(data, *arguments)
    terminal.wait_for("Ctrl-C ends it")
    terminal.wait_for("docket kpi")
    told = act()
    terminal.interrupt(times)
    code = terminal.end()
    assert code in (0, 130), f"{code}: {terminal.text}"
    assert not running(data), running(data)
    for name in ("broker", *ROLES):
        assert re.search(rf"\[{name}\] .*event=ended reason=asked", terminal.text), f"{name}: {terminal.text}"
    assert "level=error" not in terminal.text and "killing" not in terminal.text, terminal.text
    assert "all is as it was written" in docket(data, "replay", "verify")
    return told


def test_interrupted_early(parent, words):
    """While it starts: nothing is left running, and the next start completes it."""
    data = parent / "early"
    terminal = Terminal(data)
    terminal.wait_for(words)
    terminal.interrupt()
    code = terminal.end()
    assert code in (0, 130), f"{code}: {terminal.text}"
    assert not running(data), running(data)


def test_second(data):
    """Of two in one folder the second is told so, says nothing of the first's state, and leaves it alone."""
    env = dict(os.environ, DOCKET_DATA=str(data), DOCKET_BIN=str(BIN))
    done = subprocess.run([ROOT / "dev", "up"], capture_output=True, text=True, timeout=60, env=env, stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and f"a site runs in {data} already" in done.stderr and done.stdout == "", done
    return open_one(data)


def open_one(data):
    ticket = docket(data, "open", "Does it go on?", "--customer", "anna@example.com", "--product", "laptop").strip()
    for _ in range(50):
        if "group" in docket(data, "show", ticket):
            return ticket
        time.sleep(0.1)
    raise AssertionError(docket(data, "show", ticket))


def test_misuse():
    """What is not understood is said, before anything is installed or built."""
    for words, says in ((["nonsense"], "no command nonsense"), (["up", "--demmo"], "up takes --demo"),
                        (["build", "fast"], "release dev asan tsan fuzz"), (["bench"], "append calendar"),
                        (["bench", "lib"], "append calendar"), (["soak"], "kills, sim or fuzz"),
                        (["soak", "sim", "x"], "soak takes seconds, not x")):
        done = subprocess.run([ROOT / "dev", *words], capture_output=True, text=True)
        assert done.returncode == 64 and says in done.stderr and done.stdout == "", (words, done)
    help = subprocess.run([ROOT / "dev", "help"], capture_output=True, text=True)
    assert help.returncode == 0 and help.stdout.startswith("usage: ./dev"), help


signal.alarm(300)
test_misuse()
with tempfile.TemporaryDirectory(prefix="dk", dir="/tmp") as folder:
    parent = pathlib.Path(folder)
    data = parent / "s"
    first = test_interrupted(data, [], 1, lambda: test_second(data))
    second = test_interrupted(data, ["--demo"], 3, lambda: (docket(data, "show", first), time.sleep(1), open_one(data)))
    print(f"ended by Ctrl-C, went on: {first}, {second[2]}")
    for words in ("is ready in", "applying the sample", "event=live"):
        test_interrupted_early(parent, words)
    test_interrupted(parent / "early", [], 1, lambda: open_one(parent / "early"))
    print("ended by Ctrl-C while it starts, went on")
