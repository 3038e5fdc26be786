#include "nodes/notification/hours.h"

static uint64_t calendar_of_group(const struct dk_refs *refs, uint64_t id, int64_t at_us)
{
    const Docket__GroupDefined *group = dk_refs_group(refs, id, at_us);
    return group != NULL && group->has_notify_calendar ? group->notify_calendar : 0;
}

static uint64_t calendar_of(const struct dk_refs *refs, uint64_t recipient, int64_t at_us)
{
    const Docket__AgentDefined *agent = dk_refs_agent(refs, recipient, at_us);
    uint64_t calendar = calendar_of_group(refs, recipient, at_us);
    struct dk_settings settings;
    if (agent != NULL && agent->has_notify_calendar) {
        calendar = agent->notify_calendar;
    }
    for (size_t i = 0; agent != NULL && calendar == 0 && i < agent->n_group; i++) {
        calendar = calendar_of_group(refs, agent->group[i], at_us);
    }
    if (calendar == 0) {
        dk_refs_settings(refs, at_us, &settings);
        calendar = settings.notify_calendar;
    }
    return calendar;
}

int64_t dk_hours_from_us(struct dk_refs *refs, uint64_t recipient, int64_t at_us)
{
    uint64_t id = calendar_of(refs, recipient, at_us);
    const struct dk_calendar *calendar = id != 0 ? dk_refs_calendar(refs, id, at_us, NULL) : NULL;
    if (calendar == NULL || dk_calendar_open(calendar, at_us)) {
        return at_us;
    }
    int64_t opening_us = dk_calendar_next_edge_us(calendar, at_us);
    return opening_us != INT64_MAX ? opening_us : at_us;
}

bool dk_hours_off_shift(struct dk_refs *refs, uint64_t recipient, int64_t at_us)
{
    return dk_id_class(recipient) == DK_SUBJECT_AGENT &&
           !dk_refs_on_shift(refs, recipient, at_us, false) &&
           !dk_refs_on_shift(refs, recipient, at_us, true) &&
           dk_refs_next_shift_edge_us(refs, recipient, at_us) != INT64_MAX;
}
