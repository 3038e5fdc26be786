"""Quiet hours (N2) and receivers that fail: what could not be delivered in the recipient's hours is held outside of them,
through a kill -9 too, and goes when they begin again; a digest as the one message it was, under the same key. What is
urgent goes at once. The clock is held by the test."""
import http.server, json, os, struct
from docket_client import Client
from receiver import Receiver
from site_of import BIN, Program, Site
from waiting import wait_until

ORGANIZATION = """
calendars: {day: {zone: UTC, hours: {mon-fri: "09:00-17:00"}}}
groups: {desk: {line: 1}}
agents: {anna: {first_name: Anna, surname: Berg, groups: [desk], notify_hours: day}}
templates: {news: {texts: {default: {title: "{{ticket}}", body: "{{subject}}"}}}}
rules:
"""
RULE = "  {name}: {{events: {event}, to: {{agent: anna}}, via: webhook, address: '{url}', template: news{more}}}\n"
MORE = {"plain": "", "gone": "", "urgent": ", urgent: true", "digest": ", digest: 5m", "probe": ", urgent: true"}
AFTERNOON, WINDOW_OVER, NIGHT, MORNING = 1774371000, 1774371300, 1774382400, 1774429200  # 2026-03-24 16:50, :55, 20:00; 09:00


class Keeping(Receiver):
    """Keeps what it was sent, and what of that it took; `status` is its answer."""

    def __init__(self, status):
        self.status, self.asked, self.taken = status, [], []
        super().__init__(Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = (self.headers["Idempotency-Key"], [told["notice"] for told in said.get("notices", [said])])
        self.server.asked.append(message)
        if self.server.status == 200:
            self.server.taken.append(message)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def set_clock(path, at_s):
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(struct.pack("<q", at_s * 1_000_000))


with Site("notification") as site:
    clock = site.path / "clock"
    set_clock(clock, AFTERNOON)
    site.broker = Program([BIN / "docket-broker", "--clock", clock, "--config", site.data], site.path / "broker.log")
    site.nodes["notification"].env = {"no_proxy": "*"}
    site.start()
    receivers = {name: Keeping(410 if name == "gone" else 500) for name in MORE}
    rules = "".join(RULE.format(name=name, event="time-logged" if name == "probe" else "note", url=r.url, more=MORE[name]) for name, r in receivers.items())
    site.docket("apply", "-", "--yes", stdin=ORGANIZATION + rules)
    agent = lambda *words: site.docket(*words, "--as", "anna").stdout.strip()
    tickets = [agent("open", f"case {i}") for i in range(3)]
    for ticket in tickets:
        agent("note", ticket, "looked into it")
    operator = Client(site.data, "operator")
    outbox = lambda: operator.query("notification", "outbox")
    waiting = lambda: {n["rule"]: n["next"] for n in outbox()}

    # In hours all of them are tried, and fail.
    wait_until("the first attempts", lambda: all(receivers[name].asked for name in ("plain", "urgent", "gone")))
    wait_until("the digest's notices", lambda: [n["rule"] for n in outbox()].count("digest") == 3)
    assert not receivers["digest"].asked
    set_clock(clock, WINDOW_OVER)
    wait_until("the digest's attempts", lambda: len(receivers["digest"].asked) > 1)
    (digest,) = {(key, tuple(notices)) for key, notices in receivers["digest"].asked}
    requested = sorted((n for n in outbox() if n["rule"] == "digest"), key=lambda n: n["position"])
    assert list(digest[1]) == [n["notice"] for n in requested] and len(requested) == 3, (digest, requested)
    dead = wait_until("the dead", lambda: len(d := operator.query("notification", "dead")) == 3 and d)

    # After them nobody is disturbed, whatever has become of the receivers; an operator's retry is no exception.
    set_clock(clock, NIGHT)
    site.docket("notify", "retry", dead[0]["notice"])
    held = ("plain", "digest", "gone")
    quiet = lambda: all(waiting().get(name) == "2026-03-25T09:00:00Z" for name in held)
    wait_until("what is not urgent is held", quiet)
    for receiver in receivers.values():
        receiver.status = 200
    wait_until("what is urgent is taken", lambda: len(receivers["urgent"].taken) == 3)
    node = site.nodes["notification"]
    node.kill()
    node.start()
    wait_until("it is held by a new node", quiet)
    agent("log-time", tickets[0], "5m")
    wait_until("a later notice is taken", lambda: receivers["probe"].taken)
    assert not any(receivers[name].taken for name in held), receivers

    # In the morning each goes once, the digest as the message that it was.
    set_clock(clock, MORNING)
    wait_until("the outbox is empty", lambda: not outbox())
    assert receivers["digest"].taken == [(digest[0], list(digest[1]))], receivers["digest"].taken
    assert receivers["gone"].taken == [(dead[0]["notice"], [dead[0]["notice"]])], receivers["gone"].taken
    plain = [key for key, _ in receivers["plain"].taken]
    assert len(plain) == len(set(plain)) == 3 and set(plain) == {key for key, _ in receivers["plain"].asked}, plain
    print(f"held over the night: {len(plain)} notices, a digest of {len(digest[1])}, one that an operator retried")
