#include "replay/export/names.h"
#include "replay/history/sentence.h"

#define KEPT_MAX 8192 /* of each sort; then it begins anew */

int dk_names_init(struct dk_names *names, struct dk_err *err)
{
    *names = (struct dk_names){0};
    dk_map_init(&names->subject, DK_NAME_BYTES, KEPT_MAX);
    dk_map_init(&names->actor, DK_NAME_BYTES, KEPT_MAX);
    return dk_refs_new(&names->refs, err);
}

void dk_names_close(struct dk_names *names)
{
    dk_refs_free(&names->refs);
    dk_map_close(&names->subject);
    dk_map_close(&names->actor);
}

int dk_names_apply(struct dk_names *names, const uint8_t *record, size_t record_bytes,
                   struct dk_err *err)
{
    uint32_t kind = dk_event_load_kind(record);
    if (kind < DK_KIND_DEFINED_FROM || kind > DK_KIND_DEFINED_LAST) {
        return 0;
    }
    uint64_t subject = dk_event_load_subject(record);
    uint64_t actor = dk_actor_of_subject(subject);
    (void)dk_map_remove(&names->subject, subject);
    if (actor != 0) {
        (void)dk_map_remove(&names->actor, actor);
    }
    return dk_refs_apply(names->refs, record, record_bytes, err);
}

static const char *find(struct dk_names *names, struct dk_map *kept, uint64_t id)
{
    const struct dk_words words = {.refs = names->refs};
    bool is_new = false;
    char text[DK_NAME_BYTES];
    char *name = dk_map_put(kept, id, &is_new);
    if (name == NULL) {
        dk_map_clear(kept);
        name = dk_map_put(kept, id, &is_new);
        DK_ASSERT(name != NULL);
    }
    if (is_new) {
        const char *found = kept == &names->actor ? dk_words_actor(&words, id, text)
                                                  : dk_refs_name(names->refs, id, text);
        memcpy(name, found, strnlen(found, DK_NAME_BYTES - 1));
    }
    return name;
}

const char *dk_names_of(struct dk_names *names, uint64_t subject)
{
    return subject != 0 ? find(names, &names->subject, subject) : "";
}

const char *dk_names_actor(struct dk_names *names, uint64_t actor)
{
    return actor != 0 ? find(names, &names->actor, actor) : "";
}
