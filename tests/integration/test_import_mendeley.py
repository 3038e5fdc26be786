"""The Mendeley help desk sample goes in, whose cases lie scattered over the file: turns, messages and
notes are what the file has."""
import collections, csv, json
import docket_pb2 as pb
from history import MENDELEY, SHARED, by_subject, records, same_site, tickets
from site_of import Site, skip

HERE = SHARED / "mendeley_helpdesk"
if not HERE.exists():
    skip(f"the data set is not at {HERE}")
REFERENCE = json.loads((HERE / "reference.json").read_text())
FILE = HERE / "events.csv"


def of(events, name):
    return [e for e in events if e.WhichOneof("body") == name]


with Site() as site:
    grown = same_site(site)
    with grown, open(FILE, newline="") as lines:
        rows = list(csv.DictReader(lines))
        site.broker.start()
        summary = json.loads(site.docket("import", *MENDELEY, "--json", FILE).stdout)
        assert (summary["rows"], summary["cases"], summary["rejected"]) == (8393, 360, 0), summary
        found = records(site)
        of_ticket = tickets(found)

        counts = collections.Counter(row["event"] for row in rows)
        of_all = [e for events in of_ticket.values() for e in events]
        assert len(of(of_all, "assigned")) == counts["assigned"] == 747
        comments = of(of_all, "message_public") + of(of_all, "note_added")
        assert len(comments) == counts["comment"] == 7286
        turns = REFERENCE["reassignments_per_ticket"]
        assert sum(len(of(e, "assigned")) - 1 for e in of_ticket.values()) == turns["sum"]

        requester = {}
        said = collections.Counter()
        for row in rows:
            if row["visibility"] == "public":
                asks = requester.setdefault(row["issue"], row["actor"]) == row["actor"]
                said["inbound" if asks or row["role"] == "reporter" else "automatic" if
                     (row["role"], row["actor"]) == ("others", "4ggo") else "outbound"] += 1
        messages = [e.message_public for e in of(of_all, "message_public")]
        assert said == collections.Counter(
            "automatic" if m.automatic else
            "inbound" if m.direction == pb.DIRECTION_INBOUND else "outbound" for m in messages)

        again = json.loads(site.docket("import", *MENDELEY, "--json", FILE).stdout)
        assert again["appended"] == 0 and len(records(site)) == len(found), again

        # A file that grew, in time order, and not by whole cases; from stdin.
        text = FILE.read_text()
        half = "".join(text.splitlines(keepends=True)[:4000])
        grown.broker.start()
        grown.docket("import", *MENDELEY, "-", stdin=half)
        grown.docket("import", *MENDELEY, "-", stdin=text)
        assert by_subject(records(grown)) == by_subject(found)
