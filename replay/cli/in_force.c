#include "replay/cli/in_force.h"
#include "replay/cli/desk.h"
#include "replay/cli/watch.h"
#include "replay/history/scan.h"

struct reading {
    struct dk_refs *refs;
    struct dk_watch watch;
    struct dk_err *err;
};

static int apply(void *arg, const uint8_t *record, size_t bytes)
{
    struct reading *reading = arg;
    return dk_refs_apply(reading->refs, record, bytes, reading->err);
}

static int on_progress(void *arg, uint64_t position)
{
    struct reading *reading = arg;
    return dk_watch_progress(&reading->watch, position);
}

int dk_in_force(struct dk_cli *cli, struct dk_refs **refs, struct dk_err *err)
{
    struct reading reading = {.err = err};
    struct dk_source *source = NULL;
    struct dk_scan scan = {.from = 1,
                           .to = UINT64_MAX,
                           .arg = &reading,
                           .on_record = apply,
                           .on_progress = on_progress};
    *refs = NULL;
    int rc = dk_desk_source(cli, &source, err);
    rc = rc != 0 ? rc : dk_refs_new(&reading.refs, err);
    if (rc == 0) {
        dk_watch_open(&reading.watch, "read", 0);
        rc = dk_scan_source(&scan, source, err);
        dk_watch_close(&reading.watch);
    }
    dk_source_close(&source);
    if (rc != 0) {
        dk_refs_free(&reading.refs);
    }
    *refs = reading.refs;
    return rc;
}
