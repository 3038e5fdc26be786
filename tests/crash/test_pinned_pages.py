"""A reader that is stopped within a transaction: the broker warns of it by its process id, once until it goes on, and
the status names it. What has nothing to do is said to be caught up."""
import functools, os, subprocess, time
import docket_pb2 as pb
from docket_client import Client, event
from load import BIN, define_organization
from site_of import Site
import waiting

wait_until = functools.partial(waiting.wait_until, timeout_s=30)

TICKET_TO_BE, CUSTOMER = 1 << 56 | 0xFFFF << 40, 2 << 56 | 1
PINNED_COMMITS = 1000  # broker/net/pinned.h


def pin(site):
    reader = subprocess.Popen([BIN / "log_writer", "pin", site.data / "log"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    assert reader.stdout.readline() == b"0\n"
    return reader


def commit(client, count):
    """A commit a request: each waits for the one before."""
    for _ in range(count):
        opened = pb.Opened(subject=pb.Text(plain=b"Help"))
        reply = client.append(event(16, TICKET_TO_BE, CUSTOMER, opened, one_shot=os.urandom(16)))
        assert reply.opened, reply


with Site() as site:
    site.start()
    define_organization(site)
    client = Client(site.data, "operator")
    commit(client, 5)
    wait_until("caught up", lambda: "behind    nothing" in site.docket("status").stdout)
    print("below the first full seal: behind nothing")

    reader = pin(site)
    commit(client, PINNED_COMMITS - 100)
    time.sleep(1.5)
    assert "reader-pins" not in site.broker.said(), "a reader that is a little behind"
    commit(client, 200)
    wait_until("warning", lambda: f"event=reader-pins pid={reader.pid} " in site.broker.said())
    commit(client, 100)
    time.sleep(2.5)
    assert site.broker.said().count("event=reader-pins ") == 1, "told again"
    assert f"process {reader.pid} pins" in site.docket("status").stdout
    reader.communicate(b"\n")
    wait_until("all clear", lambda: f"event=reader-pins-no-more pid={reader.pid}" in site.broker.said())
    assert "pins" not in site.docket("status").stdout
    wait_until("caught up", lambda: "behind    nothing" in site.docket("status").stdout)
    assert site.broker.end() == 0
print("warned once, by process id")
