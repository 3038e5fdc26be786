"""`docket notify` and `docket ack` at a live site: what was given up is listed in order, retried with the template in force
then, dropped; a chain of notices goes on until somebody acknowledges."""
import functools, json, os, time
from docket_client import Client, event, pb
from site_of import Site
import waiting

wait_until = functools.partial(waiting.wait_until, timeout_s=30)

ORGANIZATION = """
groups: {desk: {line: 1, manager: mara}}
agents:
  anna: {first_name: Anna, surname: Berg, groups: [desk]}
  mara: {first_name: Mara, surname: Lund, groups: [desk]}
templates:
  news: {texts: {default: {title: "{{ticket}}", body: first}}}
rules:
  lost: {events: note, to: {agent: anna}, via: smtp, address: anna@desk.example, template: news}
  call:
    {events: escalated, to: {agent: anna}, via: file, address: calls.jsonl, template: news, wait: 1s, repeats: 100,
     then: [{to: {agent: mara}, via: file, address: calls.jsonl, template: news, wait: 1s}]}
"""
# No mail server is configured: mails are given up at once. Later they go to a file.
REPAIRED = """
templates:
  news: {texts: {default: {title: "{{ticket}}", body: second}}}
"""


def refusal(site, ticket, notice):
    """Of an acknowledgement that a client sends without a look at the history: code and field."""
    place, number = map(int, ticket.split("-"))
    told = event(54, 1 << 56 | place << 40 | number, 6 << 56 | 1, pb.NotificationAcknowledged(notice=int(notice, 16)),
                 one_shot=os.urandom(16))
    (refused,) = Client(site.data, "operator").append(told).refused
    return refused.name.decode(), refused.field.decode()


with Site("notification") as site:
    site.start()
    docket = site.docket
    listed = lambda *more: [json.loads(line) for line in docket("notify", "list", *more, "--json").stdout.splitlines()]
    docket("apply", "-", "--yes", stdin=ORGANIZATION)
    tickets = [docket("open", f"case {i}", "--as", "anna").stdout.strip() for i in range(4)]
    for ticket in tickets:
        docket("note", ticket, "lost", "--as", "anna")
    dead = wait_until("the dead", lambda: len(d := listed("--dead")) == 4 and d)
    assert [d["position"] for d in dead] == sorted(d["position"] for d in dead) and not listed(), dead
    assert sorted(d["ticket"] for d in dead) == tickets and "no mail server" in dead[0]["error"], dead
    assert [d["notice"] for d in listed("--dead", "--limit", "2")] == [d["notice"] for d in dead[:2]]
    assert [d["notice"] for d in listed("--dead", "--after", dead[1]["position"])] == [d["notice"] for d in dead[2:]]
    table = docket("notify", "list", "--dead").stdout
    assert table.splitlines()[0].split()[:4] == ["notice", "ticket", "rule", "via"] and dead[3]["notice"] in table, table

    # Dropped for good, with the reason in the ticket's history; what is in no list is named.
    docket("notify", "drop", dead[0]["notice"], "--reason", "the mailbox is gone")
    wait_until("dropped", lambda: len(listed("--dead")) == 3)
    assert "the mailbox is gone" in docket("replay", "audit", dead[0]["ticket"], "--json").stdout
    for verb in (["retry"], ["drop", "--reason", "again"]):
        refused = docket("notify", *verb, dead[0]["notice"], check=False)
        assert refused.returncode == 2 and dead[0]["notice"] in refused.stderr, refused
    assert docket("notify", "retry", check=False).returncode == 64
    assert docket("notify", "drop", dead[1]["notice"], check=False).returncode == 64

    # Retried while nothing is better: dead again, at the end of the list.
    docket("notify", "retry", dead[1]["notice"])
    again = wait_until("dead again", lambda: len(d := listed("--dead")) == 3 and d[2]["notice"] == dead[1]["notice"] and d)
    assert again[2]["position"] > dead[3]["position"], again

    # An operator can name a mail server and retry all: see test_mails.py for mails that arrive.
    docket("apply", "-", "--yes", stdin=REPAIRED)
    assert "3 notices retried" in docket("notify", "retry", "--all").stdout
    wait_until("all dead again", lambda: len(d := listed("--dead")) == 3 and d[0]["position"] > again[2]["position"])

    # A chain: Anna, Mara, Anna, ... until one of them acknowledges.
    docket("escalate", tickets[0], "--manager", "mara", "--reason", "it burns", "--as", "anna")
    calls = lambda: [json.loads(line) for line in (site.data / "outbox/calls.jsonl").read_text().splitlines()] \
        if (site.data / "outbox/calls.jsonl").exists() else []
    told = wait_until("three calls", lambda: len(c := calls()) >= 3 and c)
    assert [c["recipient_name"] for c in told[:3]] == ["Anna Berg", "Mara Lund", "Anna Berg"], told
    assert len({c["notice"] for c in told}) == len(told) and told[0]["text"] == "second", told
    # Only what was told of the ticket is acknowledged, once; a client that asks nobody first is refused as well.
    mistyped = f"{int(told[1]['notice'], 16) ^ 1:016x}"
    for ticket, notice, code in ((tickets[0], mistyped, "DK_EREFERENCE"), (tickets[1], told[1]["notice"], "DK_EREFERENCE")):
        refused = docket("ack", ticket, notice, "--as", "mara", check=False)
        assert refused.returncode == 1 and code in refused.stderr and notice in refused.stderr, refused
        assert refusal(site, ticket, notice) == (code, "notification_acknowledged.notice"), notice
    docket("ack", tickets[0], told[1]["notice"], "--as", "mara")
    quiet = len(calls())
    refused = docket("ack", tickets[0], told[1]["notice"], "--as", "anna", check=False)
    assert refused.returncode == 1 and "is acknowledged already, since" in refused.stderr, refused
    assert refusal(site, tickets[0], told[1]["notice"]) == ("DK_EILLEGAL", "notification_acknowledged.notice")
    time.sleep(2.5)
    assert len(calls()) <= quiet + 1, "a step may have been under way, and no other"
    events = [json.loads(line)["event"] for line in docket("replay", "audit", tickets[0], "--json").stdout.splitlines()]
    steps = [(e["body"].get("step", 0), e["body"].get("round", 0)) for e in events
             if e["kind"] == "notice-requested" and e["body"]["transport"] == "file"]
    assert steps[:3] == [(0, 0), (1, 0), (0, 1)], steps
    print(f"{len(dead)} dead: listed, dropped, retried; a chain of {len(steps)} ended by an acknowledgement")
