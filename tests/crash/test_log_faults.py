"""System calls that fail, and bits that flip, under a writer of the log."""
import pathlib, random, struct, subprocess, time

import log_process

ENDS_WITHIN_S = 20


def test_failed_calls_end_the_writer(call, number, error):
    """The number-th call on a data file fails: the writer says so and ends; nothing is lost."""
    with log_process.folder() as folder:
        log = folder + "/log"
        faults = {"DK_FAULT": f"{call}:{number}:{error}", "DK_FAULT_ON": "data.mdb"}
        writer = log_process.start(log, number, faults)
        output, errors = writer.communicate(timeout=ENDS_WITHIN_S)
        assert writer.returncode == 1, f"{faults}: ended with {writer.returncode}: {errors}"
        assert "log_writer: cannot" in errors, f"{faults}: said {errors!r}"
        assert "Input/output error" in errors or "No space left" in errors, f"said {errors!r}"
        promised = log_process.acknowledged(output)
        log_process.assert_holds(log, promised)
        print(f"{call} {number} {error}: acknowledged {promised}: {errors.strip()}", flush=True)
        appends_again(log, promised)


def appends_again(log, promised):
    writer = log_process.start(log, 1)
    output = "".join(writer.stdout.readline() for _ in range(3))
    writer.kill()
    output += writer.communicate()[0]
    assert log_process.acknowledged(output) > promised
    log_process.assert_holds(log, log_process.acknowledged(output))


def test_growing_ahead_may_fail(number, error):
    """The helper's write of zeros fails: appends go on."""
    with log_process.folder() as folder:
        log = folder + "/log"
        faults = {"DK_FAULT": f"write:{number}:{error}", "DK_FAULT_ON": "data.mdb"}
        writer = log_process.start(log, number, faults)
        output = "".join(writer.stdout.readline() for _ in range(100))
        writer.kill()
        output += writer.communicate()[0]
        log_process.assert_holds(log, log_process.acknowledged(output))


def test_disk_that_fails_under_way(error):
    """All syncs fail from some moment on."""
    with log_process.folder() as folder:
        log, trigger = folder + "/log", pathlib.Path(folder) / "fault"
        writer = log_process.start(log, 5, {"DK_FAULT_FILE": str(trigger)})
        output = "".join(writer.stdout.readline() for _ in range(50))
        trigger.write_text(f"fdatasync:{error}")
        rest, errors = writer.communicate(timeout=ENDS_WITHIN_S)
        assert writer.returncode == 1 and "cannot" in errors, errors
        log_process.assert_holds(log, log_process.acknowledged(output + rest))


def test_killed_between_two_calls(call, number):
    """Killed after the number-th call, while another process has the log open: the next writer goes on where the log
    ends, also when the commit was done and LMDB's lock file not told."""
    with log_process.folder() as folder:
        log = folder + "/log"
        writer = log_process.start(log, number)
        output = "".join(writer.stdout.readline() for _ in range(3))
        writer.kill()
        output += writer.communicate()[0]
        holder = subprocess.Popen([log_process.PROGRAM, "hold", log], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert holder.stdout.readline() == b"0\n"
        writer = log_process.start(log, number, {"DK_FAULT": f"{call}:{number}:KILL", "DK_FAULT_ON": "log/data.mdb"})
        output += writer.communicate(timeout=ENDS_WITHIN_S)[0]
        assert writer.returncode == -9, f"ended with {writer.returncode}"
        appends_again(log, log_process.acknowledged(output))
        holder.communicate(b"\n")


def test_flipped_bits_are_named(count):
    """A bit of a record, wherever: verify names that record's position."""
    chance = random.Random(7)
    with log_process.folder() as folder:
        log = folder + "/log"
        writer = log_process.start(log, 3)
        time.sleep(0.1)
        writer.kill()
        writer.communicate()
        last = log_process.assert_holds(log, 1)
        file = pathlib.Path(log) / "data.mdb"
        good = file.read_bytes()
        for _ in range(count):
            position = chance.randint(1, last)
            spots = places(good, position)
            assert spots, f"position {position} is not in the file"
            byte, bit = chance.randrange(spots[0][1]), chance.randrange(8)
            with file.open("r+b") as data:
                for at, _ in spots:
                    data.seek(at + byte)
                    data.write(bytes([good[at + byte] ^ (1 << bit)]))
            passes, said = log_process.check(log)
            assert not passes, f"byte {byte} bit {bit} of position {position} went unnoticed"
            assert f"{position}: " in said, f"position {position}, but verify said {said}"
            with file.open("r+b") as data:
                for at, _ in spots:
                    data.seek(at + byte)
                    data.write(good[at + byte:at + byte + 1])
        assert log_process.check(log)[0]


def places(data, position):
    """(offset, bytes) of the record, in each page that holds it: LMDB leaves old pages behind."""
    # proto/event/event.h: position's tag, value and the next tag, 10 bytes into the record; the
    # body's tag (2 bytes) and length (1 byte here) follow the envelope of 106.
    mark, found, at = b"\x19" + struct.pack("<Q", position) + b"\x21", [], -1
    while (at := data.find(mark, at + 1)) >= 0:
        begin = at - 10
        found.append((begin, 109 + data[begin + 108]))
    return found


for call in ("pwrite", "writev", "fdatasync"):
    for number in (1, 2, 3, 5, 20, 90):
        test_failed_calls_end_the_writer(call, number, "EIO" if number % 2 else "ENOSPC")
for number, error in ((1, "EIO"), (3, "ENOSPC")):
    test_growing_ahead_may_fail(number, error)
for error in ("EIO", "ENOSPC"):
    test_disk_that_fails_under_way(error)
for call in ("pwrite", "writev", "fdatasync"):
    for number in range(1, 9):
        test_killed_between_two_calls(call, number)
test_flipped_bits_are_named(40)
