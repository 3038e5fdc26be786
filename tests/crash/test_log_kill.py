"""kill -9 of a writer of the log at random moments: whatever it was told is durable is there."""
import os, random, time

import log_process

ROUNDS = int(os.environ.get("DOCKET_SOAK_ROUNDS", "30"))
ROUNDS_A_LOG = 10

seed = int(os.environ.get("DOCKET_SEED", random.randrange(1 << 31)))
print(f"DOCKET_SEED={seed}", flush=True)
chance = random.Random(seed)

for first in range(0, ROUNDS, ROUNDS_A_LOG):
    with log_process.folder() as folder:
        log = folder + "/log"
        for number in range(first, min(first + ROUNDS_A_LOG, ROUNDS)):
            writer = log_process.start(log, chance.randrange(1 << 31))
            time.sleep(chance.choice([0.003, 0.01, 0.05]) + chance.random() * 0.05)
            writer.kill()
            output, errors = writer.communicate()
            assert writer.returncode == -9, f"ended by itself: {errors}"
            promised = log_process.acknowledged(output)
            last = log_process.assert_holds(log, promised)
            print(f"round {number + 1}: acknowledged {promised}, log ends at {last}", flush=True)
