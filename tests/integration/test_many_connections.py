"""More connections than the process may have descriptors, made by anybody, without a key: they are closed, those who are
connected are served, files can be opened, and later ones are let in again. The soft limit is raised to the hard one."""
import functools, pathlib, socket
import docket_pb2 as pb
from docket_client import Client
from site_of import Program, Site
import waiting

wait_until = functools.partial(waiting.wait_until, timeout_s=30)

DESCRIPTORS, CROWD = 256, 400


def limited(program):
    return Program(["prlimit", f"--nofile={DESCRIPTORS // 2}:{DESCRIPTORS}", *program.arguments], program.log)


def descriptors(program):
    return len([*pathlib.Path(f"/proc/{program.process.pid}/fd").iterdir()])


def connect(path, count):
    crowd = []
    for _ in range(count):
        crowd.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        crowd[-1].connect(str(path))
    return crowd


def leave(crowd):
    for one in crowd:
        one.close()


def test_crowd(site, program, path, ask):
    """ask() asks one who is connected already."""
    before, crowd = descriptors(program), []
    for _ in range(CROWD // 50):
        crowd += connect(path, 50)
        ask()
    wait_until(lambda: descriptors(program), lambda: descriptors(program) > DESCRIPTORS // 2)
    ask()
    assert program.process.poll() is None and descriptors(program) <= DESCRIPTORS - 60, program.said()
    leave(crowd)
    wait_until(lambda: descriptors(program), lambda: descriptors(program) <= before + 5)


with Site("routing") as site:
    site.broker = limited(site.broker)
    site.nodes["routing"] = limited(site.nodes["routing"])
    site.start()
    honest = Client(site.data, "agent")
    for socket_name in ("request", "announce", "feed"):
        test_crowd(site, site.broker, site.data / "run" / socket_name, lambda: honest.call(head=pb.Head()))
    wait_until(site.broker.said, lambda: "event=connections-refused" in site.broker.said())
    wait_until(site.broker.said, lambda: "event=connections-accepted-again" in site.broker.said(), timeout_s=90)
    assert Client(site.data, "agent").call(head=pb.Head()).HasField("head")
    node = site.nodes["routing"]
    test_crowd(site, node, site.data / "run" / "routing", lambda: None)
    assert Client(site.data, "agent").query("routing", "state") is not None
    assert node.end() == 0 and site.broker.end() == 0
print(f"{CROWD} connections to each socket with {DESCRIPTORS} descriptors: served, and let in later")
