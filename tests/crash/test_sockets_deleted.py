"""The folder of the sockets deleted under a running site: broker and nodes listen again, with a warning; who was
connected goes on meanwhile; and a path that cannot be bound is said until it can."""
import functools, os, shutil
import docket_pb2 as pb
from docket_client import A_TICKET, Client, event
from site_of import Site
import waiting

wait_until = functools.partial(waiting.wait_until, timeout_s=15)

TICKET_TO_BE, CUSTOMER = 1 << 56 | 0xFFFF << 40, 2 << 56 | 1
ROLES = ("routing", "sla", "notification", "analytics")
SOCKETS = ("request", "announce", "feed", *ROLES)


def open_ticket(client):
    return client.append(event(16, TICKET_TO_BE, CUSTOMER, A_TICKET, one_shot=os.urandom(16)))


def all_said(site, word):
    """Every program said `word` for each of its own endpoints, and for no other."""
    said = {role: node.said() for role, node in site.nodes.items()}
    return all(f"event={word} endpoint=ipc://{site.data}/run/{name} " in said.get(name, site.broker.said())
               for name in SOCKETS)


with Site(*ROLES) as site:
    site.start()
    run = site.data / "run"
    before = Client(site.data, "operator")
    assert open_ticket(before).opened

    shutil.rmtree(run)
    assert open_ticket(before).opened, "who is connected stays so"
    wait_until("sockets", lambda: all((run / name).is_socket() for name in SOCKETS))
    wait_until("warnings", lambda: all_said(site, "bound-again"))
    after = Client(site.data, "operator")
    assert open_ticket(after).opened and open_ticket(before).opened
    site.docket("open", "Is somebody there?", "--customer", "a@example.com")
    site.docket("status", "--wait", "--roles", ",".join(ROLES))
    for role in ROLES:
        assert "equal" in site.docket("replay", "diff", role).stdout
    assert "reply" in site.docket("kpi", "--measures", "first-reply").stdout
    print("deleted: bound again, all answer")

    shutil.rmtree(run)
    run.write_text("in the way")
    wait_until("errors", lambda: all_said(site, "not-bound"))
    assert open_ticket(before).opened and open_ticket(after).opened
    run.unlink()
    wait_until("sockets", lambda: all((run / name).is_socket() for name in SOCKETS))
    for role in ROLES:
        assert "equal" in site.docket("replay", "diff", role).stdout
    assert all(program.end() == 0 for program in [*site.nodes.values(), site.broker])
    print("in the way: said, bound when it was gone")
