"""A client of docket in plain protobuf over plain ZeroMQ: what any program can do in any language."""
import ctypes, ctypes.util, json, pathlib, secrets, struct
import yaml_lite, zmq
import docket_pb2 as pb

SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium"))


class Client:
    def __init__(self, site, role):
        keys = pathlib.Path(site) / "keys"
        own = yaml_lite.load(keys / f"{role}.key")
        self.keys = keys
        self.server = yaml_lite.load(keys / "broker.pub")["public"].encode()
        self.public, self.secret = own["public"].encode(), own["secret"].encode()
        self.run, self.zmq = pathlib.Path(site) / "run", zmq.Context.instance()
        self.requests = self.connect(zmq.DEALER, "request")

    def connect(self, kind, name, server=None):
        socket = self.zmq.socket(kind)
        socket.curve_serverkey, socket.linger = server or self.server, 0
        socket.curve_publickey, socket.curve_secretkey = self.public, self.secret
        if kind == zmq.SUB:
            socket.subscribe(b"")
        socket.connect(f"ipc://{self.run}/{name}")
        return socket

    def call(self, timeout_ms=60000, **op):
        """Sends one request, as call(head=pb.Head()), and returns the reply to it."""
        request = pb.Request(id=secrets.randbits(63), protocol=1, **op)
        self.requests.send(request.SerializeToString())
        while self.requests.poll(timeout_ms):
            reply = pb.Reply.FromString(self.requests.recv())
            if reply.id == request.id:
                return reply
            for appended in reply.appended.appended:
                if appended.request == request.id:
                    return appended
        raise TimeoutError(f"no reply to {request}")

    def append(self, *events, atomic=False, expected=()):
        append = pb.Append(event=[e.SerializeToString() for e in events], atomic=atomic,
                           expected_version=expected)
        return self.call(append=append)

    def query(self, role, name, *arguments, at_least=0, timeout_ms=60000):
        """Asks a node of this role, once it has folded to `at_least`; the answer's JSON as a value."""
        server = yaml_lite.load(self.keys / f"{role}.key")["public"].encode()
        socket = self.connect(zmq.DEALER, role, server)
        query = pb.Query(id=1, name=name.encode(), at_least=at_least,
                         argument=[a.encode() for a in arguments])
        socket.send(query.SerializeToString())
        if not socket.poll(timeout_ms):
            raise TimeoutError(f"{role} does not answer {name}")
        answer = pb.Answer.FromString(socket.recv())
        socket.close()
        if answer.HasField("failure"):
            raise RuntimeError(f"{role} {name}: {answer.failure.sentence.decode()}")
        return json.loads(answer.json)


A_TICKET = pb.Opened(subject=pb.Text(plain=b"It does not work"))
A_NOTE = pb.NoteAdded(text=pb.Text(plain=b"Looked into it"))


def event(kind, subject, actor, body, one_shot=None, **envelope):
    """An event as a producer sends it: what the broker stamps is 0."""
    fields = dict.fromkeys(("crc32c", "position", "recorded_us", "occurred_us", "subject_version",
                            "previous", "group", "producer", "producer_number", "flags"), 0)
    fields.update(format=1, kind=kind, subject=subject, actor=actor, **envelope)
    if one_shot is not None:
        high, low = struct.unpack("<QQ", one_shot)
        fields.update(flags=pb.FLAG_ONE_SHOT, producer=high, producer_number=low)
    name = {f.number: f.name for f in pb.Event.DESCRIPTOR.fields}[kind]
    return pb.Event(**fields, **{name: body})


CLASSES = {"ticket": 1, "agent": 2, "group": 3, "product": 4, "calendar": 5, "policy": 6,
           "customer": 8, "company": 9, "supplier": 10, "contract": 11, "template": 12, "rule": 13,
           "field": 14, "shift": 15, "site": 16, "source": 17, "checklist": 18, "settings": 19}


def id_of_key(cls, key, salt=bytes(16)):
    """The subject of a class with a key: SipHash-2-4 of both, as proto/base/id.h says."""
    out = ctypes.create_string_buffer(8)
    message = bytes([CLASSES[cls]]) + key.encode()
    SODIUM.crypto_shorthash(out, message, ctypes.c_ulonglong(len(message)), salt)
    return CLASSES[cls] << 56 | (struct.unpack("<Q", out.raw)[0] & (1 << 56) - 1 or 1)
