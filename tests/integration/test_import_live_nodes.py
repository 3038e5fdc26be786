"""Histories come in while routing, sla, notification and analytics work: no event of theirs, and no
notice, is about a historical ticket, whether they folded it live or after their states were lost;
tickets of today are served all the while. What is adopted is theirs from then on."""
import collections, datetime, json, pathlib, re, shutil, tempfile, time
from figures import import_history
from history import MENDELEY, SHARED, UCI, uci_file
from site_of import Site

ROLES = ("routing", "sla", "notification", "analytics")
SAMPLE = sorted((pathlib.Path(__file__).resolve().parents[2] / "nodes/sample").glob("*.yaml"))
SERVED = {"routed", "clock-started", "notice-requested", "notice-sent"}  # at any hour


def events(site, *arguments):
    tail = site.docket("tail", "--from", 1, *arguments).stdout
    return [json.loads(line) for line in tail.splitlines()]


def until(condition, what, timeout_s=90):
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def serve_one(site):
    """A ticket of today; returns when every node has done its part for it."""
    ticket = site.docket("open", "It is down", "--customer", "bob@example.org", "--product",
                         "laptop", "--channel", "web", "--message", "Help!").stdout.strip()
    until(lambda: SERVED <= {e["kind"] for e in events(site, "--ticket", ticket)}, ticket)
    return ticket


def live_events(site):
    """Of each ticket that was imported: the kinds of its events that were not."""
    kinds = {}
    for event in events(site):
        if event["kind"] == "opened" and "historical" in event["flags"]:
            kinds[event["subject"]] = collections.Counter()
        if event["subject"] in kinds and "imported" not in event["flags"]:
            kinds[event["subject"]][event["kind"]] += 1
    return kinds


def notices(site):
    """Tickets that somebody was told of."""
    return {json.loads(line)["ticket"] for file in site.data.rglob("*.jsonl")
            for line in file.read_text().splitlines()}


def check_silence(site, today, count):
    kinds = live_events(site)
    assert len(kinds) == count and not any(kinds.values()), kinds
    assert notices(site) == today, today


def lose_states(site):
    for role, node in site.nodes.items():
        node.kill()
        shutil.rmtree(site.data / "state" / role)
        node.start()
    site.docket("status", "--wait", 30, "--roles", ",".join(ROLES))


def long_promised(folder):
    """The sample, in force since before what is imported, with a promise to whoever has no priority."""
    files = [pathlib.Path(folder) / file.name for file in SAMPLE]
    for file, sample in zip(files, SAMPLE):
        text = sample.read_text().replace("{critical: 8h, high: 16h, normal: 40h, low: 80h}", "40h")
        file.write_text(f"effective_from: 2010-01-01\n{text}")
    return files


def check_overdue(site, overdue, adopted):
    """All clocks that the promises of today make overdue, each told once, with its due."""
    assert {one["ticket"] for one in overdue} <= set(adopted) and len(overdue) >= 84
    assert len({(one["ticket"], one["metric"], one["instance"]) for one in overdue}) == len(overdue)
    for one in overdue:
        late = instant(one["adopted"]) - instant(one["due"])
        assert one["adopted"] == adopted[one["ticket"]] and one["reference"]
        assert one["late_by_us"] == late // datetime.timedelta(microseconds=1) > 0, one


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def check_adoption(site, file):
    """Those that are still open become live; what is long past is no breach of today, but listed."""
    done = site.docket("import", *MENDELEY, "--adopt", "--json", file)
    said = json.loads(done.stdout)
    adopted = {e["subject"]: e["recorded"] for e in events(site, "--kind", "adopted")}
    assert said["adopted"] == len(adopted) == 84
    check_overdue(site, said["overdue"], adopted)
    listed = site.docket("import", *MENDELEY, "--adopt", file).stdout
    for one in said["overdue"]:
        assert re.search(rf"^{one['ticket']} +{one['reference']} +{one['metric']} no. 1 ", listed, re.M)
    for kind in ("routed", "clock-started"):
        until(lambda: set(adopted) <= {e["subject"] for e in events(site, "--kind", kind)
                                  if "imported" not in e["flags"]}, kind)
    kinds = live_events(site)
    assert set(adopted) == {ticket for ticket in kinds if kinds[ticket]}
    said = sum(kinds.values(), collections.Counter())
    assert not {"clock-breached", "clock-warned"} & set(said), said


with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
    half, some = pathlib.Path(temporary) / "half.csv", pathlib.Path(temporary) / "some.csv"
    some.write_bytes(b"".join(open(uci_file(temporary), "rb").readlines()[:20000]))
    lines = open(SHARED / "mendeley_helpdesk/events.csv", "rb").readlines()
    half.write_bytes(b"".join(lines[:4000]))  # many of its tickets are not at their end
    with Site(*ROLES) as site:
        site.start()
        site.docket("apply", "--yes", *long_promised(temporary))
        today = {serve_one(site)}
        cases = import_history(site, *MENDELEY, half)["cases"]
        cases += import_history(site, *UCI, some)["cases"]
        today.add(serve_one(site))
        check_silence(site, today, cases)
        lose_states(site)
        today.add(serve_one(site))
        check_silence(site, today, cases)
        check_adoption(site, half)
