"""kill -9 of the broker and of every node, at random moments under load: nothing that was accepted is lost or doubled,
nothing refused is there, states equal a replay's, every notice arrives. 50 rounds, or DOCKET_SOAK_S seconds."""
import os, random, subprocess, time
from docket_client import Client
from load import Load, ROLES, check_log, check_states, define_organization, received, wait_until_quiet
from site_of import Site

ROUNDS, ROUNDS_A_SITE = 50, 10
PRODUCERS, EVENTS_A_SECOND = 3, 1500
SOAK_S = float(os.environ.get("DOCKET_SOAK_S", "0"))

seed = int(os.environ.get("DOCKET_SEED", random.randrange(1 << 31)))
print(f"DOCKET_SEED={seed}", flush=True)
chance = random.Random(seed)


def kill_while_it_starts(program):
    """Started, and killed before or after it is ready."""
    log = open(program.log, "ab")
    program.process = subprocess.Popen(program.arguments, stderr=log, stdin=subprocess.DEVNULL)
    time.sleep(chance.random() * 0.15)
    program.kill()


def one_round(site):
    """One or two programs are killed, and started again after a while; a node may end in order, too."""
    time.sleep(chance.random() * 1.2)
    programs = {"broker": site.broker, **site.nodes}
    victims = [chance.choice(["broker", *ROLES])]
    if chance.random() < 0.3:
        victims = list({*victims, chance.choice([*programs])})
    for name in victims:
        if name != "broker" and chance.random() < 0.15:
            assert programs[name].end() == 0, programs[name].said()
        else:
            assert programs[name].kill() == -9, f"{name} had ended: {programs[name].said()}"
    time.sleep(chance.choice([0, 0, 0.05, 0.4]) * chance.random())
    for name in sorted(victims, key="broker".__ne__):
        if chance.random() < 0.2:
            kill_while_it_starts(programs[name])
        programs[name].start()
    return "+".join(victims)


def check(site, load, client):
    wait_until_quiet(site, client)
    check_states(site, client)
    wait_until_quiet(site, client)  # what was refused in the end may have paused until now
    for program in [*site.nodes.values(), site.broker]:
        assert program.end() == 0, program.said()
    summary, requested = check_log(site, load)
    arrived = received(site)
    assert set(arrived) == requested, f"{len(requested)} notices requested, {len(set(arrived))} received"
    assert summary["accepted"] > 100 and summary["refused"] > 10 and requested, summary
    print(f"  {summary}, {len(requested)} notices, {len(arrived) - len(requested)} twice", flush=True)


def run_site(rounds, until):
    """Each site has some nodes that read the log's folder, and some that read over the wire."""
    with Site(*ROLES) as site:
        for role in chance.sample(ROLES, chance.randrange(len(ROLES))):
            site.nodes[role] = site.program("docket-node", role, "--wire")
        site.start()
        define_organization(site)
        with Load(site, PRODUCERS, EVENTS_A_SECOND, chance.randrange(1 << 31)) as load:
            done = []
            while len(done) < rounds and time.monotonic() < until:
                done.append(one_round(site))
            print(" ".join(done), flush=True)
            load.end()
            check(site, load, Client(site.data, "operator"))
    return len(done)


begin, rounds = time.monotonic(), 0
until = begin + SOAK_S if SOAK_S else float("inf")
while time.monotonic() < until and (SOAK_S or rounds < ROUNDS):
    rounds += run_site(ROUNDS_A_SITE, until)
print(f"{rounds} rounds in {time.monotonic() - begin:.0f} s")
