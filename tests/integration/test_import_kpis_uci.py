"""Key figures of the UCI incident log, from the live analytics node and from a replay, are those
that an independent script and other people found in the same file; and each of the 24,918 incidents
has the reopenings, reassignments and times that the source itself counted and stated."""
import csv, datetime, json, pathlib, tempfile
from figures import by_value, check_stats, import_history, references, replayed, report
from history import MAPS, SHARED, UCI, uci_file
from site_of import Site

PRIORITIES = {"critical": "1 - Critical", "high": "2 - High", "normal": "3 - Moderate",
              "low": "4 - Low"}
COUNTERS = ("reassignment_count", "reopen_count")


def minutes(row, column):
    """From the opening to an instant of the row; None when it is not known."""
    if row[column] == "?":
        return None
    at, opened = [datetime.datetime.strptime(row[c], "%d/%m/%Y %H:%M")
                  for c in (column, "opened_at")]
    return (at - opened) // datetime.timedelta(minutes=1)


def check_durations(site):
    """Resolution and closure, overall and by the priority that an incident has in the end."""
    for quantile in ("type7", "nearest"):
        found = report(site, "--measures", "resolution,closure", "--by", "priority", "--unit", "h",
                       "--values", "as-now", "--quantile", quantile)
        cells = by_value(found)
        assert set(cells) == set(PRIORITIES)
        for measures, expected in [(found["total"], REFERENCE["overall"])] + [
                (cells[p], REFERENCE["by_priority"][PRIORITIES[p]]) for p in PRIORITIES]:
            check_stats(measures["resolution"], expected["resolution_h"], quantile)
            check_stats(measures["closure"], expected["closure_h"], quantile)
            assert measures["resolution"]["unknown"] == expected["without_resolved_at"]
            assert measures["closure"]["unknown"] == 0
    assert found["total"]["resolution"]["unknown"] == 1556


def check_counts(site):
    found = report(site, "--measures", "opened,reopened,reopens,reopen-rate,reassigned", "--by",
                   "priority", "--values", "as-now")
    cells = by_value(found)
    for measures, expected in [(found["total"], REFERENCE["overall"])] + [
            (cells[p], REFERENCE["by_priority"][PRIORITIES[p]]) for p in PRIORITIES]:
        rate = measures["reopen-rate"]
        assert measures["opened"]["n"] == rate["n"] == expected["incidents"]
        assert rate["hits"] == expected["reopened_incidents"] and rate["immature"] == 0
        assert rate["percent"] == expected["reopen_rate_pct"]
        assert measures["reopened"]["n"] == expected["reopen_count_sum"]
        assert measures["reopens"]["sum"] == expected["reopen_count_sum"]
    assert found["total"]["reassigned"]["n"] == DERIVED["group_changes_any"]["sum"] == 23321

    months = by_value(report(site, "--measures", "opened", "--by", "month"))
    assert {m: c["opened"]["n"] for m, c in months.items()} == REFERENCE["opened_per_month"]


def check_backlog(site):
    assert len(REFERENCE["backlog"]) == 7
    for instant, expected in REFERENCE["backlog"].items():
        found = report(site, "--backlog", "--at", f"{instant}Z")["total"]
        assert found["backlog-until-solved"]["n"] == expected["until_resolved"], instant
        assert found["backlog-until-closed"]["n"] == expected["until_closed"], instant


def check_each(site, final):
    """Incident by incident: what the events say is what the source's final row says."""
    incident = references(site)
    cells = by_value(report(site, "--measures", "resolution,closure,reopens,reassignments", "--by",
                            "ticket", "--unit", "m"))
    assert len(incident) == len(cells) == len(final) == 24918
    reassigned_alike, unknown = 0, set()
    for ticket, measures in cells.items():
        name = incident[ticket]
        row, closure = final[name], measures["closure"]
        assert (closure["n"], closure["sum"]) == (1, minutes(row, "closed_at")), name
        assert measures["resolution"].get("sum") == minutes(row, "resolved_at"), name
        assert measures["reopens"]["sum"] == int(row["reopen_count"]), name
        moves, counter = measures["reassignments"]["sum"], int(row["reassignment_count"])
        assert moves <= counter, name
        reassigned_alike += moves == counter
        unknown |= {name} if measures["resolution"]["unknown"] else set()
    expected = DERIVED["group_changes_any"]["incidents_equal_to_reassignment_count"]
    assert reassigned_alike == expected == 24827
    assert unknown == {name for name, row in final.items() if row["resolved_at"] == "?"}


def check_counters_unused(site, plain, file, folder):
    """A mapping that leaves the source's own counters out gives the same figures."""
    text = (MAPS / "uci_incident.yaml").read_text()
    for counter in COUNTERS:
        text = text.replace(f'  {counter}: {{type: number, from: "0"}}\n', "")
    text = text.replace("ignored: [", f"ignored: [{', '.join(COUNTERS)}, ")
    (folder / "plain.yaml").write_text(text)
    import_history(plain, "--map", folder / "plain.yaml", file)
    assert "reopen_count" in site.docket("get", "fields").stdout
    assert "reopen_count" not in plain.docket("get", "fields").stdout
    asked = ("--measures", "resolution,closure,reopens,reassignments", "--by", "priority")
    with_them, without = replayed(site, *asked), replayed(plain, *asked)
    assert with_them["position"] > without["position"]
    assert (with_them["total"], with_them["cells"]) == (without["total"], without["cells"])


def check_cut_copy(cut, file, folder):
    """Another author had a copy that is cut off after 119,998 rows. It ends within an incident, and
    took its solve from a row that was written before it: we hold it solved once its rows say so."""
    lines = open(file, "rb").readlines()
    end = next(n for n in range(119999, len(lines)) if lines[n][:10] != lines[119998][:10])
    solved = []
    for count in (119999, end):
        (folder / "cut.csv").write_bytes(b"".join(lines[:count]))
        import_history(cut, *UCI, folder / "cut.csv")
        solved.append(replayed(cut, "--measures", "resolution")["total"]["resolution"]["n"])
    assert solved == [PUBLISHED["E.mttr_n"] - 1, PUBLISHED["E.mttr_n"]]
    found = replayed(cut, "--measures", "opened,resolution", "--by", "priority", "--unit", "h",
                     "--values", "as-now")
    total = found["total"]["resolution"]
    assert found["total"]["opened"]["n"] == PUBLISHED["E.incidents"]
    assert total["unknown"] == PUBLISHED["E.no_resolved_at"]
    for name in ("n", "mean", "median", "p90", "p95", "p99", "max"):
        assert total[name] == PUBLISHED[f"E.mttr_{name}"], name
    for priority, measures in by_value(found).items():
        ours = [measures["resolution"][name] for name in ("n", "mean", "median", "max")]
        assert ours == PUBLISHED[f"E.mttr_by_priority.{PRIORITIES[priority]}"], priority


def check_published(site):
    total = report(site, "--measures", "opened,resolution", "--unit", "h")["total"]
    resolution = total["resolution"]
    assert total["opened"]["n"] == PUBLISHED["A.incidents"]
    assert resolution["n"] == PUBLISHED["C.tickets"]
    assert resolution["unknown"] == PUBLISHED["A.no_resolved_at"]
    for name in ("mean", "median", "max"):
        assert round(resolution[name], 1) == PUBLISHED[f"A.{name}_resolution_h"], name


def check_story(site):
    """Who, what, when, why: as a person reads it."""
    story = [" ".join(line.split()) for line in
             site.docket("replay", "audit", "INC0000045").stdout.splitlines()]
    told = iter(story)
    for when, who, what, row in (
            ("2016-02-29 01:16:00", "Opened by 8", "opened the ticket by phone for Caller 2403", 1),
            ("2016-02-29 01:23:00", "Updated by 21", "routed it to Group 56", 1),
            ("2016-02-29 08:53:00", "Updated by 642", "set it to solved, by Resolved by 149, final "
             "2016-02-29 11:29:00", 2),
            ("2016-03-05 12:00:00", "Updated by 908", 'set it to closed, code "code 5"', 4)):
        assert any(f"{when} {who} {what}" in line for line in told), (when, story)
        why = f"why: imported from uci-incident, row {row} of its case"
        assert why in next(told), (when, story)


with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
    folder = pathlib.Path(temporary)
    file = uci_file(folder)
    REFERENCE = json.loads((SHARED / "uci_incident/reference.json").read_text())
    PUBLISHED = json.loads((SHARED / "uci_incident/published.json").read_text())["figures"]
    DERIVED = REFERENCE["event_derived"]
    with open(file, newline="") as lines:
        final = {row["number"]: row for row in csv.DictReader(lines)}
    with Site("analytics") as site, Site() as plain, Site() as cut:
        for one in (site, plain, cut):
            one.start()
        summary = import_history(site, *UCI, file)
        assert summary["rows"] == PUBLISHED["A.rows"]
        check_durations(site)
        check_counts(site)
        check_backlog(site)
        check_each(site, final)
        check_published(site)
        check_story(site)
        check_counters_unused(site, plain, file, folder)
        check_cut_copy(cut, file, folder)
