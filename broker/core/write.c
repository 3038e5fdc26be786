#include "broker/core/write.h"

int dk_write_step(struct dk_write *write, struct dk_err *err)
{
    struct dk_store *store = write->store;
    bool syncs = write->next == DK_WRITE_SYNC;
    DK_ASSERT(syncs || write->next == DK_WRITE_APPEND);
    int rc = syncs ? store->sync(store->self, err) : store->append(store->self, write->batch, err);
#ifdef DK_BUG_RETRY_SYNC /* planted, for the simulator to find */
    if (rc != 0 && syncs) {
        rc = store->sync(store->self, err);
    }
#endif
    if (rc != 0) {
        write->next = DK_WRITE_FAILED;
    } else {
        write->next = syncs ? DK_WRITE_DURABLE : DK_WRITE_SYNC;
    }
    return rc;
}
