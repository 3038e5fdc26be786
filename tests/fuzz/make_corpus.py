#!/usr/bin/python3
"""Writes the seeds of fuzz_event and fuzz_request into corpus/: small, valid, one of each shape.

The seeds are committed; run this again when the schema grows:
    PYTHONPATH=build/dev/python tests/fuzz/make_corpus.py
"""

import pathlib

import docket_pb2 as pb

CORPUS = pathlib.Path(__file__).parent / "corpus"


def text(words):
    return pb.Text(plain=words.encode())


def subject(cls, number):
    return cls << 56 | number


DECISION = pb.Decision(basis=100, cause=99, rule_version=1)
ORIGIN = pb.Origin(source=subject(17, 1), ordinal=1, digest=2, case_key=b"INC0000045")
CLOCK = pb.ClockRef(metric=pb.METRIC_RESOLUTION, instance=1)

BODIES = {
    "opened": pb.Opened(origin=ORIGIN, customer=subject(8, 1), channel=pb.CHANNEL_EMAIL,
                        language=b"de", tag=[b"vip", b"printer"], subject=text("It blinks \u20ac"),
                        message=text('"red"\n'), reference=b"INC0000045"),
    "classified": pb.Classified(type=pb.TYPE_INCIDENT, priority=pb.PRIORITY_HIGH),
    "routed": pb.Routed(decision=DECISION, line=1, group=subject(3, 1)),
    "assigned": pb.Assigned(
        decision=DECISION, agent=subject(2, 1), judged_us=1,
        candidate=[pb.Candidate(agent=subject(2, 1), spare_permille=500, idle_since_us=1)],
        excluded=[pb.Exclusion(reason=pb.EXCLUDED_OFF_SHIFT, count=3)]),
    "message_public": pb.MessagePublic(direction=pb.DIRECTION_OUTBOUND, text=text("Hello")),
    "note_added": pb.NoteAdded(text=pb.Text(
        sealed=pb.Sealed(key_id=1, nonce=b"nonce", ciphertext=b"\xff\x00"))),
    "status_changed": pb.StatusChanged(origin=ORIGIN, status=pb.STATUS_SOLVED, final_us=-1),
    "attachment_added": pb.AttachmentAdded(sha256=bytes(32), size_bytes=5, name=text("a.pdf")),
    "clock_started": pb.ClockStarted(decision=DECISION, clock=CLOCK, due_us=5, target_us=6,
                                     policy=subject(6, 1), policy_version=1,
                                     calendar=subject(5, 1), calendar_version=1),
    "notification_requested": pb.NotificationRequested(
        decision=DECISION, notice=1, rule=subject(13, 1), rule_version=1,
        transport=pb.TRANSPORT_WEBHOOK, template=subject(12, 1),
        recipient=pb.Recipient(address=text("https://example.org/hook"))),
    "field_set": pb.FieldSet(field=subject(14, 1), number=2.5),
    "adopted": pb.Adopted(),
    "agent_defined": pb.AgentDefined(
        definition=pb.Definition(key=b"agent", name=b"Agent", origin=ORIGIN), skill=[b"unix"],
        channel_capacity=[pb.ChannelCapacity(channel=pb.CHANNEL_CHAT, capacity=2)]),
    "calendar_defined": pb.CalendarDefined(
        definition=pb.Definition(key=b"office"), zone=b"Europe/Berlin",
        weekday=[pb.WeekdayPlan(weekday=0, interval=[pb.DayInterval(from_s=0, to_s=3600)])],
        exception=[pb.ExceptionPlan(day=-1, name=b"New year")]),
    "policy_defined": pb.PolicyDefined(
        definition=pb.Definition(key=b"gold"), type=pb.POLICY_SLA, order=1,
        condition=[pb.Condition(field=pb.CONDITION_TIER, text=[b"gold"])],
        goal=[pb.Goal(metric=pb.METRIC_RESOLUTION, priority=0, target_us=1)]),
    "clock_step_accepted": pb.ClockStepAccepted(step_us=-5),
}


def event(field, body):
    number = pb.Event.DESCRIPTOR.fields_by_name[field].number
    made = pb.Event(format=1, crc32c=0, position=1, recorded_us=1, occurred_us=1,
                    subject=subject(1, 1), subject_version=1, previous=0, kind=number, flags=0,
                    actor=subject(1, 1), group=0, producer=7, producer_number=1)
    getattr(made, field).CopyFrom(body)
    return made.SerializeToString()


def write(folder, name, data):
    (CORPUS / folder).mkdir(parents=True, exist_ok=True)
    (CORPUS / folder / name).write_bytes(data)


def main():
    events = {field: event(field, body) for field, body in BODIES.items()}
    for field, record in events.items():
        write("event", field, record)

    few = list(events.values())[:3]
    requests = {
        "hello": {"hello": pb.Hello(name=b"desk-1")},
        "append_one": {"append": pb.Append(event=few[:1])},
        "append_versions": {"append": pb.Append(event=few, expected_version=[1, 0, 300])},
        "append_atomic": {"append": pb.Append(event=few[:2], atomic=True)},
        "append_list": {"append_list": pb.AppendList(append=[
            pb.ListedAppend(request=n, append=pb.Append(event=few[:n])) for n in (1, 2)])},
        "fetch": {"fetch": pb.Fetch(**{"from": 1}, max_records=10)},
        "head": {"head": pb.Head()},
    }
    for name, operation in requests.items():
        write("request", name, pb.Request(id=1, protocol=1, **operation).SerializeToString())
    write("request", "feed", pb.Feed(first=1, event=few, now_us=2).SerializeToString())
    records = pb.Records(event=few, head=3, next=4)
    write("request", "records", pb.Reply(id=1, records=records).SerializeToString())


if __name__ == "__main__":
    main()
