#include "broker/log/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_hex(const struct dk_hash *hash, const char *hex)
{
    char text[2 * DK_HASH_BYTES + 1];
    for (size_t i = 0; i < DK_HASH_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", hash->bytes[i]);
    assert_string_equal(text, hex);
}

/* The eight leaves and the roots over the first n of them that Certificate Transparency's
 * implementations test with (certificate-transparency-go, merkletree). */
static const struct {
    const char *bytes;
    size_t size;
} leaves[] = {
    {"", 0},
    {"\x00", 1},
    {"\x10", 1},
    {"\x20\x21", 2},
    {"\x30\x31", 2},
    {"\x40\x41\x42\x43", 4},
    {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16},
};
static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void test_merkle_root_is_that_of_rfc_6962(void **state)
{
    (void)state;
    struct dk_merkle merkle;
    dk_merkle_init(&merkle);
    for (size_t n = 0; n <= 8; n++) {
        struct dk_hash root = dk_merkle_root(&merkle);
        assert_hex(&root, roots[n]);
        if (n < 8) {
            struct dk_hash leaf = dk_merkle_leaf(leaves[n].bytes, leaves[n].size);
            dk_merkle_add(&merkle, &leaf);
        }
    }
}

static struct dk_hash leaf_of(uint32_t n)
{
    return dk_merkle_leaf(&n, sizeof n);
}

/* RFC 6962 2.1 as it is written. */
static struct dk_hash by_definition(uint32_t begin, uint32_t end)
{
    uint32_t count = end - begin, split = 1;
    if (count == 1)
        return leaf_of(begin);
    while (split * 2 < count)
        split *= 2;
    struct dk_hash left = by_definition(begin, begin + split);
    struct dk_hash right = by_definition(begin + split, end);
    return dk_merkle_node(&left, &right);
}

static void test_merkle_root_of_any_count(void **state)
{
    (void)state;
    struct dk_merkle merkle;
    dk_merkle_init(&merkle);
    for (uint32_t n = 0; n < 300; n++) {
        struct dk_hash leaf = leaf_of(n);
        dk_merkle_add(&merkle, &leaf);
        struct dk_hash root = dk_merkle_root(&merkle), expected = by_definition(0, n + 1);
        assert_memory_equal(&root, &expected, sizeof root);
    }
}

static void test_merkle_takes_subtrees_for_leaves(void **state)
{
    (void)state;
    struct dk_merkle merkle;
    dk_merkle_init(&merkle);
    for (uint32_t i = 0; i < 5; i++) {
        struct dk_hash subtree = by_definition(16 * i, 16 * (i + 1));
        dk_merkle_add_subtree(&merkle, &subtree, 4);
    }
    for (uint32_t n = 80; n < 83; n++) {
        struct dk_hash leaf = leaf_of(n);
        dk_merkle_add(&merkle, &leaf);
    }
    struct dk_hash root = dk_merkle_root(&merkle), expected = by_definition(0, 83);
    assert_int_equal(merkle.count, 83);
    assert_memory_equal(&root, &expected, sizeof root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merkle_root_is_that_of_rfc_6962),
        cmocka_unit_test(test_merkle_root_of_any_count),
        cmocka_unit_test(test_merkle_takes_subtrees_for_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
