"""A ticket is opened, seen on the feed, and fetched, by a client of plain protobuf over ZeroMQ."""
import os
import docket_pb2 as pb
from docket_client import A_TICKET, Client, event
from site_of import Site

TICKET_TO_BE = 1 << 56 | 0xFFFF << 40  # "the ticket that this request's first Opened opens"
CUSTOMER = 2 << 56 | 4711

with Site() as site:
    site.start()
    client = Client(site.data, "agent")
    feed = Client(site.data, "analyst").connect(__import__("zmq").SUB, "feed")

    def open_ticket(opened, request_id):
        return client.append(event(16, TICKET_TO_BE, CUSTOMER, opened, one_shot=request_id))

    # A subscription takes a moment to arrive: until then PUB tells it nothing.
    for _ in range(600):
        before = open_ticket(A_TICKET, os.urandom(16)).opened[0]
        if feed.poll(100):
            feed.recv()
            break

    opened = pb.Opened(subject=pb.Text(plain=b"The printer is on fire"), channel=pb.CHANNEL_WEB,
                       priority=pb.PRIORITY_HIGH)
    request_id = os.urandom(16)
    appended = open_ticket(opened, request_id)
    assert not appended.refused, appended
    assert appended.accepted == 1 and len(appended.opened) == 1, appended
    ticket = appended.opened[0]
    assert ticket == before + 1 and ticket >> 40 == 1 << 16 | 1, hex(ticket)

    again = open_ticket(opened, request_id)
    assert again.position == appended.position and again.opened == [ticket], again

    assert feed.poll(60000), "nothing came over the feed"
    seen = pb.Event.FromString(pb.Feed.FromString(feed.recv()).event[0])
    assert seen.subject == ticket and seen.opened.subject.plain == b"The printer is on fire"

    records = client.call(fetch=pb.Fetch(ticket=ticket, **{"from": 0})).records
    fetched = pb.Event.FromString(records.event[0])
    assert fetched == seen and fetched.position == appended.position
    assert fetched.subject_version == 1 and fetched.previous == 0 and fetched.recorded_us > 0

    refused = client.append(event(26, ticket + 1, CUSTOMER, pb.StatusChanged(
        status=pb.STATUS_SOLVED), one_shot=os.urandom(16)))
    assert refused.refused[0].name == b"DK_ENOTFOUND", refused
    assert client.call(head=pb.Head()).head.head == appended.position
    assert site.broker.end() == 0, site.broker.said()
print("opened, seen, fetched, refused")
