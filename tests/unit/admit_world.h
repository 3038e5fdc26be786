/* A site on which events are judged one by one: for the tests of admit. */
#ifndef DK_TESTS_ADMIT_WORLD_H
#define DK_TESTS_ADMIT_WORLD_H

#include "broker/core/admit.h"

#include "proto/base/time.h"
#include "tests/lib/core_fixture.h"
#include <stdlib.h>

/* A site with an agent, defined at position 1, a ticket that this agent opened, and a group. */
struct world {
    struct dk_log_identity identity;
    struct dk_heads *heads;
    struct dk_state state;
    struct dk_peer peer;
    struct dk_admission admission;
    struct dk_buf record;
    uint64_t number;
    uint32_t expected_version;
    struct dk_err err;
};

static inline int judge(struct world *w, unsigned role, struct dk_envelope envelope, uint32_t kind,
                        const void *body)
{
    envelope.format = DK_EVENT_FORMAT;
    envelope.producer = 1;
    envelope.producer_number = ++w->number;
    dk_buf_clear(&w->record);
    ASSERT_OK(dk_event_encode(&w->record, &envelope, kind, body, &w->err), &w->err);
    w->peer.role = role;
    w->admission.peer = &w->peer;
    w->admission.last_before = w->state.counts.last;
    w->admission.pairs.count = 0;
    if (kind == DK_KIND_OPENED) {
        w->admission.opened[w->admission.opened_count++] = 0;
    }
    memset(&w->err, 0, sizeof w->err);
    return dk_admit_event(&w->state, &w->admission, w->record.data, w->record.size, 0,
                          w->expected_version, false, &w->err);
}

static inline void refused(struct world *w, int rc, int code, const char *field)
{
    if (rc != code || strcmp(w->err.field, field) != 0 || w->err.message[0] == '\0') {
        fail_msg("%s, field '%s' (%s), expected %s, field '%s'", dk_code_name(rc), w->err.field,
                 w->err.message, dk_code_name(code), field);
    }
    ASSERT_EQ(w->err.code, code);
}

static inline void accepted(struct world *w, int rc)
{
    if (rc != 0) {
        fail_msg("%s, field '%s': %s", dk_code_name(rc), w->err.field, w->err.message);
    }
    ASSERT_OK(dk_event_verify(w->record.data, w->record.size, &w->err), &w->err);
    ASSERT_OK(dk_state_remember(&w->state, w->record.data, w->record.size,
                                dk_record_digest(w->record.data, w->record.size), &w->err),
              &w->err);
}

static inline struct dk_envelope on(uint64_t subject, uint64_t actor)
{
    return (struct dk_envelope){.subject = subject, .actor = actor};
}

static inline struct dk_envelope on_group(const char *key)
{
    return on(test_id(DK_SUBJECT_GROUP, key), FIXTURE_OPERATOR);
}

static inline struct dk_envelope on_agent(const char *key, uint64_t actor)
{
    return on(test_id(DK_SUBJECT_AGENT, key), actor);
}

static inline int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    w->identity = (struct dk_log_identity){.uuid = {1}, .salt = {9}, .site = FIXTURE_SITE};
    w->admission.recorded_us = FIXTURE_NOW;
    dk_buf_init(&w->record, DK_RECORD_MAX_BYTES);
    ASSERT_OK(dk_heads_open(&w->heads, NULL, w->identity.uuid, sizeof(struct dk_ticket), 1, NULL,
                            &w->err),
              &w->err);
    ASSERT_OK(dk_state_init(&w->state, &w->identity, w->heads, 100, 100, &w->err), &w->err);
    accepted(w, judge(w, DK_ROLE_OPERATOR, on_agent(FIXTURE_AGENT_KEY, FIXTURE_OPERATOR),
                      DK_KIND_AGENT_DEFINED, fixture_agent(FIXTURE_AGENT_KEY)));
    accepted(w, judge(w, DK_ROLE_AGENT, on(FIXTURE_UNNAMED(0), FIXTURE_AGENT), DK_KIND_OPENED,
                      fixture_opened()));
    accepted(w, judge(w, DK_ROLE_OPERATOR, on_group("desk"), DK_KIND_GROUP_DEFINED,
                      fixture_group("desk")));
    w->admission.opened_count = 0;
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *w = *state;
    dk_state_close(&w->state);
    dk_heads_close(&w->heads);
    dk_buf_close(&w->record);
    free(w);
    return 0;
}

static inline int note(struct world *w, unsigned role, struct dk_envelope envelope)
{
    return judge(w, role, envelope, DK_KIND_NOTE_ADDED, fixture_note("a note"));
}

/* What everybody may do to a ticket. */
static inline int attach(struct world *w, unsigned role, struct dk_envelope envelope)
{
    static uint8_t digest[32];
    Docket__AttachmentAdded *body = test_memory(sizeof *body);
    docket__attachment_added__init(body);
    body->sha256 = (ProtobufCBinaryData){sizeof digest, digest};
    return judge(w, role, envelope, DK_KIND_ATTACHMENT_ADDED, body);
}

static inline const void *imported_note(bool with_origin)
{
    Docket__NoteAdded *body = test_memory(sizeof *body);
    *body = *(const Docket__NoteAdded *)fixture_note("a note");
    if (with_origin) {
        body->origin = test_memory(sizeof *body->origin);
        docket__origin__init(body->origin);
        body->origin->source = test_id(DK_SUBJECT_SOURCE, "old desk");
        body->origin->ordinal = 1;
    }
    return body;
}

/* Whoever has this key in the class that acts as `cls`. */
static inline uint64_t acting(unsigned cls, const char *key)
{
    unsigned subject = cls == DK_ACTOR_SUPPLIER ? DK_SUBJECT_SUPPLIER : DK_SUBJECT_AGENT;
    return dk_id_make(cls, test_id(subject, key));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
