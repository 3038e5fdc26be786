"""Importer and broker are killed, interrupted and taken over in the middle of an import: what is in
the log in the end is what one undisturbed run leaves there, record by record."""
import json, os, pathlib, random, signal, subprocess, tempfile, threading, time
import docket_pb2 as pb
from docket_client import Client
from history import IMPORT_FINISHED, IMPORT_STARTED, UCI, content, kind, records, same_site, uci_file
from site_of import BIN, Site

ROWS = 60000
SEED = int(os.environ.get("DOCKET_SEED", random.randrange(1 << 32)))


def importer(site, file="-"):
    """A running import; with stdin it is fed by hand."""
    return subprocess.Popen([BIN / "docket", "import", *UCI, "--json", file],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=dict(os.environ, DOCKET_CONFIG=str(site.data)))


def feed_half(run, data, site):
    """Returns when some of it is in the log."""
    run.stdin.write(data[:len(data) // 2])
    run.stdin.flush()
    end = time.monotonic() + 60
    while head(site) == 0:
        assert run.poll() is None and time.monotonic() < end, "nothing went in"
        time.sleep(0.02)


def finish(run, data=b""):
    out, err = run.communicate(data, timeout=120)
    return run.returncode, out.decode(), err.decode()


def head(site):
    return Client(site.data, "analyst").call(head=pb.Head()).head.head


def history(site):
    """All that is in the log but what imports say of themselves."""
    return [content(r) for r in records(site) if kind(r) not in (IMPORT_STARTED, IMPORT_FINISHED)]


def complete(site, file):
    """One more run brings in what is missing, another one finds nothing to do."""
    site.docket("import", *UCI, "--json", file)
    again = json.loads(site.docket("import", *UCI, "--json", file).stdout)
    assert again["appended"] == 0, again


def killed_at_random(site, file, data):
    """Importers are killed; the broker too, under a running importer."""
    chance = random.Random(SEED)
    for round_number in range(10):
        run = importer(site, file)
        time.sleep(chance.uniform(0.02, 0.25))
        if round_number % 2:
            site.broker.kill()
            site.broker.start()
            time.sleep(chance.uniform(0.02, 0.25))
        run.kill()
        finish(run)
    complete(site, file)


def broker_restarted(site, file, data):
    """The import waits for the broker, and goes on by itself."""
    run = importer(site)
    feed_half(run, data, site)
    site.broker.kill()
    site.broker.start()
    code, out, err = finish(run, data[len(data) // 2:])
    assert code == 0 and json.loads(out)["rows"] == ROWS, err


def feed_until_stuck(run, data):
    """Feeds by a thread, to be joined; returns when the importer takes no more."""
    taken = []

    def feed():
        for at in range(0, len(data), 65536):
            run.stdin.write(data[at:at + 65536])
            run.stdin.flush()
            taken.append(at)
    thread, seen = threading.Thread(target=feed), -1
    thread.start()
    while seen < len(taken):
        seen = len(taken)
        time.sleep(0.3)
    assert thread.is_alive(), "the importer waits for no answer"
    return thread


def broker_killed_unanswered(site, file, data):
    """Its requests are with a broker that is killed before it answers any: the importer sees the
    connection break, and goes on well before it would ask a silent broker again."""
    run = importer(site)
    feed_half(run, data, site)
    site.broker.process.send_signal(signal.SIGSTOP)
    thread = feed_until_stuck(run, data[len(data) // 2:])
    site.broker.kill()
    site.broker.start()
    began, before = time.monotonic(), head(site)
    while head(site) == before:
        assert time.monotonic() < began + 5, "the importer does not see that the broker is new"
        time.sleep(0.02)
    print(f"on after {time.monotonic() - began:.2f} s")
    thread.join()
    code, out, err = finish(run)
    assert code == 0 and json.loads(out)["rows"] == ROWS, err


def interrupted(site, file, data):
    """Ctrl-C ends it in order: what was sent is in, and told."""
    run = importer(site)
    feed_half(run, data, site)
    run.send_signal(signal.SIGINT)
    run.wait(60)
    code, out, err = run.returncode, run.stdout.read(), run.stderr.read()
    assert code == 130 and json.loads(out)["interrupted"], (code, err)
    assert head(site) == json.loads(out)["appended"]
    complete(site, file)


def taken_over(site, file, data):
    """A second import of the source fences the first, which says so."""
    first = importer(site)
    feed_half(first, data, site)
    site.docket("import", *UCI, file)
    code, out, err = finish(first, data[len(data) // 2:])
    assert code == 1 and "DK_EFENCED" in err and "another import" in err, (code, err)
    complete(site, file)


with tempfile.TemporaryDirectory(dir="/tmp") as folder, Site() as site:
    file = pathlib.Path(folder) / "some.csv"
    data = b"".join(open(uci_file(folder), "rb").readlines()[:ROWS + 1])
    file.write_bytes(data)
    disturbed = (killed_at_random, broker_restarted, broker_killed_unanswered, interrupted,
                 taken_over)
    sites = [same_site(site) for _ in disturbed]
    site.broker.start()
    site.docket("import", *UCI, file)
    expected = history(site)
    for other, disturb in zip(sites, disturbed):
        with other:
            other.broker.start()
            disturb(other, file, data)
            assert history(other) == expected, f"{disturb.__name__}: seed {SEED}"
            print(f"{disturb.__name__}: as one run")
