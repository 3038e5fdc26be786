#include "proto/event/kinds.h"
#include <string.h>

static const struct dk_kind_info kinds[] = {
#define X(number, NAME, body, text, cls, who)                                                      \
    [number] = {.kind = (number),                                                                  \
                .word = (text),                                                                    \
                .field = #body,                                                                    \
                .subject_class = DK_SUBJECT_##cls,                                                 \
                .roles = (who)},
    DK_KINDS(X)
#undef X
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

const struct dk_kind_info *dk_kind_info(uint32_t kind)
{
    return kind < KIND_COUNT && kinds[kind].word != NULL ? &kinds[kind] : NULL;
}

uint32_t dk_kind_of(const char *word)
{
    for (uint32_t kind = DK_KIND_MIN; kind < KIND_COUNT; kind++) {
        if (kinds[kind].word != NULL && strcmp(kinds[kind].word, word) == 0)
            return kind;
    }
    return 0;
}
