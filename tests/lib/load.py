"""A site with an organization, load on it, and what must be true of it in the end."""
import json, os, pathlib, subprocess, time
import docket_pb2 as pb
from docket_client import Client, event, id_of_key

BIN = pathlib.Path(os.environ["DOCKET_BIN"])
OPERATOR = 6 << 56 | 1
ROLES = ("routing", "sla", "notification", "analytics")


def define(operator, kind, cls, key, body):
    body.definition.key = key.encode()
    reply = operator.append(event(kind, id_of_key(cls, key), OPERATOR, body, one_shot=os.urandom(16)))
    assert not reply.refused, reply


def define_organization(site):
    """Two groups that share agents, clocks that end within seconds, and notices to files."""
    operator = Client(site.data, "operator")
    desk, second = id_of_key("group", "desk"), id_of_key("group", "second")
    all_day = [pb.WeekdayPlan(weekday=d, interval=[pb.DayInterval(from_s=0, to_s=86400)]) for d in range(7)]
    define(operator, 99, "calendar", "always", pb.CalendarDefined(zone=b"UTC", weekday=all_day))
    define(operator, 97, "group", "desk", pb.GroupDefined(line=1))
    define(operator, 97, "group", "second", pb.GroupDefined(line=2))
    define(operator, 98, "product", "load-product", pb.ProductDefined(
        route=[pb.Route(line=1, group=desk), pb.Route(line=2, group=second)]))
    agents = [f"agent-{i}" for i in range(6)]
    for i, key in enumerate(agents):
        define(operator, 96, "agent", key, pb.AgentDefined(
            first_name=pb.Text(plain=b"An"), surname=pb.Text(plain=key.encode()),
            group=[desk, second] if i % 2 else [desk], capacity=40))
    define(operator, 106, "shift", "day", pb.ShiftDefined(
        calendar=id_of_key("calendar", "always"), agent=[id_of_key("agent", a) for a in agents]))
    define(operator, 100, "policy", "default", pb.PolicyDefined(
        type=pb.POLICY_SLA, order=1, calendar=id_of_key("calendar", "always"), warn_percent=[50],
        goal=[pb.Goal(metric=m, priority=pb.PRIORITY_NONE, target_us=s * 1000000)
              for m, s in ((pb.METRIC_FIRST_REPLY, 1), (pb.METRIC_RESOLUTION, 2))]))
    define(operator, 103, "template", "news", pb.TemplateDefined(
        text=[pb.TemplateText(language=b"", title=b"{{ticket}}", body=b"{{subject}}")]))
    for key, kind in (("assigned", 22), ("breached", 48)):
        define(operator, 104, "rule", key, pb.RuleDefined(
            on_kind=[kind], recipient=pb.RULE_FIXED, recipient_id=id_of_key("agent", "agent-0"),
            transport=pb.TRANSPORT_FILE, address=pb.Text(plain=f"{key}.jsonl".encode()),
            template=id_of_key("template", "news")))


class Load:
    """Producers that act on a site (tests/crash/site_load.c) until they are ended."""

    def __init__(self, site, producers, events_a_second, seed):
        self.site, self.names, self.seed = site, [f"load-{i}" for i in range(producers)], seed
        self.a_second = events_a_second / producers

    def answers(self, name):
        return self.site.path / f"{name}.answers"

    def start(self):
        self.processes = [
            subprocess.Popen([BIN / "site_load", self.site.data, name, str(self.seed + i),
                              str(self.a_second), self.answers(name)], stderr=subprocess.PIPE, text=True)
            for i, name in enumerate(self.names)]
        return self

    def end(self):
        """Waits for the answers that are missing."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            said = process.communicate(timeout=60)[1]
            assert process.returncode == 0, f"load: {process.returncode}: {said}"

    def kill(self):
        for process in self.processes:
            process.kill()
            process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


def check_log(site, load):
    """Verifies the log, and that it holds what was accepted; returns the summary and the notices."""
    pairs = [x for name in load.names for x in (name, load.answers(name))]
    done = subprocess.run([BIN / "log_check", site.data / "log", *pairs], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    notices = {line.split()[1] for line in lines if line.startswith("notice ")}
    told = [line for line in lines if not line.startswith("notice ")]
    assert done.returncode == 0, "\n".join(told + [done.stderr])
    return json.loads(told[-1]), notices


def wait_until_quiet(site, client, timeout_s=90):
    """Until the nodes have folded and done all that is owed for a second."""
    end, head, since = time.monotonic() + timeout_s, -1, 0
    while time.monotonic() < end:
        stats = client.call(stats=pb.Stats()).stats
        members = {m.heartbeat.role.decode(): m.heartbeat for m in stats.member if m.age_us < 2500000}
        behind = {r: (m.position, m.pending_intents, m.health) for r, m in members.items()
                  if m.position < stats.head or m.pending_intents > 0 or m.health != b"ok"}
        if stats.head != head or behind or set(members) != set(site.nodes):
            head, since = stats.head, time.monotonic()
        elif time.monotonic() - since > 2:
            return
        time.sleep(0.1)
    raise AssertionError(f"not quiet within {timeout_s} s: head {head}, members {list(members)}, behind {behind}")


def check_states(site, client, timeout_s=45):
    """Each node's state equals a replay from zero to its position, which in the end owes nothing: no decision was lost.
    What was refused may still pause, up to 30 s."""
    end = time.monotonic() + timeout_s
    for role in site.nodes:
        owed = "?"
        while owed != "0":
            assert time.monotonic() < end, f"{role} at {state['position']} owes {owed} events still"
            state = client.query(role, "state")
            done = subprocess.run([BIN / "log_fold", site.data / "log", role, str(state["position"])],
                                  capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            replayed, owed = done.stdout.split()
            assert replayed == state["hash"], f"{role} at {state['position']}: {state['hash']}, replayed {replayed}"


def received(site):
    """The ids of the notices that arrived, each as often as it did."""
    return [json.loads(line)["notice"] for file in sorted((site.data / "outbox").glob("*.jsonl"))
            for line in file.read_text().splitlines()]
