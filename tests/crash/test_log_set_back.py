"""A log that is set back under nodes that run: restored from an older copy, the broker started on it, and written on past
what the nodes had folded before they look; and another site's log in its place. Each node says so and ends with an error;
started again it makes its state anew, as a replay has it."""
import os, shutil, time
from docket_client import Client
from load import Load, define_organization
from site_of import Site
import docket_pb2 as pb

NODES = (("analytics", ()), ("sla", ("--wire",)))


def head_of(site):
    return Client(site.data, "operator").call(head=pb.Head()).head.head


def load(site, seed, until):
    with Load(site, 2, 4000, seed) as producers:
        while head_of(site) < until:
            time.sleep(0.02)
        producers.end()


def caught_up(site):
    site.docket("status", "--wait", "--roles", ",".join(role for role, _ in NODES))


def put(site, copy):
    """The log as it was copied, by rename; what was made from the later one goes."""
    log = site.data / "log"
    for name in ("heads", "seals", "lookups"):
        shutil.rmtree(log / name)
    shutil.copy(copy, log / "restored")
    (log / "restored").rename(log / "data.mdb")
    (log / "lock.mdb").unlink()


def expect_astray(site, words):
    for role, _ in NODES:
        program = site.nodes[role]
        assert program.process.wait(30) == 1, program.said()
        said = program.said()
        assert "event=another-log" in said and any(w in said for w in words), said
        print(f"  {role}: {said.splitlines()[-1]}")


def expect_anew(site):
    for node in site.nodes.values():
        node.start()
    caught_up(site)
    for role, _ in NODES:
        assert "equal" in site.docket("replay", "diff", role).stdout, site.nodes[role].said()


def test_set_back_and_written_on(site, copy, length):
    """The nodes are stopped while the broker is, as if they were slow: what they hear next is a head beyond their own."""
    folded = head_of(site)
    assert folded > length
    for node in site.nodes.values():
        node.process.send_signal(19)
    site.broker.kill()
    put(site, copy)
    site.broker.start()
    assert head_of(site) == length
    load(site, 3, folded + 1000)
    for node in site.nodes.values():
        node.process.send_signal(18)
    expect_astray(site, ("goes on otherwise", "another file"))
    expect_anew(site)
    print("set back and written on: said, and made anew")


def test_set_back(site, copy, length):
    site.broker.kill()
    put(site, copy)
    site.broker.start()
    assert head_of(site) == length
    expect_astray(site, ("ends before what is folded", "another file"))
    expect_anew(site)
    print("set back: said, and made anew")


def test_another_log(site):
    with Site() as other:
        site.broker.kill()
        for name in ("heads", "seals", "lookups"):
            shutil.rmtree(site.data / "log" / name)
        for name in ("data.mdb", "lock.mdb"):
            (site.data / "log" / name).unlink(missing_ok=True)
        shutil.copy(other.data / "log" / "data.mdb", site.data / "log" / "data.mdb")
    site.broker.start()
    define_organization(site)
    expect_astray(site, ("of another uuid", "another file"))
    expect_anew(site)
    print("another site's log: said, and made anew")


with Site() as site:
    for role, options in NODES:
        site.nodes[role] = site.program("docket-node", role, *options)
    site.start()
    define_organization(site)
    load(site, 1, 2000)
    caught_up(site)
    assert site.broker.end() == 0
    copy = site.path / "copy.mdb"
    shutil.copy(site.data / "log" / "data.mdb", copy)
    site.broker.start()
    length = head_of(site)
    load(site, 2, length + 3000)
    caught_up(site)
    test_set_back_and_written_on(site, copy, length)
    test_set_back(site, copy, length)
    test_another_log(site)
