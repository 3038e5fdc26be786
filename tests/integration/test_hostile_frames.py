"""Frames that no honest client sends: each is refused or passed over, and the others are served."""
import os, pathlib, secrets, signal, socket, struct, subprocess, sys, time
import docket_pb2 as pb
import yaml_lite, zmq
from docket_client import A_NOTE, A_TICKET, Client, event
from site_of import Site

TICKET_TO_BE, CUSTOMER = 1 << 56 | 0xFFFF << 40, 2 << 56 | 1
FRAME_MAX = (1 << 20) + 4096 - 64  # encrypted, a frame is a little longer
ID = 0x1122334455667788


def bytes_of(request_id=ID, protocol=1, **op):
    return pb.Request(id=request_id, protocol=protocol, **op).SerializeToString()


def raw(body, op=3, request_id=ID):
    """A request whose operation is these bytes."""
    length, n = b"", len(body)
    while n > 127:
        length, n = length + bytes([n & 127 | 128]), n >> 7
    head = pb.Request(id=request_id, protocol=1).SerializeToString()
    return head + bytes([op << 3 | 2]) + length + bytes([n]) + body


def append_of(*events, **fields):
    return bytes_of(append=pb.Append(event=events, **fields))


def note(**envelope):
    return event(25, 1 << 56 | 1 << 40 | 1, CUSTOMER, A_NOTE, **envelope).SerializeToString()


HELLO = bytes_of(hello=pb.Hello(name=b"x"))
SILENCE = None
# role, frames of one message, the answer's code, and the field that it names
REQUESTS = [
    ("agent", [b""], "DK_EINVAL", "id"),
    ("agent", [b"\0" * 20], "DK_EINVAL", "id"),
    ("agent", [secrets.token_bytes(1000)], "DK_EINVAL", None),
    ("agent", [b"\xff" * FRAME_MAX], "DK_EINVAL", "id"),
    ("agent", [b"\xff" * (FRAME_MAX + 65)], SILENCE, None),  # the connection is closed
    ("agent", [HELLO, HELLO], "DK_EINVAL", None),
    ("agent", [HELLO, b""], "DK_EINVAL", None),
    ("agent", [b"", HELLO], "DK_EINVAL", None),  # what a REQ socket sends
    ("agent", [b"x"] * 1000, "DK_EINVAL", None),
    *[("agent", [HELLO[:n]], "DK_EINVAL", None) for n in range(len(HELLO))],
    ("agent", [HELLO + b"\0"], "DK_EINVAL", None),
    ("agent", [HELLO + HELLO], "DK_EINVAL", None),
    ("agent", [bytes_of(protocol=2, hello=pb.Hello(name=b"x"))], "DK_EVERSION", "protocol"),
    ("agent", [bytes_of(protocol=0)], "DK_EVERSION", "protocol"),
    ("agent", [bytes_of()], "DK_EINVAL", "op"),
    *[("agent", [raw(b"", op)], "DK_EINVAL", "op") for op in (1, 2, 13, 15)],
    *[("agent", [raw(b"\xff" * 30, op)], "DK_EINVAL", None) for op in (3, 4, 5, 7, 9, 10)],
    ("agent", [raw(b"\x0a\x02" * 200000, 5)], "DK_ETOOBIG", None),  # unpacks to a hundred times that
    ("agent", [bytes_of(hello=pb.Hello(name=b""))], "DK_EINVAL", "name"),
    ("agent", [bytes_of(hello=pb.Hello(name=b"x" * 97))], "DK_EINVAL", "name"),
    ("agent", [append_of()], "DK_EINVAL", None),
    ("agent", [append_of(*[b""] * 1001)], "DK_ETOOBIG", None),
    ("agent", [append_of(note(), expected_version=[1, 2])], "DK_EINVAL", None),
    ("agent", [append_of(b"")], "DK_ECANON", None),
    ("agent", [append_of(note()[:-1])], "DK_ECANON", None),
    ("agent", [append_of(note() + b"\0")], "DK_ECANON", None),
    ("agent", [append_of(note() + note()[106:])], "DK_ECANON", None),  # two bodies
    ("agent", [append_of(note(producer=5, producer_number=1))], "DK_EHELLO", None),
    ("agent", [append_of(event(18, 1 << 56 | 1 << 40 | 1, 4 << 56 | 1, pb.Routed(line=1, group=3 << 56 | 1),
                               one_shot=os.urandom(16)).SerializeToString())], "DK_EACCES", None),
    ("reader", [append_of(note())], "DK_EACCES", None),
    ("analyst", [append_of(note())], "DK_EACCES", None),
    ("follower", [append_of(note())], "DK_EACCES", None),
    ("agent", [bytes_of(heartbeat=pb.Heartbeat(role=b"agent", position=1, state_hash=1,
                                               fold_version=1, pending_intents=0))],
     "DK_EACCES", "role"),
    ("routing", [bytes_of(heartbeat=pb.Heartbeat(role=b"sla", position=1, state_hash=1,
                                                 fold_version=1, pending_intents=0))],
     "DK_EACCES", "role"),
    ("agent", [bytes_of(fetch=pb.Fetch(**{"from": 0}))], "DK_EINVAL", "from"),
    ("agent", [bytes_of(fetch=pb.Fetch(ticket=77, **{"from": 0}))], "DK_ENOTFOUND", "ticket"),
    ("agent", [bytes_of(fetch=pb.Fetch(ticket=77, **{"from": 1}))], "DK_EINVAL", "from"),
    ("agent", [bytes_of(lookup=pb.Lookup(reference=b""))], "DK_EINVAL", "reference"),
    ("agent", [bytes_of(lookup=pb.Lookup(reference=b"x" * 97))], "DK_EINVAL", "reference"),
    ("agent", [bytes_of(lookup=pb.Lookup(reference=b"\0\xff"))], "DK_ENOTFOUND", None),
    ("agent", [bytes_of(ticket_state=pb.TicketState(ticket=0))], "DK_ENOTFOUND", "ticket"),
]


def refusal_in(reply):
    """(name, field) of what a reply refuses."""
    if reply.HasField("failure"):
        return reply.failure.name.decode(), reply.failure.field.decode()
    assert reply.WhichOneof("result") == "appended", reply
    refused = reply.appended.appended[0].refused[0]
    return refused.name.decode(), refused.field.decode()


def test_requests(site, honest):
    clients = {}
    for role, frames, code, field in REQUESTS:
        client = clients.setdefault(role, Client(site.data, role))
        shown = f"{role}: {[f[:60] for f in frames[:3]]}"
        client.requests.send_multipart(frames)
        if code is SILENCE:
            assert not client.requests.poll(300), f"{shown}: {client.requests.recv()}"
        else:
            assert client.requests.poll(60000), f"{shown}: no answer"
            reply = pb.Reply.FromString(client.requests.recv())
            refused = refusal_in(reply)
            assert refused[0] == code and field in (None, refused[1]), f"{shown}: {refused}"
            own = reply.id == ID or reply.WhichOneof("result") == "appended"
            assert own or len(frames) > 1 or len(frames[0]) < 9 or frames[0][:1] != b"\x09", shown
        assert honest.call(head=pb.Head()).HasField("head"), shown
    print(f"{len(REQUESTS)} requests refused")


def is_sanitized(pid):
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return "libasan" in maps or "libtsan" in maps


def own_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) // 1024


def test_fetches_that_are_not_read(site, honest):
    """10,000 fetches of 1 MiB and not one reply read: bounded, and the others are served."""
    operator = Client(site.data, "operator")
    text = pb.Text(plain=b"x" * 100000)
    for i in range(30):
        body = pb.Opened(subject=text)
        assert not operator.append(event(16, TICKET_TO_BE, CUSTOMER, body, one_shot=os.urandom(16))).refused
    before = own_mib(site.broker.process.pid)
    greedy = [Client(site.data, "reader") for _ in range(3)]
    for _ in range(10000 // len(greedy)):
        for client in greedy:
            client.requests.send(bytes_of(fetch=pb.Fetch(**{"from": 1})))
    slowest, end = 0, time.monotonic() + 2
    while time.monotonic() < end:
        began = time.monotonic()
        assert honest.call(fetch=pb.Fetch(**{"from": 1})).HasField("records")
        slowest = max(slowest, time.monotonic() - began)
    grown = own_mib(site.broker.process.pid) - before
    print(f"unread fetches: {grown} MiB more, an honest one took {slowest * 1000:.0f} ms at most")
    # A sanitizer keeps freed memory back.
    assert grown < 150 or is_sanitized(site.broker.process.pid), f"{grown} MiB"
    kinds = set()
    while greedy[0].requests.poll(300):
        kinds.add(pb.Reply.FromString(greedy[0].requests.recv()).WhichOneof("result"))
    assert kinds == {"records", "failure"}, kinds
    assert greedy[0].call(fetch=pb.Fetch(**{"from": 1})).HasField("records"), "served again"


def test_strangers(site, honest):
    """Unknown keys, chosen routing ids, and bytes that are no ZMTP."""
    stranger = Client(site.data, "agent")
    stranger.public, stranger.secret = zmq.curve_keypair()
    unknown = stranger.connect(zmq.DEALER, "request")
    unknown.send(HELLO)
    named = zmq.Context.instance().socket(zmq.DEALER)
    named.curve_serverkey, named.linger, named.routing_id = honest.server, 0, b"abcde"
    named.curve_publickey, named.curve_secretkey = honest.public, honest.secret
    named.connect(f"ipc://{site.data}/run/request")
    named.send(HELLO)
    for junk in (b"", b"GET / HTTP/1.1\r\n\r\n", secrets.token_bytes(5000), b"\xff" + b"\0" * 8 + b"\x7f\3"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as raw_socket:
            raw_socket.connect(f"{site.data}/run/request")
            raw_socket.sendall(junk)
    half = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    half.connect(f"{site.data}/run/request")
    half.sendall(b"\xff\0\0\0\0\0\0\0\1\x7f\3\0CURVE")  # and never the rest
    assert not unknown.poll(300) and not named.poll(10)
    assert honest.call(head=pb.Head()).HasField("head")
    half.close()
    for _ in range(100):
        Client(site.data, "agent").requests.close()
    assert honest.call(head=pb.Head()).HasField("head")


def test_subscribers(site, honest):
    """What a subscriber sends upstream mutes nobody."""
    listener = Client(site.data, "follower").connect(zmq.SUB, "feed")
    curious = [Client(site.data, role).connect(zmq.SUB, "feed") for role in ("agent", "reader")]
    rude = Client(site.data, "analyst").connect(zmq.XSUB, "feed")
    def hear():
        """Opens tickets until one of them is heard of; whether within a minute."""
        end, opened = time.monotonic() + 60, []
        while time.monotonic() < end:
            opened.append(honest.append(event(16, TICKET_TO_BE, CUSTOMER, A_TICKET,
                                              one_shot=os.urandom(16))).position)
            if listener.poll(200):
                return pb.Feed.FromString(listener.recv()).first in opened
        return False

    assert hear(), "the listener never joined"
    while listener.poll(200):
        listener.recv()
    for frame in (b"\0", b"\0", b"\0x", b"\2", b"", b"\1" * 4000, b"\0" * 4000):
        rude.send(frame)
    rude.send(b"\1")  # after all of them: once it hears, they were read
    for _ in range(300):
        honest.append(event(16, TICKET_TO_BE, CUSTOMER, A_TICKET, one_shot=os.urandom(16)))
        if rude.poll(200):
            break
    assert rude.poll(0), "what came before was not read"
    while listener.poll(200):
        listener.recv()
    assert hear(), "the feed is mute"
    assert not any(socket.poll(100) for socket in curious), "records for keys that may not read all"


def test_feeds_that_are_not_read(site, honest):
    """Subscribers that stand still while 200 MiB are published: what waits for them is bounded, and nobody waits for
    them."""
    program = ("import sys, time; sys.path[:0] = %r; import zmq; from docket_client import Client\n"
               "peers = [Client(%r, 'follower').connect(zmq.SUB, 'feed') for _ in range(5)]\n"
               "time.sleep(1); print('here', flush=True); time.sleep(600)" % (sys.path, str(site.data)))
    reader = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert reader.stdout.readline() == b"here\n"
        reader.send_signal(signal.SIGSTOP)
        ticket = honest.append(event(16, TICKET_TO_BE, CUSTOMER, A_TICKET, one_shot=os.urandom(16))).opened[0]
        text, before = pb.Text(plain=b"x" * 120000), own_mib(site.broker.process.pid)
        for _ in range(200):
            message = event(24, ticket, CUSTOMER, pb.MessagePublic(direction=pb.DIRECTION_INBOUND, text=text),
                            one_shot=os.urandom(16)).SerializeToString()
            assert honest.call(append=pb.Append(event=[message] * 8)).accepted == 8
        grown = own_mib(site.broker.process.pid) - before
    finally:
        reader.kill()
    print(f"unread feeds: {grown} MiB more")
    assert grown < 60 or is_sanitized(site.broker.process.pid), f"{grown} MiB"


def test_reads_of_many_peers(site, honest):
    """More reads at once than the pool takes are refused, each with an answer."""
    peers, each = [Client(site.data, "agent") for _ in range(64)], 16
    for peer in peers:
        peer.call(head=pb.Head())
    for _ in range(15):
        site.broker.process.send_signal(signal.SIGSTOP)
        for peer in peers:
            for i in range(each):
                peer.requests.send(pb.Request(id=i, protocol=1, lookup=pb.Lookup(
                    reference=b"no such")).SerializeToString())
        time.sleep(0.3)
        site.broker.process.send_signal(signal.SIGCONT)
        for peer in peers:
            for _ in range(each):
                assert peer.requests.poll(60000), "a read is not answered"
                assert pb.Reply.FromString(peer.requests.recv()).HasField("failure")
    assert honest.call(head=pb.Head()).HasField("head")
    for peer in peers:
        peer.requests.close()


def query_socket(site, role):
    client = Client(site.data, "agent")
    key = yaml_lite.load(site.data / "keys" / f"{role}.key")["public"].encode()
    return client.connect(zmq.DEALER, role, key)


def query(name=b"state", **fields):
    return pb.Query(id=ID, name=name, **fields).SerializeToString()


def test_queries(site):
    """The same for a node's query socket."""
    far = 1 << 60
    table = [
        ([b""], "DK_EINVAL"), ([b"\xff" * 100], "DK_EINVAL"), ([query()[:-1]], "DK_EINVAL"),
        ([query(), query()], SILENCE), ([b"\xff" * 70000], SILENCE),
        ([query(b"nothing")], "DK_ENOTFOUND"), ([query(b"")], "DK_ENOTFOUND"),
        ([query(b"queue")], "DK_ENOTFOUND"), ([query(b"queue", argument=[b"group=\0\xff"])], "DK_ENOTFOUND"),
        ([query(argument=[b"x=y"] * 65)], "DK_ETOOBIG"),
        ([query(argument=[b"x=y"] * 65, at_least=far)], "DK_ETOOBIG"),
    ]
    honest = query_socket(site, "routing")
    for frames, code in table:
        rude = query_socket(site, "routing")
        rude.send_multipart(frames)
        if code is SILENCE:
            assert not rude.poll(300), frames
        else:
            assert rude.poll(60000), frames
            assert pb.Answer.FromString(rude.recv()).failure.name.decode() == code, frames
        honest.send(query())
        assert honest.poll(60000) and pb.Answer.FromString(honest.recv()).json, frames
        rude.close()


def ask_for_positions_to_come(site):
    """They wait, a bounded number of them."""
    waiting = query_socket(site, "routing")
    for _ in range(100):
        waiting.send(query(at_least=1 << 60))
    return waiting


def test_queries_that_waited(site, waiting):
    codes = []
    while len(codes) < 100 and waiting.poll(60000):
        codes.append(pb.Answer.FromString(waiting.recv()).failure.name.decode())
    assert sorted(codes) == ["DK_EBUSY"] * 36 + ["DK_ETIMEOUT"] * 64, codes
    for _ in range(5000):  # and nobody reads the answers
        waiting.send(query())
    other = query_socket(site, "routing")
    other.send(query())
    assert other.poll(60000) and pb.Answer.FromString(other.recv()).id == ID


with Site("routing") as site:
    site.start()
    honest = Client(site.data, "agent")
    waiting = ask_for_positions_to_come(site)
    test_requests(site, honest)
    test_strangers(site, honest)
    test_subscribers(site, honest)
    test_feeds_that_are_not_read(site, honest)
    test_reads_of_many_peers(site, honest)
    test_queries(site)
    test_fetches_that_are_not_read(site, honest)
    test_queries_that_waited(site, waiting)
    assert site.nodes["routing"].end() == 0, site.nodes["routing"].said()
    assert site.broker.end() == 0, site.broker.said()
