"""The notification node tells every receiver: one that is well, one that fails at first, is slow, answers garbage, is
closed or refuses; through a kill -9 in the middle. What was requested is received; twice only what was in flight."""
import collections, http.server, json, os, threading, time
import docket_pb2 as pb
from docket_client import A_NOTE, Client, event, id_of_key
from receiver import Receiver
from site_of import Site
from waiting import wait_until

PLACEHOLDER = 1 << 56 | 0xFFFF << 40
OPERATOR = 6 << 56 | 1
TICKETS, IN_FLIGHT, DIGEST_US = 60, 32, 1_500_000
REQUESTED, SENT, FAILED = 51, 52, 53


class Counting(Receiver):
    """Counts each id that it answered with 2xx; `mode` says how it behaves."""

    def __init__(self, mode, port=0):
        self.mode, self.asked, self.messages, self.taken = mode, 0, 0, collections.Counter()
        self.lock = threading.Lock()
        super().__init__(Handler, port)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        receiver, notice = self.server, self.headers["Idempotency-Key"]
        assert said["notice"] == notice and said["title"] and said["text"], said
        with receiver.lock:
            receiver.asked += 1
            mode = "500" if receiver.mode == "flaky" and receiver.asked <= 3 else receiver.mode
        if mode == "garbage":
            self.wfile.write(b"\x00\xff what?\n")
            self.close_connection = True
            return
        if mode == "slow":
            time.sleep(0.3)
        status = {"500": 500, "gone": 410}.get(mode, 200)
        if status == 200:
            with receiver.lock:
                receiver.messages += 1
                for told in said.get("notices", [said]):
                    receiver.taken[told["notice"]] += 1
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def define(operator, kind, cls, key, body):
    body.definition.key = key.encode()
    reply = operator.append(event(kind, id_of_key(cls, key), OPERATOR, body, one_shot=os.urandom(16)))
    assert not reply.refused, reply


def define_rules(operator, receivers):
    define(operator, 97, "group", "desk", pb.GroupDefined(line=1))
    define(operator, 96, "agent", "anna", pb.AgentDefined(
        first_name=pb.Text(plain=b"Anna"), surname=pb.Text(plain=b"Berg"), language=[b"de"]))
    define(operator, 103, "template", "yours", pb.TemplateDefined(text=[
        pb.TemplateText(language=b"", title=b"{{ticket}}", body=b"{{recipient}}: {{subject}}"),
        pb.TemplateText(language=b"de", title=b"{{ticket}} f\xc3\xbcr dich", body=b"{{recipient}}, neu: {{subject}}")]))
    for name, receiver in receivers.items():
        define(operator, 104, "rule", name, pb.RuleDefined(
            on_kind=[22], recipient=pb.RULE_OWNER, template=id_of_key("template", "yours"),
            digest_us=DIGEST_US if name == "digest" else 0,
            transport=pb.TRANSPORT_WEBHOOK, address=pb.Text(plain=receiver.url.encode())))
    define(operator, 104, "rule", "file", pb.RuleDefined(
        on_kind=[22], recipient=pb.RULE_OWNER, template=id_of_key("template", "yours"),
        transport=pb.TRANSPORT_FILE, address=pb.Text(plain=b"notices/owners.jsonl")))


def assign_ticket(client, number):
    opened = pb.Opened(channel=pb.CHANNEL_WEB, subject=pb.Text(plain=f"Request {number}".encode()))
    assigned = pb.Assigned(agent=id_of_key("agent", "anna"))
    request_id = os.urandom(16)
    reply = client.append(event(16, PLACEHOLDER, OPERATOR, opened, one_shot=request_id),
                          event(22, PLACEHOLDER, OPERATOR, assigned, one_shot=request_id))
    assert not reply.refused, reply
    return reply.opened[0]


def work_on(client, tickets):
    """People go on while notices are under way: what the node decided meanwhile is stale, and decided again."""
    for ticket in tickets:
        reply = client.append(event(25, ticket, OPERATOR, A_NOTE, one_shot=os.urandom(16)))
        assert not reply.refused, reply


def log_of(client):
    events, at = [], 1
    while True:
        records = client.call(fetch=pb.Fetch(**{"from": at})).records
        if not records.event:
            return events
        events += [pb.Event.FromString(e) for e in records.event]
        at = records.next


with Site("notification") as site:
    node = site.nodes["notification"]
    node.env = {"no_proxy": "*"}
    receivers = {mode: Counting(mode) for mode in ("ok", "flaky", "slow", "garbage", "gone", "closed", "digest")}
    receivers["closed"].shutdown()
    receivers["closed"].server_close()
    site.start()
    operator = Client(site.data, "operator")
    define_rules(operator, receivers)

    # Receivers that are down, slow or mad do not keep the others from being told.
    tickets = []
    for number in range(TICKETS // 2):
        tickets.append(assign_ticket(operator, number))
        work_on(operator, tickets[-4:])
    wait_until("the well are told", lambda: all(len(receivers[mode].taken) == TICKETS // 2 for mode in ("ok", "flaky")))
    assert receivers["flaky"].asked == 3 + TICKETS // 2, receivers["flaky"].asked
    wait_until("attempts that fail", lambda: {"closed", "garbage"} <= {
        n["rule"] for n in operator.query("notification", "outbox") if n["attempts"] > 0 and n["error"] and n["next"]})

    # Killed in the middle of the rest; then everybody is well.
    for number in range(TICKETS // 2, TICKETS):
        tickets.append(assign_ticket(operator, number))
        work_on(operator, tickets[-4:])
    wait_until("the kill's moment", lambda: len(receivers["ok"].taken) > TICKETS // 2 + 3)
    node.kill()
    receivers["garbage"].mode = "ok"
    receivers["closed"] = Counting("ok", receivers["closed"].server_port)
    node.start()
    well = [mode for mode in receivers if mode != "gone"]
    wait_until("all are told", lambda: all(len(receivers[mode].taken) == TICKETS for mode in well))
    wait_until("the outbox is empty", lambda: not operator.query(
        "notification", "outbox", at_least=operator.call(head=pb.Head()).head.head))

    events = log_of(operator)
    requested, by_rule = {}, collections.defaultdict(set)
    for e in (e.notification_requested for e in events if e.kind == REQUESTED):
        assert e.notice not in requested, "requested twice"
        requested[e.notice] = e
        by_rule[e.rule].add(f"{e.notice:016x}")
    rule = lambda name: by_rule[id_of_key("rule", name)]
    assert len(requested) == TICKETS * 8, len(requested)
    # Digests: a message a window, and every id in one.
    windows = {e.digest_until_us for e in requested.values() if e.digest_until_us}
    assert len(windows) <= receivers["digest"].messages <= len(windows) + 2 < TICKETS / 2, receivers["digest"].messages
    repeats = 0
    for mode in well:
        assert set(receivers[mode].taken) == rule(mode), mode
        repeats += receivers[mode].taken.total() - TICKETS if mode != "digest" else 0
    assert repeats <= IN_FLIGHT, repeats

    sent = collections.Counter(e.notification_sent.notice for e in events if e.kind == SENT)
    failed = [e.notification_failed for e in events if e.kind == FAILED]
    assert set(sent) == {n for n in requested if f"{n:016x}" not in rule("gone")} and max(sent.values()) == 1
    assert {f"{f.notice:016x}" for f in failed} == rule("gone") and len(failed) == TICKETS
    assert all(f.final and f.error == b"HTTP 410" and f.attempts == 1 for f in failed), failed[0]
    dead = operator.query("notification", "dead", "limit=1000")
    assert {d["notice"] for d in dead} == rule("gone") and dead[0]["error"] == "HTTP 410", dead[0]

    lines = [json.loads(line) for line in (site.data / "outbox/notices/owners.jsonl").read_text().splitlines()]
    assert len(lines) == TICKETS and {line["notice"] for line in lines} == rule("file")
    first = next(line for line in lines if line["ticket"] == "1-1")
    assert first["title"] == "1-1 für dich" and first["language"] == "de", first
    assert first["text"] == "Anna Berg, neu: Request 0" and first["recipient_name"] == "Anna Berg", first

    # A node that reads over the wire, from nothing but the log, has nothing more to say.
    assert node.end() == 0, node.said()
    wired = site.program("docket-node", "notification", "--wire", env={"no_proxy": "*"}).start()
    site.nodes["wired"] = wired
    assign_ticket(operator, TICKETS)
    wait_until("one more each", lambda: all(len(receivers[mode].taken) == TICKETS + 1 for mode in well))
    assert wired.end() == 0 and site.broker.end() == 0, wired.said()
    print(f"requested {len(requested)}, received all, {repeats} of them twice after a kill, {len(dead)} given up")
