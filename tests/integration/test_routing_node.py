"""The routing node: routes by the catalogue, assigns by eligibility and spare capacity, survives kills."""
import json, os, time
import docket_pb2 as pb
from docket_client import Client, event, id_of_key
from site_of import Site

PLACEHOLDER = 1 << 56 | 0xFFFF << 40
CUSTOMER, OPERATOR, NODE = 2 << 56 | 1, 6 << 56 | 1, 4
HELPDESK, NETWORK = id_of_key("group", "helpdesk"), id_of_key("group", "network")


def define(operator, kind, cls, key, body):
    body.definition.key = key.encode()
    reply = operator.append(event(kind, id_of_key(cls, key), OPERATOR, body,
                                  one_shot=os.urandom(16)))
    assert not reply.refused, reply


def define_organization(operator):
    all_day = [pb.WeekdayPlan(weekday=d, interval=[pb.DayInterval(from_s=0, to_s=86400)])
               for d in range(7)]
    define(operator, 99, "calendar", "always", pb.CalendarDefined(zone=b"UTC", weekday=all_day))
    define(operator, 97, "group", "helpdesk", pb.GroupDefined(line=1))
    define(operator, 97, "group", "network", pb.GroupDefined(line=2))
    define(operator, 98, "product", "office", pb.ProductDefined(
        route=[pb.Route(line=1, group=HELPDESK), pb.Route(line=2, group=NETWORK)]))
    define(operator, 98, "product", "printer", pb.ProductDefined(parent=id_of_key("product", "office"),
                                                                 required_skill=[b"toner"]))
    agents = {"ada": ([HELPDESK], 2, [b"toner"]), "bob": ([HELPDESK, NETWORK], 1, []),
              "cyd": ([NETWORK], 1, [b"toner"])}
    for key, (groups, capacity, skills) in agents.items():
        define(operator, 96, "agent", key, pb.AgentDefined(
            first_name=pb.Text(plain=key.encode()), surname=pb.Text(plain=b"Test"), group=groups,
            capacity=capacity, skill=skills))
    define(operator, 106, "shift", "day", pb.ShiftDefined(
        calendar=id_of_key("calendar", "always"), agent=[id_of_key("agent", a) for a in agents]))


def open_ticket(client, product):
    opened = pb.Opened(subject=pb.Text(plain=b"Help"), product=id_of_key("product", product),
                       channel=pb.CHANNEL_WEB)
    return client.append(event(16, PLACEHOLDER, CUSTOMER, opened, one_shot=os.urandom(16))).opened[0]


def history(client, ticket):
    records = client.call(fetch=pb.Fetch(ticket=ticket, **{"from": 0})).records
    return [pb.Event.FromString(e) for e in reversed(records.event)]


def wait_for(client, ticket, kind, count=1, timeout_s=60):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = [e for e in history(client, ticket) if e.kind == kind]
        if len(found) >= count:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError(f"no event of kind {kind}: {history(client, ticket)}")


def name(ticket):
    return f"{ticket >> 40 & 0xffff}-{ticket & (1 << 40) - 1}"


def explained(site, ticket, *arguments):
    """What `routing explain` says, which is what the event says."""
    done = site.docket("routing", "explain", name(ticket), "--json", *arguments)
    told = json.loads(done.stdout)
    assert told["same"] and told["differs"] == "", told
    return told


def all_explained(site, client, ticket):
    """The same of every decision about a ticket."""
    done = site.docket("routing", "explain", name(ticket), "--json", "--all")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(t["same"] for t in told), told
    by_routing = [e for e in history(client, ticket) if e.actor >> 56 == NODE]
    assert [t["event"] for t in told] == sorted(e.position for e in by_routing), told
    return told


def offers(site, operator, client):
    """Offered, declined, offered to another, accepted; each explained from the log."""
    define(operator, 109, "settings", "settings", pb.SettingsDefined(offer_timeout_us=600_000_000))
    define(operator, 98, "product", "phones",
           pb.ProductDefined(route=[pb.Route(line=1, group=HELPDESK)]))
    ticket = open_ticket(client, "phones")
    offer = wait_for(client, ticket, 20)
    assert offer.offered.agent == id_of_key("agent", "ada"), "the one with room"
    assert offer.offered.expires_us == offer.offered.judged_us + 600_000_000
    refused = site.docket("accept", name(ticket), "--as", "bob", check=False)
    assert refused.returncode == 1 and "not on offer to this agent" in refused.stderr, refused
    site.docket("decline", name(ticket), "--as", "ada")
    queued = wait_for(client, ticket, 19)
    assert (pb.EXCLUDED_DECLINED, 1) in {(x.reason, x.count) for x in queued.queued.excluded}
    reasons = {a["name"]: a["excluded"] for a in explained(site, ticket)["agents"]}
    assert reasons == {"ada Test": "declined", "bob Test": "capacity"}, reasons
    second = json.loads(site.docket("list", "--filter", "owner=bob", "--json").stdout)["ticket"]
    site.docket("resolve", second, "--as", "bob")
    assert wait_for(client, ticket, 20, count=2).offered.agent == id_of_key("agent", "bob")
    told = explained(site, ticket)
    assert [a["number"] for a in told["agents"]] == [1, None], told
    assert explained(site, ticket, "--event", offer.position)["event"] == offer.position
    text = site.docket("routing", "explain", name(ticket)).stdout
    assert "eligible, number 1" in text and "the event says the same" in text, text
    site.docket("accept", name(ticket), "--as", "bob")
    seen = {agent: site.docket("list", "--as", agent, "--json").stdout for agent in ("ada", "cyd")}
    assert f'"{name(ticket)}"' in seen["ada"] and f'"{name(ticket)}"' not in seen["cyd"], seen


with Site("routing") as site:
    site.start()
    operator = Client(site.data, "operator")
    define_organization(operator)
    client = Client(site.data, "agent")

    first = open_ticket(client, "printer")
    routed = wait_for(client, first, 18)
    assert routed.routed.group == HELPDESK and routed.routed.line == 1
    assert routed.routed.product == id_of_key("product", "office"), "the nearest ancestor's route"
    assigned = wait_for(client, first, 22).assigned
    assert assigned.agent == id_of_key("agent", "ada"), "the one with the skill"
    assert {(x.reason, x.count) for x in assigned.excluded} == {(pb.EXCLUDED_SKILL, 1)}

    second = open_ticket(client, "office")
    assert wait_for(client, second, 22).assigned.agent == id_of_key("agent", "bob"), "most spare"
    third = open_ticket(client, "office")
    assert wait_for(client, third, 22).assigned.agent == id_of_key("agent", "ada")
    fourth = open_ticket(client, "office")
    queued = wait_for(client, fourth, 19).queued
    assert queued.group == HELPDESK and queued.excluded[0].reason == pb.EXCLUDED_CAPACITY

    # The node is killed while work waits; what frees capacity happens without it.
    site.nodes["routing"].kill()
    solved = client.append(event(26, third, id_of_key("agent", "ada") & (1 << 56) - 1 | 1 << 56,
                                 pb.StatusChanged(status=pb.STATUS_SOLVED),
                                 one_shot=os.urandom(16)))
    assert not solved.refused, solved
    site.nodes["routing"].start()
    assert wait_for(client, fourth, 22).assigned.agent == id_of_key("agent", "ada")
    assert [e.kind for e in history(client, fourth)].count(22) == 1

    # An escalation without a group is answered with the catalogue's route to that line.
    answers = pb.ChecklistAnswered(understood=True, standard_steps_tried=True,
                                   known_fixes_tried=True, said_in_product_terms=True,
                                   data_collected=True, workaround_given=False)
    agent = 1 << 56 | id_of_key("agent", "ada") & (1 << 56) - 1
    for kind, body in ((28, answers), (27, pb.Escalated(type=pb.ESCALATION_FUNCTIONAL, to_line=2))):
        reply = client.append(event(kind, first, agent, body, one_shot=os.urandom(16)))
        assert not reply.refused, reply
    routed = wait_for(client, first, 18, count=2).routed
    assert routed.group == NETWORK and routed.reason == pb.ROUTE_ESCALATION
    assert wait_for(client, first, 22, count=2).assigned.agent == id_of_key("agent", "cyd")
    for ticket in (first, second, third, fourth):
        explained(site, ticket)
    routes = [told for told in all_explained(site, client, first) if told["kind"] == "routed"]
    found = [[(p["about"], p["group"], p["why"]) for p in told["considered"]] for told in routes]
    assert found == [[("printer", None, "has no such route"), ("office", "helpdesk", "has the route")],
                     [("printer", None, "has no such route"), ("office", "network", "has the route")]]
    left = {p["step"]: p["why"] for told in all_explained(site, client, fourth) if told["kind"] == "queued"
            for p in told["considered"]}
    assert left["next-site"] == "the group names none", left
    offers(site, operator, client)
    assert site.nodes["routing"].end() == 0 and site.broker.end() == 0
print("routed, assigned, queued, assigned after a kill, escalated, offered, explained")
