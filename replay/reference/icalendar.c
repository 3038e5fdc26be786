#include "replay/reference/icalendar.h"

#include "proto/base/buf.h"
#include "proto/base/time.h"
#include "proto/base/utf8.h"
#include <errno.h>
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An entry of the feed. Several may have one UID: an instance of its own for one of a recurrence's
 * (RECURRENCE-ID), and older versions (a lower SEQUENCE). */
struct entry {
    icalcomponent *event;
    const char *uid; /* "": it has none */
    time_t instance_s;
    bool of_instance;
    int sequence;
};

/* What is gathered, and what from. */
struct feed {
    const char *path;
    icalcomponent *root;
    int32_t from_day, to_day;
    struct entry *entry; /* by UID, instance, then the highest sequence first */
    size_t entry_count, entry_capacity;
    struct dk_icalendar_day *day;
    size_t count;
    bool full;
};

static int read_text(const char *path, struct dk_buf *text, struct dk_err *err)
{
    char chunk[65536];
    size_t got;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rbe");
    if (file == NULL)
        return dk_err_errno(err, errno == ENOENT ? DK_ENOTFOUND : DK_EIO, errno, "cannot open %s",
                            path);
    int rc = 0;
    while (rc == 0 && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
        rc = dk_buf_append(text, chunk, got);
    if (rc != 0)
        (void)dk_err_set(err, rc, "%s is larger than %zu bytes", path, DK_ICALENDAR_MAX_BYTES);
    else if (ferror(file))
        rc = dk_err_errno(err, DK_EIO, errno, "cannot read %s", path);
    if (file != stdin)
        (void)fclose(file);
    return rc == 0 ? dk_buf_append(text, "", 1) : rc;
}

/* One line, and no more than there is room for. */
static void set_name(struct dk_icalendar_day *day, const char *summary)
{
    size_t bytes = strlen(summary);
    bytes = dk_utf8_prefix(summary, bytes < sizeof day->name ? bytes : sizeof day->name - 1);
    memcpy(day->name, summary, bytes);
    day->name[bytes] = '\0';
    for (char *at = day->name; *at != '\0'; at++)
        *at = (unsigned char)*at < ' ' || *at == 0x7f ? ' ' : *at;
}

/* RFC 5545 3.1: a line that begins with a blank goes on with the one before, be it in the middle of
 * a character. */
static void unfold(struct dk_buf *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text->size; i++) {
        size_t end = i + (text->data[i] == '\r' && i + 1 < text->size);
        if (text->data[end] == '\n' && end + 1 < text->size &&
            (text->data[end + 1] == ' ' || text->data[end + 1] == '\t')) {
            i = end + 1;
            continue;
        }
        text->data[kept++] = text->data[i];
    }
    text->size = kept;
}

/* ---------------------------------------------------------------- entries */

static const char *summary_of(icalcomponent *event)
{
    const char *summary = icalcomponent_get_summary(event);
    return summary != NULL && summary[0] != '\0' ? summary : "(without a name)";
}

static bool is_date(struct icaltimetype at)
{
    return !icaltime_is_null_time(at) && at.year >= 1 && at.month >= 1 && at.month <= 12 &&
           at.day >= 1 && at.day <= icaltime_days_in_month(at.month, at.year) &&
           (at.is_date || (at.hour < 24 && at.minute < 60 && at.second <= 60));
}

/* The property of an entry that libical could not read, if it tells when the entry is; or NULL. */
static const char *unreadable(icalcomponent *event)
{
    static const char *const needed[] = {"DTSTART", "DTEND",    "DURATION", "RRULE",        "RDATE",
                                         "EXDATE",  "SEQUENCE", "STATUS",   "RECURRENCE-ID"};
    for (icalproperty *error = icalcomponent_get_first_property(event, ICAL_XLICERROR_PROPERTY);
         error != NULL; error = icalcomponent_get_next_property(event, ICAL_XLICERROR_PROPERTY)) {
        const char *said = icalproperty_get_xlicerror(error);
        for (size_t i = 0; said != NULL && i < sizeof needed / sizeof needed[0]; i++) {
            const char *at = strstr(said, needed[i]);
            if (at != NULL && strncmp(at + strlen(needed[i]), " property", 9) == 0)
                return needed[i];
        }
    }
    return NULL;
}

/* Holidays recur by the day at most; what recurs by the second would be counted out for ever. */
static bool recurs_within_days(icalcomponent *event)
{
    for (icalproperty *rule = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
         rule != NULL; rule = icalcomponent_get_next_property(event, ICAL_RRULE_PROPERTY)) {
        icalrecurrencetype_frequency freq = icalproperty_get_rrule(rule).freq;
        if (freq == ICAL_SECONDLY_RECURRENCE || freq == ICAL_MINUTELY_RECURRENCE ||
            freq == ICAL_HOURLY_RECURRENCE)
            return true;
    }
    return false;
}

static int check_event(const struct feed *feed, icalcomponent *event, struct dk_err *err)
{
    struct icaltimetype end = icalcomponent_get_dtend(event);
    const char *property = unreadable(event);
    if (property == NULL && !is_date(icalcomponent_get_dtstart(event)))
        property = "DTSTART";
    if (property == NULL && !icaltime_is_null_time(end) && !is_date(end))
        property = "DTEND";
    if (property != NULL)
        return dk_err_set(err, DK_EINVAL, "%s: the entry \"%.100s\" has no %s that can be read",
                          feed->path, summary_of(event), property);
    if (recurs_within_days(event))
        return dk_err_set(err, DK_EINVAL,
                          "%s: the entry \"%.100s\" recurs within a day, as no holiday does",
                          feed->path, summary_of(event));
    return 0;
}

/* In the zone of its own, else in that of the entry's beginning. */
static time_t instant_of(icalcomponent *event, struct icaltimetype at)
{
    const icaltimezone *zone = icaltime_get_timezone(at);
    if (zone == NULL && !at.is_date)
        zone = icaltime_get_timezone(icalcomponent_get_dtstart(event));
    return icaltime_as_timet_with_zone(at, zone);
}

static int take_event(struct feed *feed, icalcomponent *event, struct dk_err *err)
{
    int rc = check_event(feed, event, err);
    if (rc != 0)
        return rc;
    if (feed->entry_count == feed->entry_capacity) {
        feed->entry_capacity = feed->entry_capacity == 0 ? 256 : 2 * feed->entry_capacity;
        feed->entry = realloc(feed->entry, feed->entry_capacity * sizeof *feed->entry);
        DK_ASSERT(feed->entry != NULL);
    }
    struct icaltimetype instance = icalcomponent_get_recurrenceid(event);
    const char *uid = icalcomponent_get_uid(event);
    struct entry *entry = &feed->entry[feed->entry_count++];
    *entry = (struct entry){.event = event,
                            .uid = uid != NULL ? uid : "",
                            .of_instance = !icaltime_is_null_time(instance),
                            .sequence = icalcomponent_get_sequence(event)};
    if (entry->of_instance)
        entry->instance_s = instant_of(event, instance);
    return 0;
}

static int by_instance(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = strcmp(x->uid, y->uid);
    if (order != 0 || x->of_instance != y->of_instance)
        return order != 0 ? order : x->of_instance - y->of_instance;
    return (x->instance_s > y->instance_s) - (x->instance_s < y->instance_s);
}

static int by_version(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = by_instance(a, b);
    return order != 0 ? order : (x->sequence < y->sequence) - (x->sequence > y->sequence);
}

/* ---------------------------------------------------------------- days */

static int32_t day_of(struct icaltimetype at)
{
    return (int32_t)dk_days_of_date(at.year, at.month, at.day);
}

/* The local days from the instant on, as long as the entry lasts. DTEND is the instant after; a
 * date without one lasts that day (RFC 5545 3.6.1). */
static void add_days(struct feed *feed, icalcomponent *event, time_t start_s)
{
    struct icaltimetype start = icalcomponent_get_dtstart(event);
    struct icaltimetype end = icalcomponent_get_dtend(event);
    const icaltimezone *zone = icaltime_get_timezone(start);
    time_t lasts_s = icaltime_is_null_time(end)
                         ? 0
                         : instant_of(event, end) - icaltime_as_timet_with_zone(start, zone);
    time_t last_s = start_s + (lasts_s > 0 ? lasts_s - 1 : 0);
    int32_t first = day_of(icaltime_from_timet_with_zone(start_s, start.is_date, zone));
    int32_t last = day_of(icaltime_from_timet_with_zone(last_s, start.is_date, zone));
    last = last < feed->to_day ? last : feed->to_day - 1;
    for (int32_t day = first > feed->from_day ? first : feed->from_day; day <= last; day++) {
        if (feed->count == DK_ICALENDAR_MAX_DAYS) {
            feed->full = true;
            return;
        }
        struct dk_icalendar_day *made = &feed->day[feed->count++];
        *made = (struct dk_icalendar_day){.day = day, .whole = start.is_date};
        set_name(made, summary_of(event));
    }
}

/* Whether an entry of its own stands for the instance that begins then. */
static bool is_replaced(const struct feed *feed, icalcomponent *event, time_t start_s)
{
    const char *uid = icalcomponent_get_uid(event);
    const struct entry sought = {
        .uid = uid != NULL ? uid : "", .instance_s = start_s, .of_instance = true};
    return sought.uid[0] != '\0' && bsearch(&sought, feed->entry, feed->entry_count,
                                            sizeof *feed->entry, by_instance) != NULL;
}

static void on_instance(icalcomponent *event, struct icaltime_span *span, void *arg)
{
    struct feed *feed = arg;
    if (!feed->full && !is_replaced(feed, event, span->start))
        add_days(feed, event, span->start);
}

static struct icaltimetype time_of_day(int32_t day)
{
    return icaltime_from_timet_with_zone((time_t)day * 86400, 0, icaltimezone_get_utc_timezone());
}

static void add_entry(struct feed *feed, const struct entry *entry)
{
    if (icalcomponent_get_status(entry->event) == ICAL_STATUS_CANCELLED)
        return;
    if (entry->of_instance)
        add_days(feed, entry->event, icalcomponent_get_span(entry->event).start);
    else
        icalcomponent_foreach_recurrence(entry->event, time_of_day(feed->from_day - 1),
                                         time_of_day(feed->to_day + 1), on_instance, feed);
}

/* Older versions of an entry count no more; those of one sequence are different entries with a name
 * that is not as unique as it should be. */
static void add_entries(struct feed *feed)
{
    const struct entry *newest = NULL;
    if (feed->entry_count > 1)
        qsort(feed->entry, feed->entry_count, sizeof *feed->entry, by_version);
    for (size_t i = 0; i < feed->entry_count && !feed->full; i++) {
        const struct entry *entry = &feed->entry[i];
        if (newest == NULL || entry->uid[0] == '\0' || by_instance(newest, entry) != 0)
            newest = entry;
        if (entry->sequence == newest->sequence)
            add_entry(feed, entry);
    }
}

static int by_day(const void *a, const void *b)
{
    const struct dk_icalendar_day *left = a, *right = b;
    if (left->day != right->day)
        return left->day < right->day ? -1 : 1;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : (int)right->whole - (int)left->whole;
}

static void sort_and_unite(struct feed *feed)
{
    size_t kept = 0;
    qsort(feed->day, feed->count, sizeof *feed->day, by_day);
    for (size_t i = 0; i < feed->count; i++) {
        if (kept == 0 || feed->day[kept - 1].day != feed->day[i].day ||
            strcmp(feed->day[kept - 1].name, feed->day[i].name) != 0)
            feed->day[kept++] = feed->day[i];
    }
    feed->count = kept;
}

static int take_calendar(struct feed *feed, icalcomponent *calendar, struct dk_err *err)
{
    int rc = 0;
    icalcompiter each = icalcomponent_begin_component(calendar, ICAL_VEVENT_COMPONENT);
    for (; rc == 0 && icalcompiter_deref(&each) != NULL; (void)icalcompiter_next(&each))
        rc = take_event(feed, icalcompiter_deref(&each), err);
    return rc;
}

/* One calendar, or several one after the other (then libical puts a root above them). */
static int read_events(struct feed *feed, struct dk_err *err)
{
    int rc = 0;
    bool some = icalcomponent_isa(feed->root) == ICAL_VCALENDAR_COMPONENT;
    if (some)
        rc = take_calendar(feed, feed->root, err);
    icalcompiter each = icalcomponent_begin_component(feed->root, ICAL_VCALENDAR_COMPONENT);
    for (; rc == 0 && icalcompiter_deref(&each) != NULL; (void)icalcompiter_next(&each)) {
        some = true;
        rc = take_calendar(feed, icalcompiter_deref(&each), err);
    }
    if (rc == 0 && !some)
        rc =
            dk_err_set(err, DK_EINVAL, "%s is no iCalendar file (BEGIN:VCALENDAR ...)", feed->path);
    if (rc == 0 && feed->entry_count == 0)
        rc = dk_err_set(err, DK_EINVAL, "%s holds no VEVENT: is it an iCalendar file?", feed->path);
    if (rc == 0)
        add_entries(feed);
    if (rc == 0 && feed->full)
        rc = dk_err_set(err, DK_ETOOBIG, "%s has more than %d days in that time", feed->path,
                        DK_ICALENDAR_MAX_DAYS);
    return rc;
}

int dk_icalendar_days(const char *path, int32_t from_day, int32_t to_day,
                      struct dk_icalendar_day **days, size_t *count, struct dk_err *err)
{
    struct feed feed = {.path = path, .from_day = from_day, .to_day = to_day};
    struct dk_buf text;
    *days = NULL;
    *count = 0;
    dk_buf_init(&text, DK_ICALENDAR_MAX_BYTES);
    int rc = read_text(path, &text, err);
    if (rc == 0)
        unfold(&text);
    if (rc == 0 && !dk_utf8_is_text(text.data, text.size - 1))
        rc = dk_err_set(err, DK_EINVAL, "%s is not in UTF-8", path);
    if (rc == 0) {
        icalerror_set_errors_are_fatal(0);
        feed.root = icalparser_parse_string((const char *)text.data);
        feed.day = calloc(DK_ICALENDAR_MAX_DAYS, sizeof *feed.day);
        DK_ASSERT(feed.day != NULL);
        rc = feed.root != NULL ? read_events(&feed, err)
                               : dk_err_set(err, DK_EINVAL,
                                            "%s is no iCalendar file (BEGIN:VCALENDAR ...)", path);
    }
    if (feed.root != NULL)
        icalcomponent_free(feed.root);
    free(feed.entry);
    dk_buf_close(&text);
    if (rc != 0) {
        free(feed.day);
        return rc;
    }
    sort_and_unite(&feed);
    *days = feed.day;
    *count = feed.count;
    return 0;
}
