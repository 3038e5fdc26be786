"""kill -9 of a writer of the log at random moments: whatever it was told is durable is there. 30 rounds, or more until
DOCKET_SOAK_S seconds have passed."""
import os, random, time

import log_process

ROUNDS, ROUNDS_A_LOG = 30, 10
SOAK_S = float(os.environ.get("DOCKET_SOAK_S", "0"))

seed = int(os.environ.get("DOCKET_SEED", random.randrange(1 << 31)))
print(f"DOCKET_SEED={seed}", flush=True)
chance = random.Random(seed)

begin, first = time.monotonic(), 0
while first < ROUNDS or time.monotonic() - begin < SOAK_S:
    with log_process.folder() as folder:
        log = folder + "/log"
        for number in range(first, first + ROUNDS_A_LOG):
            writer = log_process.start(log, chance.randrange(1 << 31))
            time.sleep(chance.choice([0.003, 0.01, 0.05]) + chance.random() * 0.05)
            writer.kill()
            output, errors = writer.communicate()
            assert writer.returncode == -9, f"ended by itself: {errors}"
            promised = log_process.acknowledged(output)
            last = log_process.assert_holds(log, promised)
            print(f"round {number + 1}: acknowledged {promised}, log ends at {last}", flush=True)
    first += ROUNDS_A_LOG
