#include "proto/base/time.h"
#include "proto/refs/refs_internal.h"

#define LEVELS_MAX 64 /* of the catalogue; a cycle ends here too */

uint64_t dk_refs_route(const struct dk_refs *refs, uint64_t product, unsigned line, int64_t at_us,
                       uint64_t *node)
{
    for (int level = 0; level < LEVELS_MAX && product != 0; level++) {
        const Docket__ProductDefined *body = dk_refs_product(refs, product, at_us);
        if (body == NULL)
            return 0;
        for (size_t i = 0; i < body->n_route; i++) {
            if (body->route[i]->line != line)
                continue;
            if (node != NULL)
                *node = product;
            return body->route[i]->group;
        }
        product = body->has_parent ? body->parent : 0;
    }
    return 0;
}

int64_t dk_refs_next_route_us(const struct dk_refs *refs, uint64_t product, int64_t at_us)
{
    int64_t next_us = INT64_MAX;
    for (int level = 0; level < LEVELS_MAX && product != 0; level++) {
        const Docket__ProductDefined *body = dk_refs_product(refs, product, at_us);
        int64_t version_us = dk_refs_next_version_us(refs, product, at_us);
        next_us = version_us < next_us ? version_us : next_us;
        product = body != NULL && body->has_parent ? body->parent : 0;
    }
    return next_us;
}

bool dk_refs_product_within(const struct dk_refs *refs, uint64_t product, uint64_t ancestor,
                            int64_t at_us)
{
    for (int level = 0; level < LEVELS_MAX && product != 0; level++) {
        if (product == ancestor)
            return true;
        const Docket__ProductDefined *body = dk_refs_product(refs, product, at_us);
        product = body != NULL && body->has_parent ? body->parent : 0;
    }
    return false;
}

static void set_u32(uint32_t *value, protobuf_c_boolean given, uint32_t stated)
{
    if (given)
        *value = stated;
}

static void set_us(int64_t *value, protobuf_c_boolean given, uint64_t stated)
{
    if (given)
        *value = stated <= INT64_MAX ? (int64_t)stated : INT64_MAX;
}

void dk_refs_settings(const struct dk_refs *refs, int64_t at_us, struct dk_settings *settings)
{
    *settings = (struct dk_settings){
        .reopen_days = 14,
        .repeat_contact_days = 7,
        .queue_timeout_us = 15 * DK_MINUTE_US,
        .decline_pause_us = 15 * DK_MINUTE_US,
    };
    const size_t channels = sizeof settings->channel_weight / sizeof settings->channel_weight[0];
    for (size_t i = 0; i < channels; i++)
        settings->channel_weight[i] = 1;
    const struct dk_refs_version *version = dk_refs_at(refs, refs->settings, at_us);
    if (version == NULL)
        return;
    const Docket__SettingsDefined *body = (const void *)version->body;
    set_u32(&settings->reopen_days, body->has_reopen_days, body->reopen_days);
    set_u32(&settings->repeat_contact_days, body->has_repeat_contact_days,
            body->repeat_contact_days);
    set_u32(&settings->follow_up_days, body->has_follow_up_days, body->follow_up_days);
    set_u32(&settings->auto_solve_days, body->has_auto_solve_days, body->auto_solve_days);
    set_u32(&settings->auto_close_days, body->has_auto_close_days, body->auto_close_days);
    set_us(&settings->offer_timeout_us, body->has_offer_timeout_us, body->offer_timeout_us);
    set_us(&settings->queue_timeout_us, body->has_queue_timeout_us, body->queue_timeout_us);
    set_us(&settings->decline_pause_us, body->has_decline_pause_us, body->decline_pause_us);
    settings->calendar = body->has_calendar ? body->calendar : 0;
    settings->notify_calendar = body->has_notify_calendar ? body->notify_calendar : 0;
    settings->default_group = body->has_default_group ? body->default_group : 0;
    for (size_t i = 0; i < body->n_channel_weight; i++) {
        const Docket__ChannelCapacity *weight = body->channel_weight[i];
        if ((size_t)weight->channel < channels)
            settings->channel_weight[weight->channel] = weight->capacity;
    }
}

int64_t dk_refs_next_settings_us(const struct dk_refs *refs, int64_t at_us)
{
    return dk_refs_next_version_us(refs, refs->settings, at_us);
}
