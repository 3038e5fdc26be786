/* bench_calendar [--rounds N]: how many `due` and `biz` a second one thread answers (DOMAIN T3).
 *
 * For several calendars, in interleaved rounds: instants at random over ten years, targets of
 * minutes to weeks, all different from call to call, so that neither cache nor branch predictor
 * knows them. Time is the thread's processor time. */
#include "proto/calendar/calendar.h"
#include "bench/lib/report.h"
#include "tests/lib/random.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLS      (1 << 22)
#define GOAL_PER_S 20e6
#define ARGUMENTS  65536
#define HOUR_US    (60 * DK_MINUTE_US)

#define CLOCK(h, m) (((h)*60 + (m)) * 60)

struct subject {
    const char *name, *due_name, *biz_name, *due_sentence, *biz_sentence;
    const char *zone;
    struct dk_day_plan weekday, weekend;
    struct dk_calendar *calendar;
    struct dk_rounds due, biz; /* calls a second */
};

static struct subject subjects[] = {
    {.name = "office",
     .due_name = "office_due_s",
     .biz_name = "office_biz_s",
     .due_sentence = "due, a five-day week with a noon break, Europe/Berlin",
     .biz_sentence = "biz, the same",
     .zone = "Europe/Berlin",
     .weekday = {2, {{CLOCK(8, 30), CLOCK(12, 30)}, {CLOCK(13, 15), CLOCK(17, 30)}}}},
    {.name = "split",
     .due_name = "split_due_s",
     .biz_name = "split_biz_s",
     .due_sentence = "due, four intervals every day, Australia/Lord_Howe",
     .biz_sentence = "biz, the same",
     .zone = "Australia/Lord_Howe",
     .weekday = {4,
                 {{CLOCK(6, 0), CLOCK(8, 0)},
                  {CLOCK(9, 0), CLOCK(11, 0)},
                  {CLOCK(12, 0), CLOCK(15, 0)},
                  {CLOCK(22, 0), CLOCK(28, 0)}}},
     .weekend = {4,
                 {{CLOCK(6, 0), CLOCK(8, 0)},
                  {CLOCK(9, 0), CLOCK(11, 0)},
                  {CLOCK(12, 0), CLOCK(15, 0)},
                  {CLOCK(22, 0), CLOCK(28, 0)}}}},
    {.name = "always",
     .due_name = "always_due_s",
     .biz_name = "always_biz_s",
     .due_sentence = "due, around the clock",
     .biz_sentence = "biz, the same",
     .zone = "UTC",
     .weekday = {1, {{0, CLOCK(24, 0)}}},
     .weekend = {1, {{0, CLOCK(24, 0)}}}},
};
#define SUBJECTS (sizeof subjects / sizeof subjects[0])

struct arguments {
    int64_t a_us[ARGUMENTS], d_us[ARGUMENTS];
};

static void draw(struct arguments *arguments)
{
    struct test_random random = {1};
    int64_t from_us = 0;
    struct dk_err err;
    DK_ASSERT(dk_time_parse("2022-01-01", &from_us, NULL, &err) == 0);
    for (size_t i = 0; i < ARGUMENTS; i++) {
        arguments->a_us[i] = from_us + test_random_between(&random, 0, 3650 * DK_DAY_US);
        arguments->d_us[i] = test_random_between(&random, DK_MINUTE_US, 120 * HOUR_US);
    }
}

/* Of this thread: what else the machine does takes nothing away. */
static uint64_t processor_ns(void)
{
    struct timespec now;
    DK_ASSERT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static double calls_s(uint64_t begun_ns)
{
    return CALLS * 1e9 / (double)(processor_ns() - begun_ns);
}

/* The sum is handed on, so that no call can be left out. */
static int64_t run_due(struct subject *subject, const struct arguments *arguments)
{
    int64_t sum = 0;
    uint64_t begun_ns = processor_ns();
    for (size_t i = 0; i < CALLS; i++)
        sum += dk_calendar_due_us(subject->calendar, arguments->a_us[i % ARGUMENTS],
                                  arguments->d_us[i % ARGUMENTS]);
    dk_rounds_add(&subject->due, calls_s(begun_ns));
    return sum;
}

static int64_t run_biz(struct subject *subject, const struct arguments *arguments)
{
    int64_t sum = 0;
    uint64_t begun_ns = processor_ns();
    for (size_t i = 0; i < CALLS; i++)
        sum += dk_calendar_biz_us(subject->calendar, arguments->a_us[i % ARGUMENTS],
                                  arguments->a_us[(i + 1) % ARGUMENTS]);
    dk_rounds_add(&subject->biz, calls_s(begun_ns));
    return sum;
}

static void compile(struct subject *subject)
{
    struct dk_calendar_def def = {.zone = subject->zone};
    struct dk_err err;
    for (int day = 0; day < 7; day++)
        def.weekday[day] = day < 5 ? subject->weekday : subject->weekend;
    if (dk_calendar_new(&subject->calendar, &def, &err) != 0) {
        (void)fprintf(stderr, "bench_calendar: %s: %s\n", subject->name, err.message);
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    static struct arguments arguments;
    static struct dk_report report;
    int rounds = argc == 3 && strcmp(argv[1], "--rounds") == 0 ? atoi(argv[2]) : 5;
    volatile int64_t sum = 0;
    double slowest_s = 0;
    if (rounds < 1 || rounds > DK_ROUNDS_MAX || (argc != 1 && argc != 3)) {
        (void)fprintf(stderr, "bench_calendar [--rounds 1..%d]\n", DK_ROUNDS_MAX);
        return 64;
    }
    draw(&arguments);
    for (size_t s = 0; s < SUBJECTS; s++)
        compile(&subjects[s]);
    for (int round = 0; round < rounds; round++)
        for (size_t s = 0; s < SUBJECTS; s++)
            sum = sum ^ run_due(&subjects[s], &arguments) ^ run_biz(&subjects[s], &arguments);
    for (size_t s = 0; s < SUBJECTS; s++) {
        double due_s = dk_rounds_median(&subjects[s].due);
        slowest_s = s == 0 || due_s < slowest_s ? due_s : slowest_s;
        dk_report_add(&report, subjects[s].due_name, due_s, subjects[s].due_sentence);
        dk_report_add(&report, subjects[s].biz_name, dk_rounds_median(&subjects[s].biz),
                      subjects[s].biz_sentence);
        dk_calendar_free(&subjects[s].calendar);
    }
    dk_report_goal(&report, "due_s", slowest_s, GOAL_PER_S, 1, "due, the slowest of them, a core");
    dk_report_end(&report);
    return 0;
}
