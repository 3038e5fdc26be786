"""Customers and companies: imported, met by an action, answered by mail under their company's promise; and imports that are
asked about, refused in part, interrupted and killed."""
import collections, email, email.policy, json, os, pty, signal, socket, subprocess, time
import docket_pb2 as pb
from docket_client import Client, event
from site_of import BIN, Site, skip
from waiting import wait_until

try:
    from aiosmtpd.controller import Controller
except ImportError:
    skip("python3-aiosmtpd is not installed")

ORGANIZATION = """
groups: {desk: {name: Desk, line: 1}}
agents: {mara: {first_name: Mara, surname: Lind, groups: [desk]}}
products: {laptop: {name: Laptop, routes: {1: desk}}}
policies:
  sla:
    gold: {when: {tier: gold}, goals: {first-reply: 15m}}
    default: {goals: {first-reply: 8h}}
templates:
  received:
    texts:
      default: {title: "We have {{ticket}}", body: "Dear {{customer}}"}
      de: {title: "{{ticket}} ist da", body: "Guten Tag {{customer}}"}
rules: {confirm: {events: opened, to: customer, via: smtp, template: received}}
"""
COMPANIES = "company,name,tier,contract\nacme,Acme Inc.,gold,\nbeta,Beta,,\n"
CONTRACT = "contracts: {acme-gold: {company: acme, level: premium}}\n"
CUSTOMERS = """customer,address,name,company,language
anna@example.com,,Anna Berg,acme,de
4711,kim@example.org,Kim,beta,en
"""
ROWS = 100_000


class Mailbox:
    def __init__(self):
        self.taken = collections.defaultdict(list)

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken[envelope.rcpt_tos[0]].append(mail)
        return "250 Taken"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def write(site, name, text):
    file = site.path / name
    file.write_text(text)
    return file


def bring(site, what, file, *more, code=0):
    """Imports; the summary, and what was told of rows."""
    done = site.docket("import", what, file, "--yes", "--json", *more, check=False)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout), done.stderr


def counts(summary):
    return [summary[key] for key in ("added", "changed", "unchanged", "rejected", "appended")]


def events(site, *kinds):
    words = [word for kind in kinds for word in ("--kind", kind)]
    return [json.loads(line) for line in site.docket("tail", "--from", 1, *words).stdout.splitlines()]


def get(site, kind):
    return json.loads(site.docket("get", kind, "--json").stdout)


def define_all(site):
    """Companies, then their contract, then the companies with it, then customers: each once."""
    companies, contract = write(site, "companies.csv", COMPANIES), write(site, "contract.yaml", CONTRACT)
    with_contract = write(site, "with.csv", COMPANIES.replace("gold,", "gold,acme-gold"))
    site.docket("apply", write(site, "o.yaml", ORGANIZATION), "--yes")
    assert site.docket("apply", contract, "--yes", check=False).returncode == 1
    summary, told = bring(site, "companies", with_contract, code=1)
    assert counts(summary) == [1, 0, 0, 1, 1] and "with.csv:2: row 1: there is no contract" in told, told
    assert counts(bring(site, "companies", with_contract, "--columns", "contract=")[0]) == [1, 0, 1, 0, 1]
    site.docket("apply", contract, "--yes")
    assert counts(bring(site, "companies", companies)[0]) == [0, 0, 2, 0, 0]
    assert counts(bring(site, "companies", with_contract)[0]) == [0, 1, 1, 0, 1]

    customers = write(site, "customers.csv", CUSTOMERS)
    head = len(events(site))
    done = site.docket("import", "customers", customers, "--dry-run")
    assert done.stdout == "+ customer anna@example.com\n+ customer 4711\n" \
        "2 customers added, 0 changed, 0 unchanged, 0 rows did not go in\n", done.stdout
    done = site.docket("import", "customers", customers, check=False, stdin="n\n")
    assert done.returncode == 1 and "nothing was changed" in done.stderr, done.stderr
    assert len(events(site)) == head
    done = site.docket("import", "customers", customers, stdin="y\n")
    assert "2 changes are appended" in done.stderr, done.stderr
    assert counts(bring(site, "customers", customers)[0]) == [0, 0, 2, 0, 0]
    assert len(events(site)) == head + 2
    done = site.docket("import", "customers", "-", check=False, stdin=CUSTOMERS)
    assert done.returncode == 64 and "--yes" in done.stderr, done.stderr


def rows_that_stay_out(site):
    bad = write(site, "bad.csv", "customer,company,language\neve@example.org,nope,\nlee@example.org,acme,en\n"
                'joe@example.org,"acme,en\n\nmax@example.org,,not a tag\n')
    rejects = site.path / "rejects"
    summary, told = bring(site, "customers", bad, "--rejects", rejects, code=1)
    assert counts(summary) == [1, 0, 0, 3, 1], summary
    lines = rejects.read_text().splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "4", "6"] and all(line in told for line in lines), told
    done = site.docket("import", "companies", bad, check=False)
    assert done.returncode == 1 and "the first line names no column" not in done.stdout, done


def open_by_mail(site, customer):
    return site.docket("open", "It is dead", "--customer", customer, "--product", "laptop", "--channel", "email").stdout.strip()


def who_is_answered(site, mailbox):
    """Whoever writes is answered: known by import under a name or an address, or met by the mail itself."""
    anna = open_by_mail(site, "anna@example.com")
    kim = open_by_mail(site, "4711")
    new = open_by_mail(site, "new@example.org")
    again = open_by_mail(site, "new@example.org")
    nowhere = open_by_mail(site, "zed")
    wait_until("all are answered", lambda: sum(map(len, mailbox.taken.values())) == 4)
    subjects = {who: [mail["Subject"] for mail in mails] for who, mails in mailbox.taken.items()}
    assert subjects == {"anna@example.com": [f"{anna} ist da"], "kim@example.org": [f"We have {kim}"],
                        "new@example.org": [f"We have {new}", f"We have {again}"]}, subjects
    assert "Guten Tag Anna Berg" in mailbox.taken["anna@example.com"][0].get_body().get_content()
    analyst = Client(site.data, "analyst")
    dead = lambda: analyst.query("notification", "dead", at_least=len(events(site)))
    wait_until("one cannot be", lambda: [d["ticket"] for d in dead()] == [nowhere])
    assert "address" in dead()[0]["error"], dead()

    defined = [e["body"] for e in events(site, "customer-defined")]
    assert [b.get("address") for b in defined].count(["new@example.org"]) == 1, defined
    for ticket, name in ((anna, "Anna Berg"), (new, "new@example.org"), (nowhere, "zed")):
        assert name in site.docket("show", ticket).stdout and name in site.docket("replay", "audit", ticket).stdout

    # The company's tier chooses the promise, and the decision says so.
    clocks = lambda: {e["subject"]: e["body"] for e in events(site, "clock-started")}
    wait_until("clocks run", lambda: {anna, kim, new} <= set(clocks()))
    promise = lambda ticket: (clocks()[ticket]["target_us"] / 60e6, clocks()[ticket].get("tier"))
    assert [promise(ticket) for ticket in (anna, kim, new)] == [(15, "gold"), (480, None), (480, None)]
    assert clocks()[anna]["contract"] == get(site, "contracts")[0]["id"]


def met_later(site):
    """Who meets a customer at the same moment as others, or after an import, takes nothing away."""
    words = ("open", "At once", "--customer", "both@example.org")
    env = dict(os.environ, DOCKET_CONFIG=str(site.data))
    both = [subprocess.Popen([BIN / "docket", *words], env=env, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [run.wait(60) for run in both] == [0] * 4
    late = write(site, "late.csv", "customer,name,company\nboth@example.org,Both,beta\n")
    assert counts(bring(site, "customers", late)[0]) == [0, 1, 0, 0, 1]
    first = next(e for e in events(site, "customer-defined") if e["body"].get("address") == ["both@example.org"])
    raw = Client(site.data, "analyst").call(fetch=pb.Fetch(**{"from": first["position"]})).records.event[0]
    sent = pb.Event.FromString(raw)
    again = event(110, sent.subject, sent.actor, sent.customer_defined, one_shot=os.urandom(16))
    assert not Client(site.data, "agent").append(again).refused
    [both] = [c for c in get(site, "customers") if c["address"] == "both@example.org"]
    assert (both["name"], both["company"]) == ("Both", "beta"), both
    assert counts(bring(site, "customers", late)[0]) == [0, 0, 1, 0, 0]


def shown(site):
    said = site.docket("get", "customers").stdout
    assert said.split()[:4] == ["address", "name", "company", "language"], said
    assert said.index("anna@example.com") < said.index("kim@example.org") < said.index("new@example.org")
    assert "tier: gold" in site.docket("get", "company", "acme").stdout
    one = json.loads(site.docket("get", "customer", "4711", "--json").stdout)
    assert (one["name"], one["address"], one["company"], one["language"]) == ("Kim", "kim@example.org", "beta", "en"), one
    assert [c["contract"] for c in get(site, "companies")] == ["acme-gold", None]
    assert site.docket("get", "customers", "nobody@example.org", check=False).returncode == 2


def start(site, *words, **options):
    return subprocess.Popen([BIN / "docket", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=dict(os.environ, DOCKET_CONFIG=str(site.data)), **options)


def asked_and_left(site, *words):
    """Ctrl-C while it asks: nothing is changed, and it says how it ended."""
    head = len(events(site))
    main, other = pty.openpty()
    run = start(site, *words, stdin=other)
    told = b""
    while b"[y/N]" not in told:
        told += os.read(run.stderr.fileno(), 4096)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 130 and len(events(site)) == head, (words, run.returncode)
    os.close(main)
    os.close(other)


def killed(site):
    """The import, and the broker under it: what is missing goes in with the next run."""
    file = write(site, "big.csv", "customer,name,company\n" + "".join(
        f"c{i}@example.org,Name {i},acme\n" for i in range(ROWS)))
    client = Client(site.data, "analyst")
    head = lambda: client.call(head=pb.Head()).head.head
    asked_and_left(site, "import", "customers", file)
    asked_and_left(site, "apply", write(site, "more.yaml", "templates: {more: {texts: {default: {body: more}}}}\n"))
    before = head()
    run = start(site, "import", "customers", file, "--yes")
    wait_until("some of it is in", lambda: head() > before)
    run.kill()
    run.communicate()
    after = head()
    run = start(site, "import", "customers", file, "--yes")
    site.broker.kill()
    site.broker.start()
    run.communicate(timeout=120)
    begun = time.monotonic()
    summary, _ = bring(site, "customers", file)
    took_s = time.monotonic() - begun
    assert summary["rows"] == ROWS and summary["rejected"] == 0, summary
    assert counts(bring(site, "customers", file)[0]) == [0, 0, ROWS, 0, 0]
    assert head() >= before + ROWS
    known = {c["address"]: c for c in get(site, "customers")}
    assert all(known[f"c{i}@example.org"]["name"] == f"Name {i}" and known[f"c{i}@example.org"]["version"] == 1
               for i in range(ROWS)), "each is there, once"
    return after - before, took_s


with Site("routing", "sla", "notification") as site:
    port = free_port()
    with open(site.data / "docket.yaml", "a") as file:
        file.write(f"smtp:\n  server: smtp://127.0.0.1:{port}\n  from: docket@desk.example\n  starttls: allowed\n")
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    site.nodes["notification"].env = {"no_proxy": "*"}
    site.start()
    define_all(site)
    rows_that_stay_out(site)
    who_is_answered(site, mailbox)
    met_later(site)
    shown(site)
    part, took_s = killed(site)
    server.stop()
print(f"parties: imported, met, answered; killed after {part} of {ROWS}, the last run took {took_s:.1f} s")
