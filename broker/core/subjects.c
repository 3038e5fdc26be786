#include "broker/core/subjects.h"

#include <stdlib.h>
#include <string.h>

void dk_subjects_init(struct dk_subjects *subjects)
{
    memset(subjects, 0, sizeof *subjects);
    dk_map_init(&subjects->index, sizeof(uint64_t), DK_SUBJECTS_MAX);
}

void dk_subjects_close(struct dk_subjects *subjects)
{
    dk_map_close(&subjects->index);
    free(subjects->heads);
    memset(subjects, 0, sizeof *subjects);
}

struct dk_subject_head dk_subjects_get(const struct dk_subjects *subjects, uint64_t subject)
{
    const uint64_t *at = dk_map_get(&subjects->index, subject);
    if (at == NULL) {
        return (struct dk_subject_head){.subject = subject};
    }
    return subjects->heads[*at];
}

static int reserve(struct dk_subjects *subjects, size_t count)
{
    if (count <= subjects->capacity) {
        return 0;
    }
    size_t capacity = subjects->capacity == 0 ? 1024 : subjects->capacity;
    while (capacity < count) {
        capacity *= 2;
    }
    struct dk_subject_head *heads = realloc(subjects->heads, capacity * sizeof *heads);
    if (heads == NULL) {
        return DK_EBUSY;
    }
    subjects->heads = heads;
    subjects->capacity = capacity;
    return 0;
}

static int add(struct dk_subjects *subjects, struct dk_subject_head head)
{
    int rc = reserve(subjects, subjects->count + 1);
    if (rc != 0) {
        return rc;
    }
    uint64_t *at = dk_map_put(&subjects->index, head.subject, NULL);
    if (at == NULL) {
        return DK_EBUSY;
    }
    *at = subjects->count;
    subjects->heads[subjects->count] = head;
    subjects->count++;
    return 0;
}

int dk_subjects_set(struct dk_subjects *subjects, struct dk_subject_head head)
{
    const uint64_t *at = dk_map_get(&subjects->index, head.subject);
    if (at == NULL) {
        DK_ASSERT(head.version != 0);
        return add(subjects, head);
    }
    if (head.version == 0) {
        DK_ASSERT(*at == subjects->count - 1);
        subjects->count--;
        dk_map_remove(&subjects->index, head.subject);
        return 0;
    }
    subjects->heads[*at] = head;
    return 0;
}

size_t dk_subjects_bytes(const struct dk_subjects *subjects)
{
    return subjects->capacity * sizeof *subjects->heads +
           subjects->index.capacity * 2 * sizeof(uint64_t);
}

int dk_subjects_save(const struct dk_subjects *subjects, struct dk_buf *out)
{
    uint64_t count = subjects->count;
    int rc = dk_buf_append(out, &count, sizeof count);
    if (rc == 0 && count > 0) {
        rc = dk_buf_append(out, subjects->heads, subjects->count * sizeof *subjects->heads);
    }
    return rc;
}

int dk_subjects_load(struct dk_subjects *subjects, const uint8_t *data, size_t bytes, size_t *used,
                     struct dk_err *err)
{
    uint64_t count = 0;
    if (bytes < sizeof count) {
        return dk_err_set(err, DK_ECORRUPT, "the subjects are cut off");
    }
    memcpy(&count, data, sizeof count);
    if (count > (bytes - sizeof count) / sizeof(struct dk_subject_head)) {
        return dk_err_set(err, DK_ECORRUPT, "the subjects are cut off");
    }
    const uint8_t *at = data + sizeof count;
    for (uint64_t i = 0; i < count; i++, at += sizeof(struct dk_subject_head)) {
        struct dk_subject_head head;
        memcpy(&head, at, sizeof head);
        if (head.subject == 0 || head.version == 0) {
            return dk_err_set(err, DK_ECORRUPT, "a subject's head is empty");
        }
        if (dk_subjects_set(subjects, head) != 0) {
            return dk_err_set(err, DK_EBUSY, "no room for %llu subjects",
                              (unsigned long long)count);
        }
    }
    *used = (size_t)(at - data);
    return 0;
}
