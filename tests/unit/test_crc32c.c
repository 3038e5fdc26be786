#include "proto/base/crc32c.h"

#include "tests/lib/assert.h"

/* RFC 3720 appendix B.4, and the check value that catalogues of CRCs give. */
static void test_crc32c_of_known_vectors(void **state)
{
    (void)state;
    static const uint8_t read_command[48] = {
        0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    uint8_t zeros[32] = {0}, ones[32], rising[32], falling[32];
    for (size_t i = 0; i < 32; i++) {
        ones[i] = 0xff;
        rising[i] = (uint8_t)i;
        falling[i] = (uint8_t)(31 - i);
    }
    const struct {
        const void *data;
        size_t bytes;
        uint32_t crc;
    } vectors[] = {
        {"", 0, 0},
        {"a", 1, 0xc1d04330},
        {"123456789", 9, 0xe3069283},
        {zeros, 32, 0x8a9136aa},
        {ones, 32, 0x62a8ab43},
        {rising, 32, 0x46dd794e},
        {falling, 32, 0x113fdb5c},
        {read_command, 48, 0xd9963a56},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        ASSERT_EQ(dk_crc32c(0, vectors[i].data, vectors[i].bytes), vectors[i].crc);
    }
}

/* The definition, bit by bit. */
static uint32_t by_definition(const uint8_t *data, size_t bytes)
{
    uint32_t state = 0xffffffff;
    for (size_t bit = 0; bit < bytes * 8; bit++) {
        uint32_t in = (uint32_t)(data[bit / 8] >> bit % 8) & 1;
        state = state >> 1 ^ (((state ^ in) & 1) != 0 ? 0x82f63b78 : 0);
    }
    return ~state;
}

static void test_crc32c_of_every_length_and_alignment(void **state)
{
    (void)state;
    uint8_t data[8 + 100];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * i * 31 + 7);
    }
    for (size_t at = 0; at < 8; at++) {
        for (size_t bytes = 0; bytes <= 100; bytes++) {
            ASSERT_EQ(dk_crc32c(0, data + at, bytes), by_definition(data + at, bytes));
        }
    }
}

static void test_crc32c_continues_at_any_split(void **state)
{
    (void)state;
    const char *text = "the log is the truth, and this sentence is longer than a word";
    size_t bytes = strlen(text);
    uint32_t whole = dk_crc32c(0, text, bytes);
    for (size_t split = 0; split <= bytes; split++) {
        ASSERT_EQ(dk_crc32c(dk_crc32c(0, text, split), text + split, bytes - split), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c_of_known_vectors),
        cmocka_unit_test(test_crc32c_of_every_length_and_alignment),
        cmocka_unit_test(test_crc32c_continues_at_any_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
