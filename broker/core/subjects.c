#include "broker/core/subjects.h"

#include <string.h>

void dk_subjects_init(struct dk_subjects *subjects)
{
    dk_map_init(&subjects->index, sizeof(uint64_t), DK_SUBJECTS_MAX);
    dk_shelf_init(&subjects->heads, sizeof(struct dk_subject_head));
}

void dk_subjects_close(struct dk_subjects *subjects)
{
    dk_map_close(&subjects->index);
    dk_shelf_close(&subjects->heads);
}

struct dk_subject_head dk_subjects_get(const struct dk_subjects *subjects, uint64_t subject)
{
    const uint64_t *at = dk_map_get(&subjects->index, subject);
    if (at == NULL) {
        return (struct dk_subject_head){.subject = subject};
    }
    return *(const struct dk_subject_head *)dk_shelf_get(&subjects->heads, *at);
}

static int add(struct dk_subjects *subjects, struct dk_subject_head head)
{
    uint64_t *at = dk_map_put(&subjects->index, head.subject, NULL);
    struct dk_subject_head *row = at != NULL ? dk_shelf_add(&subjects->heads) : NULL;
    if (row == NULL) {
        dk_map_remove(&subjects->index, head.subject);
        return DK_EBUSY;
    }
    *at = subjects->heads.end - 1;
    *row = head;
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
        DK_ASSERT(*at == subjects->heads.end - 1);
        dk_shelf_cut(&subjects->heads);
        dk_map_remove(&subjects->index, head.subject);
        return 0;
    }
    struct dk_subject_head *row = dk_shelf_edit(&subjects->heads, *at);
    if (row == NULL) {
        return DK_EBUSY;
    }
    *row = head;
    return 0;
}

size_t dk_subjects_bytes(const struct dk_subjects *subjects)
{
    return dk_shelf_bytes(&subjects->heads) + subjects->index.capacity * 2 * sizeof(uint64_t);
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
