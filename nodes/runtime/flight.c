#include "nodes/runtime/flight.h"
#include "nodes/runtime/agenda.h"
#include "proto/base/err.h"
#include "proto/base/map.h"
#include <stdlib.h>

#define FLIGHTS_MAX (UINT64_C(1) << 20)
#define ITEMS_MAX   (UINT64_C(1) << 32) /* all may be refused, one after the other: a full disk */

struct sent {
    uint64_t item;
    size_t events;
    int64_t boot_us;
    bool accepted;
};

struct dk_flight {
    struct dk_map requests;     /* request -> struct sent */
    struct dk_map items;        /* item -> request */
    struct dk_map refusals;     /* item -> uint32_t in a row */
    struct dk_agenda *accepted; /* requests, by the last position that they were given */
    size_t events;
};

struct dk_flight *dk_flight_new(void)
{
    struct dk_flight *flight = calloc(1, sizeof *flight);
    DK_ASSERT(flight != NULL);
    dk_map_init(&flight->requests, sizeof(struct sent), FLIGHTS_MAX);
    dk_map_init(&flight->items, sizeof(uint64_t), FLIGHTS_MAX);
    dk_map_init(&flight->refusals, sizeof(uint32_t), ITEMS_MAX);
    flight->accepted = dk_agenda_new();
    return flight;
}

void dk_flight_free(struct dk_flight **flight)
{
    struct dk_flight *f = *flight;
    if (f != NULL) {
        dk_map_close(&f->requests);
        dk_map_close(&f->items);
        dk_map_close(&f->refusals);
        dk_agenda_free(&f->accepted);
        free(f);
        *flight = NULL;
    }
}

bool dk_flight_has(const struct dk_flight *flight, uint64_t item)
{
    return dk_map_get(&flight->items, item) != NULL;
}

size_t dk_flight_events(const struct dk_flight *flight)
{
    return flight->events;
}

void dk_flight_sent(struct dk_flight *flight, uint64_t request, uint64_t item, size_t events,
                    int64_t boot_us)
{
    struct sent *sent = dk_map_put(&flight->requests, request, NULL);
    uint64_t *of_item = dk_map_put(&flight->items, item, NULL);
    DK_ASSERT(sent != NULL && of_item != NULL && *of_item == 0);
    *sent = (struct sent){item, events, boot_us, false};
    *of_item = request;
    flight->events += events;
}

bool dk_flight_knows(const struct dk_flight *flight, uint64_t request)
{
    return dk_map_get(&flight->requests, request) != NULL;
}

bool dk_flight_accepted(struct dk_flight *flight, uint64_t request, uint64_t last_position)
{
    struct sent *sent = dk_map_get(&flight->requests, request);
    if (sent == NULL) {
        return false;
    }
    sent->accepted = true;
    dk_agenda_schedule(flight->accepted, request, (int64_t)last_position);
    (void)dk_map_remove(&flight->refusals, sent->item);
    return true;
}

/* Takes a request out. */
static uint64_t land(struct dk_flight *flight, uint64_t request, const struct sent *sent)
{
    uint64_t item = sent->item;
    flight->events -= sent->events;
    (void)dk_map_remove(&flight->items, item);
    (void)dk_map_remove(&flight->requests, request);
    dk_agenda_schedule(flight->accepted, request, INT64_MAX);
    return item;
}

bool dk_flight_refused(struct dk_flight *flight, uint64_t request, bool some_accepted,
                       uint64_t *item, int64_t *pause_us)
{
    const struct sent *sent = dk_map_get(&flight->requests, request);
    if (sent == NULL) {
        return false;
    }
    *item = land(flight, request, sent);
    uint32_t *in_a_row = dk_map_put(&flight->refusals, *item, NULL);
    DK_ASSERT(in_a_row != NULL);
    *in_a_row = some_accepted ? 0 : *in_a_row;
    *pause_us = DK_FLIGHT_PAUSE_MIN_US << (*in_a_row < 14 ? *in_a_row : 14);
    *pause_us = *pause_us < DK_FLIGHT_PAUSE_MAX_US ? *pause_us : DK_FLIGHT_PAUSE_MAX_US;
    (*in_a_row)++;
    return true;
}

void dk_flight_settled(struct dk_flight *flight, uint64_t item)
{
    (void)dk_map_remove(&flight->refusals, item);
}

bool dk_flight_landed(struct dk_flight *flight, uint64_t position, uint64_t *item)
{
    uint64_t request;
    bool landed = dk_agenda_next(flight->accepted, (int64_t)position, &request);
    if (landed) {
        *item = land(flight, request, dk_map_get(&flight->requests, request));
    }
    return landed;
}

int64_t dk_flight_oldest_us(const struct dk_flight *flight, int64_t boot_us)
{
    size_t cursor = 0;
    int64_t oldest_us = 0;
    uint64_t request;
    void *value;
    while (dk_map_next(&flight->requests, &cursor, &request, &value)) {
        const struct sent *sent = value;
        int64_t age_us = boot_us - sent->boot_us;
        if (!sent->accepted && age_us > oldest_us) {
            oldest_us = age_us;
        }
    }
    return oldest_us;
}

bool dk_flight_drop(struct dk_flight *flight, uint64_t *item)
{
    size_t cursor = 0;
    uint64_t request;
    void *sent;
    bool any = dk_map_next(&flight->requests, &cursor, &request, &sent);
    if (any) {
        *item = land(flight, request, sent);
    }
    return any;
}
