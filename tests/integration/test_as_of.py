"""As of two instants: what had happened by one, and what was known of it by another. What is told
late, and what is imported, lies exactly between them."""
import json, os, subprocess, time
from figures import import_history
from site_of import BIN, Site

ORGANIZATION = """
groups:
  desk: {name: Service desk, line: 1}
agents:
  anna: {first_name: Anna, surname: Schmidt, groups: [desk]}
products:
  office: {name: Office, routes: {1: desk}}
"""
USAGE, NOT_FOUND, INTERRUPTED = 64, 2, 130
BOB = ("--customer", "bob@example.org")
MAP = """
source: elsewhere
shape: snapshots
case: ticket
cases: scattered
changed: {at: at}
status: {column: status, words: {new: new, solved: solved}}
priority: {column: priority, words: {high: high, low: low}}
"""
HISTORY = """ticket,at,status,priority
A-1,2024-01-08 09:00,new,high
A-1,2024-01-09 10:00,solved,high
A-2,2024-01-08 12:00,new,low
"""


def fails(site, code, says, *words):
    done = site.docket(*words, check=False)
    assert done.returncode == code and says in done.stderr and done.stdout == "", (words, done)


def told(site, *words):
    return json.loads(site.docket("replay", *words, "--json").stdout)


def live(site, *words):
    return told(site, "backlog", *words)["total"]["backlog"]["n"]


def waiting(site, *words):
    return [(t["ticket"], t["priority"]) for t in told(site, "queue", "desk", *words)["waiting"]]


def instants(site, position):
    """When it happened, and when it was recorded."""
    line = site.docket("tail", "--from", position).stdout.splitlines()[0]
    event = json.loads(line)
    assert event["position"] == position
    return event["occurred"], event["recorded"]


def last_of(site, ticket):
    return json.loads(site.docket("show", ticket, "--json").stdout)["last_position"]


def in_a_queue(site):
    """Nobody is on shift: what comes in waits, in the order of R3."""
    tickets = [site.docket("open", "x", *BOB, "--product", "office", "--priority", p).stdout.strip()
               for p in ("low", "critical", "normal")]
    end = time.monotonic() + 60
    while not all(json.loads(site.docket("show", t, "--json").stdout)["group"] for t in tickets):
        assert time.monotonic() < end
        time.sleep(0.05)
    return tickets


def told_late(site):
    low, critical, normal = in_a_queue(site)
    everyone = [(critical, 1), (normal, 3), (low, 4)]
    before = max(instants(site, last_of(site, ticket))[1] for ticket in (low, critical, normal))
    site.docket("note", critical, "then nobody said more", "--as", "anna")
    after_all = instants(site, last_of(site, critical))[1]
    assert waiting(site, "--at", after_all) == everyone

    # It was solved at `then`, which the desk tells only now.
    then = after_all
    site.docket("note", low, "a while goes by", "--as", "anna")
    known_before = instants(site, last_of(site, low))[1]
    site.docket("resolve", critical, "--as", "anna", "--at", then)
    occurred, recorded = instants(site, last_of(site, critical))
    assert occurred == then and recorded > known_before > then > before

    assert waiting(site, "--at", known_before) == everyone
    assert waiting(site, "--at", known_before, "--known-at", known_before) == everyone
    assert waiting(site, "--at", known_before, "--known-at", recorded) == everyone[1:]
    assert waiting(site, "--at", known_before, "--known-at", "now") == everyone[1:]
    assert waiting(site, "--at", before, "--known-at", "now") == everyone, "it was not solved yet"

    # The same ticket and the same backlog, by the same two instants.
    for known, status, count in ((known_before, "new", 3), (recorded, "solved", 2)):
        words = ("--at", known_before, "--known-at", known)
        assert told(site, "show", critical, *words)["status"] == status, words
        assert live(site, *words) == count, words
    assert told(site, "show", critical, "--at", known_before)["status"] == "solved"
    assert live(site, "--at", known_before) == 2 and live(site, "--at", before) == 3
    by = told(site, "backlog", "--at", known_before, "--known-at", known_before, "--by", "priority")
    counts = {c["by"]["priority"]: c["measures"]["backlog"]["n"] for c in by["cells"]}
    assert counts == {"critical": 1, "normal": 1, "low": 1}, counts
    filtered = ("priority=critical", "--at", known_before)
    assert live(site, *filtered) == 0 and live(site, *filtered, "--known-at", known_before) == 1

    # What the position that was known then gives is what the live node's report at it gives.
    position = by["position"]
    same = told(site, "kpi", "--backlog", "--at", known_before, "--by", "priority",
                "--position", position)
    assert same == by and instants(site, position)[1] <= known_before
    assert instants(site, position + 1)[1] > known_before

    text = site.docket("replay", "queue", "desk", "--at", known_before).stdout.splitlines()
    assert [line.split()[1] for line in text[1:-1]] == [critical, normal, low], text
    assert text[-1].startswith("3 waiting at "), text
    assert "backlog" in site.docket("replay", "backlog", "--at", "now").stdout
    return before


def imported(site, folder):
    """Happened in 2024; known since now."""
    (folder / "map.yaml").write_text(MAP)
    (folder / "history.csv").write_text(HISTORY)
    last = told(site, "backlog", "--at", "now")["position"]
    known_before = instants(site, last)[1]
    import_history(site, "--map", folder / "map.yaml", folder / "history.csv")
    opened = [json.loads(line) for line in
              site.docket("tail", "--from", last, "--kind", "opened").stdout.splitlines()]
    assert [e["occurred"][:16] for e in opened] == ["2024-01-08T09:00", "2024-01-08T12:00"]
    ticket = opened[0]["subject"]
    for at, count, status in (("2024-01-08 08:59", 0, None), ("2024-01-08 09:00", 1, "new"),
                              ("2024-01-09 09:00", 2, "new"), ("2024-01-09 10:00", 1, "solved")):
        at += "Z"
        assert live(site, "--at", at) == count and live(site, "--at", at, "--known-at", "now") == count
        assert live(site, "--at", at, "--known-at", known_before) == 0, at
        fails(site, NOT_FOUND, "then", "replay", "show", ticket, "--at", at, "--known-at",
              known_before)
        if status is None:
            fails(site, NOT_FOUND, "then", "replay", "show", ticket, "--at", at)
        else:
            assert told(site, "show", ticket, "--at", at)["status"] == status


def not_understood(site, before):
    group = ("queue", "desk")
    for verb in (("show", "1-1"), ("backlog",), group):
        fails(site, USAGE, "--at is missing", "replay", *verb)
        fails(site, USAGE, "after --known-at", "replay", *verb, "--at", "now", "--known-at", before)
        fails(site, NOT_FOUND, "the log begins with 20", "replay", *verb, "--at", "2020-01-01",
              "--known-at", "2020-01-02")
        fails(site, USAGE, "", "replay", *verb, "--at", "half past nine")
        assert "--known-at" in site.docket("replay", *verb[:1], "--help").stdout
    fails(site, NOT_FOUND, "the log begins with 20", "replay", *group, "--at", "2020-01-01")
    fails(site, NOT_FOUND, "no group", "replay", "queue", "nosuch", "--at", "now")
    fails(site, NOT_FOUND, "no group", "replay", "queue", "x" * 500, "--at", "now")
    fails(site, NOT_FOUND, "1-999", "replay", "show", "1-999", "--at", "now")
    fails(site, USAGE, "happiness", "replay", "backlog", "--at", "now", "--by", "happiness")


def ended_by_ctrl_c(site):
    """Blocked at its start, the signal waits until the verb asks for it."""
    for verb in (("backlog",), ("queue", "desk")):
        code = ("import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]);"
                "os.kill(os.getpid(), signal.SIGINT); os.execv(sys.argv[1], sys.argv[1:])")
        done = subprocess.run(["/usr/bin/python3", "-c", code, BIN / "docket", "replay", *verb,
                               "--at", "now"], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, DOCKET_CONFIG=str(site.data)))
        assert done.returncode == INTERRUPTED and done.stdout == "", done


with Site("routing", "analytics") as site:
    site.start()
    (site.path / "organization.yaml").write_text(ORGANIZATION)
    site.docket("apply", site.path / "organization.yaml", "--yes")
    before = told_late(site)
    not_understood(site, before)
    imported(site, site.path)
    ended_by_ctrl_c(site)
    site.end()
