#include "nodes/analytics/stats.h"
#include "proto/base/err.h"
#include <inttypes.h>

#define DECIMALS       6
#define DECIMALS_SCALE 1000000
#define DIGITS_MAX     40 /* of 2^127 */

struct dk_ratio dk_quantile(const int64_t *sorted, size_t n, unsigned percent, bool nearest)
{
    DK_ASSERT(n > 0 && percent <= 100);
    if (nearest) {
        size_t rank = (n * percent + 99) / 100;
        return (struct dk_ratio){sorted[rank > 0 ? rank - 1 : 0], 1};
    }
    size_t below = (n - 1) * percent / 100, rest = (n - 1) * percent % 100;
    __int128 low = sorted[below], high = sorted[rest > 0 ? below + 1 : below];
    return (struct dk_ratio){low * 100 + (high - low) * (__int128)rest, 100};
}

static __int128 round_half_even(__int128 numerator, __int128 denominator)
{
    __int128 whole = numerator / denominator, rest = numerator % denominator;
    if (rest * 2 > denominator || (rest * 2 == denominator && whole % 2 != 0)) {
        whole++;
    }
    return whole;
}

int dk_ratio_put(struct dk_buf *out, struct dk_ratio ratio)
{
    bool negative = ratio.numerator < 0;
    __int128 absolute = negative ? -ratio.numerator : ratio.numerator;
    __int128 scaled = round_half_even(absolute * DECIMALS_SCALE, ratio.denominator);
    char text[DIGITS_MAX + DECIMALS + 2];
    size_t at = sizeof text, digits = 0;
    bool written = false; /* the first decimal that is not 0, from behind */
    text[--at] = '\0';
    for (__int128 left = scaled; left > 0 || digits <= DECIMALS; left /= 10, digits++) {
        char digit = (char)('0' + (int)(left % 10));
        if (digits == DECIMALS && written) {
            text[--at] = '.';
        }
        written = written || digit != '0' || digits >= DECIMALS;
        if (written) {
            text[--at] = digit;
        }
    }
    return dk_buf_printf(out, "%s%s", negative && scaled != 0 ? "-" : "", &text[at]);
}
