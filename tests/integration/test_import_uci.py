"""The UCI incident log goes in; its events tell what an independent script reads from the file. A
second run adds nothing, and a file that grew gives the log of one run."""
import collections, csv, json, pathlib, tempfile
import docket_pb2 as pb
from history import (IMPORT_FINISHED, IMPORT_STARTED, SHARED, UCI, by_subject, kind, records,
                     same_site, tickets, uci_file)
from site_of import Site

REFERENCE = json.loads((SHARED / "uci_incident/reference.json").read_text())
ENDED = (pb.STATUS_SOLVED, pb.STATUS_CLOSED)


def of(events, name):
    return [e for e in events if e.WhichOneof("body") == name]


def hours(from_us, to_us):
    return (to_us - from_us) / 3.6e9


def last_final(events, status):
    changes = [e.status_changed for e in of(events, "status_changed")
               if e.status_changed.status == status]
    return changes[-1].final_us if changes else 0


def reopens(events):
    statuses = [pb.STATUS_NEW] + [e.status_changed.status for e in of(events, "status_changed")]
    return sum(a in ENDED and b not in ENDED for a, b in zip(statuses, statuses[1:]))


def check_reference(found, rows):
    of_ticket = tickets(found)
    derived, overall = REFERENCE["event_derived"], REFERENCE["overall"]
    assert len(of_ticket) == overall["incidents"] == 24918
    final = {row["number"]: row for row in rows}
    assert list(of_ticket) == list(final), "tickets are numbered as the file has its cases"

    moves = {k: len(of(e, "routed")) - 1 for k, e in of_ticket.items()}
    assert sum(moves.values()) == derived["group_changes_any"]["sum"]
    assert (sum(n == int(final[k]["reassignment_count"]) for k, n in moves.items())
            == derived["group_changes_any"]["incidents_equal_to_reassignment_count"])
    assert all(reopens(e) == int(final[k]["reopen_count"]) for k, e in of_ticket.items())

    by_priority = collections.defaultdict(list)
    closure = []
    for k, events in of_ticket.items():
        opened, solved = events[0].occurred_us, last_final(events, pb.STATUS_SOLVED)
        closure.append(hours(opened, last_final(events, pb.STATUS_CLOSED)))
        if solved:
            by_priority[final[k]["priority"]].append(hours(opened, solved))
    for priority, expected in REFERENCE["by_priority"].items():
        found_hours, expected = by_priority[priority], expected["resolution_h"]
        assert len(found_hours) == expected["n"], priority
        assert round(sum(found_hours) / len(found_hours), 6) == expected["mean"], priority
    assert round(sum(closure) / len(closure), 6) == overall["closure_h"]["mean"]

    counters = {k: [e.field_set.number for e in of(ev, "field_set")
                    if e.field_set.name == b"reassignment_count"] for k, ev in of_ticket.items()}
    assert sum(n[-1] for n in counters.values() if n) == overall["reassignment_sum"]
    imported = pb.FLAG_IMPORTED | pb.FLAG_BACKDATED | pb.FLAG_HISTORICAL
    assert all(e.flags & ~pb.FLAG_MORE == imported for ev in of_ticket.values() for e in ev)


with tempfile.TemporaryDirectory(dir="/tmp") as folder, Site() as site:
    file = uci_file(folder)
    grown = same_site(site)
    with grown, open(file, newline="") as lines:
        rows = list(csv.DictReader(lines))
        site.broker.start()
        summary = json.loads(site.docket("import", *UCI, "--json", file).stdout)
        assert (summary["rows"], summary["cases"], summary["rejected"]) == (141712, 24918, 0), summary
        found = records(site)
        assert summary["appended"] == len(found), summary
        assert kind(found[0]) == IMPORT_STARTED and kind(found[-1]) == IMPORT_FINISHED
        check_reference(found, rows)
        print(f"{summary['rows_per_second']:.0f} rows/s, {len(found)} events")

        again = json.loads(site.docket("import", *UCI, "--json", file).stdout)
        assert again["appended"] == 0 and again["events"] == summary["events"], again
        assert len(records(site)) == len(found)

        # The first half ends within a case; the whole file then adds what is missing of it.
        half = pathlib.Path(folder) / "half.csv"
        half.write_bytes(b"".join(open(file, "rb").readlines()[:70003]))
        assert rows[70000]["number"] == rows[70001]["number"] == rows[70002]["number"]
        grown.broker.start()
        first = json.loads(grown.docket("import", *UCI, "--json", half).stdout)
        second = json.loads(grown.docket("import", *UCI, "--json", file).stdout)
        assert 0 < first["appended"] < len(found) and second["appended"] > 0
        assert by_subject(records(grown)) == by_subject(found)

        # One row reads otherwise now: it is named, and nothing more of its case goes in.
        other = pathlib.Path(folder) / "other.csv"
        other.write_bytes(file.read_bytes().replace(b"29/2/2016 08:53,Phone", b"29/2/2016 08:54,Phone", 1))
        done = site.docket("import", *UCI, "--json", other, check=False)
        assert done.returncode == 1 and json.loads(done.stdout)["conflicts"] == 1, done
        assert f"{other}:3: row 2: the log has another row in this place, of case INC0000045" in done.stderr
        assert len(records(site)) == len(found)
