"""Every verb of the command line: its examples are understood word for word, and what goes wrong ends
with the exit code that the table of `docket --help` says."""
import json, os, re, shlex, subprocess
from site_of import BIN, Site

ORGANIZATION = """
groups:
  desk: {name: Service desk, line: 1}
  frontline: {name: Frontline, line: 1}
  networking: {name: Networks, line: 2}
  engineers: {name: Engineers, line: 2}
agents:
  anna: {first_name: Anna, surname: Schmidt, groups: [desk]}
  ben: {first_name: Ben, surname: Miller, groups: [desk, frontline, networking, engineers]}
  boss: {first_name: Boss, surname: Big, groups: [desk]}
products: {printers: {name: Printers, routes: {1: desk}}, vpn: {name: VPN, routes: {1: frontline}}}
suppliers: {acme: {name: Acme}}
fields: {floor: {name: Floor, type: number}}
"""
DONE, FAILED, NOT_FOUND, USAGE, DAMAGED, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 64, 65, 69, 130

BOB, ANNA = "--customer bob@example.org", "--as anna"
CASES = f"""
64 say what to do                 |
64 is show meant                  | shwo 1-1
64 replay verify                  | replay
64 replay sla explain             | replay sla
64 replay audit                   | replay nonsense
64 sla due                        | sla
64 routing explain                | routing
64 notify retry                   | notify --json
64 approval ask                   | approval
64 --zine is not understood: is --zone | list --zine UTC
64 --json takes no value          | list --json=yes
64 one argument too many          | list 1-1
64 SUBJECT is missing             | open
64 say who acts                   | note 1-1 x
64 --at: "yesterday"              | note 1-1 x {ANNA} --at yesterday
64 priority is one of             | open x {BOB} --priority urgent
64 GROUP is missing               | route 1-1
64 say which with --as            | accept 1-1 {BOB}
64 to a --line or to a --manager  | escalate 1-1 {ANNA}
64 rate with --csat               | rate 1-1 {BOB}
64 is past already                | remind 1-1 -4h {ANNA}
64 takes no value                 | supplier-returned 1-1 acme --fixed=maybe {ANNA}
64 no duration                    | log-time 1-1 soon {ANNA}
64 no hexadecimal number          | erase-attachment 1-1 xyz {ANNA}
64 --limit takes a number         | list --limit -1
64 --filter takes                 | list --filter colour=red
64 there is no kind               | tail --kind nonsense
64 no reference data              | get gnomes
64 happiness                      | kpi --measures happiness
64 happiness                      | replay kpi --measures happiness
64 to is not after from           | kpi --from 2026-01-02 --to 2026-01-01
64 to is not after from           | kpi load --from 2026-01-02 --to 2026-01-01
64 to is not after from           | replay kpi index --from 2026-01-02 --to 2026-01-01
64 no weight                      | kpi index --a much
64 to is not after from           | kpi credits --from 2026-01-02 --to 2026-01-01
64 to is not after from           | replay kpi credits --from 2026-01-02 --to 2026-01-01
64 happiness                      | sla explain 1-1 happiness
64 happiness                      | replay sla explain 1-1 happiness
64 --at is missing                | replay show 1-1
64 no role                        | replay diff janitor
64 "foo=1" is no argument of it: KEY=VALUE, with one of ticket at metric | replay diff sla clocks foo=1
64 ticket=SITE-NUMBER             | replay diff sla clocks
64 it has none                    | replay diff sla overdue n=1
64 one of after limit             | replay diff notification outbox bar
64 versions count from 1          | note 1-1 x {ANNA} --expect-version 0
64 it ends too early              | note 1-1 x {ANNA} --at 1900
64 --wait takes a number          | status --wait -5
64 say the status                 | status 1-1
64 --timeout takes                | status --timeout 0s
64 --at is the instant of backlogs | kpi --measures opened --at 2026-01-01
64 there is no role "nosuch"      | status --wait 5 --roles sla,nosuch
64 --map is missing               | import x.csv
64 --reason is missing            | notify drop 1
64 --rate                         | demo --rate x
2  1-999                          | replay audit 1-999
2  DK_ENOTFOUND                   | show 1-999
2  no ticket has the reference    | show 65535-1
2  lives at site 2                | note 2-1 x {ANNA}
2  DK_ENOTFOUND                   | note 1-999 x {ANNA}
2  nobody.key                     | show 1-1 --key nobody
2  Nowhere/Land                   | show 1-1 --zone Nowhere/Land
2  no agent "nobody"              | list --as nobody
2  no agent "nobody"              | show 1-1 --as nobody
2  no agent "nobody"              | get agents nobody
2  none.yaml                      | apply none.yaml
2  none.ics                       | holidays none.ics
2  none.yaml                      | import --map none.yaml none.csv
2  none.bin                       | attach 1-1 none.bin {ANNA}
2  no/such/site                   | list --config no/such/site
2  then                           | replay show 1-1 --at -1d
2  there is no ticket             | sla explain 1-999
2  has decided nothing            | routing explain 1-1
2  3f9c0a1b2c3d4e5f               | notify retry 3f9c0a1b2c3d4e5f
2  3f9c0a1b2c3d4e5f               | notify drop 3f9c0a1b2c3d4e5f --reason gone
1  DK_EILLEGAL                    | close 1-1 {ANNA}
1  DK_ECONFLICT                   | note 1-1 x {ANNA} --expect-version 99
1  DK_EACCES                      | note 1-1 x {ANNA} --key reader
1  DK_EREFERENCE                  | note 1-1 x --as nobody
1  nobody                         | route 1-1 nobody --line 1 {ANNA}
1  boss does not see 1-2          | show 1-2 --as boss
1  bad.yaml:2                     | apply bad.yaml
1  bad.csv:1                      | import --map bad.csv bad.csv
69 the routing node gave no answer | replay diff routing --timeout 100ms
69 routing is not live           | status --wait 0 --roles routing,sla
"""


def cases():
    for line in CASES.strip().splitlines():
        head, words = line.split("|")
        code, says = head.strip().split(None, 1)
        yield int(code), says.strip(), shlex.split(words)


def verbs(docket):
    """The verbs that --help lists."""
    listed = docket("--help").stdout.split("Everywhere")[0]
    return re.findall(r"^  ([a-z][a-z -]*?)(?:  +\S.*)?$", listed, re.M)


def table(docket):
    wrong = []
    for code, says, words in cases():
        done = docket(*words)
        if (done.returncode != code or says not in done.stderr or done.stdout != "" or
                (code == USAGE and "Try: docket" not in done.stderr)):
            wrong.append(f"{shlex.join(words)}: {code}, \"{says}\" expected: {done}")
    assert not wrong, "\n".join(wrong)


def examples(docket, verb):
    help = docket(*verb.split(), "--help")
    assert help.returncode == DONE and help.stderr == "", (verb, help)
    for word in verb.split()[:-1]:
        assert docket("help", *verb.split()).stdout == help.stdout, word
    shown = re.findall(r"^  docket (.*)$", help.stdout.split("\nExamples\n")[1], re.M)
    assert shown, verb
    for line in shown:
        words = shlex.split(line)
        if verb == "demo":
            words += ["--actions", "3"] if "--actions" not in words else []
            words[words.index("--actions") + 1] = "3"
        words = ["1" if word == "30" and "--wait" in words else word for word in words]
        if verb == "tail" and "-f" in words:
            continue  # it does not end
        done = docket(*words, "--timeout", "5s", stdin="n\n")
        assert done.returncode in (DONE, FAILED, NOT_FOUND, UNAVAILABLE), (line, done)
        yield line, done


def understood(docket):
    known = verbs(docket)
    assert len(known) > 50 and {"open", "replay sla explain", "import", "kpi credits"} <= set(known), known
    ends = {}
    for verb in known:
        for line, done in examples(docket, verb):
            ends[line] = done.returncode
    worked = [line for line, code in ends.items() if code == DONE]
    print(len(ends), "examples,", len(worked), "of which did it; the rest names what is not here:")
    for line, code in ends.items():
        if code != DONE:
            print("  ", code, "docket", line)
    assert len(worked) > 0.7 * len(ends), ends


def set_up(docket, path):
    """A site where 1-42, 1-43 and 1-44 are tickets, and anna, ben and boss work."""
    for name in ("organization.yaml", "people.yaml", "groups.yaml"):
        (path / name).write_text(ORGANIZATION)
    (path / "bad.yaml").write_text("groups:\n  x: {lime: 1}\n")
    (path / "bad.csv").write_text("a,b\n1,2\n")
    (path / "customers.csv").write_text("address,name\neve@example.org,Eve Adler\n")
    (path / "crm.csv").write_text("E-Mail;Contact\neve@example.org;Eve Adler\n")
    (path / "companies.csv").write_text("company,name\nacme,Acme Ltd\n")
    (path / "photo.jpg").write_bytes(b"abc")
    (path / "feed.ics").write_text("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n"
                                   "DTSTART;VALUE=DATE:20270101\nSUMMARY:New Year\nEND:VEVENT\nEND:VCALENDAR\n")
    done = docket("apply", "organization.yaml", "--yes")
    assert done.returncode == DONE, done
    for k in range(1, 45):
        done = docket("open", f"Ticket {k}", "--customer", "bob@example.org", "--product",
                      "printers" if k != 2 else "vpn")
        assert done.stdout == f"1-{k}\n", done


def closed_stdout(docket, site):
    """A reader that goes away ends the program without a word; a full disk is told."""
    env = dict(os.environ, DOCKET_CONFIG=str(site.data))
    for words in ("list", "list --json", "tail --from 1", "get agents", "kpi", "status", "show 1-1"):
        done = subprocess.run(f"'{BIN}/docket' {words} | true; exit ${{PIPESTATUS[0]}}", shell=True,
                              executable="/bin/bash", capture_output=True, text=True, env=env)
        assert done.stderr == "" and done.returncode in (0, 141), (words, done)
        for how in (">/dev/full", ">&-"):
            done = subprocess.run(f"'{BIN}/docket' {words} {how}", shell=True, capture_output=True,
                                  text=True, env=env)
            assert done.returncode == FAILED and "cannot write to stdout" in done.stderr, (words, how, done)


with Site("analytics", "sla", "notification") as site:
    def docket(*words, stdin=""):
        return subprocess.run([BIN / "docket", *words], input=stdin, text=True, capture_output=True,
                              timeout=120, cwd=site.path, env=dict(os.environ, DOCKET_CONFIG=str(site.data)))

    assert docket("list").returncode == DONE  # the log's folder is read, no broker needed
    assert docket("note", "1-1", "x", "--as", "anna", "--timeout", "200ms").returncode == UNAVAILABLE
    site.start()
    set_up(docket, site.path)
    site.docket("status", "--wait", 30, "--roles", "analytics,sla,notification")
    closed_stdout(docket, site)
    understood(docket)
    table(docket)
print("every verb's examples, and the exit codes")
