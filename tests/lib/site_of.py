"""A docket site in a temporary folder: real programs, started and ended by process id."""
import os, pathlib, shutil, signal, socket, subprocess, sys, tempfile, time

BIN = pathlib.Path(os.environ["DOCKET_BIN"])


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


class Program:
    """One daemon; ready when it says so by sd_notify."""

    def __init__(self, arguments, log, env=None):
        self.arguments, self.log, self.env, self.process = arguments, log, env, None

    def start(self, timeout_s=90):
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            notify.bind(f"{folder}/n")
            notify.settimeout(0.2)
            env = dict(os.environ, NOTIFY_SOCKET=f"{folder}/n", **(self.env or {}))
            self.process = subprocess.Popen(self.arguments, stderr=open(self.log, "ab"),
                                            stdin=subprocess.DEVNULL, env=env)
            end = time.monotonic() + timeout_s
            while time.monotonic() < end:
                try:
                    if b"READY=1" in notify.recv(4096):
                        return self
                except socket.timeout:
                    pass
                if self.process.poll() is not None:
                    break
            raise RuntimeError(f"{self.arguments} is not ready; it said:\n{self.said()}")

    def said(self):
        return pathlib.Path(self.log).read_text(errors="replace")[-4000:]

    def end(self, how=signal.SIGTERM, timeout_s=60):
        """Ends it by its process id; returns its exit code."""
        if self.process is None or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.send_signal(how)
        return self.process.wait(timeout_s)

    def kill(self):
        return self.end(signal.SIGKILL)


class Site:
    def __init__(self, *roles, number=1):
        # Socket paths are short: the system allows 107 bytes.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="dk", dir="/tmp"))
        self.data = self.path / "s"
        subprocess.run([BIN / "docket-broker", "--init", self.data, "--site", str(number)],
                       check=True, stdout=subprocess.DEVNULL)
        self.broker = self.program("docket-broker")
        self.nodes = {role: self.program("docket-node", role) for role in roles}

    def program(self, name, *arguments, env=None):
        log = self.path / f"{'-'.join([name, *arguments])}.log"
        return Program([BIN / name, *arguments, "--config", self.data], log, env)

    def start(self):
        self.broker.start()
        for node in self.nodes.values():
            node.start()
        return self

    def docket(self, *arguments, check=True, stdin=None):
        """Runs the command line; returns the finished process with its output as text."""
        done = subprocess.run([BIN / "docket", *map(str, arguments)], input=stdin, text=True,
                              capture_output=True, timeout=300,
                              env=dict(os.environ, DOCKET_CONFIG=str(self.data)))
        if check and done.returncode != 0:
            raise RuntimeError(f"docket {arguments}: {done.returncode}\n{done.stderr}")
        return done

    def end(self):
        for program in [*self.nodes.values(), self.broker]:
            program.end()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for program in [*self.nodes.values(), self.broker]:
            program.kill()
        if kind is None:
            shutil.rmtree(self.path)
        else:
            print(f"the site is left in {self.path}", file=sys.stderr)
