"""Checkpoints that were cut off while they were written: a node killed after any of its writes, a disk that is full or
fails, and files of which a power cut kept some sectors; and the broker's heads. What is restored is the state before or
after, or it is made anew: never something between. Written again once the disk is well, without a restart."""
import os, pathlib, random, re, shutil, signal, time
from docket_client import Client
from load import BIN, Load, define_organization
from site_of import Program, Site
import docket_pb2 as pb
from waiting import wait_until

SECTOR, TORN = 512, 9
CALLS = 10  # on the heads: write, sync and rename of each segment and of the manifest; more than one checkpoint
started = []  # programs, to be ended whatever happens
FAULTS = {"LD_PRELOAD": str(BIN / "libfaultfs.so"), "ASAN_OPTIONS": "verify_asan_link_order=0"}


def node(site, role, name, **faults):
    """Its own log file, so that what it says is its own."""
    env = dict(FAULTS, DK_FAULT_ON="data.mdb", **faults) if faults else None
    started.append(Program([BIN / "docket-node", role, "--config", site.data], site.path / f"{name}.log", env))
    return started[-1]


def restored(program):
    return int(re.findall(r"event=restored position=(\d+)", program.said())[-1])


def load(site, seed):
    with Load(site, 2, 1500, seed) as producers:
        time.sleep(0.8)
        producers.end()


def folds_right(site, program, role="analytics"):
    """It catches up, and its state is a replay's."""
    site.docket("status", "--wait", "--roles", role)
    assert "equal" in site.docket("replay", "diff", role).stdout, program.said()
    return restored(program)


class Checkpoints:
    """The state of analytics at two positions, as files."""

    def __init__(self, site):
        self.site, self.folder = site, site.data / "state" / "analytics"
        load(site, 1)
        self.before, self.old = self.write("before")
        load(site, 2)
        self.after, self.new = self.write("after")
        assert 0 < self.old < self.new, (self.old, self.new)

    def write(self, name):
        """Folds to the head and ends, which writes; a copy, and the position it restores."""
        program = node(self.site, "analytics", name).start()
        folds_right(self.site, program)
        assert program.end() == 0, program.said()
        copy = self.site.path / name
        shutil.copytree(self.folder, copy)
        program = node(self.site, "analytics", f"{name}-again").start()
        position = restored(program)
        program.kill()
        self.put(copy)
        return copy, position

    def put(self, copy):
        shutil.rmtree(self.folder)
        shutil.copytree(copy, self.folder)


def test_killed_after_each_write(site, checkpoints):
    number, kept = 0, []
    while True:
        number += 1
        checkpoints.put(checkpoints.before)
        program = node(site, "analytics", f"kill-{number}", DK_FAULT=f"any:{number}:KILL").start()
        folds_right(site, program)
        if program.end() == 0:
            break
        assert program.process.returncode == -signal.SIGKILL, program.said()
        program = node(site, "analytics", f"after-{number}").start()
        kept.append(folds_right(site, program))
        program.kill()
    assert number > 3 and all(k == checkpoints.old or k >= checkpoints.new for k in kept), kept
    assert checkpoints.old in kept and kept[-1] != checkpoints.old, kept
    print(f"killed after each of {number - 1} calls: restored at {kept}")


def test_failed_writes(site, checkpoints):
    for fault in ("pwrite:1:ENOSPC", "writev:1:ENOSPC", "any:1:ENOSPC", "any:2:EIO"):
        checkpoints.put(checkpoints.before)
        program = node(site, "analytics", f"fail-{fault}", DK_FAULT=fault).start()
        folds_right(site, program)
        assert program.end() == 0, program.said()
        said = program.said()
        assert "checkpoint-not-written" in said or fault.startswith("writev"), f"{fault}: {said}"
        program = node(site, "analytics", f"then-{fault}").start()
        position = folds_right(site, program)
        assert position == checkpoints.old or position >= checkpoints.new, program.said()
        program.kill()
    print("failed writes: said, the state before is restored")


def test_torn_by_a_power_cut(site, checkpoints, chance):
    """Any subset of the sectors that were written, as no sync held them together."""
    old, new = ((c / next(c.iterdir()).name / "data.mdb").read_bytes() for c in (checkpoints.before, checkpoints.after))
    old += bytes(len(new) - len(old))
    kept = []
    for number in range(TORN):
        checkpoints.put(checkpoints.before)
        mixed = bytearray(old)
        for at in range(0, len(new), SECTOR):
            if chance.random() < (0.5, 0.9, 0.1)[number % 3]:
                mixed[at:at + SECTOR] = new[at:at + SECTOR]
        next(checkpoints.folder.glob("v*/data.mdb")).write_bytes(mixed)
        program = node(site, "analytics", f"torn-{number}")
        try:
            program.start(20)
        except RuntimeError:  # it may die of it, once
            assert "docket replay verify" in program.said() or "made anew" in program.said(), program.said()
            program.start(20)
        kept.append(folds_right(site, program))
        assert program.end() == 0, program.said()
        program.start()
        assert folds_right(site, program) >= checkpoints.new, "what was written over it"
        program.kill()
    assert set(kept) <= {0, checkpoints.old, checkpoints.new}, (kept, checkpoints.old, checkpoints.new)
    print(f"torn: restored at {kept}")


def start_on_a_bad_disk(site):
    """Nodes whose checkpoints fail, each in another way, until they are told otherwise: they go on meanwhile."""
    programs = {}
    for role, fault in (("routing", "any:ENOSPC"), ("sla", "pwrite:EIO")):
        told = site.path / f"{role}.fault"
        programs[role] = (node(site, role, role, DK_FAULT_FILE=str(told)).start(), told)
        told.write_text(fault)
    return programs


def test_recovers(site, programs):
    for role, (program, told) in programs.items():
        wait_until(program.said, lambda: "checkpoint-not-written" in program.said())
        assert f"state/{role}" in program.said(), program.said()
        told.unlink()
    for role, (program, _) in programs.items():
        folded = re.compile(r"event=checkpoint-written-again position=(\d+)")
        wait_until(program.said, lambda: folded.search(program.said()))
        program.kill()
        program = node(site, role, f"{role}-then").start()
        assert folds_right(site, program, role) >= int(folded.search(programs[role][0].said())[1]) > 0
        assert program.end() == 0
    print("a disk that was full: written again when it is well")


def tickets_of(client, count):
    return [client.call(ticket_state=pb.TicketState(ticket=1 << 56 | 1 << 40 | n)).ticket_state.SerializeToString()
            for n in range(1, count + 1)]


def broker(site, name, **faults):
    env = dict(FAULTS, DK_FAULT_ON="heads/", **faults) if faults else None
    started.append(Program([BIN / "docket-broker", "--config", site.data], site.path / f"{name}.log", env))
    return started[-1].start()


def stats_of(site):
    return Client(site.data, "operator").call(stats=pb.Stats()).stats


def test_heads_killed_after_each_call(site):
    """The broker, killed after each call of a checkpoint of its heads: the next start has the checkpoint before or this
    one, never none, and the same tickets as one that reads the whole log."""
    config, heads, first = site.data / "docket.yaml", site.data / "log" / "heads", site.path / "first-heads"
    config.write_text(config.read_text().replace("checkpoint: 500000", "checkpoint: 1000"))
    kept = []
    program = broker(site, "heads-first")
    with Load(site, 1, 3000, 1) as producers:
        wait_until(program.said, lambda: stats_of(site).heads > 0)
        producers.kill()
    program.kill()
    shutil.copytree(heads, first)
    for number in range(1, CALLS + 1):
        shutil.rmtree(heads)
        shutil.copytree(first, heads)
        program = broker(site, f"heads-{number}", DK_FAULT=f"any:{number}:KILL")
        with Load(site, 1, 3000, number) as producers:
            wait_until(program.said, lambda: program.process.poll() == -signal.SIGKILL)
            producers.kill()
        program, told = broker(site, f"heads-{number}-then"), []
        assert "heads-rebuilt" not in program.said(), f"killed after call {number}: {program.said()}"
        kept.append(stats_of(site).heads)
        for again in (False, True):
            if again:
                program.kill()
                shutil.rmtree(heads)
                program = broker(site, f"heads-{number}-anew")
            stats = stats_of(site)
            told.append((stats.head, stats.tickets, stats.open_tickets,
                         tickets_of(Client(site.data, "operator"), stats.tickets)))
        program.kill()
        assert told[0] == told[1], f"killed after call {number}"
    assert all(kept) and len(set(kept)) > 1, kept
    print(f"heads: killed after each of {CALLS} calls, restored at {kept}")


def test_heads_that_cannot_be_written(site):
    """Told once however often it is tried, and mended by itself, also when nothing more is appended."""
    told, heads = site.path / "heads.fault", site.data / "log" / "heads"
    program = broker(site, "heads-fail", DK_FAULT_FILE=str(told))
    told.write_text("any:ENOSPC")
    before = stats_of(site).heads
    with Load(site, 1, 3000, 99) as producers:
        wait_until(program.said, lambda: "heads-not-written" in program.said())
        time.sleep(4)
        producers.end()
    said = program.said()
    assert said.count("heads-not-written") == 1 and "make room on the disk" in said, said
    assert stats_of(site).heads == before and not [*heads.glob("*.tmp")], [*heads.iterdir()]
    told.unlink()
    wait_until(program.said, lambda: "heads-written-again" in program.said())
    assert stats_of(site).heads > before
    assert program.end() == 0
    print("heads that cannot be written: told once, written again")


seed = int(os.environ.get("DOCKET_SEED", random.randrange(1 << 31)))
print(f"DOCKET_SEED={seed}", flush=True)
with Site() as site:
    site.broker.start()
    define_organization(site)
    programs = start_on_a_bad_disk(site)
    try:
        checkpoints = Checkpoints(site)
        test_killed_after_each_write(site, checkpoints)
        test_failed_writes(site, checkpoints)
        test_torn_by_a_power_cut(site, checkpoints, random.Random(seed))
        test_recovers(site, programs)
    finally:
        for program in started:
            program.kill()
    site.broker.end()
    try:
        test_heads_killed_after_each_call(site)
        test_heads_that_cannot_be_written(site)
    finally:
        for program in started:
            program.kill()
