"""A ticket's life by the command line, through a real broker and the analytics node."""
import fcntl, json, os, pty, signal, struct, subprocess, termios, time, unicodedata
import docket_pb2 as pb
from docket_client import Client, event
from site_of import BIN, Site

ORGANIZATION = """
groups:
  desk: {name: Service desk, line: 1}
  engineers: {name: Engineers, line: 2}
agents:
  anna: {first_name: Anna, surname: Schmidt, groups: [desk]}
  ben: {first_name: Ben, surname: Miller, groups: [desk, engineers]}
  boss: {first_name: Boss, surname: Big, groups: [desk]}
products:
  office: {name: Office, routes: {1: desk}, products: {printers: {name: Printers}}}
suppliers:
  acme: {name: Acme}
fields:
  floor: {name: Floor, type: number}
  colour: {name: Colour, type: choice, choices: [red, blue]}
  due: {name: Due, type: date}
"""
ANNA = "anna: {first_name: Anna, surname: Schmidt, groups: [desk]}"
USAGE, NOT_FOUND, DAMAGED, UNAVAILABLE = 64, 2, 65, 69
BOB = ("--customer", "bob@example.org")


class Desk:
    def __init__(self, site):
        self.site = site

    def __call__(self, *words, stdin=None):
        return self.site.docket(*words, stdin=stdin).stdout

    def json(self, *words):
        return json.loads(self(*words, "--json"))

    def fails(self, code, says, *words, stdin=None):
        done = self.site.docket(*words, check=False, stdin=stdin)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        assert says in done.stderr, (words, done.stderr)
        assert done.stdout == "", (words, done.stdout)

    def refused(self, code, field, *words):
        self.fails(1, f"({code}, field {field})" if field else f"({code})", *words)


def reference_data(docket, path):
    file = path / "organization.yaml"
    file.write_text(ORGANIZATION)
    changes = docket.json("apply", file, "--dry-run")
    assert len(changes["added"]) == 11, changes
    done = docket.site.docket("apply", file, stdin="n\n", check=False)
    assert done.returncode == 1 and "nothing was changed" in done.stderr
    assert docket.json("get", "agents") == []
    assert "desk" in docket("apply", file, stdin="y\n")
    assert docket.json("apply", file, "--yes")["unchanged"] == 11
    docket.fails(1, "DK_EINVAL", "apply", "-", "--yes", stdin="groups: {x: {lime: 1}}")
    # Where some agents have languages, those who have none are noted: what states one goes by them.
    speechless = "agents: {eve: {first_name: Eve, surname: Ek, groups: [desk]}"
    assert "note:" not in docket.site.docket("apply", "-", "--dry-run", stdin=speechless + "}").stderr
    speechless += ", dan: {first_name: Dan, surname: Dahl, groups: [desk], languages: [de]}}"
    noted = docket.site.docket("apply", "-", "--dry-run", stdin=speechless).stderr
    assert noted.endswith("agents without languages: eve\n"), noted

    assert [a["key"] for a in docket.json("get", "agents")] == ["anna", "ben", "boss"]
    assert docket.json("get", "agent", "anna")["name"] == "Anna Schmidt"
    assert docket.json("get", "groups", "desk")["definition"]["line"] == 1
    assert "Anna Schmidt" in docket("get", "agents") and "line: 1" in docket("get", "group", "desk")
    assert docket.json("get", "agents", "--at", "-1d") == []
    docket.fails(NOT_FOUND, "no agent \"eve\"", "get", "agents", "eve")
    docket("company", "globex", "--name", "Globex Ltd", "--tier", "gold")
    docket("customer", "eve@globex.example", "--name", "Eve Adler", "--address", "eve@globex.example",
           "--company", "globex", "--language", "de")
    told = docket("get", "customer", "eve@globex.example")
    assert "name: Eve Adler" in told and "company: globex" in told, told
    assert "tier: gold" in docket("get", "company", "globex")
    assert "eve@globex" not in docket.json("get", "customers")[0]["key"]
    said_in_part(docket)
    docket.fails(NOT_FOUND, "no customer", "get", "customer", "nobody@globex.example")
    docket.fails(1, "no company \"initech\" is defined", "customer", "x@y.example", "--company", "initech")
    docket.fails(1, "no contract \"c\" is defined", "company", "globex", "--contract", "c")
    docket.fails(USAGE, "no reference data", "get", "gnomes")


def said_in_part(docket):
    """Of a customer or a company what is not said stays, as of a file's missing column; what is empty goes."""
    def eve():
        shown = docket.json("get", "customer", "eve@globex.example")
        return [shown.get(key) for key in ("name", "address", "company", "language")]

    def globex():
        shown = docket.json("get", "company", "globex")
        return [shown.get(key) for key in ("name", "tier")]
    for words, after in (
            (("--language", "fr"), ["Eve Adler", "eve@globex.example", "globex", "fr"]),
            (("--name", "Eve Kern", "--company", "none"), ["Eve Kern", "eve@globex.example", None, "fr"]),
            (("--language", ""), ["Eve Kern", "eve@globex.example", None, None]),
            (("--name", "Eve Adler", "--company", "globex", "--language", "de"),
             ["Eve Adler", "eve@globex.example", "globex", "de"])):
        docket("customer", "eve@globex.example", *words)
        assert eve() == after, (words, eve())
    for words, after in (
            (("--tier", "silver"), ["Globex Ltd", "silver"]),
            (("--name", "Globex", "--tier", ""), ["Globex", None]),
            (("--name", "Globex Ltd", "--tier", "gold"), ["Globex Ltd", "gold"])):
        docket("company", "globex", *words)
        assert globex() == after, (words, globex())
    file = docket.site.path / "eve.csv"  # the same words twice change nothing
    file.write_text("customer,name,company,language\neve@globex.example,Eve Adler,globex,de\n")
    assert docket.json("import", "customers", file, "--yes")["unchanged"] == 1


def life(docket, path):
    """One ticket from opening to rating; returns its name."""
    t = docket("open", "The printer is on fire", *BOB, "--product", "printers", "--priority",
               "high", "--channel", "web", "--tag", "hot", "--tag", "paper", "--reference",
               "REF-1", "--message", "-", stdin="It burns.\nHelp!\n").strip()
    assert t == "1-1", t
    docket("route", t, "desk", "--as", "anna")
    docket("assign", t, "anna", "--as", "boss")
    docket("presence", "available", "--until", "+8h", "--as", "anna")
    # An agent's presence is an event of the agent, but no definition that somebody else has changed.
    assert ANNA in ORGANIZATION
    docket("apply", "-", "--yes", stdin="agents: {" + ANNA.replace("Anna", "Anne") + "}")
    docket("apply", "-", "--yes", stdin="agents: {" + ANNA + "}")
    docket("status", t, "open", "--as", "anna")
    for verb in ("reply", "note"):
        docket.refused("DK_EREFERENCE", "actor", verb, t, "Hm", "--as", "nobody")
    docket.refused("DK_EREFERENCE", "actor", "presence", "away", "--as", "nobody")
    docket.fails(1, "no agent \"nobody\" is defined", "open", "Hm", "--as", "nobody")
    docket("reply", t, "Which floor?", "--question", "--channel", "email", "--as", "anna")
    docket.refused("DK_EINVAL", "message_public.text", "reply", t, " ", "--as", "anna")
    docket.refused("DK_EINVAL", "opened.subject", "open", "", *BOB)
    docket.refused("DK_EINVAL", "opened.language", "open", "Hm", *BOB, "--language", "any text")
    docket("status", t, "pending", "--for", "customer", "--as", "anna")
    assert docket.json("show", t)["pending"] == "customer"
    docket("message", "REF-1", "The third", *BOB)
    for taken in ("REF-1", "1-1"):
        docket.refused("DK_EEXISTS", "opened.reference", "open", "Hm", *BOB, "--reference", taken)
    assert docket.json("show", t)["status"] == "open"

    docket.refused("DK_EILLEGAL", "actor", "reply", t, "Me too", "--as", "ben")
    docket.refused("DK_EREFERENCE", "routed.group", "route", t, "nobody", "--line", 1,
                   "--as", "anna")
    docket.fails(1, "no group \"nobody\" is defined", "route", t, "nobody", "--line", 1,
                 "--as", "anna")
    docket.refused("DK_EILLEGAL", "kind", "escalate", t, "--line", 2, "--as", "anna")
    docket.refused("DK_EILLEGAL", "status_changed.status", "close", t, "--as", "anna")
    docket.refused("DK_ECONFLICT", "expected_version", "note", t, "x", "--expect-version", 1,
                   "--as", "anna")
    docket.refused("DK_EACCES", "", "note", t, "x", "--as", "anna", "--key", "reader")

    version = docket.json("show", t)["version"]
    docket("note", t, "-", "--expect-version", version, "--as", "anna", stdin="a\nlong note\n")
    docket("classify", t, "--type", "incident", "--impact", 1, "--urgency", 1, "--untag", "paper",
           "--as", "anna")
    docket("checklist", t, "--all", "--remarks", "rebooted", "--as", "anna")
    docket("escalate", t, "--line", 2, "--group", "engineers", "--reason", "hot", "--as", "anna")
    docket("handover", t, "ben", "--term", "permanent", "--reason", "line-change", "--as", "anna")
    docket("hand-to-supplier", t, "acme", "--reference", "RMA-1", "--as", "ben")
    docket("supplier-returned", t, "acme", "--fixed", "--as", "ben")
    docket("approval", "ask", t, "boss", "--question", "A new one?", "--as", "ben")
    docket("approval", "refuse", t, "--text", "no", "--as", "boss")
    docket("log-time", t, "25m", "--billable", "--as", "ben")
    photo = path / "photo.jpg"
    photo.write_bytes(b"abc")
    docket("attach", t, photo, "--media-type", "image/jpeg", "--as", "ben")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    docket.fails(NOT_FOUND, "no attachment", "erase-attachment", t, "0" * 64, "--as", "boss")
    docket("erase-attachment", t, sha256, "--reason", "a face", "--as", "boss")
    docket.fails(NOT_FOUND, "erased already", "erase-attachment", t, sha256, "--as", "boss")
    docket("set-field", t, "floor", "3.5", "--as", "ben")
    docket("set-field", t, "colour", "red", "--as", "ben")
    docket("set-field", t, "due", "2026-03-01", "--as", "ben")
    docket("set-field", t, "colour", "--as", "ben")
    docket.refused("DK_EREFERENCE", "field_set.choice", "set-field", t, "colour", "green",
                   "--as", "ben")
    docket("follow", t, "boss", "customer/eve@example.org", "--as", "ben")
    docket("unfollow", t, "boss", "--as", "ben")
    docket("remind", t, "+4h", "call back", "--as", "ben")
    docket("exception", t, "other", "--reason", "because", "--as", "boss")
    docket.refused("DK_EREFERENCE", "notification_acknowledged.notice", "ack", t,
                   "3f9c0a1b2c3d4e5f", "--as", "boss")
    docket.refused("DK_EILLEGAL", "offer_declined.agent", "decline", t, "--as", "ben")
    docket("requester", t, "eve@example.org", "--as", "ben")
    docket("escalate", t, "--manager", "boss", "--as", "ben")
    docket("resolve", t, "--as", "ben")
    docket("reopen", t, "--customer", "eve@example.org")
    docket("resolve", t, "--as", "ben")
    docket("rate", t, "--csat", 4, "--nps", 9, "--comment", "ok", "--customer", "eve@example.org")
    docket("close", t, "--as", "ben")
    docket.refused("DK_EILLEGAL", "kind", "reply", t, "more", "--as", "ben")
    return t


def fields_as_sent(docket, t):
    """What the table of parameters made of the arguments, event by event."""
    history = docket.json("show", t)["history"]
    body = {}
    for event in history:
        body.setdefault(event["kind"], []).append(event["body"])
    opened = body["opened"][0]
    assert opened["subject"] == "The printer is on fire" and opened["message"] == "It burns.\nHelp!"
    assert opened["tag"] == ["hot", "paper"] and opened["reference"] == "REF-1"
    assert opened["channel"] == "web" and opened["customer"].startswith("customer/")
    assert body["routed"][0]["line"] == 1 and body["routed"][0]["reason"] == "manual"
    asked, answer = body["message"]
    assert asked["direction"] == "outbound" and asked["question"] and asked["channel"] == "email"
    assert answer["direction"] == "inbound" and answer["text"] == "The third"
    assert body["note"][0]["text"] == "a\nlong note"
    assert body["classified"][0]["tag_removed"] == ["paper"]
    assert body["checklist"][0]["data_collected"] and not body["checklist"][0]["workaround_given"]
    assert [e["type"] for e in body["escalated"]] == ["functional", "hierarchical"]
    assert body["handover-declared"][0]["term"] == "permanent"
    assert body["supplier-returned"][0]["fixed"]
    assert body["approval-refused"][0]["approver"] == body["approval-asked"][0]["approver"]
    assert body["time-logged"][0] == {"seconds": 1500, "billable": True}
    added = body["attachment"][0]
    assert added["size_bytes"] == 3 and added["name"] == "photo.jpg"
    assert added["sha256"] == body["attachment-erased"][0]["sha256"]
    assert [e.get("number") for e in body["field-set"]] == [3.5, None, None, None]
    assert body["field-set"][2]["date"] == "2026-03-01T00:00:00Z" and len(body["field-set"][3]) == 1
    assert len(body["followers-changed"][0]["added"]) == 2
    assert body["rated"][0]["csat"] == 4 and body["rated"][0]["nps"] == 9


def more_tickets(docket):
    a = docket("open", "Again", *BOB, "--message", "now").strip()
    b = docket.json("open", "Paper jam", *BOB, "--as", "ben", "--priority", "low")["ticket"]
    c = docket("open", "Old", *BOB, "--at", "-2d").strip()
    assert docket.json("show", b)["channel"] == "on-behalf"
    docket("message", a, "still burning", *BOB)
    docket("link", b, a, "--type", "duplicate", "--as", "ben")
    docket("merge", a, b, "--as", "ben")
    merged = docket.json("show", b)["history"][-1]
    assert merged["kind"] == "merged-from" and merged["body"]["source_ticket"] == a
    assert merged["body"]["unanswered_since"] == docket.json("show", a)["opened"]
    docket.refused("DK_EILLEGAL", "merged_into.target", "merge", b, b, "--as", "ben")
    docket.refused("DK_EILLEGAL", "kind", "adopt", c)
    return a, b, c


def a_name_of_two(docket, site):
    """Of two tickets that bear one reference it names neither, by the broker or by the log."""
    client = Client(site.data, "agent")
    opened = pb.Opened(subject=pb.Text(plain=b"Twice"), reference=b"REF-2")
    both = [event(16, 1 << 56 | 0xFFFF << 40 | k, 2 << 56 | 1, opened, one_shot=b"twice-open-twice")
            for k in range(2)]
    named = " and ".join(f"1-{t & 0xFFFFFFFF}" for t in client.append(*both).opened)
    end = time.monotonic() + 60
    while "names" not in docket.site.docket("show", "REF-2", check=False).stderr:
        assert time.monotonic() < end
    docket.fails(1, f"the reference \"REF-2\" names {named}: say which", "show", "REF-2")
    docket.fails(1, f"names {named}: say which", "replay", "audit", "REF-2")
    docket.refused("DK_ECONFLICT", "", "open", "Hm", *BOB, "--reference", "REF-2")


def usage(docket):
    docket.fails(USAGE, "SUBJECT is missing", "open")
    docket.fails(USAGE, "is show meant?", "shwo", "1-1")
    docket.fails(USAGE, "is past already", "remind", "1-1", "-4h", "--as", "anna")
    docket.fails(USAGE, "--until: ", "presence", "away", "--until", "-1h", "--as", "anna")
    docket.fails(USAGE, "--wait takes", "status", "--wait", "-5")
    docket.fails(USAGE, "--timeout takes", "status", "--timeout", "-5s")
    docket.fails(USAGE, "-x is not understood", "note", "1-1", "-x", "--as", "anna")
    docket.fails(USAGE, "say 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00", "note", "1-1",
                 "x", "--as", "anna", "--at", "2026-10-25 02:30", "--zone", "Europe/Berlin")
    docket.fails(USAGE, "\"2026-03-29 02:30\" does not exist in Europe/Berlin", "kpi", "--from",
                 "2026-03-29 02:30", "--zone", "Europe/Berlin")
    docket.fails(USAGE, "say who acts", "note", "1-1", "x")
    docket.fails(USAGE, "priority is one of critical, high", "open", "x", *BOB,
                 "--priority", "urgent")
    docket.fails(USAGE, "--line needs a value", "escalate", "1-1", "--as", "anna", "--line")
    docket.fails(USAGE, "to a --line or to a --manager", "escalate", "1-1", "--as", "anna")
    docket.fails(USAGE, "the instant 0", "note", "1-1", "x", "--as", "anna", "--at", "1970-01-01")
    docket.fails(USAGE, "is no time", "remind", "1-1", "soon", "--as", "anna")
    docket.fails(USAGE, "one argument too many", "show", "1-1", "1-2")
    docket.fails(USAGE, "say the status", "status", "1-1")
    docket.fails(USAGE, "no number of a line", "list", "--filter", "line=two")
    docket.fails(1, "NUL byte", "note", "1-1", "-", "--as", "anna", stdin="a\0b")
    docket.fails(NOT_FOUND, "DK_ENOTFOUND", "show", "1-999")
    docket.fails(NOT_FOUND, "no ticket has the reference", "note", "65535-1", "x", "--as", "anna")
    docket.fails(NOT_FOUND, "lives at site 2", "note", "2-1", "x", "--as", "anna")
    docket.fails(NOT_FOUND, "DK_ENOTFOUND", "show", "NO-SUCH-REFERENCE")
    docket.fails(NOT_FOUND, "DK_ENOTFOUND", "note", "1-999", "x", "--as", "anna")
    docket.fails(NOT_FOUND, "no-such-file", "attach", "1-1", "/no-such-file", "--as", "anna")
    docket.fails(NOT_FOUND, "DK_ENOTFOUND", "show", "1-1", "--key", "nobody")
    docket.fails(NOT_FOUND, "Nowhere/Land", "show", "1-1", "--zone", "Nowhere/Land")
    for words in ([], ["open"], ["replay", "verify"], ["import"], ["status"]):
        text = docket(*words, "--help")
        assert "Examples" in text and text == docket("help", *words), words


def reading(docket, t, a, b, c):
    shown = docket("show", t, "--zone", "Asia/Tokyo")
    for part in ("The printer is on fire", "owner       Ben Miller", "closed", "Anna Schmidt",
                 "when, in Asia/Tokyo", "| It burns.\n"):
        assert part in shown, (part, shown)
    rows = [json.loads(line) for line in docket("list", "--json").splitlines()]
    assert [r["ticket"] for r in rows] == [t, a, b, c]
    assert [r["status"] for r in rows] == ["closed", "merged", "new", "new"]

    def names(*words):
        lines = docket("list", *words, "--json").splitlines()
        return [json.loads(line)["ticket"] for line in lines]
    assert names("--open") == [b, c] and names("--closed") == [t, a]
    assert names("--filter", "priority=low") == [b] and names("--filter", "owner=ben") == [t]
    assert names("--filter", "product=office") == [t]
    assert names("--filter", "owner=none") == [a, b, c]
    assert names("--filter", "customer=bob@example.org", "--open") == [b, c]
    assert names("--filter", "customer=eve@example.org") == [t]
    assert names("--limit", 2) == [b, c] and names("--filter", "line=2") == [t]
    docket.fails(USAGE, "--filter takes", "list", "--filter", "colour=red")
    docket.fails(NOT_FOUND, "group=nosuch: nothing of that name", "list", "--filter", "group=nosuch")
    docket.fails(1, "salt", "list", "--filter", "customer=bob", "--key", "reader")
    table = docket("list", "--open").splitlines()
    assert table[0].split() == "ticket status priority line group owner opened subject".split()
    assert table[1].endswith("  Paper jam") and len(table) == 3

    events = [json.loads(line) for line in docket("tail", "--from", 1).splitlines()]
    assert [e["position"] for e in events] == list(range(1, len(events) + 1))
    assert len(docket("tail").splitlines()) == 10
    only = docket("tail", "--from", 1, "--kind", "opened", "--kind", "merged-into", "--ticket", a)
    assert [json.loads(line)["kind"] for line in only.splitlines()] == ["opened", "merged-into"]
    docket.fails(USAGE, "there is no kind", "tail", "--kind", "nonsense")
    return len(events)


def from_afar(docket, site):
    """Where the log's folder cannot be read, the same comes over the wire."""
    remote = site.data / "remote.yaml"
    text = (site.data / "docket.yaml").read_text()
    remote.write_text(text.replace("log: log ", "log: elsewhere "))
    for words in (("list",), ("list", "--json"), ("get", "agents"), ("tail", "--from", 1)):
        assert docket(*words) == docket(*words, "--config", remote), words
    docket.fails(NOT_FOUND, "there is no log", "replay", "verify", "--config", remote)


def following(docket, site, b):
    env = dict(os.environ, DOCKET_CONFIG=str(site.data))
    tail = subprocess.Popen([BIN / "docket", "tail", "-f", "--ticket", b, "--kind", "note"],
                            stdout=subprocess.PIPE, text=True, env=env)
    docket("note", b, "one", "--as", "ben")
    assert json.loads(tail.stdout.readline())["body"]["text"] == "one"
    docket("note", b, "two", "--as", "ben")
    assert json.loads(tail.stdout.readline())["body"]["text"] == "two"
    tail.send_signal(signal.SIGINT)
    assert tail.wait(10) == 0 and tail.stdout.read() == ""


def the_past(docket, t, c):
    story = docket("replay", "audit", t)
    for part in ("Anna Schmidt  ", "opened the ticket by web", "handed it over to Ben Miller",
                 "| a\n", "logged 25m 00s of work, billable", "set Floor to 3.5"):
        assert part in story, (part, story)
    lines = [json.loads(line) for line in docket("replay", "audit", "REF-1", "--json").splitlines()]
    assert [line["event"] for line in lines] == docket.json("show", t)["history"]
    assert lines[1]["who"] == "Anna Schmidt" and lines[1]["what"].startswith("routed it to")
    assert "recorded at" in docket("replay", "audit", c)

    now = docket.json("replay", "show", t, "--at", "now")
    live = docket.json("show", t)
    live.pop("history")
    assert now == live
    answered = next(e for e in docket.json("show", t)["history"] if e["kind"] == "note")
    assert docket.json("replay", "show", t, "--at", answered["occurred"])["status"] == "open"
    assert docket.json("replay", "show", c, "--at", "-1d")["status"] == "new"
    docket.fails(NOT_FOUND, "then", "replay", "show", c, "--at", "-1d", "--known-at", "-1h")
    docket.fails(NOT_FOUND, "then", "replay", "show", t, "--at", "-1d")
    docket.fails(NOT_FOUND, "no ticket", "replay", "audit", "1-999")
    docket.fails(NOT_FOUND, "REF-2", "replay", "audit", "REF-2")

    report = docket.json("replay", "verify")
    assert report["findings"] == 0 and len(report["tree_head"]) == 64
    assert report["tree_head"] in docket("replay", "verify")


def nodes(docket):
    docket("status", "--wait", 30, "--roles", "analytics,sla,notification")
    status = docket.json("status", "--wait=5", "--roles=analytics")
    roles = {member["role"]: member["live"] for member in status["members"]}
    assert roles == {"analytics": True, "sla": True, "notification": True}, roles
    assert status["accepting"] and status["tickets"] == 4 and status["open_tickets"] == 2
    assert "analytics" in docket("status")
    docket.fails(UNAVAILABLE, "routing is not live", "status", "--wait", 0,
                 "--roles", "sla,routing")

    for question in (("--by", "priority", "--measures", "opened,resolution",
                      "--from", "2020-01-01"),
                     ("--backlog", "--at", "2030-01-01", "--by", "group"), ("priority=high",)):
        live = docket("kpi", *question, "--json")
        assert live == docket("replay", "kpi", *question, "--json") and json.loads(live), question
    for verb in (("load", "--from", "2020-01-01"), ("load", "--by", "group"), ("coverage",),
                 ("index", "--a", "1"), ("--time", "business", "--measures", "agent-work")):
        live = docket("kpi", *verb, "--json")
        assert live == docket("replay", "kpi", *verb, "--json") and json.loads(live), verb
        assert "definitions" in docket("kpi", *verb), verb
    assert "priority" in docket("kpi", "--by", "priority", "priority=high")
    docket.fails(USAGE, "happiness", "kpi", "--measures", "happiness")
    docket.fails(USAGE, "happiness", "replay", "kpi", "--measures", "happiness")
    for role in roles:
        assert docket.json("replay", "diff", role)["equal"] is True, role
    docket.fails(USAGE, "no role", "replay", "diff", "janitor")
    docket.fails(UNAVAILABLE, "the routing node gave no answer", "replay", "diff", "routing",
                 "--timeout", "300ms")


def on_a_terminal(docket, site):
    """Nothing but text on a terminal either, cut to its width, whatever somebody wrote."""
    docket("open", "Evil \x1b[31m \u009b31m", *BOB)
    docket("open", "火事です " * 100, *BOB)

    def shown(columns, *words):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        run = subprocess.Popen([BIN / "docket", *words], stdout=slave, stderr=slave,
                               env=dict(os.environ, DOCKET_CONFIG=str(site.data)))
        os.close(slave)
        text = b""
        try:
            while part := os.read(master, 65536):
                text += part
        except OSError:  # how a terminal's end is told
            pass
        os.close(master)
        assert run.wait() == 0
        return text.decode()

    def width(line):
        return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
    text = shown(160, "list")
    assert "Paper jam" in text and "Evil \ufffd[31m \ufffd31m" in text and "..." in text, text
    for columns in (80, 81, 100, 200):
        lines = shown(columns, "list").splitlines()
        assert len(lines) == 7 and all(width(line) <= columns for line in lines), (columns, lines)
    assert "火事です " * 99 in docket("list") and "火事です " * 99 in shown(80, "list", "--json")
    narrow = shown(20, "list")
    assert "1-5" in narrow and "Ben" in narrow, narrow


def closed_streams(docket, site):
    """An output that takes nothing is said to be that, and never to be damage of the log; no file
    of the log gets the number of a closed stream."""
    def run(command, said, **streams):
        with open("/dev/full", "w") as full:
            done = subprocess.run(command, **{"stdout": full, "stderr": subprocess.PIPE, "text": True,
                                              "stdin": subprocess.DEVNULL, **streams})
        assert said in done.stderr, (command, done.stderr)
        return done.returncode
    program = [BIN / "docket", "--config", site.data]
    for words in (["--help"], ["list", "--help"], ["--version"], ["list"], ["replay", "verify"]):
        assert run(program + words, "cannot write to stdout") == 1, words
        closed = lambda: os.close(1)
        assert run(program + words, "cannot write to stdout", stdout=None, preexec_fn=closed) == 1, words
    reader, writer = os.pipe()
    os.close(reader)
    assert run(program + ["replay", "verify"], "", stdout=writer) == -signal.SIGPIPE
    os.close(writer)

    broker = subprocess.Popen([BIN / "docket-broker", "--config", site.data],
                              preexec_fn=lambda: os.closerange(0, 3))
    docket("status", "--wait", 30)
    note = program + ["note", "1-1", "-", "--as", "anna"]
    assert run(note, "cannot read stdin", stdin=None, preexec_fn=lambda: os.close(0)) == 1
    numbers = [os.readlink(f"/proc/{broker.pid}/fd/{number}") for number in range(3)]
    broker.terminate()
    assert broker.wait() == 0 and numbers == 3 * ["/dev/null"], numbers
    docket("replay", "verify")


def damaged(docket, site):
    """A flipped bit is named by position, and exits 1."""
    data = site.data / "log" / "data.mdb"
    content = data.read_bytes()
    assert b"The third" in content  # more than once, where LMDB left older pages behind
    data.write_bytes(content.replace(b"The third", b"Uhe third"))
    done = docket.site.docket("replay", "verify", check=False)
    assert done.returncode == 1 and "DK_ECORRUPT" in done.stdout, (done.stdout, done.stderr)
    position = done.stdout.split()[1].rstrip(":")
    docket.fails(DAMAGED, "DK_ECORRUPT", "tail", "--from", position)
    docket.fails(DAMAGED, "DK_ECORRUPT", "list")
    docket.fails(DAMAGED, "DK_ECORRUPT", "get", "agents")
    (site.data / "keys" / "broker.pub").write_text('public: "' + 40 * " " + '"\n')
    docket.fails(1, "40 Z85 characters", "status")


with Site("analytics", "sla", "notification") as site:
    docket = Desk(site)
    docket.fails(UNAVAILABLE, "is it running", "status", "--timeout", "300ms")
    site.start()
    reference_data(docket, site.path)
    t = life(docket, site.path)
    fields_as_sent(docket, t)
    others = more_tickets(docket)
    usage(docket)
    reading(docket, t, *others)
    from_afar(docket, site)
    following(docket, site, others[1])
    the_past(docket, t, others[2])
    nodes(docket)
    on_a_terminal(docket, site)
    a_name_of_two(docket, site)
    site.end()
    assert docket("replay", "audit", t)  # no broker is asked
    closed_streams(docket, site)
    damaged(docket, site)
print("a ticket's life by the command line, and what can be read of it")
