"""Every reason for which an action on a ticket is refused, met by a client that sends whatever it likes through a real broker:
code, field and sentence, and nothing is written. The command line would not send most of these."""
import os, struct
import docket_pb2 as pb
from docket_client import Client, event, id_of_key
from site_of import Site

KINDS = {f.message_type.name: f.number for f in pb.Event.DESCRIPTOR.fields if f.message_type}
UNNAMED = 1 << 56 | 0xFFFF << 40  # the ticket that the request's first Opened opens
SECOND, DAY = 1_000_000, 86_400_000_000
MASK = (1 << 56) - 1
AGENT, CUSTOMER, SUPPLIER, OPERATOR = 1 << 56, 2 << 56, 3 << 56, 6 << 56 | 1
NODES = {"routing": 4 << 56 | 1, "sla": 4 << 56 | 2, "notification": 4 << 56 | 3}
NOBODY = id_of_key("agent", "nobody")


def words(text):
    return pb.Text(plain=text.encode())


def agent_of(key):
    return AGENT | id_of_key("agent", key) & MASK


ANNA, BEN, ZOE = agent_of("anna"), agent_of("ben"), agent_of("zoe")
BOB, EVE, ACME = CUSTOMER | 1, CUSTOMER | 2, SUPPLIER | id_of_key("supplier", "acme") & MASK
BOBS, EVES = (8 << 56 | who & MASK for who in (BOB, EVE))


def notice_of(ticket, own=1 << 24):
    """A number that a notice of this ticket may have: its lowest 24 bits are a CRC-32C of both (fold/notice.h)."""
    crc = 0xFFFFFFFF
    for byte in struct.pack("<QQ", ticket, own):
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return own | (crc ^ 0xFFFFFFFF) & 0xFFFFFF


class World:
    def __init__(self, site):
        self.clients = {key: Client(site.data, key) for key in ("agent", "operator", "importer", "reader", *NODES)}
        self.salt = self.clients["operator"].call(hello=pb.Hello(name=b"refusals")).hello.salt

    def head(self):
        return self.clients["agent"].call(head=pb.Head()).head

    def made(self, key, who, subject, body, request, **envelope):
        if key in NODES and not body.HasField("decision"):
            decided, body = body, type(body)()
            body.CopyFrom(decided)
            body.decision.basis, body.decision.cause, body.decision.rule_version = self.head().head, 1, 1
        return event(KINDS[type(body).__name__], subject, who, body, one_shot=request, **envelope)

    def send(self, key, *events, atomic=False):
        """(who, subject, body[, fields of the envelope]), ... in one request."""
        request = os.urandom(16)
        sent = [self.made(key, *e[:3], request, **(e[3] if len(e) > 3 else {})) for e in events]
        return self.clients[key].append(*sent, atomic=atomic)

    def do(self, key, *events, **how):
        reply = self.send(key, *events, **how)
        assert isinstance(reply, pb.Appended) and reply.accepted == len(events), reply
        return reply

    def define(self, cls, key, **fields):
        since = pb.Definition(key=key.encode(), effective_us=self.head().now_us - 9 * DAY)
        body = getattr(pb, f"{cls.title()}Defined")(definition=since, **fields)
        self.do("operator", (OPERATOR, id_of_key(cls, key, self.salt if cls == "company" else bytes(16)), body))
        return id_of_key(cls, key)

    def open(self, **fields):
        fields = dict(customer=BOBS, product=self.network, **fields)
        return self.do("agent", (BOB, UNNAMED, pb.Opened(subject=words("It is dead"), **fields))).opened[0]


def organization(w):
    w.desk = w.define("group", "desk", line=1)
    w.engineers = w.define("group", "engineers", line=2)
    for key, name in (("anna", ("Anna", "Schmidt")), ("ben", ("Ben", "Miller")), ("zoe", ("Zoe",))):
        w.define("agent", key, **{field: words(part) for field, part in zip(("first_name", "surname"), name)})
    w.network = w.define("product", "network", route=[pb.Route(line=1, group=w.desk), pb.Route(line=2, group=w.engineers)])
    w.vault = w.define("product", "vault", audience=[b"gold"])
    w.acme = w.define("supplier", "acme")
    w.other_supplier = w.define("supplier", "northlink")
    w.floor = w.define("field", "floor", type=pb.FIELD_NUMBER)
    w.colour = w.define("field", "colour", type=pb.FIELD_CHOICE, choice=[b"grey"])
    w.asset = w.define("field", "asset", type=pb.FIELD_REFERENCE)
    w.define("settings", "settings", reopen_days=1)


def tickets(w):
    """One ticket in each state that forbids something."""
    now = w.head().now_us
    routed = pb.Routed(line=1, group=w.desk)
    w.new, w.other = w.open(), w.open()
    w.owned = w.open()
    w.do("agent", (ANNA, w.owned, routed), (ANNA, w.owned, pb.Assigned(agent=id_of_key("agent", "anna"))))
    w.spoken = w.open()
    w.do("agent", (ANNA, w.spoken, pb.MessagePublic(direction=pb.DIRECTION_OUTBOUND, text=words("Hello"))))
    w.pending, w.waits = w.open(), w.open()
    w.do("agent", (ANNA, w.pending, pb.StatusChanged(status=pb.STATUS_PENDING, pending=pb.PENDING_INTERNAL)),
         (ANNA, w.waits, pb.StatusChanged(status=pb.STATUS_PENDING, pending=pb.PENDING_CUSTOMER)))
    w.solved, w.closed = w.open(), w.open()
    w.long_closed = w.do("agent", (BOB, UNNAMED, pb.Opened(subject=words("It is old"), customer=BOBS, product=w.network),
                                   {"occurred_us": now - 3 * DAY})).opened[0]
    solved, closed = pb.StatusChanged(status=pb.STATUS_SOLVED), pb.StatusChanged(status=pb.STATUS_CLOSED)
    w.do("agent", (ANNA, w.solved, solved), (ANNA, w.closed, solved), (ANNA, w.closed, closed),
         (ANNA, w.long_closed, solved), (ANNA, w.long_closed, closed, {"occurred_us": now - 2 * DAY + 1}))
    w.merged = w.open()
    w.do("agent", (ANNA, w.merged, pb.MergedInto(target=w.new)), (ANNA, w.new, pb.MergedFrom(source_ticket=w.merged)),
         atomic=True)
    w.away = w.open()
    w.do("operator", (OPERATOR, w.away, pb.TransferredOut(target_site=2, state=b"-")))
    w.supplied = w.open()
    w.do("agent", (ANNA, w.supplied, pb.SupplierHanded(supplier=w.acme)))
    w.asked = w.open()
    w.do("agent", (ANNA, w.asked, pb.ApprovalAsked(approver=id_of_key("agent", "ben"))))
    w.offered = w.open()
    w.do("routing", (NODES["routing"], w.offered,
                     pb.Offered(agent=id_of_key("agent", "anna"), expires_us=now + 3600 * SECOND)))
    w.do("agent", (ANNA, w.new, pb.NotificationAcknowledged(notice=notice_of(w.new))))
    w.critical = w.open(priority=pb.PRIORITY_CRITICAL)
    origin = pb.Origin(source=id_of_key("source", "old"), ordinal=1, digest=1, case_key=b"1")
    opened = pb.Opened(origin=origin, subject=words("Of old"), customer=BOBS, status=pb.STATUS_OPEN)
    importer = 5 << 56 | origin.source & MASK
    w.historical = w.do("importer", (importer, UNNAMED, opened, {"occurred_us": now - DAY})).opened[0]


def openings(w):
    def opened(**fields):
        return pb.Opened(subject=words("It is dead"), customer=BOBS, **fields)

    def open(code, field, says, body, who=BOB, subject=UNNAMED):
        return code, field, says, "agent", who, subject, body
    return [
        open("EINVAL", "subject", "by its place in the request", opened(), subject=w.new),
        open("EINVAL", "opened.subject", "is empty", pb.Opened(customer=BOBS)),
        open("EINVAL", "opened.impact", "must lie in 1..3", opened(impact=4)),
        open("EINVAL", "opened.urgency", "must lie in 1..3", opened(urgency=0)),
        open("EILLEGAL", "opened.status", "a ticket opens new, not solved", opened(status=pb.STATUS_SOLVED)),
        open("EILLEGAL", "opened.group", "routing gives it its group", opened(group=w.desk)),
        open("EREFERENCE", "opened.product", "is defined", opened(product=id_of_key("product", "nosuch"))),
        open("EREFERENCE", "opened.company", "no company", opened(company=id_of_key("company", "nosuch"))),
        open("EREFERENCE", "opened.product", "not in the audience", opened(product=w.vault)),
        open("EILLEGAL", "kind", "an exception of type entitlement", opened(product=w.vault, priority=pb.PRIORITY_CRITICAL)),
        open("EREFERENCE", "opened.repeat_of", "there is no ticket 1-999", opened(repeat_of=1 << 56 | 1 << 40 | 999)),
        open("EINVAL", "opened.repeat_of", "its own request opens", opened(repeat_of=UNNAMED)),
        open("EREFERENCE", "actor", "act as one that is", opened(), who=agent_of("nobody")),
        open("EINVAL", "decision", "only nodes decide", opened(decision=pb.Decision(basis=1, cause=1, rule_version=1))),
        open("EINVAL", "origin", "only an importer's", opened(origin=pb.Origin(source=17 << 56 | 1, ordinal=1, digest=1))),
    ]


def states(w):
    note, solved = pb.NoteAdded(text=words("Hm")), pb.StatusChanged(status=pb.STATUS_SOLVED)
    reply = pb.MessagePublic(direction=pb.DIRECTION_OUTBOUND, text=words("Hello"))
    up = pb.Escalated(type=pb.ESCALATION_FUNCTIONAL, to_line=2)

    def row(code, field, says, ticket, body, who=ANNA, key="agent"):
        return code, field, says, key, who, ticket, body
    return [
        row("ENOTFOUND", "subject", "there is no such ticket", 1 << 56 | 1 << 40 | 999, note),
        row("ENOTFOUND", "subject", "lives at site 2", 1 << 56 | 2 << 40 | 1, note),
        row("ENOTFOUND", "subject", "no accepted Opened number 0", UNNAMED, note),
        row("EILLEGAL", "kind", "act on the ticket it was merged into", w.merged, note),
        row("EILLEGAL", "kind", "act on the ticket it was merged into", w.merged, reply),
        row("EILLEGAL", "kind", "act on the ticket it was merged into", w.merged, pb.StatusChanged(status=pb.STATUS_OPEN)),
        row("EILLEGAL", "kind", "open a linked ticket", w.closed, reply),
        row("EILLEGAL", "kind", "that is solved takes no 'assigned'", w.solved, pb.Assigned(agent=0)),
        row("EILLEGAL", "kind", "that is new takes no 'followed-up'", w.new, pb.FollowedUp()),
        row("EMOVED", "subject", "act on it there", w.away, note),
        row("EMOVED", "subject", "act on it there", w.away, pb.TransferredOut(target_site=3, state=b"-"), OPERATOR, "operator"),
        row("EACCES", "kind", "may not append 'transferred-in'", w.away,
            pb.TransferredIn(source_log=bytes(16), source_position=1, state=b"-"), OPERATOR, "operator"),
        row("EILLEGAL", "status_changed.status", "that is new cannot become closed", w.new,
            pb.StatusChanged(status=pb.STATUS_CLOSED)),
        row("EILLEGAL", "status_changed.status", "cannot become merged", w.new, pb.StatusChanged(status=pb.STATUS_MERGED)),
        row("EILLEGAL", "status_changed.status", "cannot become pending (internal)", w.pending,
            pb.StatusChanged(status=pb.STATUS_PENDING, pending=pb.PENDING_INTERNAL)),
        row("EINVAL", "status_changed.pending", "says for whom", w.new, pb.StatusChanged(status=pb.STATUS_PENDING)),
        row("EINVAL", "status_changed.pending", "only pending", w.new,
            pb.StatusChanged(status=pb.STATUS_SOLVED, pending=pb.PENDING_CUSTOMER)),
        row("EILLEGAL", "status_changed.status", "closed more than 1 days ago", w.long_closed,
            pb.StatusChanged(status=pb.STATUS_OPEN)),
        row("EILLEGAL", "status_changed.status", "cannot become solved", w.solved, solved),
        row("EILLEGAL", "kind", "only a historical ticket", w.new, pb.Adopted(), OPERATOR, "operator"),
        row("EILLEGAL", "kind", "its checklist", w.owned, up),
        row("EILLEGAL", "escalated.critical_bypass", "when the ticket is critical", w.owned,
            pb.Escalated(type=pb.ESCALATION_FUNCTIONAL, to_line=2, critical_bypass=True)),
        row("EILLEGAL", "escalated.to_line", "goes up from line 1", w.owned, pb.Escalated(type=pb.ESCALATION_FUNCTIONAL,
                                                                                       to_line=1)),
        row("EILLEGAL", "escalated.type", "reopen it first", w.solved, up),
        row("EINVAL", "escalated.type", "none is not allowed", w.owned, pb.Escalated(type=0, to_line=2)),
        row("EREFERENCE", "escalated.to_line", "to line 3: name a group", w.critical,
            pb.Escalated(type=pb.ESCALATION_FUNCTIONAL, to_line=3, critical_bypass=True)),
        row("EILLEGAL", "escalated.to_line", "to a line of at most 255", w.critical,
            pb.Escalated(type=pb.ESCALATION_FUNCTIONAL, to_line=256, critical_bypass=True)),
        row("EREFERENCE", "escalated.to_group", "no group", w.critical,
            pb.Escalated(type=pb.ESCALATION_FUNCTIONAL, to_line=2, critical_bypass=True, to_group=3 << 56 | 9)),
        row("EREFERENCE", "escalated.manager", "no agent", w.owned,
            pb.Escalated(type=pb.ESCALATION_HIERARCHICAL, manager=NOBODY)),
        row("EINVAL", "classified", "says nothing", w.new, pb.Classified()),
        row("EINVAL", "classified.impact", "must lie in", w.new, pb.Classified(impact=9)),
        row("EINVAL", "classified.priority", "cannot lose its priority", w.new, pb.Classified(priority=0)),
        row("EREFERENCE", "classified.product", "not in the audience", w.new, pb.Classified(product=w.vault)),
        row("EILLEGAL", "kind", "an exception of type entitlement", w.critical, pb.Classified(product=w.vault)),
        row("EINVAL", "time_logged.seconds", "no time was spent", w.new, pb.TimeLogged(seconds=0)),
        row("EINVAL", "followers_changed", "names nobody", w.new, pb.FollowersChanged()),
        row("EREFERENCE", "followers_changed.added", "no agent", w.new, pb.FollowersChanged(added=[NOBODY])),
        row("EILLEGAL", "kind", "the ticket is with", w.supplied, pb.SupplierHanded(supplier=w.acme)),
        row("EILLEGAL", "kind", "with no supplier", w.new, pb.SupplierReturned(supplier=w.acme)),
        row("EILLEGAL", "supplier_returned.supplier", "not with", w.supplied, pb.SupplierReturned(supplier=w.other_supplier)),
        row("EREFERENCE", "supplier_handed.supplier", "names no supplier", w.new, pb.SupplierHanded(supplier=0)),
        row("EREFERENCE", "supplier_handed.contract", "no contract", w.new,
            pb.SupplierHanded(supplier=w.acme, contract=id_of_key("contract", "nosuch"))),
        row("EINVAL", "rated", "a csat or an nps", w.solved, pb.Rated(), BOB),
        row("EINVAL", "rated.csat", "must lie in 1..5", w.solved, pb.Rated(csat=6), BOB),
        row("EINVAL", "rated.nps", "must lie in 0..10", w.solved, pb.Rated(nps=11), BOB),
        row("EINVAL", "exception_recorded.type", "none is not allowed", w.new,
            pb.ExceptionRecorded(type=0, reason=words("so"))),
        row("EILLEGAL", "kind", "both of its events", w.new, pb.LinkedTo(target=w.other, type=pb.LINK_CHILD)),
        row("EILLEGAL", "kind", "both of its events", w.new, pb.MergedFrom(source_ticket=w.other)),
        row("EREFERENCE", "field_set.field", "no field", w.new, pb.FieldSet(field=id_of_key("field", "nosuch"), number=1)),
        row("EREFERENCE", "field_set.number", "takes a number", w.new, pb.FieldSet(field=w.floor, text=words("third"))),
        row("EREFERENCE", "field_set.choice", "one of its choices", w.new, pb.FieldSet(field=w.colour, choice=b"pink")),
        row("EREFERENCE", "field_set.reference", "is defined", w.new, pb.FieldSet(field=w.asset, reference=NOBODY)),
        row("EREFERENCE", "field_set.reference", "there is no ticket 1-999", w.new,
            pb.FieldSet(field=w.asset, reference=1 << 56 | 1 << 40 | 999)),
        row("EINVAL", "field_set", "2 values instead of one", w.new, pb.FieldSet(field=w.floor, number=1, choice=b"grey")),
        row("EREFERENCE", "notification_acknowledged.notice", "has no notice", w.new, pb.NotificationAcknowledged(notice=7)),
        row("EILLEGAL", "notification_acknowledged.notice", "is acknowledged already", w.new,
            pb.NotificationAcknowledged(notice=notice_of(w.new))),
        row("EREFERENCE", "notification_acknowledged.notice", "has no notice", w.new,
            pb.NotificationAcknowledged(notice=notice_of(w.other))),
        row("EINVAL", "handover_declared.term", "none is not allowed", w.owned,
            pb.HandoverDeclared(agent=id_of_key("agent", "ben"), term=0, reason=pb.HANDOVER_ABSENT)),
    ]


def people(w):
    """Who may do it: nobody acts for another, in secret, or before whom it concerns."""
    out = pb.DIRECTION_OUTBOUND
    reply, automatic = pb.MessagePublic(direction=out, text=words("Hello")), pb.MessagePublic(
        direction=out, text=words("We have it"), automatic=True)
    note = pb.NoteAdded(text=words("Hm"))
    ben, anna = id_of_key("agent", "ben"), id_of_key("agent", "anna")

    def row(code, field, says, who, ticket, body, key="agent"):
        return code, field, says, key, who, ticket, body

    def handover(**fields):
        return pb.HandoverDeclared(**dict(dict(agent=ben, term=pb.HANDOVER_PERMANENT, reason=pb.HANDOVER_OVERLOAD), **fields))
    desks = [note, pb.Classified(type=pb.TYPE_INCIDENT), pb.Routed(line=1, group=w.desk), pb.Assigned(agent=anna), handover(),
             pb.StatusChanged(status=pb.STATUS_PENDING, pending=pb.PENDING_CUSTOMER), pb.SupplierHanded(supplier=w.acme),
             pb.Escalated(type=pb.ESCALATION_FUNCTIONAL, to_line=2, critical_bypass=True),
             pb.ChecklistAnswered(understood=True, standard_steps_tried=True, known_fixes_tried=True,
                                  said_in_product_terms=True, data_collected=True, workaround_given=False),
             pb.TimeLogged(seconds=60), pb.AttachmentErased(sha256=bytes(32)), pb.RequesterChanged(customer=EVES),
             pb.ApprovalAsked(approver=ben), pb.ReminderSet(due_us=w.head().now_us + DAY),
             pb.ExceptionRecorded(type=pb.EXCEPTION_CHECKLIST, reason=words("mine"))]
    return [
        # signed, and in the own name
        row("EREFERENCE", "actor", "surname and first name", ZOE, w.new, reply),
        row("EREFERENCE", "actor", "act as one that is", agent_of("nobody"), w.new, reply),
        row("EILLEGAL", "actor", "signed by an agent", OPERATOR, w.new, reply, "operator"),
        row("EILLEGAL", "actor", "signed by an agent", ACME, w.new, reply),
        row("EILLEGAL", "message_public.direction", "is inbound", BOB, w.new, reply),
        row("EILLEGAL", "message_public.automatic", "under an operator's key", ANNA, w.new, automatic),
        row("EILLEGAL", "message_public.automatic", "under an operator's key", ACME, w.new, automatic),
        row("EINVAL", "message_public.text", "is empty", ANNA, w.new, pb.MessagePublic(direction=out, text=words(" "))),
        row("EINVAL", "message_public.direction", "none is not allowed", ANNA, w.new, pb.MessagePublic(
            direction=0, text=words("Hello"))),
        row("EACCES", "actor", "acts for one actor", BEN, w.new, note, "reader"),  # it is Anna's key
        row("EACCES", "actor", "acts for one actor", BOB, w.new, note, "reader"),
        row("EACCES", "actor", "may not act as operator", OPERATOR, w.new, automatic),
        row("EACCES", "actor", "may not act as node", NODES["routing"], w.new, pb.Routed(line=1, group=w.desk)),
        row("EACCES", "actor", "may not act as agent", ANNA, w.new, pb.Routed(line=1, group=w.desk), "routing"),
        row("EACCES", "kind", "may not append 'message'", NODES["routing"], w.new, reply, "routing"),
        row("EACCES", "kind", "may not append 'adopted'", ANNA, w.historical, pb.Adopted()),
        # one agent keeps the ticket
        row("EILLEGAL", "actor", "another agent has this ticket", BEN, w.owned, reply),
        row("EILLEGAL", "actor", "another agent speaks with this customer", BEN, w.spoken, reply),
        row("EILLEGAL", "handover_declared.from_agent", "not with the agent", ANNA, w.owned,
            handover(from_agent=id_of_key("agent", "zoe"))),
        row("EILLEGAL", "handover_declared.agent", "has the ticket already", ANNA, w.owned, handover(agent=anna)),
        row("EILLEGAL", "handover_declared.agent", "goes back only to", ANNA, w.owned,
            handover(reason=pb.HANDOVER_RETURN)),
        row("EREFERENCE", "handover_declared.agent", "no agent", ANNA, w.owned, handover(agent=NOBODY)),
        row("EREFERENCE", "assigned.agent", "no agent", ANNA, w.owned, pb.Assigned(agent=NOBODY)),
        row("EILLEGAL", "offer_declined.agent", "not on offer to this agent", BEN, w.offered, pb.OfferDeclined(agent=ben)),
        # no route by hand around the checklist
        row("EILLEGAL", "routed.line", "goes up to line 2 by an escalation", ANNA, w.owned, pb.Routed(line=2,
                                                                                                   group=w.engineers)),
        row("EILLEGAL", "routed.line", "works on line 2", ANNA, w.owned, pb.Routed(line=1, group=w.engineers)),
        row("EINVAL", "routed.group", "is routed to a group", ANNA, w.owned, pb.Routed(line=1, group=0)),
        row("EINVAL", "routed.line", "must lie in 1..255", ANNA, w.owned, pb.Routed(line=256, group=w.desk)),
        row("EREFERENCE", "routed.group", "no group", ANNA, w.owned, pb.Routed(line=1, group=id_of_key("group", "nosuch"))),
        # whoever was asked answers, and whoever asked for help rates
        row("EILLEGAL", "kind", "has not answered yet", ANNA, w.asked, pb.ApprovalAsked(approver=anna)),
        row("EILLEGAL", "approval_given.approver", "was asked to approve, and not", ANNA, w.asked, pb.ApprovalGiven(approver=anna)),
        row("EILLEGAL", "approval_refused.approver", "was asked to approve, and not", BEN, w.asked,
            pb.ApprovalRefused(approver=anna)),
        row("EILLEGAL", "actor", "nobody else can answer", ANNA, w.asked, pb.ApprovalGiven(approver=ben)),
        row("EILLEGAL", "actor", "nobody else can answer", BOB, w.asked, pb.ApprovalRefused(approver=ben)),
        row("EILLEGAL", "kind", "no approval is asked", BEN, w.new, pb.ApprovalGiven(approver=ben)),
        row("EREFERENCE", "approval_asked.approver", "no agent", ANNA, w.new, pb.ApprovalAsked(approver=NOBODY)),
        row("EILLEGAL", "actor", "the customer's", ANNA, w.solved, pb.Rated(csat=5)),
        row("EILLEGAL", "actor", "the customer's", ACME, w.solved, pb.Rated(csat=5)),
        row("EILLEGAL", "actor", "by the customer whose it is", EVE, w.solved, pb.Rated(csat=5)),
        row("EILLEGAL", "kind", "takes no 'rated'", BOB, w.new, pb.Rated(csat=5)),
        # what the desk decides is no customer's
        *[row("EILLEGAL", "actor", "no customer decides this", BOB, w.critical, body) for body in desks],
        row("EILLEGAL", "actor", "no customer decides this", BOB, w.new,
            pb.ExceptionRecorded(type=pb.EXCEPTION_ENTITLEMENT, reason=words("mine"))),
    ]


def decisions(w):
    """What a node may not decide."""
    now, ahead = w.head().now_us, w.head().now_us + DAY
    clock = pb.ClockRef(metric=pb.METRIC_RESOLUTION, instance=1)
    anna = id_of_key("agent", "anna")

    def row(code, field, says, role, ticket, body):
        return code, field, says, role, NODES[role], ticket, body

    def decided(body, basis):
        body.decision.basis, body.decision.cause, body.decision.rule_version = basis, 1, 1
        return body
    return [
        row("ESTALE", "decision", "after the decision's basis 1", "routing", w.new, decided(pb.Queued(group=w.desk), 1)),
        row("EINVAL", "decision", "beyond the log's end", "routing", w.new, decided(pb.Queued(group=w.desk), 10**9)),
        row("EILLEGAL", "offered.agent", "one offer at a time", "routing", w.offered, pb.Offered(agent=anna, expires_us=ahead)),
        row("EREFERENCE", "offered.agent", "no agent", "routing", w.new, pb.Offered(agent=NOBODY, expires_us=ahead)),
        row("EREFERENCE", "queued.group", "no group", "routing", w.new, pb.Queued(group=id_of_key("group", "nosuch"))),
        row("EILLEGAL", "repeat_noted.repeat_of", "with itself", "routing", w.new, pb.RepeatNoted(repeat_of=w.new)),
        row("EREFERENCE", "repeat_noted.repeat_of", "there is no ticket", "routing", w.new,
            pb.RepeatNoted(repeat_of=1 << 56 | 1 << 40 | 999)),
        row("EEARLY", "clock_warned.due_us", "ahead", "sla", w.new, pb.ClockWarned(clock=clock, due_us=ahead, late_by_us=0)),
        row("EEARLY", "clock_breached.due_us", "ahead", "sla", w.new, pb.ClockBreached(clock=clock, due_us=ahead, late_by_us=0)),
        row("EEARLY", "reminder_due.due_us", "ahead", "sla", w.new, pb.ReminderDue(reminder=1, due_us=ahead, late_by_us=0)),
        row("EEARLY", "auto_solved.due_us", "ahead", "sla", w.waits, pb.AutoSolved(due_us=ahead)),
        row("EEARLY", "auto_closed.due_us", "ahead", "sla", w.solved, pb.AutoClosed(due_us=ahead)),
        row("EILLEGAL", "kind", "waits for its customer", "sla", w.pending, pb.AutoSolved(due_us=now)),
        row("EILLEGAL", "subject", "until it is adopted", "sla", w.historical,
            pb.ClockMet(clock=clock, due_us=now, elapsed_us=1, wall_us=1)),
        row("EREFERENCE", "notification_requested.notice", "has no notice", "notification", w.new, pb.NotificationRequested(
            notice=7, rule=id_of_key("rule", "r"), rule_version=1, transport=pb.TRANSPORT_FILE, recipient=pb.Recipient(),
            template=id_of_key("template", "t"))),
    ]


def refusal(reply):
    """The failure of the whole request, or the first event's refusal."""
    return reply.refused[0] if isinstance(reply, pb.Appended) and reply.refused else getattr(reply, "failure", None)


def table(w, rows):
    wrong = []
    before = w.head().head
    for code, field, says, key, who, ticket, body in rows:
        why = refusal(w.send(key, (who, ticket, body)))
        told = why and (why.name.decode(), why.field.decode(), why.sentence.decode())
        if not told or told[:2] != (f"DK_{code}", field) or says not in told[2] or w.head().head != before:
            wrong.append(f"{type(body).__name__} by {key}: {code}, {field}, \"{says}\" expected: {told}")
            before = w.head().head
    assert not wrong, "\n".join(wrong)
    return len(rows)


def whole_requests(w):
    """What the events of one request owe each other; and once it is there, the same is done."""
    critical = pb.Opened(subject=words("It burns"), customer=BOBS, product=w.vault, priority=pb.PRIORITY_CRITICAL)
    note = pb.NoteAdded(text=words("Hm"))
    exception = pb.ExceptionRecorded(type=pb.EXCEPTION_ENTITLEMENT, reason=words("critical"))
    other = pb.ExceptionRecorded(type=pb.EXCEPTION_OTHER, reason=words("critical"))
    child = pb.LinkedTo(target=w.other, type=pb.LINK_CHILD), pb.LinkedFrom(source_ticket=w.new, type=pb.LINK_CHILD)
    before = w.head().head
    for index, says, events in (
            (0, "an exception of type entitlement", [(BOB, UNNAMED, critical)]),
            (1, "an exception of type entitlement", [(ANNA, w.new, note), (BOB, UNNAMED, critical), (ANNA, UNNAMED, note)]),
            (0, "an exception of type entitlement", [(ANNA, UNNAMED, critical), (ANNA, UNNAMED, other)]),
            (0, "an exception of type entitlement", [(BOB, UNNAMED, critical), (ANNA, w.new, exception)]),
            (0, "mirror is missing", [(ANNA, w.new, child[0])]),
            (0, "mirror is missing", [(ANNA, w.new, child[0]), (ANNA, w.other, pb.LinkedFrom(
                source_ticket=w.new, type=pb.LINK_DUPLICATE))]),
            (0, "with itself", [(ANNA, w.new, pb.LinkedTo(target=w.new, type=pb.LINK_CHILD)),
                                (ANNA, w.new, pb.LinkedFrom(source_ticket=w.new, type=pb.LINK_CHILD))]),
            (0, "with itself", [(ANNA, w.new, pb.MergedInto(target=w.new)), (ANNA, w.new, pb.MergedFrom(source_ticket=w.new))])):
        why = refusal(w.send("agent", *events, atomic=True))
        assert why and why.index == index and says in why.sentence.decode(), (says, why)
        assert w.head().head == before, "nothing of it is written"
    opened = w.do("agent", (BOB, UNNAMED, critical), (BOB, UNNAMED, exception), atomic=True).opened[0]
    w.do("agent", (ANNA, opened, pb.Classified(product=w.vault, priority=pb.PRIORITY_LOW)))
    w.do("agent", *[(ANNA, ticket, body) for ticket, body in zip((w.new, w.other), child)], atomic=True)


def allowed(w):
    """What stands beside the refused: the same act by whom it is."""
    ben = id_of_key("agent", "ben")
    reply = pb.MessagePublic(direction=pb.DIRECTION_OUTBOUND, text=words("Hello"))
    automatic = pb.MessagePublic(direction=pb.DIRECTION_OUTBOUND, text=words("We have it"), automatic=True)
    w.do("operator", (OPERATOR, w.owned, automatic))  # it goes before no owner
    w.do("reader", (ANNA, w.owned, reply))
    site.docket("note", "1-1", "By key", "--key", "reader")  # who has one says no more
    assert "Anna Schmidt" in site.docket("show", "1-1").stdout
    w.do("agent", (ANNA, w.owned, pb.HandoverDeclared(agent=ben, term=pb.HANDOVER_PERMANENT, reason=pb.HANDOVER_OVERLOAD)),
         (BEN, w.owned, reply), (BEN, w.asked, pb.ApprovalGiven(approver=ben)), (BOB, w.solved, pb.Rated(csat=5)),
         (ANNA, w.closed, pb.StatusChanged(status=pb.STATUS_OPEN)), (ACME, w.supplied, pb.NoteAdded(text=words("On it"))))


with Site() as site:
    keys = site.data / "keys" / "allowed.yaml"
    keys.write_text(keys.read_text().replace("role: reader,", "role: agent, actor: anna,"))
    site.start()
    w = World(site)
    organization(w)
    tickets(w)
    count = sum(table(w, rows(w)) for rows in (openings, states, people, decisions))
    whole_requests(w)
    allowed(w)
    assert "all is as it was written" in site.docket("replay", "verify").stdout
    assert site.broker.end() == 0, site.broker.said()
print(f"{count} refusals, each with its code, field and sentence; nothing of them is written")
