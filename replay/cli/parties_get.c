/* docket get customers, docket get companies. */
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "replay/cli/desk.h"
#include "replay/cli/parties.h"
#include "replay/history/moment.h"
#include "replay/history/table.h"
#include "replay/import/party.h"
#include <inttypes.h>
#include <string.h>

bool dk_parties_is_class(unsigned cls)
{
    return cls == DK_SUBJECT_CUSTOMER || cls == DK_SUBJECT_COMPANY;
}

/* The columns that a definition says something in. */
static size_t columns_of(unsigned cls, enum dk_party_column out[DK_PARTY_COLUMNS])
{
    size_t count = 0;
    for (unsigned i = 0; i < DK_PARTY_COLUMNS; i++) {
        if (dk_party_column_of(i, cls) && i != DK_CUSTOMER_NAMED && i != DK_CUSTOMER_FIRST_NAME &&
            i != DK_CUSTOMER_SURNAME) {
            out[count++] = i;
        }
    }
    return count;
}

void dk_parties_table(const struct dk_cli *cli, const struct dk_refs *refs,
                      const struct dk_refs_version *const *version, size_t count, unsigned cls)
{
    static const char *const tail[] = {"in force since", ">version", ">event"};
    enum dk_party_column column[DK_PARTY_COLUMNS];
    const char *heading[DK_PARTY_COLUMNS + 3];
    size_t columns = columns_of(cls, column);
    for (size_t i = 0; i < columns; i++) {
        heading[i] = dk_party_column_word(column[i]);
    }
    memcpy(&heading[columns], tail, sizeof tail);
    struct dk_text_table *table = dk_text_table_new(heading, columns + 3);
    for (size_t i = 0; i < count; i++) {
        char text[DK_PARTY_TEXT_BYTES], since[DK_TIME_TEXT_BYTES];
        for (size_t k = 0; k < columns; k++) {
            dk_text_table_add(table, dk_party_say(refs, version[i]->body, column[k], text));
        }
        dk_text_table_add(table, version[i]->effective_us == DK_TIME_MIN_US
                                     ? "ever"
                                     : dk_moment_show(cli->zone, version[i]->effective_us, since));
        dk_text_table_addf(table, "%u", version[i]->version);
        dk_text_table_addf(table, "%" PRIu64, version[i]->position);
    }
    dk_text_table_print(table, dk_text_line_max(), cli->out);
    dk_text_table_free(&table);
}

void dk_parties_print(const struct dk_cli *cli, const struct dk_refs *refs,
                      const struct dk_refs_version *version)
{
    enum dk_party_column column[DK_PARTY_COLUMNS];
    size_t columns = columns_of(dk_id_class(version->subject), column);
    for (size_t i = 0; i < columns; i++) {
        char text[DK_PARTY_TEXT_BYTES];
        const char *said = dk_party_say(refs, version->body, column[i], text);
        if (said[0] != '\0') {
            (void)fprintf(cli->out, "  %s: %s\n", dk_party_column_word(column[i]), said);
        }
    }
}

void dk_parties_json(const struct dk_refs *refs, const struct dk_refs_version *version,
                     json_t *object)
{
    enum dk_party_column column[DK_PARTY_COLUMNS];
    size_t columns = columns_of(dk_id_class(version->subject), column);
    for (size_t i = 0; i < columns; i++) {
        char text[DK_PARTY_TEXT_BYTES];
        const char *said = dk_party_say(refs, version->body, column[i], text);
        if (json_object_get(object, dk_party_column_word(column[i])) == NULL) {
            (void)json_object_set_new(object, dk_party_column_word(column[i]),
                                      said[0] != '\0' ? json_string(said) : json_null());
        }
    }
}

int dk_parties_order(const void *a, const void *b)
{
    static const enum dk_party_column by[] = {DK_CUSTOMER_ADDRESS, DK_CUSTOMER_NAME};
    const struct dk_refs_version *x = *(const struct dk_refs_version *const *)a;
    const struct dk_refs_version *y = *(const struct dk_refs_version *const *)b;
    char text[2][DK_PARTY_TEXT_BYTES];
    int order = 0;
    for (size_t i = 0; order == 0 && i < sizeof by / sizeof by[0]; i++) {
        order = strcmp(dk_party_say(NULL, x->body, by[i], text[0]),
                       dk_party_say(NULL, y->body, by[i], text[1]));
    }
    return order != 0 ? order : (x->subject > y->subject) - (x->subject < y->subject);
}

int dk_parties_find(struct dk_cli *cli, unsigned cls, const char *name, uint64_t *subject,
                    struct dk_err *err)
{
    int rc = dk_desk_hello(cli, err);
    return rc != 0 ? rc : dk_desk_entity(cli, cls, name, subject, err);
}
