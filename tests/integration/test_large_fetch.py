"""A log larger than a frame is fetched in frames that readers accept, and many appends in one message."""
import secrets
import docket_pb2 as pb
from docket_client import A_TICKET, Client, event
from site_of import Site

FRAME_MAX = 1024 * 1024 + 4096  # DK_FRAME_MAX_BYTES
TICKET_TO_BE = 1 << 56 | 0xFFFF << 40
CUSTOMER = 2 << 56 | 4711


def notes(ticket, count):
    request_id = secrets.token_bytes(16)
    return [event(24, ticket, CUSTOMER, pb.MessagePublic(direction=pb.DIRECTION_INBOUND, text=pb.Text(plain=b"n" * 90)),
                  one_shot=request_id) for _ in range(count)]


def append_list(client, appends):
    """Sends them in one message; returns the answers by request id."""
    listed = [pb.ListedAppend(request=secrets.randbits(63), append=pb.Append(
        event=[e.SerializeToString() for e in events])) for events in appends]
    request = pb.Request(id=1, protocol=1, append_list=pb.AppendList(append=listed))
    client.requests.send(request.SerializeToString())
    answers = {}
    while len(answers) < len(listed) and client.requests.poll(60000):
        reply = pb.Reply.FromString(client.requests.recv())
        answers.update((a.request, a) for a in reply.appended.appended)
    return [answers[a.request] for a in listed]


with Site() as site:
    site.start()
    client = Client(site.data, "agent")
    opened = client.append(event(16, TICKET_TO_BE, CUSTOMER, A_TICKET,
                                 one_shot=secrets.token_bytes(16)))
    ticket = opened.opened[0]
    for _ in range(12):
        answers = append_list(client, [notes(ticket, 100) for _ in range(10)])
        assert [a.accepted for a in answers] == [100] * 10, answers
        assert [a.position for a in answers] == [answers[0].position + 100 * n for n in range(10)]

    position, frames = 1, 0
    while position <= answers[-1].position + 99:
        request = pb.Request(id=position, protocol=1, fetch=pb.Fetch(**{"from": position}))
        client.requests.send(request.SerializeToString())
        assert client.requests.poll(60000), f"no records from {position} on"
        frame = client.requests.recv()
        assert len(frame) <= FRAME_MAX, f"a frame of {len(frame)} bytes"
        records = pb.Reply.FromString(frame).records
        for record in records.event:
            assert pb.Event.FromString(record).position == position
            position += 1
        assert records.next == position
        frames += 1
    assert frames > 2, frames
print(f"{position - 1} records in {frames} frames")
