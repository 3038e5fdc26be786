"""A docket.yaml that is wrong is refused by broker, node and command line alike, with file, line and what is wrong; one
that is right in an unusual way is taken."""
import os, pathlib, subprocess
from site_of import BIN, Site

LONG = "x" * 600

# (what is put in, the line it is on, words of the refusal)
WRONG = [
    ("site: 0", 1, "site"), ("site: -1", 1, "site"), ("site: 65535", 1, "site"), ("site: one", 1, "site"),
    ("site: 1.5", 1, "site"), ("site: [1]", 1, "site"), ("site: 99999999999999999999", 1, "site"),
    ("zone: Mars/Olympus", 1, "zone"), ("zone: ../../etc/passwd", 1, "zone"), ('zone: ""', 1, "zone"),
    (f"zone: {LONG}", 1, "zone"), ("site: 1\nzone: Europe/Berlim", 2, "Europe/Berlim"),
    ("sites: 1", 1, 'site'), ("site: 1\nlogs: x", 2, "log"), ("site: 1\nsite: 1", 2, "site"),
    ("log: [a, b]", 1, "log"), ('log: ""', 1, "log is empty"), ('keys: ""', 1, "keys is empty"), (f"log: {LONG}", 1, "511 bytes"),
    ("broker: 5", 1, "broker|map"), ("broker:\n  requests: ipc://x", 2, "request"),
    ("broker:\n  request: http://x", 2, "ipc://PATH"), ("broker:\n  request: []", 2, "request takes 1 to 4"),
    ("broker:\n  request: [ipc://a, ipc://a]", 2, "same endpoint"),
    ("broker:\n  request: ipc://run/x\n  feed: ipc://run/x", 3, "request and feed"),
    ("broker:\n  announce: ipc://run/request", 2, "request and announce"),
    (f"broker:\n  request: ipc://{LONG[:99]}", 2, "107 bytes"),
    ("broker:\n  reserve: -1MiB", 2, "size"), ("broker:\n  reserve: 5 apples", 2, "size"),
    ("broker:\n  reserve: 256MB", 2, "size"), ("broker:\n  reserve: 99999999TiB", 2, "size"),
    ("broker:\n  ahead: -5", 2, "size"), ("broker:\n  ahead: [1]", 2, "ahead"),
    ("broker:\n  checkpoint: 999", 2, "checkpoint"), ("broker:\n  checkpoint: -500000", 2, "checkpoint"),
    ("broker:\n  checkpoint: many", 2, "checkpoint"), ("broker:\n  feed: ipc://a\n  feed: ipc://b", 3, "feed"),
    ("smtp:\n  from: a@b", 1, "needs a server"), ("smtp:\n  server: http://x\n  from: a@b", 1, "smtp://HOST:PORT"),
    ("smtp:\n  server: smtp://x:25", 1, "mailbox"), ("smtp:\n  server: smtp://x:25\n  from: a b@c", 1, "mailbox"),
    ("smtp:\n  server: smtp://x:25\n  from: a@b\n  user: u", 1, "go together"),
    ("smtp:\n  server: smtp://x:25\n  from: a@b\n  starttls: never", 4, "starttls"), ("smtp:\n  host: x", 2, "host"),
    ("smtp:\n  server: smtp://x:25\n  from: a@b\n  user: u\n  password_file: p\n  starttls: allowed", 1, "without TLS"),
    ("- site: 1", 1, "key: value"), ("just words", 1, "key: value"), ("site: 1\n---\nsite: 2", None, "document"),
    ("site: &a 1\nzone: *a", None, "anchor|alias"), ("site: {1", None, ""), ("site: 1\n\tzone: UTC", None, ""),
]
BYTES = [(b"site: 1\nzone: \xff\xfe\n", "UTF-8|utf-8"), (b"site: 1\nzone: UTC\x00\n", ""), (b"\x80", "UTF-8|utf-8")]


def run(folder, *command):
    return subprocess.run(command, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
                          env=dict(os.environ, DOCKET_CONFIG=str(folder)))


def programs(folder):
    yield run(folder, BIN / "docket-broker")
    yield run(folder, BIN / "docket-node", "routing")
    yield run(folder, BIN / "docket", "status")
    yield run(folder, BIN / "docket", "replay", "verify")
    yield run(folder, BIN / "docket", "import", "--map", "none.yaml", "--dry-run", "none.csv")


def check_refused(site, text, line, words):
    file = site.data / "docket.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    place = f"{file}:{line}: " if line else str(site.data)
    for done in programs(site.data):
        said = done.stderr.strip()
        assert done.returncode == 1, f"{text!r}: {done.args}: {done.returncode}: {said}"
        assert place in said and any(w in said for w in words.split("|")), f"{text!r}: {done.args}: {said}"
        assert said.count("\n") == 0 and not done.stdout, said


with Site() as site:
    usual = (site.data / "docket.yaml").read_text()
    for case in WRONG:
        check_refused(site, *case)
    for text, words in BYTES:
        check_refused(site, text, None, words)
    (site.data / "docket.yaml").write_text("")  # all as by default
    site.broker.start()
    assert "head 0" in site.docket("status").stdout
    assert site.broker.end() == 0
    (site.data / "docket.yaml").write_text('"zone": "Europe/Berlin"\nbroker: {reserve: 1048576, request: [ipc://run/a, '
                                           'ipc://run/b], checkpoint: 1000}\n')
    site.broker.start()
    assert "head 0" in site.docket("status").stdout
    assert site.broker.end() == 0
    print(f"{len(WRONG) + len(BYTES)} wrong ones refused")
