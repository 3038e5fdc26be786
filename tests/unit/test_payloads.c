#include "nodes/notification/payload.h"

#include "tests/lib/assert.h"
#include <stdlib.h>
#include <string.h>

#define PAYLOAD(NAME) DOCKET__PAYLOAD__PAYLOAD_##NAME

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static json_t *notice(const char *title, const char *text)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "notice", "0000000000000007", "rule",
                     "tell-desk", "recipient", "agent/1", "recipient_name", "Anna Berg", "language",
                     "de", "title", title, "text", text);
}

/* Takes the object. */
static const char *written(json_t *object, Docket__Payload payload, const char *chat)
{
    static struct dk_buf out;
    struct dk_err err = {0};
    ProtobufCBinaryData to = bytes_of(chat);
    dk_buf_close(&out);
    dk_buf_init(&out, DK_PAYLOAD_MAX_BYTES);
    ASSERT_OK(dk_payload_write(object, payload, &to, &out, &err), &err);
    json_decref(object);
    return dk_buf_string(&out);
}

static void test_payloads_have_the_shape_that_the_receiver_takes(void **state)
{
    (void)state;
    ASSERT_STR(written(notice("Late", "It is \"late\"\nby 1h"), PAYLOAD(SLACK), ""),
               "{\"text\":\"*Late*\\nIt is \\\"late\\\"\\nby 1h\"}");
    ASSERT_STR(written(notice("Late", "by 1h"), PAYLOAD(MATTERMOST), ""),
               "{\"username\":\"docket\",\"text\":\"**Late**\\nby 1h\"}");
    ASSERT_STR(written(notice("Late", "by 1h"), PAYLOAD(TELEGRAM), "-100123456"),
               "{\"chat_id\":-100123456,\"text\":\"Late\\nby 1h\"}");
    ASSERT_STR(written(notice("Late", "by 1h"), PAYLOAD(TELEGRAM), "@desk"),
               "{\"chat_id\":\"@desk\",\"text\":\"Late\\nby 1h\"}");
    ASSERT_CONTAINS(written(notice("Late", "by 1h"), PAYLOAD(DOCKET), ""),
                    "{\"notice\":\"0000000000000007\",\"rule\":\"tell-desk\",");
}

static void test_payloads_telegram_needs_a_chat(void **state)
{
    struct dk_buf out;
    struct dk_err err = {0};
    ProtobufCBinaryData none = {0};
    json_t *object = notice("a", "b");
    (void)state;
    dk_buf_init(&out, DK_PAYLOAD_MAX_BYTES);
    ASSERT_EQ(dk_payload_write(object, PAYLOAD(TELEGRAM), &none, &out, &err), DK_EINVAL);
    json_decref(object);
    dk_buf_close(&out);
}

/* What a customer writes calls nobody, and is no link. */
static void test_payloads_values_mean_nothing_but_themselves(void **state)
{
    static const char value[] = "<!channel> @all [x](http://evil) & *b* a_b `c` \\ # > 1-42 \u20ac";
    static const struct {
        Docket__Payload payload;
        const char *escaped;
    } table[] = {
        {PAYLOAD(DOCKET), value},
        {PAYLOAD(TELEGRAM), value},
        {PAYLOAD(SLACK), "&lt;!channel&gt; @all [x](http://evil) &amp; *b* a_b `c` \\ # &gt; 1-42 "
                         "\u20ac"},
        {PAYLOAD(MATTERMOST), "\\<\\!channel\\> @\u200ball \\[x\\](http://evil) & \\*b\\* a\\_b "
                              "\\`c\\` \\\\ \\# \\> 1-42 \u20ac"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct dk_buf out;
        dk_buf_init(&out, 4096);
        dk_payload_escape(table[i].payload, value, strlen(value), &out);
        ASSERT_STR(dk_buf_string(&out), table[i].escaped);
        dk_buf_close(&out);
    }
}

/* Telegram refuses more than 4096 UTF-16 units: longer ones would end among the dead. */
static void test_payloads_are_cut_to_what_the_receiver_takes(void **state)
{
    char text[16384 + 1];
    size_t units = strlen("T\n"), bytes = 0;
    (void)state;
    while (bytes + 4 < sizeof text) { /* two units each */
        memcpy(text + bytes, "\U0001f525", 5);
        bytes += 4;
    }
    json_t *made = json_loads(written(notice("T", text), PAYLOAD(TELEGRAM), "1"), 0, NULL);
    const char *cut = json_string_value(json_object_get(made, "text"));
    units += (strlen(cut) - strlen("T\n")) / 4 * 2;
    ASSERT_EQ(units, 4096);
    json_decref(made);
}

static void test_payloads_a_digest_holds_all(void **state)
{
    json_t *notices = json_pack("[o, o]", notice("First", "one"), notice("Second", "two"));
    json_t *digest = dk_payload_digest(0xabc, notices, 100);
    (void)state;
    char *body = dk_payload_body(digest);
    ASSERT_STR(body, "First\none\n\nSecond\ntwo");
    free(body);
    ASSERT_STR(written(json_incref(digest), PAYLOAD(SLACK), ""),
               "{\"text\":\"*First*\\none\\n\\n*Second*\\ntwo\"}");
    ASSERT_CONTAINS(written(digest, PAYLOAD(DOCKET), ""),
                    "{\"notice\":\"0000000000000abc\",\"digest\":2,\"rule\":\"tell-desk\","
                    "\"recipient\":\"agent/1\",\"recipient_name\":\"Anna Berg\","
                    "\"language\":\"de\",\"title\":\"tell-desk (2)\",\"text\":\"First\\nSecond\","
                    "\"notices\":[{\"notice\":\"0000000000000007\",");
}

static void test_payloads_a_full_digest_fits_when_it_is_shortened(void **state)
{
    char text[DK_PAYLOAD_DIGEST_BYTES + 1];
    json_t *notices = json_array();
    (void)state;
    memset(text, 1, sizeof text - 1); /* each is escaped to six bytes */
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < DK_PAYLOAD_DIGEST_MAX; i++) {
        json_array_append_new(notices, notice(text, text));
    }
    struct dk_buf out;
    struct dk_err err = {0};
    dk_buf_init(&out, DK_PAYLOAD_MAX_BYTES);
    json_t *digest = dk_payload_digest(1, json_incref(notices), DK_PAYLOAD_DIGEST_BYTES);
    ASSERT_EQ(dk_payload_write(digest, PAYLOAD(DOCKET), NULL, &out, &err), DK_ETOOBIG);
    json_decref(digest);
    digest = dk_payload_digest(1, notices, 16);
    ASSERT_OK(dk_payload_write(digest, PAYLOAD(DOCKET), NULL, &out, &err), &err);
    json_decref(digest);
    dk_buf_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payloads_have_the_shape_that_the_receiver_takes),
        cmocka_unit_test(test_payloads_telegram_needs_a_chat),
        cmocka_unit_test(test_payloads_values_mean_nothing_but_themselves),
        cmocka_unit_test(test_payloads_are_cut_to_what_the_receiver_takes),
        cmocka_unit_test(test_payloads_a_digest_holds_all),
        cmocka_unit_test(test_payloads_a_full_digest_fits_when_it_is_shortened),
    };
    return cmocka_run_group_tests_name("payloads", tests, NULL, NULL);
}
