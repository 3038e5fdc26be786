"""XES into the log and back: traces, their order, attributes and instants are the same; what is no sound
XES is refused with its line, in bounded memory."""
import gzip, json, os, subprocess
import xml.etree.ElementTree as xml
import docket_pb2 as pb
from history import MAPS, UCI, records, uci_file
from site_of import BIN, Site

NS = "{http://www.xes-standard.org/}"
MAP = """
source: hospital
format: xes
shape: snapshots
case: "case:concept:name"
times: {format: iso}
changed: {at: "time:timestamp", by: "org:resource"}
group: "org:group"
status: {column: "lifecycle:transition", words: {schedule: new, start: open, complete: solved}}
"""
LOG = """<?xml version="1.0" encoding="UTF-8"?>
<!-- two traces, the second by another clock -->
<log xes.version="1849-2016" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <global scope="trace"><string key="concept:name" value="nameless"/></global>
  <global scope="event"><string key="org:group" value="ward"/><string key="lifecycle:transition" value="complete"/></global>
  <classifier name="Activity" keys="concept:name"/>
  <string key="concept:name" value="the log"/>
  <trace>
    <string key="concept:name" value="P-2"/>
    <string key="note" value="&lt;&quot;&#10;&#9;tab &amp; Ünïcode 😀"/>
    <list key="wards"><values><string key="ward" value="A"/><int key="bed" value="7"><boolean key="near" value="true"/></int></values></list>
    <container key="box"><float key="kg" value="70.50"/></container>
    <event>
      <string key="concept:name" value="admit"><id key="sure" value="f81d4fae-7dec-11d0-a765-00a0c91e6bf6"/></string>
      <string key="org:resource" value="Ann"/>
      <date key="time:timestamp" value="2025-03-30T02:59:59.123+01:00"/>
      <string key="lifecycle:transition" value="schedule"/>
      <string key="empty" value=""/>
    </event>
    <event>
      <string key="concept:name" value="admit"/>
      <date key="time:timestamp" value="2025-03-30T03:00:00.000+02:00"/>
      <string key="lifecycle:transition" value="start"/>
      <int key="cost" value="-17"/>
    </event>
    <event>
      <string key="concept:name" value="nothing that a ticket knows"/>
      <date key="time:timestamp" value="2025-03-30T03:00:00.000+02:00"/>
      <string key="lifecycle:transition" value="start"/>
    </event>
    <event>
      <date key="time:timestamp" value="2025-03-30T01:00:00Z"/>
      <string key="concept:name" value="cure"/>
      <string key="org:group" value="surgery"/>
    </event>
  </trace>
  <trace>
    <string key="concept:name" value="P-1"/>
    <event>
      <string key="concept:name" value="admit"/>
      <date key="time:timestamp" value="2024-12-31T23:00:00.000001-05:00"/>
    </event>
  </trace>
</log>
"""


class Ward:
    def __init__(self, site):
        self.site, self.map = site, site.path / "map.yaml"
        self.map.write_text(MAP)

    def write(self, text, name="log.xes"):
        file = self.site.path / name
        data = text if isinstance(text, bytes) else text.encode()
        file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return file

    def run(self, file, *arguments, check=True):
        return self.site.docket("import", "--map", self.map, *arguments, file, check=check)

    def summary(self, file, **how):
        return json.loads(self.run(file, "--json", **how).stdout)

    def exported(self, *arguments):
        out = self.site.path / "out.xes"
        self.site.docket("replay", "export", "xes", "--out", out, *arguments)
        return out.read_text()


def tree(element):
    """An element and what it holds, in order; the order of XML attributes does not count."""
    return element.tag.replace(NS, ""), dict(element.attrib), [tree(child) for child in element]


def traces(text):
    return [tree(trace) for trace in xml.fromstring(text.encode()).iter(f"{NS}trace")]


def round_trip(ward):
    told = ward.summary(ward.write(LOG, "log.xes.gz"))
    assert (told["rows"], told["cases"], told["rejected"]) == (5, 2, 0), told
    back = ward.exported()
    assert traces(back) == traces(LOG)
    assert ward.summary(ward.write(LOG))["appended"] == 0, "packed or not, it is the same log"
    assert ward.summary(ward.write(back, "back.xes"))["rejected"] == 0
    assert ward.exported() == back

    events = [pb.Event.FromString(record) for record in records(ward.site)]
    first = [e for e in events if e.WhichOneof("body") == "opened"][0].subject
    kinds = [e.WhichOneof("body") for e in events if e.subject == first]
    assert kinds == ["opened", "source_row", "routed", "source_row", "status_changed", "source_row",
                     "source_row", "routed", "status_changed"], kinds
    rows = [e for e in events if e.WhichOneof("body") == "source_row" and e.subject == first]
    assert [e.occurred_us for e in rows] == [1743299999_123000, 1743296400_000000, 1743296400_000000, 1743296400_000000]
    note = next(a for a in rows[0].source_row.attribute if a.key == b"note")
    assert note.scope == pb.SCOPE_CASE and note.value.plain.decode() == '<"\n\ttab & Ünïcode 😀'
    assert not any(a.scope for e in rows[1:] for a in e.source_row.attribute)
    assert "Ann" in ward.site.docket("replay", "audit", "P-2").stdout
    assert 'cost "-17"' in ward.site.docket("replay", "audit", "P-2").stdout

    one = traces(ward.exported("--ticket", "P-1"))
    assert one == traces(LOG)[1:]


def left_out_on_purpose(ward):
    ward.map.write_text(MAP + 'ignored: [cost, "case:note", "case:wards"]\n')
    ward.summary(ward.write(LOG))
    wanted = traces(LOG)
    wanted[0][2][:] = [child for child in wanted[0][2] if child[1].get("key") not in ("note", "wards")]
    wanted[0][2][3][2][:] = [child for child in wanted[0][2][3][2] if child[1]["key"] != "cost"]
    assert traces(ward.exported()) == wanted


def of_docket(ward):
    """Tickets that no XES told of: sound XES all the same."""
    ward.map.write_text(MAP.replace("format: xes\n", "").replace("case:concept:name", "id").replace("time:timestamp", "at"))
    file = ward.site.path / "file.csv"
    file.write_text("id,at,org:resource,org:group,lifecycle:transition\n"
                    "a,2026-01-01T00:00:00Z,Bob <B>,g,schedule\na,2026-01-01T01:00:00.5Z,Bob <B>,g,complete\n")
    ward.summary(file)
    [(_, _, children)] = traces(ward.exported())
    name, *events = children
    assert name == ("string", {"key": "concept:name", "value": "1-1"}, [])
    said = [{child[1]["key"]: child[1]["value"] for child in event[2]} for event in events]
    assert [e["concept:name"] for e in said] == ["opened", "routed", "status solved"]
    assert [e["time:timestamp"] for e in said] == ["2026-01-01T00:00:00Z"] * 2 + ["2026-01-01T01:00:00.500Z"]
    assert said[1]["org:resource"] == "Bob <B>" and said[1]["org:group"] == "g"
    assert json.loads(said[2]["docket:body"])["status"] == "solved"


def event(i, more=""):
    return f'<event><date key="time:timestamp" value="2025-01-01T00:00:{i % 60:02}Z"/>{more}</event>'


def refused(ward):
    bomb = '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)) + "]>\n<log>&j;</log>"
    packed = gzip.compress(LOG.encode())
    for text, says in [
            (bomb, "line 1: a document type"),
            ("<log>\n" + "<a>" * 100000, "line 2: elements stand too deep"),
            ("<log>\n" + '<string key="k" value="v">' * 100000, "line 2: elements stand too deep"),
            ("<log>\n<trace", "line 2: unclosed token: the file ends before its log does"),
            (LOG[:-8], "no element found: the file ends before its log does"),
            ("<log>\n<trace>\n</log>", "line 3: mismatched tag"),
            ("\n<html/>", "line 2: this is no XES"), ("", "line 1: no element found"),
            ("id,at\n1,2\n", "line 1: syntax error"),
            ('<log>\n<trace><string key="k" value="' + "x" * (8 << 20) + '"/>', "line 2: a tag of more than 4 MiB"),
            (packed[:len(packed) // 2], "within what gzip packed"), (packed[:-4] + b"\0\0\0\0", "incorrect length check"),
            (packed + b"trailing", "what gzip packed is damaged near byte")]:
        done = ward.run(ward.write(text), "--dry-run", check=False)
        assert done.returncode == 1 and says in done.stderr, (text[:60], done)


def told(ward):
    """Events that stay out are named by line, and the rest goes in."""
    lines = ["<log>", "<trace>", "</trace>", '<trace><string key="concept:name" value="c"/>', event(1),
             event(2, f'<string key="big" value="{"x" * 140000}"/>'), event(3, '<string value="nameless"/>'),
             event(4, '<string key="v" value="y"/>' * 2000), event(5), event(6, "<unknown/><values/>"), "</trace>",
             event(7), "<trace>", event(8), "</trace>", "</log>"]
    done = ward.run(ward.write("\n".join(lines)), check=False)
    assert done.returncode == 1 and "9 rows of 1 cases" in done.stdout, done
    for line, says in [(2, "a trace without events"), (6, "big has 140000 bytes: at most 131072 are taken"),
                       (7, "a key has 0 bytes"), (8, "more than 1024 attributes"), (12, "an event outside of a trace"),
                       (14, "case:concept:name has 0 bytes")]:
        assert any(f":{line}: row " in said and says in said for said in done.stderr.splitlines()), (line, says, done.stderr)
    [trace] = traces(ward.exported())
    assert [e[2][0][1]["value"][-3:] for e in trace[2][1:]] == ["01Z", "05Z", "06Z"]


def bounded(ward):
    """110 MB of XES, packed into a hundredth, take no more memory than a few."""
    def peak(cases):
        with gzip.open(ward.site.path / "large.xes.gz", "wb", 1) as file:
            file.write(b"<log>")
            for case in range(cases):
                file.write(f'<trace><string key="concept:name" value="{case}"/>{lines}</trace>'.encode())
            file.write(b"</log>")
        with open(ward.site.path / "told.json", "w+") as out:
            run = subprocess.Popen([BIN / "docket", "import", "--map", ward.map, "--dry-run", "--json",
                                    ward.site.path / "large.xes.gz"], stdout=out,
                                   env=dict(os.environ, DOCKET_CONFIG=str(ward.site.data)))
            _, status, used = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            assert run.returncode == 0 and json.load(out)["rows"] == cases * 100
            return used.ru_maxrss
    lines = "".join(event(i, f'<string key="text" value="{"word " * 200}"/>') for i in range(100))
    few, many = peak(10), peak(1000)
    # A sanitizer keeps freed memory back.
    assert many - few < 10240 or b"__asan_init" in (BIN / "docket").read_bytes(), f"{few}, {many} KiB"


def years(ward):
    """A year of a real desk as XES, into another site and out again: all its traces."""
    ward.site.docket("import", *UCI, uci_file(ward.site.path), check=False)
    told = json.loads(ward.site.docket("replay", "export", "xes", "--json", "--out", ward.site.path / "year.xes").stdout)
    with Site(number=2) as other:
        other.broker.start()
        back = Ward(other)
        back.map.write_text((MAPS / "xes.yaml").read_text())
        read = back.summary(ward.site.path / "year.xes")
        assert (read["rows"], read["cases"], read["rejected"]) == (told["events"], 24918, 0), read
        assert back.exported() == (ward.site.path / "year.xes").read_text()


for scenario in (round_trip, left_out_on_purpose, of_docket, refused, told, bounded, years):
    with Site() as site:
        site.broker.start()
        scenario(Ward(site))
    print(f"{scenario.__name__}: as expected")
