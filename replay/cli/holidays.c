#include "proto/base/time.h"
#include "proto/base/yaml.h"
#include "replay/cli/read.h"
#include "replay/reference/icalendar.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define USUAL_DAYS 731 /* two years, as feeds have them */
#define DATE_BYTES 16

const struct dk_parameter dk_holidays_parameters[] = {
    {"FEED", NULL, "an iCalendar file; - is stdin, and then --yes is needed", NULL, DK_NEEDED, 0},
    {"--from", "DATE", "the first day that counts (today)", NULL, 0, 0},
    {"--to", "DATE", "the day after the last one (two years later)", NULL, 0, 0},
    {"--out", "FILE", "where what is taken is added (stdout)", NULL, 0, 'o'},
    {"--yes", NULL, "take every whole day without asking", NULL, 0, 'y'},
    DK_PARAMETERS_END,
};

enum fate { PASSED_OVER, TAKEN, KNOWN, NOT_WHOLE };

static const char *const fate_words[] = {"passed-over", "taken", "known", "not-whole"};

struct holidays {
    struct dk_cli *cli;
    struct dk_icalendar_day *day;
    enum fate *fate;
    size_t count, taken;
    struct dk_yaml_doc known; /* the file that they are added to */
};

static const char *date_of(int32_t day, char text[DATE_BYTES])
{
    int year, month, date;
    dk_date_of_days(day, &year, &month, &date);
    (void)snprintf(text, DATE_BYTES, "%04d-%02d-%02d", year % 10000, month, date);
    return text;
}

static bool is_known(const struct holidays *h, size_t i)
{
    char date[DATE_BYTES];
    return (i > 0 && h->day[i - 1].day == h->day[i].day && h->fate[i - 1] == TAKEN) ||
           dk_yaml_get(h->known.root, date_of(h->day[i].day, date)) != NULL;
}

static void show(const struct holidays *h, const struct dk_icalendar_day *day)
{
    static const char *const weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    char date[DATE_BYTES];
    (void)fprintf(h->cli->out, "%s %s  %s", date_of(day->day, date),
                  weekdays[dk_weekday_of_days(day->day)], day->name);
    (void)fflush(h->cli->out);
}

/* 'y', 'n', 'a' or 'q'; the end of stdin is a q. */
static int ask(void)
{
    char answer[16];
    for (;;) {
        (void)fputs("  take it? [y/N/a/q] ", stderr);
        if (fgets(answer, sizeof answer, stdin) == NULL) {
            return 'q';
        }
        switch (answer[0]) {
        case 'y':
        case 'a':
        case 'q': return answer[0];
        case 'n':
        case '\n': return 'n';
        default: (void)fputs("  y takes it, n does not, a takes all that are left, q ends", stderr);
        }
    }
}

/* Shows every day, and finds out what becomes of it. */
static void approve(struct holidays *h)
{
    int answer = dk_cli_given(h->cli, "--yes") != NULL ? 'a' : 'n';
    for (size_t i = 0; i < h->count; i++) {
        h->fate[i] = !h->day[i].whole ? NOT_WHOLE : is_known(h, i) ? KNOWN : PASSED_OVER;
        if (!h->cli->json || answer != 'a') {
            show(h, &h->day[i]);
        }
        if (h->fate[i] == PASSED_OVER && answer != 'a' && answer != 'q') {
            answer = ask();
            (void)fputs(isatty(STDIN_FILENO) ? "" : "\n", h->cli->out); /* nobody typed one */
        } else if (!h->cli->json) {
            (void)fprintf(h->cli->out, "  %s\n",
                          h->fate[i] == KNOWN       ? "(is a holiday already)"
                          : h->fate[i] == NOT_WHOLE ? "(not the whole day: write a special day)"
                          : answer == 'a'           ? "(taken)"
                                                    : "(passed over)");
        }
        if (h->fate[i] == PASSED_OVER && (answer == 'y' || answer == 'a')) {
            h->fate[i] = TAKEN;
            h->taken++;
        }
    }
}

/* What was there and what is added, by date: a line each. */
static void write_lines(const struct holidays *h, FILE *out)
{
    size_t i = 0;
    const struct dk_yaml *node = h->known.root != NULL ? h->known.root->child : NULL;
    while (node != NULL || i < h->count) {
        char date[DATE_BYTES];
        if (i < h->count && h->fate[i] != TAKEN) {
            i++;
            continue;
        }
        bool next_is_known =
            node != NULL && (i == h->count || strcmp(node->key, date_of(h->day[i].day, date)) < 0);
        json_t *name = json_string(next_is_known ? node->text : h->day[i].name);
        char *quoted = json_dumps(name, JSON_ENCODE_ANY); /* is a YAML scalar, too */
        DK_ASSERT(quoted != NULL);
        (void)fprintf(out, "%s: %s\n", next_is_known ? node->key : date_of(h->day[i].day, date),
                      quoted);
        free(quoted);
        json_decref(name);
        node = next_is_known ? node->next : node;
        i += !next_is_known;
    }
}

/* Whole or not at all. */
static int write_file(const struct holidays *h, const char *path, struct dk_err *err)
{
    char beside[PATH_MAX];
    (void)snprintf(beside, sizeof beside, "%s.new", path);
    FILE *out = fopen(beside, "we");
    if (out == NULL) {
        return dk_err_errno(err, DK_EIO, errno, "cannot write %s", beside);
    }
    (void)fputs("# Days on which nobody works; see `docket holidays`.\n", out);
    write_lines(h, out);
    bool written = fflush(out) == 0 && fsync(fileno(out)) == 0;
    written = fclose(out) == 0 && written;
    if (!written || rename(beside, path) != 0) {
        int code = errno;
        (void)unlink(beside);
        return dk_err_errno(err, DK_EIO, code, "cannot write %s", path);
    }
    (void)fprintf(stderr, "%zu holidays are added to %s\n", h->taken, path);
    return 0;
}

static void print_json(const struct holidays *h)
{
    json_t *list = json_array();
    for (size_t i = 0; i < h->count; i++) {
        char date[DATE_BYTES];
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s}", "date", date_of(h->day[i].day, date),
                                        "name", h->day[i].name, "is", fate_words[h->fate[i]]));
    }
    dk_cli_print_json(h->cli, list);
}

static int load_known(struct holidays *h, const char *path, struct dk_err *err)
{
    int rc = path != NULL ? dk_yaml_load(&h->known, path, err) : 0;
    if (rc == DK_ENOTFOUND) {
        return 0;
    }
    for (const struct dk_yaml *node = rc == 0 && h->known.root != NULL ? h->known.root->child
                                                                       : NULL;
         node != NULL; node = node->next) {
        int64_t us;
        if (node->key == NULL || node->type != DK_YAML_SCALAR || strlen(node->key) != 10 ||
            dk_time_parse(node->key, &us, NULL, NULL) != 0) {
            return dk_yaml_error(&h->known, node, err,
                                 "this is no file of holidays: a line is \"2026-12-25: Name\"");
        }
    }
    return rc;
}

static int day_given(struct dk_cli *cli, const char *name, int64_t usual_us, int32_t *day,
                     struct dk_err *err)
{
    int rc = dk_cli_moment(cli, name, &usual_us, err);
    struct dk_civil civil;
    dk_zone_to_civil(cli->zone, usual_us, &civil, NULL);
    *day = (int32_t)dk_days_of_date(civil.year, civil.month, civil.day);
    return rc;
}

static int settle(struct holidays *h, struct dk_err *err)
{
    const char *out = dk_cli_given(h->cli, "--out");
    approve(h);
    if (h->cli->json) {
        print_json(h);
    }
    if (h->taken > 0 && out != NULL) {
        return write_file(h, out, err);
    }
    if (!h->cli->json) {
        write_lines(h, h->cli->out);
    }
    return 0;
}

int dk_holidays_run(struct dk_cli *cli, struct dk_err *err)
{
    struct holidays h = {.cli = cli};
    int32_t from_day = 0, to_day = 0;
    const char *feed = dk_cli_given(cli, "FEED");
    if (strcmp(feed, "-") == 0 && dk_cli_given(cli, "--yes") == NULL) {
        return dk_cli_usage(err, "the feed comes from stdin, so nobody can be asked: give --yes");
    }
    int rc = day_given(cli, "--from", dk_clock_wall_us(), &from_day, err);
    rc = rc != 0 ? rc
                 : day_given(cli, "--to", (from_day + USUAL_DAYS) * DK_DAY_US + DK_DAY_US / 2,
                             &to_day, err);
    rc = rc != 0 ? rc : load_known(&h, dk_cli_given(cli, "--out"), err);
    rc = rc != 0 ? rc : dk_icalendar_days(feed, from_day, to_day, &h.day, &h.count, err);
    if (rc == 0) {
        h.fate = calloc(h.count + 1, sizeof *h.fate);
        DK_ASSERT(h.fate != NULL);
        rc = settle(&h, err);
    }
    free(h.fate);
    free(h.day);
    dk_yaml_close(&h.known);
    return rc;
}
