"""A disk that fills, fails, or holds still under a working site: clear refusals or a clear end, nothing that was
accepted is lost, and it goes on when the disk is well; a reader that is stopped makes no file grow."""
import functools, os, pathlib, signal, time
import docket_pb2 as pb
from docket_client import A_TICKET, Client, event
from load import BIN, Load, check_log, check_states, define_organization, wait_until_quiet
from site_of import Site
import waiting

wait_until = functools.partial(waiting.wait_until, timeout_s=10)

TICKET_TO_BE, CUSTOMER = 1 << 56 | 0xFFFF << 40, 2 << 56 | 1
WRITE_FAILED = 74


def faulty_site(*roles, on="data.mdb"):
    site = Site(*roles)
    site.fault, site.free = site.path / "fault", site.path / "free"
    site.broker.env = dict(LD_PRELOAD=str(BIN / "libfaultfs.so"), DK_FAULT_FILE=str(site.fault),
                           DK_FAULT_FREE=str(site.free), DK_FAULT_ON=on)
    return site


def tell(path, text):
    """The file is there whole, or not at all."""
    path.with_suffix(".tmp").write_text(text)
    path.with_suffix(".tmp").rename(path)


def open_ticket(client):
    """The reply to an Opened: Appended, or a Failure."""
    return client.append(event(16, TICKET_TO_BE, CUSTOMER, A_TICKET, one_shot=os.urandom(16)))


def test_disk_that_fills():
    """Below the reserve appends are refused, everything else works; above it again, appends do."""
    with faulty_site("routing", "notification") as site:
        site.start()
        define_organization(site)
        client = Client(site.data, "operator")
        with Load(site, 2, 500, 1) as load:
            time.sleep(1)
            ticket = open_ticket(client).opened[0]
            tell(site.free, "1000000")
            wait_until("refusals", lambda: isinstance(open_ticket(client), pb.Reply))
            time.sleep(0.3)  # what was admitted before is written
            failure, head = open_ticket(client).failure, client.call(head=pb.Head()).head.head
            assert failure.name == b"DK_ENOSPACE" and b"free space" in failure.sentence, failure
            stats = client.call(stats=pb.Stats()).stats
            assert not stats.accepting and b"free space" in stats.not_accepting and stats.free_bytes <= 1000000, stats
            time.sleep(1.5)
            assert client.call(head=pb.Head()).head.head == head, "something was appended"
            assert client.call(fetch=pb.Fetch(**{"from": head})).records.event
            assert client.call(ticket_state=pb.TicketState(ticket=ticket)).HasField("ticket_state")
            tell(site.free, str(256 << 20))  # the reserve itself, and not yet an eighth more
            time.sleep(0.3)
            assert isinstance(open_ticket(client), pb.Reply), "back too early"
            site.free.unlink()
            wait_until("appends", lambda: not isinstance(open_ticket(client), pb.Reply))
            time.sleep(1)
            load.end()
            wait_until_quiet(site, client)
            check_states(site, client)
            assert site.broker.process.poll() is None and all(n.process.poll() is None for n in site.nodes.values())
            summary, requested = check_log(site, load)
            assert summary["records"] > head and requested, summary
    print("a disk that fills: refused, read on, went on")


def test_disk_that_fails(fault, words):
    """The broker says what failed and ends; started again, it has everything and goes on."""
    with faulty_site("routing", "sla") as site:
        site.start()
        define_organization(site)
        client = Client(site.data, "operator")
        with Load(site, 2, 500, 2) as load:
            time.sleep(0.7)
            tell(site.fault, fault)
            assert site.broker.process.wait(10) == WRITE_FAILED, site.broker.said()
            said = site.broker.said()
            assert "write-failed" in said and words in said and "start it again" in said, said
            site.fault.unlink()
            site.broker.start()
            wait_until("appends", lambda: not open_ticket(client).refused)
            time.sleep(0.7)
            load.end()
            wait_until_quiet(site, client)
            check_states(site, client)
            check_log(site, load)
    print(f"{fault}: ended with {WRITE_FAILED}, went on")


def own_mib(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) // 1024


def test_disk_that_is_slow():
    """300 requests of 1 MiB at once: what the broker has not read is bounded, and nothing is lost."""
    with faulty_site() as site:
        site.start()
        client = Client(site.data, "agent")
        ticket, text = open_ticket(client).opened[0], pb.Text(plain=b"x" * 120000)
        frames = []
        for i in range(300):
            message = event(24, ticket, CUSTOMER, pb.MessagePublic(direction=pb.DIRECTION_INBOUND, text=text),
                            one_shot=os.urandom(16)).SerializeToString()
            frames.append(pb.Request(id=i + 1, protocol=1, append=pb.Append(event=[message] * 8)).SerializeToString())
        tell(site.fault, "fdatasync:SLOW")
        for frame in frames:
            client.requests.send(frame)
        other, peak, end = Client(site.data, "reader"), 0, time.monotonic() + 2
        while time.monotonic() < end:
            peak = max(peak, own_mib(site.broker.process))
            assert other.call(fetch=pb.Fetch(**{"from": 1})).HasField("records")
        site.fault.unlink()
        wait_until("all of them", lambda: other.call(head=pb.Head()).head.head == 1 + 8 * 300, timeout_s=60)
        assert peak < 120, f"{peak} MiB"
    print(f"a slow disk: {peak} MiB at most, all accepted")


def test_projections_that_fail(on, words):
    """What is behind the log cannot be written: it is said, appends go on, and it catches up."""
    with faulty_site(on=on) as site:
        site.start()
        define_organization(site)
        client = Client(site.data, "operator")
        tell(site.fault, "any:ENOSPC")
        with Load(site, 2, 2000, 3) as load:
            time.sleep(1.5)
            load.end()
            assert words in site.broker.said(), site.broker.said()
            site.fault.unlink()

            def caught_up():
                stats = client.call(stats=pb.Stats()).stats
                return stats.sealed == stats.head // 1024 * 1024 and stats.indexed == stats.head
            wait_until("projections", caught_up)
            summary, _ = check_log(site, load)
            assert summary["accepted"] > 1000, summary
    print(f"{on}: said, caught up")


def record_bytes(client, first, last):
    total, at = 0, first
    while at <= last:
        records = client.call(fetch=pb.Fetch(**{"from": at})).records
        total += sum(len(e) for e in records.event[:last + 1 - at])
        at = records.next
    return total


def stop_between_reads(client, node):
    """Stopped while it copies records out, a reader pins pages: the broker names it then."""
    for _ in range(20):
        node.process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        readers = client.call(stats=pb.Stats()).stats.reader
        if all(r.pinned_behind < 2 for r in readers if r.pid == node.process.pid):
            return
        node.process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("the node reads all the time")


def test_reader_that_is_stopped():
    """The file grows by what is appended, not by what the stopped process might still read."""
    with Site("analytics") as site:
        site.start()
        define_organization(site)
        client = Client(site.data, "operator")
        with Load(site, 2, 1500, 4) as load:
            time.sleep(0.5)
            stop_between_reads(client, site.nodes["analytics"])
            before = client.call(stats=pb.Stats()).stats
            time.sleep(4)
            after = client.call(stats=pb.Stats()).stats
            site.nodes["analytics"].process.send_signal(signal.SIGCONT)
            load.end()
            wait_until_quiet(site, client)
            check_states(site, client)
            check_log(site, load)
        appended = record_bytes(client, before.head + 1, after.head)
        grown, commits = after.log_bytes - before.log_bytes, after.commits - before.commits
        print(f"a stopped reader: {after.head - before.head} records of {appended} bytes in {commits} commits, "
              f"the file grew by {grown}")
        # A pinned page would cost each commit at least the path from the root, three pages of 4 KiB.
        assert commits > 500 and grown < 2.5 * appended + (1 << 20), "pages are not used again"


test_disk_that_fills()
for fault, words in (("fdatasync:EIO", "Input/output error"), ("pwrite:ENOSPC", "No space left on device"),
                     ("any:EIO", "Input/output error")):
    test_disk_that_fails(fault, words)
test_disk_that_is_slow()
test_projections_that_fail("seals", "seals-not-written")
test_projections_that_fail("lookups", "lookups-not-written")
test_reader_that_is_stopped()
