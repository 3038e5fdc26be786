#include "replay/import/parties.h"
#include "proto/base/limits.h"
#include "proto/event/body.h"
#include "proto/event/kinds.h"
#include "replay/import/parties_internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RECORDS_MAX_BYTES ((size_t)1 << 30) /* of one run's changes */
#define MET_MAX           (16 << 20)

struct met {
    uint64_t line;
    uint32_t crc;
};

int dk_parties_new(struct dk_parties **parties, const struct dk_parties_options *options,
                   struct dk_err *err)
{
    struct dk_parties *p = calloc(1, sizeof *p);
    if (p == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for a file of %s",
                          dk_subject_class_word(options->cls));
    }
    p->options = *options;
    for (unsigned i = 0; i < DK_PARTY_COLUMNS; i++) {
        p->column[i] = DK_PARTY_NO_COLUMN;
    }
    dk_map_init(&p->met, sizeof(struct met), MET_MAX);
    dk_buf_init(&p->records, RECORDS_MAX_BYTES);
    dk_buf_init(&p->now, DK_RECORD_MAX_BYTES);
    dk_buf_init(&p->before, DK_RECORD_MAX_BYTES);
    *parties = p;
    return dk_tiers_init(&p->tiers, options->refs, options->at_us, err);
}

void dk_parties_free(struct dk_parties **parties)
{
    struct dk_parties *p = *parties;
    if (p == NULL) {
        return;
    }
    dk_tiers_close(&p->tiers);
    dk_map_close(&p->met);
    dk_buf_close(&p->records);
    dk_buf_close(&p->now);
    dk_buf_close(&p->before);
    free(p->change);
    free(p);
    *parties = NULL;
}

/* --------------------------------------------------------------------------- the header */

static bool is_word(const char *word, const void *text, size_t bytes)
{
    return strlen(word) == bytes && strncasecmp(word, text, bytes) == 0;
}

/* What the file calls a column: "" where it is left out. */
static struct dk_slice theirs(const struct dk_parties *p, enum dk_party_column column)
{
    const char *word = dk_party_column_word(column);
    for (const char *at = p->options.columns; at != NULL && *at != '\0';) {
        size_t bytes = strcspn(at, ","), name = strcspn(at, "=,");
        if (is_word(word, at, name) && name < bytes) {
            return (struct dk_slice){(const uint8_t *)at + name + 1, bytes - name - 1};
        }
        at += bytes + (at[bytes] == ',');
    }
    return (struct dk_slice){(const uint8_t *)word, strlen(word)};
}

/* Every NAME of --columns is one of ours. */
static int check_columns(const struct dk_parties *p, struct dk_err *err)
{
    for (const char *at = p->options.columns; at != NULL && *at != '\0';) {
        size_t bytes = strcspn(at, ","), name = strcspn(at, "=,");
        bool known = false;
        for (unsigned i = 0; i < DK_PARTY_COLUMNS; i++) {
            known |=
                dk_party_column_of(i, p->options.cls) && is_word(dk_party_column_word(i), at, name);
        }
        if (!known || name == bytes) {
            return dk_err_set(err, DK_EINVAL,
                              "--columns holds NAME=THEIRS, with a comma between two, not \"%.*s\"",
                              (int)bytes, at);
        }
        at += bytes + (at[bytes] == ',');
    }
    return 0;
}

/* The column that the file calls so, or DK_PARTY_COLUMNS. */
static unsigned find_column(const struct dk_parties *p, struct dk_slice field)
{
    for (unsigned i = 0; i < DK_PARTY_COLUMNS; i++) {
        struct dk_slice named = theirs(p, i);
        if (dk_party_column_of(i, p->options.cls) && named.size > 0 && named.size == field.size &&
            strncasecmp((const char *)named.data, (const char *)field.data, field.size) == 0) {
            return i;
        }
    }
    return DK_PARTY_COLUMNS;
}

/* What was renamed is there, and what names the rows. */
static int check_header(const struct dk_parties *p, struct dk_err *err)
{
    bool customers = p->options.cls == DK_SUBJECT_CUSTOMER;
    for (unsigned i = 0; i < DK_PARTY_COLUMNS; i++) {
        struct dk_slice named = theirs(p, i);
        if (dk_party_column_of(i, p->options.cls) && p->column[i] == DK_PARTY_NO_COLUMN &&
            named.size > 0 && named.data != (const uint8_t *)dk_party_column_word(i)) {
            return dk_err_set(err, DK_EINVAL, "the file has no column \"%.*s\"", (int)named.size,
                              (const char *)named.data);
        }
    }
    unsigned named = customers ? DK_CUSTOMER_NAMED : DK_COMPANY_NAMED;
    return p->column[named] != DK_PARTY_NO_COLUMN ||
                   (customers && p->column[DK_CUSTOMER_ADDRESS] != DK_PARTY_NO_COLUMN)
               ? 0
               : dk_err_set(err, DK_EINVAL,
                            "the first line names no column \"%s\"%s: --columns says what the file "
                            "calls it",
                            dk_party_column_word(named), customers ? " or \"address\"" : "");
}

int dk_parties_header(struct dk_parties *p, const struct dk_csv_row *row, struct dk_buf *left_out,
                      struct dk_err *err)
{
    int rc = check_columns(p, err);
    for (size_t i = 0; rc == 0 && i < row->count; i++) {
        struct dk_slice field = dk_party_trim(row->field[i]);
        unsigned column = find_column(p, field);
        if (column == DK_PARTY_COLUMNS) {
            (void)dk_buf_printf(left_out, "%s%.*s", left_out->size > 0 ? ", " : "", (int)field.size,
                                (const char *)field.data);
        } else if (p->column[column] != DK_PARTY_NO_COLUMN) {
            rc = dk_err_set(err, DK_EINVAL, "two columns are called \"%.*s\"", (int)field.size,
                            (const char *)field.data);
        } else {
            p->column[column] = (int)i;
        }
    }
    p->width = row->count;
    return rc != 0 ? rc : check_header(p, err);
}

/* ----------------------------------------------------------------------------- the rows */

static uint32_t kind_of(const struct dk_parties *p)
{
    return p->options.cls == DK_SUBJECT_CUSTOMER ? DK_KIND_CUSTOMER_DEFINED
                                                 : DK_KIND_COMPANY_DEFINED;
}

static int encode(const struct dk_parties *p, uint64_t subject, const ProtobufCMessage *body,
                  struct dk_buf *out, struct dk_err *err)
{
    struct dk_envelope envelope = {.subject = subject, .actor = p->options.actor};
    dk_buf_clear(out);
    return dk_event_encode(out, &envelope, kind_of(p), body, err);
}

/* What is in force, encoded as if it said nothing of when it holds. */
static int encode_old(struct dk_parties *p, const struct dk_party *party, struct dk_err *err)
{
    const Docket__Definition *old = dk_refs_definition(party->old);
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    union {
        Docket__CustomerDefined customer;
        Docket__CompanyDefined company;
    } body;
    definition.key = old->key;
    definition.has_name = old->has_name;
    definition.name = old->name;
    memcpy(&body, party->old->body, party->old->body->descriptor->sizeof_message);
    if (p->options.cls == DK_SUBJECT_CUSTOMER) {
        body.customer.definition = &definition;
        return encode(p, party->subject, &body.customer.base, &p->before, err);
    }
    body.company.definition = &definition;
    return encode(p, party->subject, &body.company.base, &p->before, err);
}

static void show_fields(const struct dk_parties *p, const struct dk_party *party)
{
    for (unsigned i = 0; i < DK_PARTY_COLUMNS; i++) {
        char before[DK_PARTY_TEXT_BYTES], now[DK_PARTY_TEXT_BYTES];
        if (!dk_party_column_of(i, p->options.cls)) {
            continue;
        }
        const char *from = dk_party_say(p->options.refs, party->old->body, i, before);
        const char *to = dk_party_say(p->options.refs, party->body, i, now);
        if (strcmp(from, to) != 0) {
            (void)fprintf(p->options.shown, "    %s: %s -> %s\n", dk_party_column_word(i),
                          from[0] != '\0' ? from : "(none)", to[0] != '\0' ? to : "(none)");
        }
    }
}

static void show(struct dk_parties *p, const struct dk_party *party)
{
    if (p->options.shown == NULL || ++p->shown > DK_PARTIES_SHOWN_MAX) {
        return;
    }
    (void)fprintf(p->options.shown, "%c %s %.*s\n", party->old == NULL ? '+' : '~',
                  dk_subject_class_word(p->options.cls), (int)party->named.size,
                  (const char *)party->named.data);
    if (party->old != NULL) {
        show_fields(p, party);
    }
}

/* Keeps the definition, which from here on says when it holds. */
static int keep(struct dk_parties *p, struct dk_party *party, const struct dk_csv_row *row,
                struct dk_err *err)
{
    if (p->options.from_at) {
        party->definition.has_effective_us = 1;
        party->definition.effective_us = p->options.at_us;
    }
    int rc = encode(p, party->subject, party->body, &p->now, err);
    if (rc != 0) {
        return rc;
    }
    if (p->count == p->capacity) {
        p->capacity = p->capacity == 0 ? 256 : 2 * p->capacity;
        p->change = realloc(p->change, p->capacity * sizeof *p->change);
        DK_ASSERT(p->change != NULL);
    }
    p->change[p->count++] = (struct dk_party_change){.line = row->line,
                                                     .number = p->counts.rows,
                                                     .offset = p->records.size,
                                                     .bytes = p->now.size};
    return dk_buf_append(&p->records, p->now.data, p->now.size) == 0
               ? 0
               : dk_err_set(err, DK_ENOMEM, "the file changes more than one run holds: divide it");
}

/* Whom the file has named before; `p->now` is what it says this time. */
static int check_met(struct dk_parties *p, const struct dk_party *party, uint64_t line, bool *again,
                     struct dk_err *err)
{
    bool created = false;
    uint32_t crc = dk_event_crc(p->now.data, p->now.size);
    struct met *met = dk_map_put(&p->met, party->subject, &created);
    if (met == NULL) {
        return dk_err_set(err, DK_ENOMEM, "the file holds more than one run does: divide it");
    }
    *again = !created;
    if (created) {
        *met = (struct met){line, crc};
    }
    return met->crc == crc
               ? 0
               : dk_err_set(err, DK_EEXISTS, "line %" PRIu64 " says something else of the same %s",
                            met->line, dk_subject_class_word(p->options.cls));
}

int dk_parties_row(struct dk_parties *p, const struct dk_csv_row *row, struct dk_err *err)
{
    struct dk_party party;
    bool again = false;
    p->counts.rows++;
    int rc = dk_party_draw(p, row, &party, err);
    rc = rc != 0 ? rc : encode(p, party.subject, party.body, &p->now, err);
    rc = rc != 0 ? rc : check_met(p, &party, row->line, &again, err);
    rc = rc == 0 && party.old != NULL ? encode_old(p, &party, err) : rc;
    if (rc != 0) {
        return rc;
    }
    bool same = party.old != NULL && p->now.size == p->before.size &&
                memcmp(p->now.data, p->before.data, p->now.size) == 0;
    if (again || same) {
        p->counts.unchanged++;
        return 0;
    }
    *(party.old == NULL ? &p->counts.added : &p->counts.changed) += 1;
    show(p, &party);
    return keep(p, &party, row, err);
}

const struct dk_parties_counts *dk_parties_counts(const struct dk_parties *parties)
{
    return &parties->counts;
}

size_t dk_parties_change_count(const struct dk_parties *parties)
{
    return parties->count;
}

const struct dk_party_change *dk_parties_change(const struct dk_parties *parties, size_t index)
{
    DK_ASSERT(index < parties->count);
    return &parties->change[index];
}

const uint8_t *dk_parties_record(const struct dk_parties *parties, size_t index)
{
    return parties->records.data + dk_parties_change(parties, index)->offset;
}
