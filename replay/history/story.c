#include "replay/history/story.h"
#include "replay/history/event_value.h"
#include "replay/history/moment.h"
#include "replay/history/table.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LATE_US         (5 * DK_SECOND_US) /* recorded so much after it occurred: worth saying */
#define WHO_MAX         24
#define EVENT_MAX_BYTES ((size_t)8 << 20)

/* What one event is told with. */
struct telling {
    const struct dk_life *life;
    const struct dk_words *words;
    struct dk_buf what, quote, why;
    char who[DK_NAME_BYTES];
};

/* Names the cause by who and which kind; what it says stands in the story already. */
static void tell_decision(struct telling *t, const struct dk_decision *decision)
{
    const struct dk_life_event *cause = dk_life_find(t->life, decision->cause);
    const struct dk_kind_info *kind = cause != NULL ? dk_kind_info(cause->envelope.kind) : NULL;
    (void)dk_buf_printf(&t->why, "it answers event %" PRIu64, decision->cause);
    if (kind != NULL) {
        (void)dk_buf_printf(&t->why, " (%s, by %s)", kind->word,
                            dk_words_actor(t->words, cause->envelope.actor, t->who));
    }
    (void)dk_buf_printf(&t->why, "; rules version %u, all up to event %" PRIu64 " seen",
                        decision->rule_version, decision->basis);
}

static const char *source_name(struct telling *t, uint64_t source)
{
    const char *name = t->words->sources != NULL ? dk_map_get(t->words->sources, source) : NULL;
    return name != NULL ? name : dk_refs_name(t->words->refs, source, t->who);
}

static void tell_why(struct telling *t, const struct dk_life_event *event)
{
    struct dk_decision decision;
    struct dk_origin origin;
    char text[DK_TIME_TEXT_BYTES];
    const struct dk_envelope *e = &event->envelope;
    if (dk_event_decision(event->record, event->bytes, &decision) == 1) {
        tell_decision(t, &decision);
    }
    if (dk_event_origin(event->record, event->bytes, &origin) == 1) {
        (void)dk_buf_printf(&t->why, "imported from %s, row %u of its case",
                            source_name(t, origin.source), origin.ordinal);
    } else if (e->recorded_us - e->occurred_us > LATE_US) {
        (void)dk_buf_printf(&t->why, "%srecorded at %s", t->why.size > 0 ? "; " : "",
                            dk_moment_show(t->words->zone, e->recorded_us, text));
    }
}

static void tell(struct telling *t, const struct dk_life_event *event, bool with_quote)
{
    dk_buf_clear(&t->what);
    dk_buf_clear(&t->quote);
    dk_buf_clear(&t->why);
    tell_why(t, event);
    (void)dk_sentence(&t->what, with_quote ? &t->quote : NULL, t->words, event->envelope.kind,
                      event->body);
    (void)dk_words_actor(t->words, event->envelope.actor, t->who);
}

/* ------------------------------------------------------------------------------- people */

/* Each line of `text` behind `before`. */
static void print_lines(const struct dk_buf *text, size_t indent, const char *before, FILE *out)
{
    for (size_t at = 0; at < text->size;) {
        const char *line = (const char *)text->data + at;
        const char *end = memchr(line, '\n', text->size - at);
        size_t bytes = end != NULL ? (size_t)(end - line) : text->size - at;
        (void)fprintf(out, "%*s%s%.*s\n", (int)indent, "", before, (int)bytes, line);
        at += bytes + 1;
    }
}

static size_t who_width(struct telling *t)
{
    size_t width = 0;
    for (size_t i = 0; i < t->life->count; i++) {
        const char *who = dk_words_actor(t->words, t->life->event[i].envelope.actor, t->who);
        size_t own = dk_text_width(who, strlen(who));
        width = own > width ? own : width;
    }
    return width < WHO_MAX ? width : WHO_MAX;
}

static void print_event(struct telling *t, const struct dk_life_event *event,
                        enum dk_story_form form, size_t width, FILE *out)
{
    char when[DK_TIME_TEXT_BYTES];
    tell(t, event, true);
    size_t own = dk_text_width(t->who, strlen(t->who));
    int lead = fprintf(out, "%8" PRIu64 "  %s  ", event->envelope.position,
                       dk_moment_show(t->words->zone, event->envelope.occurred_us, when));
    (void)fprintf(out, "%s%*s  %.*s\n", t->who, (int)(own < width ? width - own : 0), "",
                  (int)t->what.size, (const char *)t->what.data);
    size_t indent = (size_t)lead + width + 2;
    print_lines(&t->quote, indent, "| ", out);
    if (form == DK_STORY_WHOLE) {
        print_lines(&t->why, indent, "why: ", out);
    }
}

/* --------------------------------------------------------------------------------- JSON */

static json_t *text_of(const struct dk_buf *buf)
{
    return json_stringn((const char *)buf->data, buf->size);
}

static int print_json(struct telling *t, const struct dk_life_event *event, FILE *out,
                      struct dk_err *err)
{
    char when[DK_TIME_TEXT_BYTES];
    json_t *whole = dk_event_value(event->record, event->bytes, err);
    if (whole == NULL) {
        return err->code;
    }
    tell(t, event, false);
    json_t *line = json_pack(
        "{s:I, s:s, s:s, s:o, s:o, s:o}", "position", (json_int_t)event->envelope.position, "when",
        dk_time_format(event->envelope.occurred_us, 0, when), "who", t->who, "what",
        text_of(&t->what), "why", t->why.size > 0 ? text_of(&t->why) : json_null(), "event", whole);
    DK_ASSERT(line != NULL);
    (void)json_dumpf(line, out, JSON_COMPACT);
    (void)fputc('\n', out);
    json_decref(line);
    return 0;
}

int dk_story_print(const struct dk_life *life, const struct dk_words *words,
                   enum dk_story_form form, FILE *out, struct dk_err *err)
{
    struct telling t = {.life = life, .words = words};
    dk_buf_init(&t.what, EVENT_MAX_BYTES);
    dk_buf_init(&t.quote, EVENT_MAX_BYTES);
    dk_buf_init(&t.why, EVENT_MAX_BYTES);
    size_t width = form == DK_STORY_JSON ? 0 : who_width(&t);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < life->count; i++) {
        if (form == DK_STORY_JSON) {
            rc = print_json(&t, &life->event[i], out, err);
        } else {
            print_event(&t, &life->event[i], form, width, out);
        }
    }
    dk_buf_close(&t.what);
    dk_buf_close(&t.quote);
    dk_buf_close(&t.why);
    return rc;
}
