"""Lives a scenario through the real programs under a clock that it holds, then checks it by replay.

    run_scenario.py FILE.yaml [--verbose] [--records FILE]

The format is told in README.md. The clock stops at every instant at which a node has something due
and at each step, and moves on when all nodes have folded all there is and owe nothing."""
import argparse, datetime, hashlib, json, os, pathlib, re, shlex, struct, sys, time
from zoneinfo import ZoneInfo
import yaml
import docket_pb2 as pb
from docket_client import CLASSES, Client, event, id_of_key
from history import records
from site_of import BIN, Program, Site

ROLES = ("routing", "sla", "notification", "analytics")
UTC = datetime.timezone.utc
SETTLE_S = 60
DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
SECOND_US = 1_000_000
OPERATOR = 6 << 56 | 1


class Wrong(Exception):
    """What is not as the scenario says."""


def duration_us(text):
    found = DURATION.fullmatch(text)
    if not text or not found or not any(found.groups()):
        return None
    parts = [int(part or 0) for part in found.groups()]
    return sum(n * unit for n, unit in zip(parts, (86400, 3600, 60, 1))) * 1_000_000


class Story:
    def __init__(self, path, verbose):
        self.path, self.verbose = path, verbose
        # Every scalar as it is written: what a number or an instant is, is told by what it meets.
        self.text = yaml.load(path.read_text(), yaml.BaseLoader)
        unknown = set(self.text) - {"zone", "start", "organization", "steps"}
        if unknown or {"start", "organization", "steps"} - set(self.text):
            raise Wrong(f"{path}: a scenario has zone, start, organization, steps; not {unknown}")
        self.zone = ZoneInfo(self.text.get("zone", "UTC"))
        self.words = set(re.findall(r"[\w.@+-]+", path.read_text()))
        self.tickets, self.asked = {}, []
        self.site = Site(*ROLES)
        self.clock = self.site.path / "clock"
        self.now = self.instant(self.text["start"])
        self.clock.write_bytes(struct.pack("<q", self.now))
        self.site.broker = Program([BIN / "docket-broker", "--clock", self.clock,
                                    "--config", self.site.data], self.site.path / "broker.log")

    def instant(self, text, since=None):
        """ "+2h30m", "10:00" (the same day, or the next when that is past), "2026-03-28 10:00";
        a fold's second pass is written "2026-10-25 02:30 again". """
        if text.startswith("+"):
            return since + duration_us(text[1:])
        again = text.endswith(" again")
        text = text.removesuffix(" again")
        of_a_day = re.fullmatch(r"\d\d:\d\d(:\d\d)?", text)
        if of_a_day:
            today = datetime.datetime.fromtimestamp(since / 1e6, self.zone)
            text = f"{today:%Y-%m-%d} {text}"
        local = datetime.datetime.fromisoformat(text)
        local = local.replace(tzinfo=local.tzinfo or self.zone, fold=int(again))
        at = int(local.timestamp()) * 1_000_000
        return at + 86_400_000_000 if of_a_day and at < since else at

    def say(self, *words):
        if self.verbose:
            at = datetime.datetime.fromtimestamp(self.now / 1e6, self.zone)
            print(f"{at:%Y-%m-%d %H:%M:%S}", *words, flush=True)

    # ------------------------------------------------------------ time

    @staticmethod
    def runs(program):
        return program.process is not None and program.process.poll() is None

    def head(self):
        return self.client.call(head=pb.Head()).head.head

    def paces(self):
        """Of the nodes that were not killed."""
        head = self.head()
        return head, [self.client.query(role, "pace") for role in ROLES
                      if self.runs(self.site.nodes[role])]

    def settled(self, head, paces):
        return all(p["live"] and p["position"] == head and p["in_flight"] == 0 and
                   abs(p["now_us"] - self.now) < SECOND_US and
                   (p["due_us"] is None or p["due_us"] > self.now) for p in paces)

    def settle(self):
        """Until nothing moves, seen twice: between two looks a notice may have been delivered.
        Says what is due next. Without a broker nothing moves."""
        until, calm, last, paces, outbox = time.monotonic() + SETTLE_S, 0, None, [], []
        while calm < 2 and self.runs(self.site.broker):
            head, paces = self.paces()
            outbox = self.client.query("notification", "outbox") \
                if self.runs(self.site.nodes["notification"]) else []
            calm = calm + 1 if self.settled(head, paces) and not self.waits(outbox) and \
                head == last else 0
            last = head
            if time.monotonic() > until:
                raise Wrong(f"nothing settles at {self.now}: head {head}, {paces}, {outbox}")
            time.sleep(0.004)
        windows = [n["digest_until"] for n in outbox if n.get("digest_until")]
        return [p["due_us"] for p in paces if p["due_us"] is not None] + \
            [at for at in map(self.us_of, windows) if at > self.now]

    @staticmethod
    def us_of(text):
        at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - datetime.datetime.fromtimestamp(0, UTC)
        return at // datetime.timedelta(microseconds=1)

    @staticmethod
    def waits(outbox):
        """Notices to be handed over now; those of a receiver in trouble, or of a digest, wait."""
        return [n for n in outbox if not n.get("attempts") and not n.get("digest_until")]

    def move(self, to):
        while True:
            due = [at for at in self.settle() if at <= to]
            at = min([*due, to])
            if at == self.now and not due:
                return
            self.now = max(self.now, at)
            with self.clock.open("r+b") as file:
                file.write(struct.pack("<q", self.now))
            if at == to and not due:
                self.settle()
                return

    # ------------------------------------------------------------ doing

    def meant(self, word):
        """A ticket by its name here, a notice as "boss.jsonl#2", or the word itself."""
        notice = re.fullmatch(r"(\S+\.jsonl)#(\d+)", word)
        if notice:
            return self.notices(notice[1])[int(notice[2]) - 1]["notice"]
        return self.tickets.get(word, word)

    def docket(self, words, check=True):
        words = [self.meant(word) for word in shlex.split(words)]
        if words[0] in ("apply", "holidays", "import"):
            words = [str(self.folder / w) if (self.folder / w).exists() else w for w in words]
        return self.site.docket(*words, "--zone", self.text.get("zone", "UTC"), check=check)

    def apply(self, organization):
        """The text of a file as `docket apply` reads it."""
        file = self.folder / f"organization-{len(list(self.folder.iterdir()))}.yaml"
        file.write_text(organization)
        self.site.docket("apply", file, "--yes")

    def define(self, what, how):
        """What no file of an organization may hold: as "agent zoe", by the fields of its body."""
        cls, key = what.split()
        known_as = self.digest(key) if cls == "customer" else key
        body = getattr(pb, f"{cls.title()}Defined")(definition=pb.Definition(key=known_as.encode()))
        for name, value in how.items():
            field, named = body.DESCRIPTOR.fields_by_name[name], CLASSES.get(name)
            if field.message_type is not None:
                getattr(body, name).plain = value.encode()
            else:
                value = self.id_of(name, value) if named else \
                    value.encode() if field.type == field.TYPE_BYTES else int(value)
                getattr(body, name).extend([value]) if field.label == field.LABEL_REPEATED else \
                    setattr(body, name, value)
        kind = pb.Event.DESCRIPTOR.fields_by_name[f"{cls}_defined"].number
        reply = self.operator.append(event(kind, self.id_of(cls, key), OPERATOR, body,
                                           one_shot=os.urandom(16)))
        if reply.refused:
            raise Wrong(f"{what} is refused: {reply}")

    def digest(self, name):
        """A customer's key: no name of a person stands in the log."""
        return hashlib.blake2b(name.encode(), digest_size=16, key=self.salt).hexdigest()

    def id_of(self, cls, key):
        if cls == "customer":
            return id_of_key(cls, self.digest(key), self.salt)
        return id_of_key(cls, key, self.salt if cls == "company" else bytes(16))

    def text_of(self, cls, key):
        return f"{cls}/{self.id_of(cls, key) & (1 << 56) - 1:014x}"

    def do(self, line):
        self.say(line)
        if isinstance(line, dict):
            [(what, how)] = line.items()
            if what == "apply":
                return self.apply(how)
            if what == "define":
                [(entity, fields)] = how.items()
                return self.define(entity, fields)
            if what in ("kill", "start"):
                programs = {**self.site.nodes, "broker": self.site.broker}
                for name in [how] if isinstance(how, str) else how:
                    programs[name].kill() if what == "kill" else programs[name].start()
                return None
            raise Wrong(f"{what} is nothing that can be done: see README.md")
        named = re.fullmatch(r"(\w+) = (open .*)", line, re.S)
        done = self.docket(named[2] if named else line)
        if named:
            self.tickets[named[1]] = done.stdout.strip()
        return done

    def refuse(self, line, says):
        self.say(line, "is refused:", says)
        head = self.head()
        done = self.docket(line, check=False)
        for part in [says] if isinstance(says, str) else says:
            if done.returncode == 0 or part not in done.stderr:
                raise Wrong(f"`{line}` was to be refused with {part!r}: exit {done.returncode}, "
                            f"{done.stderr}")
        if self.head() != head:
            raise Wrong(f"`{line}` was refused, and something was written")

    # ------------------------------------------------------------ expecting

    def same(self, wanted, found, where):
        """Whether all that is wanted is found: of maps the keys named, of lists all."""
        if isinstance(wanted, dict):
            if not isinstance(found, dict):
                raise Wrong(f"{where} is {found}, not {wanted}")
            for key, value in wanted.items():
                self.same(value, found.get(key), f"{where}.{key}")
        elif isinstance(wanted, list):
            if not isinstance(found, list) or len(found) != len(wanted):
                raise Wrong(f"{where} is {found}, not {wanted}")
            for i, value in enumerate(wanted):
                self.same(value, found[i], f"{where}[{i}]")
        elif not self.is_value(wanted, found):
            raise Wrong(f"{where} is {self.shown(found)}, not {wanted}")

    def shown(self, found):
        """As the scenario would write it."""
        if isinstance(found, dict):
            return found.get("name", found)
        if isinstance(found, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", found):
            at = datetime.datetime.fromisoformat(found.replace("Z", "+00:00"))
            return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S}"
        cls = found.split("/")[0] if isinstance(found, str) else None
        return next((word for word in self.words
                     if cls in CLASSES and self.text_of(cls, word) == found), found)

    def is_value(self, wanted, found):
        wanted = self.tickets.get(wanted, wanted)
        if isinstance(found, dict):
            return wanted == found.get("name") or self.is_value(wanted, found.get("id"))
        if isinstance(found, bool) or found is None:
            return wanted == json.dumps(found)
        if isinstance(found, (int, float)):
            # What is measured on the held clock is so to the microseconds of a program's work.
            us = duration_us(wanted)
            return wanted == str(found) or us is not None and 0 <= found - us < SECOND_US
        if re.match(r"\d{4}-\d\d-\d\dT", found) and re.match(r"\d", wanted):
            at = datetime.datetime.fromisoformat(found.replace("Z", "+00:00"))
            return int(at.timestamp()) * SECOND_US == self.instant(wanted, self.day)
        cls = found.split("/")[0]
        return wanted == found or cls in CLASSES and self.text_of(cls, wanted) == found

    def events(self, ticket, kind):
        ticket = self.tickets.get(ticket, ticket)
        lines = self.site.docket("replay", "audit", ticket, "--json").stdout.splitlines()
        events = [json.loads(line)["event"] for line in lines]
        return [{**event, **event["body"]} for event in events if kind in (None, event["kind"])]

    def node(self, role, query, *arguments):
        """The live node's answer; by replay it must be the same."""
        done = self.site.docket("replay", "diff", role, query, *arguments, "--json", check=False)
        if done.returncode != 0:
            raise Wrong(f"{role} {query} {arguments}: live and replay differ: {done.stdout}"
                        f"{done.stderr}")
        return json.loads(done.stdout)["replayed"]

    def clock_of(self, ticket, metric, instance="1"):
        at = datetime.datetime.fromtimestamp(self.now / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = self.node("sla", "clocks", f"ticket={self.tickets[ticket]}", f"at={at}")
        for clock in answer["clocks"]:
            if (clock["metric"], str(clock["instance"])) == (metric, instance):
                return clock
        return None

    def ticket(self, name):
        """As it is; as it was at this instant, by replay, is asked for again at the end."""
        live = json.loads(self.site.docket("show", self.tickets[name], "--json").stdout)
        self.asked.append((name, self.now, {k: v for k, v in live.items() if k != "history"}))
        return live

    def expect(self, what, wanted):
        self.say("expects", what, wanted)
        words = what.split()
        if words[0] == "ticket":
            self.same(wanted, self.ticket(words[1]), what)
        elif words[0] == "clock":
            clock = self.clock_of(*words[1:])
            if wanted == "none":
                return self.same(wanted, "none" if clock is None else clock, what)
            self.same(wanted, clock, what)
        elif words[0] == "event":
            found = self.events(words[1], words[2])
            self.same(wanted, found[-1] if found else None, what)
        elif words[0] == "events":
            self.same(wanted, self.events(words[1], words[2]), what)
        elif words[0] == "count":
            self.same(wanted, len(self.events(words[1], words[2])), what)
        elif words[0] == "notices":
            of = [self.tickets[name] for name in words[2:]]
            told = [n for n in self.notices(words[1]) if not of or n["ticket"] in of]
            self.same(wanted, told, what)
        elif words[0] == "node":
            arguments = [re.sub(r"=(.*)", lambda m: "=" + self.tickets.get(m[1], m[1]), word)
                         for word in words[3:]]
            self.same(wanted, self.node(words[1], words[2], *arguments), what)
        elif words[0] == "prints":
            out = self.docket(what.removeprefix("prints ")).stdout
            for part in [wanted] if isinstance(wanted, str) else wanted:
                if part not in out:
                    raise Wrong(f"`{what}` does not print {part!r}: {out}")
        else:
            raise Wrong(f"{what} cannot be expected: see README.md")

    def notices(self, name):
        path = self.site.data / "outbox" / name
        lines = path.read_text().splitlines() if path.exists() else ()
        return [json.loads(line) for line in lines]

    # ------------------------------------------------------------ the whole

    def step(self, step):
        unknown = set(step) - {"at", "do", "refused", "expect"}
        if unknown:
            raise Wrong(f"a step has at, do, refused, expect; not {unknown}")
        if "at" in step:
            self.move(self.instant(step["at"], self.now))
        self.day = self.now - 43_200_000_000  # times of day that are expected lie around now
        for line in step.get("do", ()):
            self.do(line)
            self.settle()
        for line, says in step.get("refused", {}).items():
            self.refuse(line, says)
        for what, wanted in step.get("expect", {}).items():
            self.expect(what, wanted)

    def live(self):
        self.site.start()
        self.client, self.operator = (Client(self.site.data, key) for key in ("agent", "operator"))
        self.salt = self.operator.call(hello=pb.Hello(name=b"scenario")).hello.salt
        self.folder = self.site.path / "files"
        self.folder.mkdir()
        self.day = self.now
        self.apply(self.text["organization"])
        for number, step in enumerate(self.text["steps"], 1):
            try:
                self.step(step)
            except (Wrong, RuntimeError, TimeoutError) as wrong:
                raise Wrong(f"{self.path.name}, step {number} (at {step.get('at', 'once')}): "
                            f"{wrong}") from None

    def replay(self):
        """The past as it was seen, each decision of routing's made again, and each node's state as it is."""
        last = {}
        for name, at, seen in self.asked:
            last[name, at] = seen
        for (name, at), seen in last.items():
            text = datetime.datetime.fromtimestamp(at / 1e6, UTC).isoformat()
            done = self.site.docket("replay", "show", self.tickets[name], "--at", text, "--json")
            then = json.loads(done.stdout)
            for key, value in seen.items():
                if key in then and then[key] != value:
                    raise Wrong(f"{name} at {text}: {key} was {value}, replay says {then[key]}")
        for ticket in self.tickets.values():
            if any(made["actor"] == "node/routing" for made in self.events(ticket, None)):
                self.site.docket("routing", "explain", ticket, "--all")
        for role in ROLES:
            done = self.site.docket("replay", "diff", role, check=False)
            if done.returncode != 0:
                raise Wrong(f"live and replayed {role} differ: {done.stdout}{done.stderr}")
        self.site.docket("replay", "verify")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true", help="tell every step")
    parser.add_argument("--records", type=pathlib.Path, help="write the log here: 4 bytes of size, "
                        "lowest first, before each record")
    arguments = parser.parse_args()
    story = Story(arguments.file, arguments.verbose)
    with story.site:
        story.live()
        story.replay()
        if arguments.records:
            arguments.records.write_bytes(b"".join(
                struct.pack("<I", len(record)) + record for record in records(story.site)))
        story.site.end()


if __name__ == "__main__":
    try:
        main()
    except Wrong as wrong:
        sys.exit(f"{wrong}")
