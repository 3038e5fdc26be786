"""A site whose whole disk is full, to the last byte: log, states, outbox and sockets are on one small file system. What
runs goes on reading and says what it cannot write; what is started then starts, as far as it can; and once there is
room, everything goes on by itself: nothing accepted is lost, every notice arrives once."""
import functools, os, pathlib, shutil, subprocess, sys, time
import docket_pb2 as pb
from docket_client import Client, event
from load import BIN, Load, check_log, check_states, define_organization, received, wait_until_quiet
from site_of import Site, skip
import waiting

wait_until = functools.partial(waiting.wait_until, timeout_s=45)

TICKET_TO_BE, CUSTOMER = 1 << 56 | 0xFFFF << 40, 2 << 56 | 1
MIB = 1 << 20
ROLES = ("routing", "sla", "notification", "analytics")

# In a name space of its own, so that the mount ends with the test.
if os.environ.get("DOCKET_UNSHARED") != "1":
    if not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"],
                                                     capture_output=True).returncode != 0:
        skip("a file system cannot be mounted here (unshare -rm)")
    os.execvpe("unshare", ["unshare", "-rm", sys.executable, "-B", __file__], dict(os.environ, DOCKET_UNSHARED="1"))


def put_on_small_disk(site):
    kept = site.path / "kept"
    site.data.rename(kept)
    site.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m,mode=750", "none", site.data], check=True)
    subprocess.run(["cp", "-a", f"{kept}/.", site.data], check=True)
    config = site.data / "docket.yaml"
    text = config.read_text().replace("reserve: 256MiB", "reserve: 8MiB").replace("ahead: 128MiB", "ahead: 4MiB")
    config.write_text(text)


def free_bytes(site):
    info = os.statvfs(site.data)
    return info.f_bavail * info.f_frsize


def fill(site, leave=0):
    """A file that leaves so many bytes."""
    with (site.data / "filler").open("ab", 0) as filler:
        while (free := free_bytes(site) - leave) > 0:
            try:
                filler.write(bytes(min(free, MIB)))
            except OSError:
                break


def empty(site):
    (site.data / "filler").unlink()


def open_ticket(client):
    opened = pb.Opened(subject=pb.Text(plain=b"Full"))
    return client.append(event(16, TICKET_TO_BE, CUSTOMER, opened, one_shot=os.urandom(16)))


def refused(client):
    reply = open_ticket(client)
    return isinstance(reply, pb.Reply) and reply.failure.name == b"DK_ENOSPACE"


def test_outbox_that_is_full(site, client):
    """Only where notices are written: said, tried again, and the others go on."""
    fault = site.path / "fault"
    fault.write_text("any:ENOSPC")
    before = len(received(site))
    load = Load(site, 1, 200, 7)
    load.names = ["before-0"]  # not the names of the load that follows
    with load:
        wait_until("a notice that fails", lambda: "No space left" in site.nodes["notification"].said())
        load.end()
    assert "event=not-delivered" in site.nodes["notification"].said() and len(received(site)) == before
    fault.unlink()
    wait_until_quiet(site, client)
    assert len(received(site)) > before
    print("outbox full: said, delivered later")
    return load


def test_full_while_it_runs(site, client):
    with Load(site, 2, 500, 1) as load:
        time.sleep(1)
        fill(site, 6 * MIB)  # below the reserve, so that nothing is under way when the last byte goes
        wait_until("refusals", lambda: refused(client))
        time.sleep(0.5)
        fill(site)
        assert free_bytes(site) == 0
        head = client.call(head=pb.Head()).head.head
        wait_until("checkpoints that fail", lambda: all("checkpoint-not-written" in site.nodes[r].said() for r in ROLES))
        assert client.call(fetch=pb.Fetch(**{"from": head})).records.event
        assert "refused" in site.docket("status").stdout
        done = site.docket("open", "One more", "--customer", "a@example.com", check=False)
        assert done.returncode == 1 and "DK_ENOSPACE" in done.stderr and "free space" in done.stderr, done.stderr
        assert "equal" in site.docket("replay", "diff", "analytics").stdout
        assert client.call(head=pb.Head()).head.head == head
        assert all(p.process.poll() is None for p in (site.broker, *site.nodes.values()))
        empty(site)
        wait_until("appends", lambda: not refused(client))
        time.sleep(0.5)
        load.end()
    print("full under way: refused, read on, went on")
    return load


def test_started_on_a_full_disk(site):
    fill(site)
    for program in (*site.nodes.values(), site.broker):
        assert program.end() == 0, program.said()
    site.broker.start()
    client = Client(site.data, "operator")
    wait_until("refusals", lambda: refused(client))
    for node in site.nodes.values():
        node.start()
    site.docket("status", "--wait", "--roles", ",".join(ROLES))
    for role in ROLES:
        assert "equal" in site.docket("replay", "diff", role).stdout
    assert "all is as it was written" in site.docket("replay", "verify").stdout
    empty(site)
    wait_until("appends", lambda: not refused(client))
    print("started on a full disk: read, and went on")
    return client


with Site(*ROLES) as site:
    put_on_small_disk(site)
    site.nodes["notification"].env = dict(LD_PRELOAD=str(BIN / "libfaultfs.so"), DK_FAULT_ON="outbox/",
                                          DK_FAULT_FILE=str(site.path / "fault"),
                                          ASAN_OPTIONS="verify_asan_link_order=0")
    site.start()
    define_organization(site)
    first = test_outbox_that_is_full(site, Client(site.data, "operator"))
    check_log(site, first)
    load = test_full_while_it_runs(site, Client(site.data, "operator"))
    client = test_started_on_a_full_disk(site)
    wait_until_quiet(site, client)
    check_states(site, client)
    summary, requested = check_log(site, load)
    notices = received(site)
    assert requested and len(notices) == len(set(notices)) == len(requested), (len(notices), len(requested))
    site.end()
    subprocess.run(["umount", site.data], check=True)
print(f"nothing lost, {len(notices)} notices once each")
