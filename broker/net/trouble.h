/* Trouble that may pass by itself, as a full disk does: what failed is tried again, ever more
 * seldom, and the operator is told when it begins, when it changes, and when it is over. */
#ifndef DK_NET_TROUBLE_H
#define DK_NET_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

#define DK_TROUBLE_PAUSE_US     INT64_C(1000000)  /* after the first failure; doubles ... */
#define DK_TROUBLE_PAUSE_MAX_US INT64_C(60000000) /* ... until here */

/* All zero: none. Times are the boot clock's. */
struct dk_trouble {
    int code;
    int64_t pause_us, until_us;
};

/* It failed with `code`: not to be tried again while `waits`. Whether to say so: it did not fail
 * before, or for another reason. */
bool dk_trouble_met(struct dk_trouble *trouble, int code, int64_t now_us);
bool dk_trouble_waits(const struct dk_trouble *trouble, int64_t now_us);

/* It succeeded. Whether to say so: it had failed. */
bool dk_trouble_over(struct dk_trouble *trouble);

#endif
