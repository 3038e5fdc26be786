"""The Mendeley help desk sample goes in, whose cases lie scattered over the file: turns, messages and
notes are what the file has, and the first human response is as an independent script has it."""
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


def by_an_assignee(event):
    message = event.message_public
    return message.direction == pb.DIRECTION_OUTBOUND and not message.automatic


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

        first = [next((m.occurred_us - events[0].occurred_us for m in of(events, "message_public")
                       if by_an_assignee(m)), None) for events in of_ticket.values()]
        known = [us / 1e6 for us in first if us is not None]
        expected = REFERENCE["first_public_response_by_an_assignee_s"]
        assert (len(known), sum(known), min(known), max(known)) == (
            expected["n"], expected["sum"], expected["min"], expected["max"])
        assert first.count(None) == REFERENCE["tickets_without_public_response_by_an_assignee"]

        again = json.loads(site.docket("import", *MENDELEY, "--json", FILE).stdout)
        assert again["appended"] == 0 and len(records(site)) == len(found), again

        # A file that grew, in time order, and not by whole cases; from stdin.
        text = FILE.read_text()
        half = "".join(text.splitlines(keepends=True)[:4000])
        grown.broker.start()
        grown.docket("import", *MENDELEY, "-", stdin=half)
        grown.docket("import", *MENDELEY, "-", stdin=text)
        assert by_subject(records(grown)) == by_subject(found)
