"""A bit that flipped in a stored record, under a broker that starts behind it: it is never served as good. A fetch ends
before it, one that begins with it is told so by position, as a ticket's history is; the rest is served."""
import struct, time
import docket_pb2 as pb
from docket_client import Client
from load import Load, define_organization
from site_of import Site

ENVELOPE, TICKET_KINDS = 106, range(16, 64)


def fetch(client, position, **more):
    return client.call(fetch=pb.Fetch(**{"from": position}, **more))


def position_of(record):
    return struct.unpack_from("<Q", record, 11)[0]


def flip(file, record):
    """A bit of the body, wherever the record stands in the file."""
    good, at, found = file.read_bytes(), -1, 0
    with file.open("r+b") as data:
        while (at := good.find(record, at + 1)) >= 0:
            data.seek(at + ENVELOPE + 3)
            data.write(bytes([good[at + ENVELOPE + 3] ^ 4]))
            found += 1
    assert found


with Site() as site:
    config = site.data / "docket.yaml"
    config.write_text(config.read_text().replace("checkpoint: 500000", "checkpoint: 1000"))
    site.start()
    define_organization(site)
    client = Client(site.data, "operator")
    with Load(site, 1, 4000, 1) as load:
        while client.call(stats=pb.Stats()).stats.heads < 1000:
            time.sleep(0.05)
        load.end()
    records = fetch(client, 1).records.event
    bad = next(r for r in records[100:] if pb.Event.FromString(r).kind in TICKET_KINDS)
    position, ticket = position_of(bad), pb.Event.FromString(bad).subject
    assert site.broker.end() == 0
    flip(site.data / "log" / "data.mdb", bad)

    site.broker.start()
    client = Client(site.data, "operator")
    before = fetch(client, 1).records
    assert len(before.event) == position - 1 and before.next == position, (len(before.event), before.next)
    for op in (dict(position=position), dict(position=position, ticket=ticket)):
        failure = fetch(client, **op).failure
        assert failure.name in (b"DK_ECORRUPT", b"DK_ECANON") and str(position).encode() in failure.sentence, failure
    after = fetch(client, position + 1).records
    assert position_of(after.event[0]) == position + 1
    assert f"{position}: " in site.docket("replay", "verify", check=False).stdout
    assert site.broker.end() == 0
print(f"position {position}: named, not served")
