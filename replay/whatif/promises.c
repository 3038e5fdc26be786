#include "replay/whatif/promises.h"
#include "replay/history/scan.h"
#include <inttypes.h>
#include <openssl/evp.h>

struct reading {
    struct dk_promises *promises;
    const struct dk_reference *set;
    int (*on_progress)(void *arg, uint64_t position);
    void *arg;
    struct dk_err *err;
};

static int take(void *arg, const uint8_t *record, size_t bytes)
{
    struct reading *reading = arg;
    struct dk_promises *promises = reading->promises;
    uint64_t subject = dk_event_load_subject(record);
    promises->position = dk_event_load_position(record);
    promises->recorded_us = (int64_t)dk_event_load_recorded_us(record);
    if (dk_id_class(subject) == DK_SUBJECT_TICKET) {
        return 0;
    }
    int rc = dk_refs_apply(promises->before, record, bytes, reading->err);
    return rc != 0 || dk_reference_defines(reading->set, subject)
               ? rc
               : dk_refs_apply(promises->after, record, bytes, reading->err);
}

static int tell_progress(void *arg, uint64_t position)
{
    struct reading *reading = arg;
    return reading->on_progress != NULL ? reading->on_progress(reading->arg, position) : 0;
}

static int digest(void *arg, const uint8_t *record, size_t bytes)
{
    DK_ASSERT(EVP_DigestUpdate(arg, record, bytes) == 1);
    return 0;
}

static int take_files(struct dk_promises *promises, struct dk_reference *set, struct dk_err *err)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    EVP_MD_CTX *sha = EVP_MD_CTX_new();
    DK_ASSERT(sha != NULL && EVP_DigestInit_ex(sha, EVP_sha256(), NULL) == 1);
    int rc = dk_reference_compare(set, promises->before, promises->recorded_us, err);
    rc = rc != 0 ? rc : dk_reference_ever(set, promises->after, digest, sha, err);
    DK_ASSERT(EVP_DigestFinal_ex(sha, hash, &bytes) == 1 && 2 * bytes < DK_DIGEST_TEXT_BYTES);
    EVP_MD_CTX_free(sha);
    for (size_t i = 0; i < bytes; i++) {
        (void)snprintf(promises->digest + 2 * i, 3, "%02x", hash[i]);
    }
    return rc;
}

int dk_promises_read(struct dk_promises *promises, struct dk_reference *set,
                     struct dk_log_reader *reader, uint64_t position,
                     int (*on_progress)(void *arg, uint64_t position), void *arg,
                     struct dk_err *err)
{
    struct reading reading = {
        .promises = promises, .set = set, .on_progress = on_progress, .arg = arg, .err = err};
    struct dk_scan scan = {.from = 1,
                           .to = position,
                           .arg = &reading,
                           .on_record = take,
                           .on_progress = tell_progress};
    *promises = (struct dk_promises){0};
    int rc = dk_refs_new(&promises->before, err);
    rc = rc != 0 ? rc : dk_refs_new(&promises->after, err);
    rc = rc != 0 ? rc : dk_scan_log(&scan, reader, err);
    if (rc == 0 && position != UINT64_MAX && promises->position < position) {
        rc = dk_err_set(err, DK_ENOTFOUND, "the log ends at %" PRIu64 ", before position %" PRIu64,
                        promises->position, position);
    }
    return rc != 0 ? rc : take_files(promises, set, err);
}

void dk_promises_close(struct dk_promises *promises)
{
    dk_refs_free(&promises->before);
    dk_refs_free(&promises->after);
}
