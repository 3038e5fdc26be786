#include "broker/net/members.h"
#include <stdio.h>
#include <string.h>

static void copy(char *out, size_t size, const ProtobufCBinaryData *bytes)
{
    (void)snprintf(out, size, "%.*s", (int)bytes->len, (const char *)bytes->data);
}

int dk_members_heard(struct dk_members *members, uint64_t connection, int64_t boot_us,
                     const Docket__Heartbeat *heartbeat, struct dk_err *err)
{
    struct dk_member fresh = {.connection = connection, .seen_us = boot_us};
    size_t i = 0;
    copy(fresh.role, sizeof fresh.role, &heartbeat->role);
    if (heartbeat->has_query_endpoint) {
        copy(fresh.endpoint, sizeof fresh.endpoint, &heartbeat->query_endpoint);
    }
    copy(fresh.health, sizeof fresh.health, &heartbeat->health);
    fresh.position = heartbeat->position;
    fresh.state_hash = heartbeat->state_hash;
    fresh.fold_version = heartbeat->fold_version;
    fresh.pending_intents = heartbeat->pending_intents;
    while (i < members->count && members->member[i].connection != connection &&
           (strcmp(members->member[i].role, fresh.role) != 0 ||
            strcmp(members->member[i].endpoint, fresh.endpoint) != 0)) {
        i++;
    }
    if (i == DK_MEMBERS_MAX) {
        return dk_err_set(err, DK_EBUSY, "there are %d members already", DK_MEMBERS_MAX);
    }
    members->member[i] = fresh;
    members->count = i < members->count ? members->count : i + 1;
    return 0;
}

void dk_members_forget(struct dk_members *members, int64_t boot_us)
{
    size_t kept = 0;
    for (size_t i = 0; i < members->count; i++) {
        if (boot_us - members->member[i].seen_us < DK_MEMBER_FORGOTTEN_US) {
            members->member[kept++] = members->member[i];
        }
    }
    members->count = kept;
}
