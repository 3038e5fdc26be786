"""Imports of files and mappings that are not as they should be: each says what is wrong and where,
what can be understood goes in, and nothing that is in the log is changed by a later try."""
import json, os, pathlib, random, tempfile, threading
from site_of import Site

MAP = """
source: SOURCE
shape: snapshots
case: number
cases: together
times: {format: "%d/%m/%Y %H:%M", zone: UTC}
changed: {at: at}
status: {column: state, words: {New: new, Active: open, Done: solved}}
attributes: {place: text}
"""
ROWS = ["number,at,state,place", "A,1/2/2016 08:00,New,x", "A,1/2/2016 09:00,Active,x",
        "A,1/2/2016 10:00,Done,x", "B,27/3/2016 02:30,New,y", "B,28/3/2016 08:00,Active,y"]
EVENTS = 7  # that all rows make: 2 opened, 3 changes of status, 2 places


class Importer:
    """Imports rows as a source of its own: exit code, figures and what is said."""

    def __init__(self, site, folder):
        self.site, self.folder, self.source = site, folder, "none"

    def begin(self, source):
        self.source = source

    def __call__(self, rows, mapping=MAP):
        data = rows if isinstance(rows, bytes) else "\n".join([*rows, ""]).encode()
        (self.folder / "rows.csv").write_bytes(data)
        (self.folder / "map.yaml").write_text(mapping.replace("SOURCE", self.source))
        done = self.site.docket("import", "--map", self.folder / "map.yaml", "--json",
                                self.folder / "rows.csv", check=False)
        found = json.loads(done.stdout) if done.stdout else {}
        return done.returncode, found, done.stderr.replace(f"{self.folder}/", "")


def changed(row, old, new):
    assert old in ROWS[row]
    return ROWS[:row] + [ROWS[row].replace(old, new)] + ROWS[row + 1:]


def one_bad_row(run):
    """It is named; the others go in."""
    long, longer = "z" * 300_000, "z" * 2_000_000
    for source, rows, says in (
            ("fields", changed(2, ",x", ""), "rows.csv:3: row 2: 3 fields, where the first row"),
            ("quote", changed(2, "Active", '"Active'), "row 2: a quote opens and does not close"),
            ("nul", changed(2, "x", "\0"), "row 2: the row is not UTF-8 text without NUL"),
            ("word", changed(2, "Active", "Bored"), 'state "Bored" is not among the mapping'),
            ("day", changed(2, "1/2/", "31/2/"), "2016-02 has no day 31"),
            ("future", changed(2, "/2016", "/2199"), '"1/2/2199 09:00" lies in the future'),
            ("case", changed(2, "A,", ","), "number has 0 bytes: 1 to 96 name a case"),
            ("long", changed(2, "x", long), "is longer than a text may be"),
            ("longer", changed(2, "x", longer), "row 2: ")):
        run.begin(source)
        code, found, said = run(rows)
        assert says in said and len(said) < 400 and "docket: " not in said, (source, said)
        counts = [found[name] for name in ("rows", "rejected", "cases", "events")]
        assert (code, counts) == (1, [5, 1, 2, EVENTS - 1]), (source, found)


def unusable(run):
    """Nothing goes in."""
    run.begin("unusable")
    for rows, mapping, says in (
            (b"", MAP, "the file is empty"),
            ("\r".join([*ROWS, ""]).encode(), MAP, "lines must end with LF or CRLF"),
            (random.Random(1).randbytes(100_000), MAP, "cannot read the first row"),
            (b"\xff\xfe" + "\n".join(ROWS).encode("utf-16-le"), MAP, "cannot read the first row"),
            (ROWS[1:], MAP, 'map.yaml:4: the file has no column "number"'),
            (["number,at,state,state", *ROWS[1:]], MAP, 'more than one column "state"'),
            (ROWS, MAP.replace("UTC", "Nowhere/City"), "there is no such time zone"),
            (ROWS, MAP.replace("Done: solved", "Done: finished"), 'Done "finished" is not known'),
            (ROWS, MAP.replace("words: {", "words: ["), "this is no YAML"),
            (ROWS, MAP + "colour: red\n", 'the key "colour" is not known')):
        code, found, said = run(rows, mapping)
        assert code == 1 and says in said and not found, (says, said)


def garbage(run):
    """Each row of noise is counted; of a header that comes twice the rows behind it are told apart."""
    run.begin("noise")
    code, found, said = run((ROWS[0] + "\n").encode() + random.Random(2).randbytes(200_000))
    assert code == 1 and found["rejected"] == found["rows"] > 100 and found["events"] == 0, found
    assert "more rows did not go in: --rejects FILE lists them all" in said and len(said) < 10_000
    run.begin("twice")
    code, found, said = run([*ROWS, *ROWS])
    assert (code, found["rejected"], found["events"]) == (1, 6, EVENTS), found
    assert "rows.csv:7: row 6: at: \"at\" is not written as" in said
    assert "row 7: case A comes back after other cases" in said
    run.begin("encodings")
    code, found, said = run("\n".join([*ROWS, ""]).replace("x", "K\u00f6ln").encode("latin-1"))
    assert (code, found["rejected"]) == (1, 3) and "iconv -t UTF-8" in said
    run.begin("windows")
    code, found, _ = run(("\ufeff" + "\r\n".join([*ROWS, ""])).encode())
    assert (code, found["events"]) == (0, EVENTS), found
    run.begin("years")
    code, found, said = run([ROWS[0], "A,1/2/0000 08:00,New,x", "B,1/2/9999 08:00,New,x"])
    assert (code, found["rejected"]) == (1, 2) and "the year 9999 is outside 1900..2200" in said


def streams(run, site):
    """A row of any length costs no memory; what cannot be written is said."""
    run.begin("fifo")
    fifo, map_file = run.folder / "fifo", run.folder / "map.yaml"
    os.mkfifo(fifo)
    map_file.write_text(MAP.replace("SOURCE", "fifo"))

    def feed():
        with open(fifo, "wb") as out:
            out.write(f"{ROWS[0]}\nA,1/2/2016 08:00,New,".encode())
            for _ in range(200):
                out.write(b"z" * (1 << 20))
            out.write(b"\nB,1/2/2016 08:00,New,x\n")
    thread = threading.Thread(target=feed)
    thread.start()
    done = site.docket("import", "--map", map_file, "--json", "--rejects", "/dev/full", fifo, check=False)
    thread.join()
    found = json.loads(done.stdout)
    assert (done.returncode, found["rows"], found["rejected"], found["events"]) == (1, 2, 1, 2), found
    assert "fifo:2: row 1: the row is longer than 1048576 bytes" in done.stderr
    assert "docket: cannot write /dev/full: No space left" in done.stderr
    done = site.docket("import", "--map", map_file, run.folder, check=False)
    assert done.returncode == 1 and "Is a directory" in done.stderr


def tried_again(run):
    """What a first try could not understand at the end of a case goes in with a second."""
    run.begin("cut")
    cut = "\n".join(ROWS).encode()[:-12]  # within the last row
    code, found, _ = run(cut)
    assert (code, found["rejected"]) == (1, 1)
    code, found, _ = run(ROWS)
    assert (code, found["rejected"], found["events"]) == (0, 0, EVENTS) and found["appended"] > 0

    run.begin("comes-back")
    scattered = [*ROWS[:3], *ROWS[4:], ROWS[3]]
    code, found, said = run(scattered)
    assert code == 1 and "row 5: case A comes back after other cases: say" in said, said
    code, found, said = run(scattered, MAP.replace("together", "scattered"))
    assert (code, found["events"]) == (0, EVENTS) and found["appended"] > 0
    assert "map.yaml has changed since the last import of comes-back" in said


def too_late(run):
    """What stands before what is in the log already cannot go in any more, and is told; what follows
    goes in, as if it were not there."""
    narrow = MAP.replace("Active: open, ", "")
    more = [*ROWS[:4], "A,2/2/2016 08:00,Active,z", *ROWS[4:]]
    run.begin("word-later")
    code, found, said = run(ROWS, narrow)
    assert (code, found["rejected"], found["appended"]) == (1, 2, 2 + EVENTS - 2)
    code, found, said = run(more)
    counts = [found[name] for name in ("conflicts", "rejected", "appended")]
    # Row 4 opens A again, at another place; row 6 ends B. And the run itself.
    assert (code, counts) == (1, [0, 1, 2 + 1 + 2]), (found, said)
    assert "row 2: an earlier import left it out and took rows of case A that follow it" in said
    code, found, said = run(more)
    assert (code, found["conflicts"], found["rejected"], found["appended"]) == (1, 0, 1, 0), found
    code, found, said = run([*more[:3], more[3].replace("Done", "New"), *more[4:]])
    assert (code, found["conflicts"], found["appended"]) == (1, 1, 0), (found, said)
    assert "row 3: the log has another row in this place, of case A: nothing more" in said
    code, found, said = run(more, MAP.replace("Done: solved", "Done2: solved"))
    assert (code, found["conflicts"], found["rejected"]) == (1, 1, 3), (found, said)
    assert "made events of rows that make none now, of case A" in said
    run.begin("zone-later")
    run(ROWS)
    code, found, said = run(ROWS, MAP.replace("UTC", "Europe/Berlin"))
    assert (code, found["appended"]) == (0, 0)
    assert "what is in the log stays as it was mapped then" in said


def zones(run, site):
    """A time that the zone skips is the first instant after the gap."""
    run.begin("gap")
    assert run(ROWS, MAP.replace("UTC", "Europe/Berlin"))[0] == 0
    opened = site.docket("tail", "--from", 1, "--kind", "opened").stdout.splitlines()[-2:]
    assert [json.loads(event)["occurred"] for event in opened] == ["2016-02-01T07:00:00Z",
                                                                   "2016-03-27T01:00:00Z"]


with tempfile.TemporaryDirectory(dir="/tmp") as folder, Site() as site:
    site.start()
    run = Importer(site, pathlib.Path(folder))
    one_bad_row(run)
    unusable(run)
    garbage(run)
    streams(run, site)
    tried_again(run)
    too_late(run)
    zones(run, site)
    site.docket("replay", "verify")
