#include "replay/reference/icalendar.h"

#include "proto/base/buf.h"
#include "proto/base/time.h"
#include "proto/base/utf8.h"
#include <errno.h>
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is gathered, and the entry it is gathered from. */
struct feed {
    const char *path;
    icalcomponent *root;
    int32_t from_day, to_day;
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
        *at = (unsigned char)*at < ' ' ? ' ' : *at;
}

static int32_t day_of(time_t at_s)
{
    return (int32_t)((int64_t)at_s / 86400);
}

/* DTEND is the instant after; a date without one lasts that day (RFC 5545 3.6.1). */
static int32_t days_of(icalcomponent *event)
{
    struct icaltimetype start = icalcomponent_get_dtstart(event);
    struct icaltimetype end = icalcomponent_get_dtend(event);
    int32_t days = icaltime_is_null_time(end)
                       ? 0
                       : day_of(icaltime_as_timet(end) - !start.is_date) -
                             day_of(icaltime_as_timet(start)) + !start.is_date;
    return days > 0 ? days : 1;
}

static void add_days(struct feed *feed, icalcomponent *event, time_t start_s)
{
    const char *summary = icalcomponent_get_summary(event);
    bool whole = icalcomponent_get_dtstart(event).is_date;
    int32_t first = day_of(start_s), end = first + days_of(event);
    end = end < feed->to_day ? end : feed->to_day;
    for (int32_t day = first > feed->from_day ? first : feed->from_day; day < end; day++) {
        if (feed->count == DK_ICALENDAR_MAX_DAYS) {
            feed->full = true;
            return;
        }
        struct dk_icalendar_day *made = &feed->day[feed->count++];
        *made = (struct dk_icalendar_day){.day = day, .whole = whole};
        set_name(made, summary != NULL && summary[0] != '\0' ? summary : "(without a name)");
    }
}

/* Whether an entry of its own stands for the instance that begins then. */
static bool is_replaced(const struct feed *feed, icalcomponent *event, time_t start_s)
{
    const char *uid = icalcomponent_get_uid(event);
    icalcompiter other = icalcomponent_begin_component(feed->root, ICAL_VEVENT_COMPONENT);
    for (; uid != NULL && icalcompiter_deref(&other) != NULL; (void)icalcompiter_next(&other)) {
        icalcomponent *found = icalcompiter_deref(&other);
        struct icaltimetype instance = icalcomponent_get_recurrenceid(found);
        const char *its = icalcomponent_get_uid(found);
        if (!icaltime_is_null_time(instance) && its != NULL && strcmp(its, uid) == 0 &&
            icaltime_as_timet_with_zone(instance, icaltimezone_get_utc_timezone()) == start_s)
            return true;
    }
    return false;
}

static void on_instance(icalcomponent *event, struct icaltime_span *span, void *arg)
{
    struct feed *feed = arg;
    if (!is_replaced(feed, event, span->start))
        add_days(feed, event, span->start);
}

static struct icaltimetype time_of_day(int32_t day)
{
    return icaltime_from_timet_with_zone((time_t)day * 86400, 0, icaltimezone_get_utc_timezone());
}

static int add_event(struct feed *feed, icalcomponent *event, struct dk_err *err)
{
    struct icaltimetype start = icalcomponent_get_dtstart(event);
    const char *summary = icalcomponent_get_summary(event);
    if (icaltime_is_null_time(start) || !icaltime_is_valid_time(start))
        return dk_err_set(err, DK_EINVAL, "%s: the entry \"%s\" has no DTSTART that can be read",
                          feed->path, summary != NULL ? summary : "");
    if (icalcomponent_get_status(event) == ICAL_STATUS_CANCELLED)
        return 0;
    if (icaltime_is_null_time(icalcomponent_get_recurrenceid(event))) {
        icalcomponent_foreach_recurrence(event, time_of_day(feed->from_day - 1),
                                         time_of_day(feed->to_day + 1), on_instance, feed);
        return 0;
    }
    add_days(feed, event, icalcomponent_get_span(event).start);
    return 0;
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

static int read_events(struct feed *feed, struct dk_err *err)
{
    int rc = 0;
    size_t events = 0;
    icalcompiter each = icalcomponent_begin_component(feed->root, ICAL_VEVENT_COMPONENT);
    for (; rc == 0 && icalcompiter_deref(&each) != NULL; (void)icalcompiter_next(&each)) {
        rc = add_event(feed, icalcompiter_deref(&each), err);
        events++;
    }
    if (rc == 0 && events == 0)
        rc = dk_err_set(err, DK_EINVAL, "%s holds no VEVENT: is it an iCalendar file?", feed->path);
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
    if (rc == 0 && !dk_utf8_is_text(text.data, text.size - 1))
        rc = dk_err_set(err, DK_EINVAL, "%s is not in UTF-8", path);
    if (rc == 0) {
        icalerror_set_errors_are_fatal(0);
        feed.root = icalparser_parse_string((const char *)text.data);
        feed.day = calloc(DK_ICALENDAR_MAX_DAYS, sizeof *feed.day);
        DK_ASSERT(feed.day != NULL);
        rc =
            feed.root != NULL && icalcomponent_isa(feed.root) == ICAL_VCALENDAR_COMPONENT
                ? read_events(&feed, err)
                : dk_err_set(err, DK_EINVAL, "%s is no iCalendar file (BEGIN:VCALENDAR ...)", path);
    }
    if (feed.root != NULL)
        icalcomponent_free(feed.root);
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
