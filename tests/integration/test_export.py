"""`docket replay export`: every format says what the log says; nothing half written stands under its name."""
import csv, io, json, os, resource, signal, sqlite3, subprocess
import docket_pb2 as pb
from history import records
from site_of import BIN, Site

MAP = """
source: desk
shape: activities
case: id
changed: {at: at}
activities:
  - {when: {act: asks}, is: message inbound, customer: who, text: said}
  - {when: {act: answers}, is: message outbound, agent: who, text: said}
  - {when: {act: routed}, is: routed, to: who}
  - {when: {act: solved}, is: solved, agent: who}
"""
FORMATS = ("csv", "jsonl", "sqlite", "xes", "ocel")
SAID = 'line one\nline "two", with a comma'


def fill(site):
    (site.path / "map.yaml").write_text(MAP)
    with open(site.path / "file.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "at", "act", "who", "said"])
        for case in range(40):
            rows.writerow([f"c{case}", f"2026-01-{1 + case % 20:02}T08:00:00.5Z", "asks", f"Ann {case % 3}", SAID])
            rows.writerow([f"c{case}", f"2026-01-{1 + case % 20:02}T09:00:00Z", "routed", f"desk{case % 2}", ""])
            rows.writerow([f"c{case}", f"2026-01-{1 + case % 20:02}T10:00:00Z", "answers", "Bob", "ok, done"])
            rows.writerow([f"c{case}", f"2026-01-{1 + case % 20:02}T11:00:00Z", "solved", "Bob", ""])
    site.docket("import", "--map", site.path / "map.yaml", site.path / "file.csv")
    return [pb.Event.FromString(record) for record in records(site)]


def export(site, *arguments, **how):
    return site.docket("replay", "export", *arguments, **how)


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def as_csv(site, events):
    out = site.path / "events.csv"
    told = json.loads(export(site, "csv", "--out", out, "--json").stdout)
    raw = out.read_bytes()
    assert told["events"] == len(events) and told["bytes"] == len(raw) and told["format"] == "csv"
    assert raw.count(b"\r\n") == len(events) + 1, "bodies are JSON and have no line ends of their own"
    rows = rows_of(raw.decode())
    lines = [json.loads(line) for line in export(site, "jsonl").stdout.splitlines()]
    assert len(rows) == len(lines) == len(events)
    for row, line, event in zip(rows, lines, events):
        assert int(row["position"]) == line["position"] == event.position
        assert row["recorded"] == line["recorded"] and row["occurred"] == (line["occurred"] or "")
        assert row["subject"] == line["subject"] and int(row["version"]) == line["subject_version"]
        assert row["kind"] == line["kind"] and row["flags"].split() == line["flags"]
        assert row["actor"] == (line["actor"] or "") and row["group_id"] == (line["group"] or "")
        assert json.loads(row["body"]) == line["body"]
    named = {row["actor_name"] for row in rows if row["kind"] == "message"}
    assert named == {"Bob", "Ann 0", "Ann 1", "Ann 2"}, named
    assert {row["group_name"] for row in rows if row["kind"] == "status"} == {"desk0", "desk1"}
    asked = [row for row in rows if row["kind"] == "message" and row["actor"].startswith("customer/")]
    assert len(asked) == 40 and all(json.loads(row["body"])["text"] == SAID for row in asked)
    assert export(site, "csv").stdout.encode() == raw.replace(b"\r\n", b"\n"), "the same on stdout"


def as_sqlite(site, events):
    out = site.path / "events.db"
    export(site, "sqlite", "--out", out)
    db = sqlite3.connect(out)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = rows_of(export(site, "csv").stdout)
    names = [name for _, name, *_ in db.execute("PRAGMA table_info(events)")]
    assert names == list(rows[0])
    for row, line in zip(rows, db.execute("SELECT * FROM events ORDER BY position"), strict=True):
        assert list(row.values()) == ["" if value is None else str(value) for value in line]
    assert db.execute("SELECT typeof(position), typeof(version) FROM events").fetchone() == ("integer",) * 2
    assert sorted(db.execute("SELECT class, name FROM entities")) == sorted(
        [("agent", "Bob"), ("group", "desk0"), ("group", "desk1"), *[("customer", f"Ann {i}") for i in range(3)]])
    key = db.execute("SELECT n.key FROM events e JOIN entities n ON n.subject = json_extract(body, '$.group') "
                     "WHERE kind = 'routed' ORDER BY position").fetchone()
    assert key == ("desk0",)


TYPES = {"string": str, "integer": int, "float": float, "boolean": bool, "time": str}


def as_ocel(site, events):
    """What OCEL 2.0's JSON schema asks, and that the relations are those of the log."""
    log = json.loads(export(site, "ocel").stdout)
    assert set(log) == {"objectTypes", "eventTypes", "objects", "events"}
    types = {which: {t["name"]: {a["name"]: a["type"] for a in t["attributes"]} for t in log[f"{which}Types"]}
             for which in ("object", "event")}
    objects = {o["id"]: o for o in log["objects"]}
    assert len(objects) == len(log["objects"]), "each object once"
    for which in ("object", "event"):
        for one in log[f"{which}s"]:
            assert set(one) - {"time"} == {"id", "type", "attributes", "relationships"}
            for attribute in one["attributes"]:
                kind = types[which][one["type"]][attribute["name"]]
                assert isinstance(attribute["value"], TYPES[kind]), (one["type"], attribute)
                assert ("time" in attribute) == (which == "object")
            pairs = [(r["objectId"], r["qualifier"]) for r in one["relationships"]]
            assert all(id in objects for id, _ in pairs) and len(set(pairs)) == len(pairs)
    wanted = [e for e in events if e.subject >> 56 == 1]
    assert [e["id"] for e in log["events"]] == [str(e.position) for e in wanted]
    for said, event in zip(log["events"], wanted):
        related = {r["qualifier"]: r["objectId"] for r in said["relationships"]}
        assert related["ticket"] == f"1-{event.subject & 0xffffffffff}"
        kind = event.WhichOneof("body")
        if kind == "routed":
            assert related["group"] == f"group/{event.routed.group & (1 << 56) - 1:014x}" == related["owning group"]
        if kind == "message_public" and event.actor >> 56 == 2:
            assert objects[related["actor"]]["type"] == "customer"
            assert {a["name"]: a["value"] for a in said["attributes"]}["text"] == SAID
    tickets = [o for o in log["objects"] if o["type"] == "ticket"]
    assert len(tickets) == 40
    for ticket in tickets:
        status = [(a["time"], a["value"]) for a in ticket["attributes"] if a["name"] == "status"]
        assert [value for _, value in status] == ["new", "solved"] and status[1][0].endswith("T11:00:00Z")
        assert [r["qualifier"] for r in ticket["relationships"]] == ["customer"]
    named = sorted((o["type"], a["value"]) for o in log["objects"] for a in o["attributes"] if a["name"] == "name")
    assert named == [("agent", "Bob"), *[("customer", f"Ann {i}") for i in range(3)], ("group", "desk0"), ("group", "desk1")]


def wanted(site, events):
    def positions(*arguments):
        return [int(row["position"]) for row in rows_of(export(site, "csv", *arguments).stdout)]
    every = [e.position for e in events]
    assert positions("--positions", "5-9") == [5, 6, 7, 8, 9] and positions("--positions", "7") == [7]
    assert positions("--positions", f"{every[-2]}-") == every[-2:]
    status = [e.position for e in events if e.WhichOneof("body") == "status_changed"]
    assert positions("--kind", "status") == status and len(status) == 40
    ticket = next(e.subject for e in events if e.WhichOneof("body") == "opened")
    assert positions("--ticket", "c0") == [e.position for e in events if e.subject == ticket]
    noon = 1767657600_000000  # 2026-01-06
    assert positions("--from", "2026-01-06", "--to", "2026-01-08", "--zone", "UTC") == [
        e.position for e in events if noon <= e.occurred_us < noon + 2 * 86400_000000]
    group = [e.position for e in events if e.group != 0]
    assert sorted(positions("--group", "desk0") + positions("--group", "desk1")) == group


def refused(site):
    out = site.path / "refused"
    for arguments, code, says in [
            (("xlsx",), 64, "there is no format \"xlsx\""), (("sqlite",), 64, "a file and no stream"), (("csv", "--json"), 64, "--json tells of a file"),
            (("csv", "--positions", "9-3"), 64, "ends before it begins"),
            (("csv", "--kind", "sold"), 64, "there is no kind \"sold\""),
            (("csv", "--group", "nobody", "--out", out), 2, "defines no such group"),
            (("csv", "--ticket", "c99", "--out", out), 2, "c99"),
            (("csv", "--out", site.path / "no" / "such"), 2, "cannot write")]:
        done = export(site, *arguments, check=False)
        assert done.returncode == code and says in done.stderr, (arguments, done)
    assert "Parquet" in export(site, "--help").stdout
    assert not list(site.path.glob("refused*"))


def limited(site, bytes, *arguments):
    """An export that may write files of so many bytes, as if the disk were full then."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes, bytes))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    return subprocess.run([BIN / "docket", "replay", "export", *arguments], text=True, capture_output=True,
                          env=dict(os.environ, DOCKET_CONFIG=str(site.data)), preexec_fn=limit)


def whole_or_not(site):
    """A disk that is full leaves the file that was there, and nothing beside it."""
    out = site.path / "kept.csv"
    out.write_text("before")
    for format in FORMATS:
        full = limited(site, 4096, format, "--out", out)
        assert full.returncode == 1 and f"cannot write {out}: " in full.stderr, full
        assert out.read_text() == "before" and list(site.path.glob("kept.csv*")) == [out]
    with open("/dev/full", "w") as device:
        done = subprocess.run([BIN / "docket", "replay", "export", "csv"], text=True, stdout=device, stderr=subprocess.PIPE,
                              env=dict(os.environ, DOCKET_CONFIG=str(site.data)))
    assert done.returncode == 1 and "cannot write to stdout: No space left on device" in done.stderr, done
    export(site, "csv", "--out", out)
    assert out.read_text().startswith("position,recorded,") and out.stat().st_mode & 0o777 == 0o640


def interrupted(site):
    """Ctrl-C ends it with 130, whichever part it is in, and leaves nothing."""
    out = site.path / "interrupted"
    for format in FORMATS:
        run = subprocess.Popen([BIN / "docket", "replay", "export", format, "--out", out], stderr=subprocess.PIPE,
                               env=dict(os.environ, DOCKET_CONFIG=str(site.data)), preexec_fn=lambda: (
                                   signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]),
                                   os.kill(os.getpid(), signal.SIGINT)))
        run.communicate(timeout=60)
        assert run.returncode == 130 and not list(site.path.glob("interrupted*")), (format, run.returncode)


with Site() as site:
    site.broker.start()
    events = fill(site)
    for scenario in (as_csv, as_sqlite, as_ocel, wanted):
        scenario(site, events)
        print(f"{scenario.__name__}: as expected")
    for scenario in (refused, whole_or_not, interrupted):
        scenario(site)
        print(f"{scenario.__name__}: as expected")
