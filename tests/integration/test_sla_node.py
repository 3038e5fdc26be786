"""The SLA node: warns and breaches on time, and once, though it is killed before and started after."""
import json, os, time
import docket_pb2 as pb
import yaml_lite, zmq
from docket_client import Client, event, id_of_key
from site_of import Site
from waiting import wait_until

PLACEHOLDER = 1 << 56 | 0xFFFF << 40
CUSTOMER, OPERATOR = 2 << 56 | 1, 6 << 56 | 1
ADA = 1 << 56 | id_of_key("agent", "ada") & (1 << 56) - 1
STATUS_CHANGED = 26
STARTED, MET, WARNED, BREACHED, CORRECTED = 43, 46, 47, 48, 50
SECOND = 1_000_000


def append(client, kind, subject, actor, body, **envelope):
    reply = client.append(event(kind, subject, actor, body, one_shot=os.urandom(16), **envelope))
    assert not reply.refused, reply
    return reply


def promise(operator, targets):
    """One policy: first reply within so many seconds, by priority; warned of at 50 %."""
    goals = [pb.Goal(metric=pb.METRIC_FIRST_REPLY, priority=priority, target_us=int(s * SECOND))
             for priority, s in targets.items()]
    body = pb.PolicyDefined(type=pb.POLICY_SLA, order=1, goal=goals, warn_percent=[50])
    body.definition.key = b"quick"
    append(operator, 100, id_of_key("policy", "quick"), OPERATOR, body)


def hire(operator):
    body = pb.AgentDefined(first_name=pb.Text(plain=b"Ada"), surname=pb.Text(plain=b"Test"))
    body.definition.key = b"ada"
    append(operator, 96, id_of_key("agent", "ada"), OPERATOR, body)


def open_ticket(client, priority):
    down = pb.Text(plain=b"It is down")
    opened = pb.Opened(subject=down, message=down, channel=pb.CHANNEL_WEB, priority=priority)
    return append(client, 16, PLACEHOLDER, CUSTOMER, opened).opened[0]


def history(client, ticket):
    records = client.call(fetch=pb.Fetch(ticket=ticket, **{"from": 0})).records
    return [pb.Event.FromString(e) for e in reversed(records.event)]


def of_kind(client, ticket, kind):
    return [e for e in history(client, ticket) if e.kind == kind]


def wait_for(client, ticket, kind, timeout_s=60):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = of_kind(client, ticket, kind)
        if found:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError(f"no event of kind {kind}: {history(client, ticket)}")


def ask(site, name, *arguments):
    """A query of the node, which answers with its own key."""
    key = yaml_lite.load(site.data / "keys" / "sla.key")["public"].encode()
    socket = Client(site.data, "analyst").connect(zmq.DEALER, "sla", key)
    query = pb.Query(id=1, name=name.encode(), argument=[a.encode() for a in arguments])
    socket.send(query.SerializeToString())
    assert socket.poll(60000), "the node does not answer"
    answer = pb.Answer.FromString(socket.recv())
    assert not answer.HasField("failure"), answer
    return json.loads(answer.json)


def explain_agrees(site, ticket, due_us):
    """The live node and a replay explain alike, and what is printed adds up."""
    words = "sla", "explain", ticket, "first-reply", "--at", "now"
    at = json.loads(site.docket(*words, "--json").stdout)["at"]
    words = *words[:-1], at, "--json"
    live = site.docket(*words).stdout
    assert live == site.docket("replay", *words).stdout
    (clock,) = json.loads(live)["clocks"]
    assert sum(s["elapsed_us"] for s in clock["segments"]) == clock["elapsed_us"], clock
    assert clock["sum"]["elapsed_us"] == clock["elapsed_us"] > clock["target_us"]
    assert [d["why"] for d in clock["dues"]] == ["started"] and clock["dues"][0]["due"] == clock["due"]
    assert [(w["level"], w["reached"]) for w in clock["warnings"]] == [(50, True)]
    text = site.docket("sla", "explain", ticket).stdout
    for part in (f"{ticket} first-reply: breached (time), due ", "by quick version 1", "running\n",
                 "\n  sum ", ": started at ", "left 0:00:0", "warning at 50 %: "):
        assert part in text, (part, text)
    assert site.docket("sla", "due").stdout == site.docket("sla", "overdue").stdout == "none\n"
    credits = site.docket("kpi", "credits", "--json").stdout
    assert credits == site.docket("replay", "kpi", "credits", "--json").stdout
    assert json.loads(credits)["running"] == 1, "breached, and not answered yet"
    assert "no price" in site.docket("kpi", "credits").stdout
    refused = site.docket("sla", "explain", ticket, "last-reply", check=False)
    assert refused.returncode == 64 and "there is no metric" in refused.stderr, refused


def report_pauses(site, ticket, paused):
    """A pause after an answer that asked nothing: the same from the node as from the log."""
    def pauses(*words):
        return site.docket("sla", "pauses", *words, "--json").stdout

    wait_until("the pause is reported", lambda: json.loads(pauses())["pauses"])
    live = pauses()
    words = "replay", "sla", "pauses", "--position", json.loads(live)["position"], "--json"
    assert live == site.docket(*words).stdout
    (pause,) = json.loads(live)["pauses"]
    assert (pause["ticket"], pause["why"], pause["to"]) == (ticket, "not-asked", None), pause
    assert pause["paused_by"] == paused and pause["by"] == "ada", pause
    assert json.loads(pauses("--to", pause["from"]))["pauses"] == []
    text = site.docket("sla", "pauses").stdout
    for part in (ticket, "ada", "still", "nothing was asked", "1 pauses, ", "of 0 it is not known"):
        assert part in text, (part, text)


with Site("sla") as site:
    site.start()
    client = Client(site.data, "agent")
    operator = Client(site.data, "operator")
    hire(operator)
    promise(operator, {pb.PRIORITY_CRITICAL: 1, pb.PRIORITY_HIGH: 2, pb.PRIORITY_NONE: 3600})

    # Live: started, warned, breached; a late reply that occurred in time corrects it.
    live = open_ticket(client, pb.PRIORITY_CRITICAL)
    opened = history(client, live)[0]
    started = wait_for(client, live, STARTED).clock_started
    assert started.due_us == opened.occurred_us + SECOND and started.target_us == SECOND
    assert started.policy == id_of_key("policy", "quick") and started.policy_version == 1
    breached = wait_for(client, live, BREACHED)
    warned = wait_for(client, live, WARNED)
    assert warned.clock_warned.level == 50
    assert warned.clock_warned.due_us == opened.occurred_us + SECOND // 2
    assert breached.clock_breached.due_us == started.due_us
    assert breached.recorded_us >= started.due_us, "never before it is due"
    reply = pb.MessagePublic(direction=pb.DIRECTION_OUTBOUND, text=pb.Text(plain=b"On it"))
    late = append(client, 24, live, ADA, reply, occurred_us=started.due_us - 1000)
    corrected = wait_for(client, live, CORRECTED).clock_corrected
    assert (corrected.to, corrected.because) == (pb.VERDICT_MET, late.position), corrected

    # Killed before it is due, started after: one warning, one breach, and how late they are.
    waiting, killed = open_ticket(client, pb.PRIORITY_LOW), open_ticket(client, pb.PRIORITY_HIGH)
    due_us = wait_for(client, killed, STARTED).clock_started.due_us
    wait_for(client, waiting, STARTED)
    site.nodes["sla"].kill()
    while client.call(head=pb.Head()).head.now_us < due_us + SECOND // 2:
        time.sleep(0.05)
    assert not of_kind(client, killed, BREACHED)
    site.nodes["sla"].start()
    breached = wait_for(client, killed, BREACHED)
    assert breached.clock_breached.due_us == due_us
    assert breached.clock_breached.late_by_us >= SECOND // 2, breached
    assert wait_for(client, killed, WARNED).clock_warned.due_us == due_us - SECOND

    # Ended in order, it goes on from its checkpoint, and says nothing again.
    assert site.nodes["sla"].end() == 0
    site.nodes["sla"].start()
    append(client, 24, waiting, ADA, reply)
    wait_for(client, waiting, MET)
    for ticket in live, killed:
        kinds = [e.kind for e in history(client, ticket)]
        assert kinds.count(STARTED) == kinds.count(WARNED) == kinds.count(BREACHED) == 1, kinds

    clocks = ask(site, "clocks", f"ticket=1-{killed & 0xFFFFFFFFFF}")["clocks"]
    assert [(c["metric"], c["verdict"], c["policy"]) for c in clocks] == [
        ("first-reply", "breached", "quick")], clocks
    assert ask(site, "due") == [], "nothing runs any more"
    explain_agrees(site, f"1-{killed & 0xFFFFFFFFFF}", due_us)
    waits = pb.StatusChanged(status=pb.STATUS_PENDING, pending=pb.PENDING_CUSTOMER)
    paused = append(client, STATUS_CHANGED, waiting, ADA, waits).position
    report_pauses(site, f"1-{waiting & 0xFFFFFFFFFF}", paused)
    assert site.nodes["sla"].end() == 0 and site.broker.end() == 0
print("started, warned, breached, corrected; after a kill once, and late")
