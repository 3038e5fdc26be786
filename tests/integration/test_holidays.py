"""Holidays from an iCalendar feed, each approved, until they count in a calendar in force (T4)."""
import json
from site_of import Site

FEED = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//holidays//EN
BEGIN:VEVENT
UID:1@example.org
DTSTART;VALUE=DATE:20201225
DTEND;VALUE=DATE:20201227
RRULE:FREQ=YEARLY
EXDATE;VALUE=DATE:20271225
SUMMARY:Christmas\\, both days
END:VEVENT
BEGIN:VEVENT
UID:2@example.org
DTSTART;VALUE=DATE:20261224
SUMMARY:Christmas Eve
END:VEVENT
BEGIN:VEVENT
UID:3@example.org
DTSTART:20261231T140000Z
DTEND:20261231T230000Z
SUMMARY:The year's last party
END:VEVENT
BEGIN:VEVENT
UID:4@example.org
DTSTART;VALUE=DATE:20200101
RRULE:FREQ=YEARLY;COUNT=20
SUMMARY:New Year's Day
END:VEVENT
BEGIN:VEVENT
UID:4@example.org
RECURRENCE-ID;VALUE=DATE:20280101
DTSTART;VALUE=DATE:20280103
SUMMARY:New Year's Day (observed)
END:VEVENT
BEGIN:VEVENT
UID:5@example.org
STATUS:CANCELLED
DTSTART;VALUE=DATE:20270501
SUMMARY:Labour Day
END:VEVENT
END:VCALENDAR
"""
CALENDAR = """
calendars:
  office: {zone: Europe/Berlin, hours: {mon-fri: 09:00-17:00}, holidays_from: days.yaml}
"""
RANGE = ("--from", "2026-11-24", "--to", "2028-06-01")


def shown(docket, *words, **how):
    return json.loads(docket("holidays", *words, "--json", "--yes", *RANGE, **how).stdout)


def check_days(docket, folder):
    feed, out = folder / "feed.ics", folder / "days.yaml"
    feed.write_text(FEED)
    days = [(day["date"], day["is"]) for day in shown(docket, feed)]
    assert days == [("2026-12-24", "taken"), ("2026-12-25", "taken"), ("2026-12-26", "taken"),
                    ("2026-12-31", "not-whole"), ("2027-01-01", "taken"),
                    ("2028-01-03", "taken")], days

    # One by one: not the 24th, the 25th, and no more.
    docket("holidays", feed, "--out", out, *RANGE, stdin="n\ny\nq\n")
    assert [line for line in out.read_text().splitlines() if line[0] != "#"] == [
        '2026-12-25: "Christmas, both days"']
    # What was taken once is not asked for again; nobody to ask is a no.
    again = docket("holidays", feed, "--out", out, *RANGE, stdin="a\n")
    assert "2026-12-25 Fri  Christmas, both days  (is a holiday already)" in again.stdout
    before = out.read_text()
    assert len(before.splitlines()) == 6 and "2028-01-03" in before
    docket("holidays", feed, "--out", out, "--from", "2029-01-01", "--to", "2030-01-01", stdin="")
    assert out.read_text() == before


def check_calendar(docket, folder):
    calendar = folder / "calendar.yaml"
    calendar.write_text(CALENDAR)
    docket("apply", calendar, "--yes")
    [office] = json.loads(docket("get", "calendars", "--json").stdout)
    assert "Christmas, both days" in json.dumps(office), office
    # A problem of the file that is named has its own place.
    (folder / "days.yaml").write_text("2026-12-25: Christmas Day\n2026-13-01: no month\n")
    done = docket("apply", calendar, "--yes", check=False)
    assert done.returncode == 1 and 'days.yaml:2: "2026-13-01" is no date' in done.stderr, done
    (folder / "days.yaml").unlink()
    done = docket("apply", calendar, "--yes", check=False)
    assert done.returncode == 1 and "calendar.yaml:3: " in done.stderr, done
    assert "days.yaml" in done.stderr, done


def check_refusals(docket, folder):
    for text, says in (("hello\n", "is no iCalendar file"), (FEED[:200], "is no iCalendar file"),
                       (FEED.replace("DTSTART;VALUE=DATE:20261224\n", ""), "Christmas Eve"),
                       ("BEGIN:VCALENDAR\nEND:VCALENDAR\n", "holds no VEVENT")):
        (folder / "bad.ics").write_text(text)
        done = docket("holidays", folder / "bad.ics", "--yes", check=False)
        assert done.returncode == 1 and says in done.stderr, (text, done)
    (folder / "bad.ics").write_bytes(FEED.replace("Eve", "\xff").encode("latin-1"))
    done = docket("holidays", folder / "bad.ics", "--yes", check=False)
    assert done.returncode == 1 and "UTF-8" in done.stderr, done
    done = docket("holidays", folder / "none.ics", "--yes", check=False)
    assert done.returncode == 2 and "none.ics" in done.stderr, done
    assert docket("holidays", "-", check=False, stdin=FEED).returncode == 64


with Site() as site:
    site.start()
    folder = site.path / "organization"
    folder.mkdir()
    check_days(site.docket, folder)
    check_calendar(site.docket, folder)
    check_refusals(site.docket, folder)
