"""`docket import` at the command line: what it tells, and what it does with odd files; nodes that run
leave historical tickets alone, until they are adopted."""
import json, os, random, subprocess, time
import docket_pb2 as pb
from docket_client import Client
from history import records, same_site, tickets
from site_of import BIN, Site

MAP = """
source: desk
shape: snapshots
case: id
changed: {at: at}
group: grp
status: {column: state, words: {New: new, Open: open, Done: solved}}
"""
NODES = ("routing", "sla", "notification")
IMPORTER = 5


class Desk:
    """A site, and files beside it."""

    def __init__(self, site):
        self.site, self.map = site, site.path / "map.yaml"
        self.map.write_text(MAP)

    def write(self, rows, name="file.csv"):
        file = self.site.path / name
        file.write_text("id,at,grp,state\n" + "".join(f"{row}\n" for row in rows))
        return file

    def run(self, *arguments, **how):
        return self.site.docket("import", "--map", self.map, *arguments, **how)

    def summary(self, *arguments, check=True):
        return json.loads(self.run("--json", *arguments, check=check).stdout)


def told(desk):
    file = desk.write(["a,2026-01-01,G1,New", "a,2026-01-02,G2,Lost", "b,2026-01-01,G1", "a,soon,G1,New"])
    rejects = desk.site.path / "rejects.txt"
    done = desk.run("--rejects", rejects, "--dry-run", file, check=False)
    assert done.returncode == 1 and "4 rows of 1 cases make 2 events; 3 rows did not go in" in done.stdout
    why = [f"{file}:3: row 2: state \"Lost\" is not among the mapping's words",
           f"{file}:4: row 3: 3 fields, where the first row has 4",
           f"{file}:5: row 4: at: \"soon\" is no time"]
    assert all(line in done.stderr for line in why), done.stderr
    assert all(line in rejects.read_text() for line in why) and rejects.read_text().count("\n") == 3
    assert records(desk.site) == []

    for arguments, code, says in [
            ((), 64, "FILE is missing"), ((file,), 64, "--map is missing"),
            (("--map",), 64, "--map needs a value"),
            (("--rejcts", "r", file), 64, "--rejcts is not understood: is --rejects meant?"),
            (("--map", desk.map, "a", "b"), 64, "\"b\" is one argument too many"),
            (("--map", desk.map, desk.site.path / "none.csv"), 2, "cannot open"),
            (("--map", desk.site.path / "none.yaml", file), 2, "cannot read"),
            (("--map", file, file), 1, f"{file}:1: ")]:
        done = desk.site.docket("import", *arguments, check=False)
        assert done.returncode == code and says in done.stderr, (arguments, done)
    help = desk.site.docket("import", "--help").stdout
    assert "Examples\n" in help and "--zone ZONE" in help and help == desk.site.docket("help", "import").stdout
    done = subprocess.run([BIN / "docket", "import", "--map", desk.map, "--dry-run", "--json", file],
                          cwd="/", env=dict(os.environ, DOCKET_CONFIG="/no/such/site"),
                          capture_output=True, text=True)
    assert done.returncode == 1 and json.loads(done.stdout)["rejected"] == 3, done


def comes_back(desk):
    file = desk.write(["a,2026-01-01,G1,New", "b,2026-01-01,G1,New", "a,2026-01-02,G2,New"])
    done = desk.run(file, check=False)
    assert done.returncode == 1
    assert "row 3: case a comes back after other cases: say \"cases: scattered\"" in done.stderr


def larger_than_a_request(desk):
    """A case of more events than a request takes: in parts, and again after a part of it."""
    rows = [f"big,2026-01-01T{i // 60 % 24:02}:{i % 60:02},G{i},New" for i in range(1400)]
    desk.summary(desk.write(rows[:1200]))
    assert desk.summary(desk.write(rows))["appended"] == 2 * 200 + 2  # Routed and GroupDefined; Started ...
    events = tickets(records(desk.site))["big"]
    assert [e.subject_version for e in events] == list(range(1, 1402))
    assert [e.routed.origin.ordinal for e in events[1:]] == list(range(1, 1401))
    assert desk.summary(desk.write(rows))["appended"] == 0


def shuffled(desk):
    """Rows in any order, from stdin, make of each ticket what the sorted file makes of it."""
    rows = [f"c{i % 37},2026-01-{1 + i // 37 % 28:02}T{i // 1036:02}:00,G{i * 7 % 5},{('New', 'Open', 'Done')[i % 3]}"
            for i in range(4000)]
    desk.map.write_text(MAP + "order: [at]\n")
    desk.site.broker.end()
    with same_site(desk.site) as other:
        desk.site.broker.start()
        desk.summary(desk.write(sorted(rows)))
        other.broker.start()
        text = MAP + "order: [at]\ncases: scattered\n"
        (other.path / "map.yaml").write_text(text)
        random.Random(1).shuffle(rows)
        other.docket("import", "--map", other.path / "map.yaml", "-",
                     stdin="id,at,grp,state\n" + "".join(f"{row}\n" for row in rows))
        assert told_of(other) == told_of(desk.site) and len(told_of(other)) == 37


def no_room(desk):
    """The broker's disk is full: the import says so, waits, and goes on when there is room."""
    config, file = desk.site.data / "docket.yaml", desk.write(["a,2026-01-01,G1,New"])
    text = config.read_text()
    desk.site.broker.end()
    assert "reserve: 256MiB" in text
    config.write_text(text.replace("reserve: 256MiB", "reserve: 9000000GiB"))
    desk.site.broker.start()
    end = time.monotonic() + 30
    while json.loads(desk.site.docket("status", "--json").stdout)["accepting"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    said = desk.site.path / "said.txt"
    run = subprocess.Popen([BIN / "docket", "import", "--map", desk.map, "--json", file],
                           stdout=subprocess.PIPE, stderr=open(said, "w"),
                           env=dict(os.environ, DOCKET_CONFIG=str(desk.site.data)))
    end = time.monotonic() + 30
    while "space" not in said.read_text():
        assert run.poll() is None and time.monotonic() < end, said.read_text()
        time.sleep(0.05)
    time.sleep(1)  # in which it tries some more times
    assert records(desk.site) == []
    desk.site.broker.end()
    config.write_text(text)
    desk.site.broker.start()
    out = json.loads(run.communicate(timeout=60)[0])
    assert run.returncode == 0 and out["appended"] == len(records(desk.site)) == 5, out
    assert said.read_text().count("free space is below the reserve") == 1, said.read_text()


def told_of(site):
    """Each ticket's events without its number, and without where they stand in the log."""
    stories = {}
    for name, events in tickets(records(site)).items():
        for event in events:
            for field in ("crc32c", "position", "recorded_us", "subject", "previous", "flags",
                          "producer_number"):
                event.ClearField(field)
        stories[name] = [event.SerializePartialToString() for event in events]
    return stories


def ledger_by_fetch(desk):
    """Where the log's folder cannot be read, the ledger comes through the broker."""
    file = desk.write(["a,2026-01-01,G1,New", "b,2026-01-01,G1,New"])
    desk.run(file, check=False)
    config = desk.site.data / "docket.yaml"
    text = config.read_text()
    (desk.site.data / "elsewhere").mkdir()
    here = [line for line in text.splitlines() if line.startswith("log:")]
    config.write_text(text.replace(here[0], "log: elsewhere") if here else text + "\nlog: elsewhere\n")
    assert desk.summary(file)["appended"] == 0
    config.write_text(text)


def left_alone_then_adopted(desk):
    """Nodes append nothing for what is imported; adopted tickets are live."""
    rows = [f"t{i},2026-01-0{1 + i % 5},G1,{'Open' if i % 3 else 'Done'}" for i in range(90)]
    file = desk.write(rows, "last.csv")
    before = len(records(desk.site))
    desk.summary(file)
    client = Client(desk.site.data, "analyst")
    head = client.call(head=pb.Head()).head.head
    end = time.monotonic() + 30
    while True:
        members = client.call(stats=pb.Stats()).stats.member
        if sum(m.heartbeat.position >= head for m in members) >= len(NODES):
            break
        assert time.monotonic() < end, members
        time.sleep(0.1)
    time.sleep(0.5)
    new = records(desk.site)[before:]
    assert all(pb.Event.FromString(r).actor >> 56 == IMPORTER for r in new), "only the import wrote"

    done = desk.run("--adopt", file)
    assert "60 tickets adopted" in done.stdout
    assert "of what was adopted nothing was overdue\n" in done.stdout  # as nothing is promised
    adopted = [e for events in tickets(records(desk.site)).values() for e in events
               if e.WhichOneof("body") == "adopted"]
    assert len(adopted) == 60 and not any(e.flags & pb.FLAG_HISTORICAL for e in adopted)
    again = desk.summary("--adopt", file)
    assert again["adopted"] == 0 and again["appended"] == 0 and again["overdue"] == [], again

    desk.site.nodes["sla"].kill()
    end = time.monotonic() + 30
    while again["overdue"] is not None:  # the broker counts it as live for some seconds
        assert time.monotonic() < end
        again = desk.summary("--adopt", file)
    assert {"ticket", "reference"} == set(again["open"][0]) and len(again["open"]) == 60
    done = desk.run("--adopt", file)
    assert done.stdout.count("adopted, still open: ") == 60
    assert "no sla node is live, so what was overdue at the adoption is not known" in done.stderr


for scenario in (told, comes_back, larger_than_a_request, shuffled, no_room,
                 ledger_by_fetch):
    with Site() as site:
        site.broker.start()
        scenario(Desk(site))
    print(f"{scenario.__name__}: as expected")
with Site(*NODES) as site:
    site.start()
    left_alone_then_adopted(Desk(site))
    print("left_alone_then_adopted: as expected")
