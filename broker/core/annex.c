#include "broker/core/annex.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- freeze, write */

struct frozen {
    struct dk_counts counts;
    struct dk_producers_view *producers;
    struct dk_shelf one_shots, subjects, definitions;
};

static void release(void *arg)
{
    struct frozen *frozen = arg;
    dk_producers_view_free(&frozen->producers);
    dk_shelf_close(&frozen->one_shots);
    dk_shelf_close(&frozen->subjects);
    dk_shelf_close(&frozen->definitions);
    free(frozen);
}

static int save(void *arg, struct dk_buf *out)
{
    struct frozen *frozen = arg;
    int rc = dk_buf_append(out, &frozen->counts, sizeof frozen->counts);
    rc = rc != 0 ? rc : dk_producers_save(frozen->producers, out);
    rc = rc != 0 ? rc : dk_shelf_save(&frozen->one_shots, out);
    rc = rc != 0 ? rc : dk_shelf_save(&frozen->subjects, out);
    return rc != 0 ? rc : dk_shelf_save(&frozen->definitions, out);
}

int dk_annex_freeze(struct dk_state *state, struct dk_err *err)
{
    struct frozen *frozen = calloc(1, sizeof *frozen);
    struct dk_heads_annex annex = {frozen, save, release};
    if (frozen == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for the checkpoint's annex");
    }
    frozen->counts = state->counts;
    int rc = dk_producers_freeze(state->producers, &frozen->producers);
    rc = rc != 0 ? rc : dk_one_shots_freeze(state->one_shots, &frozen->one_shots);
    rc = rc != 0 ? rc : dk_shelf_freeze(&state->subjects.heads, &frozen->subjects);
    rc = rc != 0 ? rc : dk_shelf_freeze(&state->definitions, &frozen->definitions);
    if (rc != 0) {
        release(frozen);
        return dk_err_set(err, rc, "no memory for the checkpoint's annex");
    }
    return dk_heads_freeze(state->heads, state->counts.last, &annex, err);
}

/* ---------------------------------------------------------------- load */

static int load_definitions(struct dk_state *state, const uint8_t *data, size_t bytes,
                            struct dk_err *err)
{
    uint64_t count = 0;
    if (bytes >= sizeof count) {
        memcpy(&count, data, sizeof count);
    }
    if (bytes < sizeof count || bytes - sizeof count != count * sizeof(uint64_t)) {
        return dk_err_set(err, DK_ECORRUPT, "the list of definitions is cut off");
    }
    for (uint64_t i = 0; i < count; i++) {
        uint64_t *definition = dk_shelf_add(&state->definitions);
        if (definition == NULL) {
            return dk_err_set(err, DK_ENOMEM, "no memory for the list of definitions");
        }
        memcpy(definition, data + (1 + i) * sizeof *definition, sizeof *definition);
    }
    return 0;
}

static int load_parts(struct dk_state *state, const uint8_t *data, size_t bytes, struct dk_err *err)
{
    size_t at = 0;
    size_t used = 0;
    int rc = dk_producers_load(state->producers, data, bytes, &used, err);
    if (rc == 0) {
        at += used;
        rc = dk_one_shots_load(state->one_shots, data + at, bytes - at, &used, err);
    }
    if (rc == 0) {
        at += used;
        rc = dk_subjects_load(&state->subjects, data + at, bytes - at, &used, err);
    }
    if (rc == 0) {
        at += used;
        rc = load_definitions(state, data + at, bytes - at, err);
    }
    return rc;
}

int dk_annex_load(struct dk_state *state, struct dk_err *err)
{
    size_t bytes;
    const uint8_t *data = dk_heads_annex(state->heads, &bytes);
    if (data == NULL) {
        return 0;
    }
    if (bytes < sizeof state->counts) {
        return dk_err_set(err, DK_ECORRUPT, "the annex of the heads checkpoint is cut off");
    }
    memcpy(&state->counts, data, sizeof state->counts);
    int rc = load_parts(state, data + sizeof state->counts, bytes - sizeof state->counts, err);
    dk_heads_forget_annex(state->heads);
    return rc == 0 ? 0 : dk_err_wrap(err, "the annex of the heads checkpoint");
}
