#include "proto/base/say.h"
#include "proto/base/time.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 2048

/* Set once at start, read by every thread: the one piece of state of a whole process here, like
 * stderr itself. */
static const char *program_name = "docket";
static enum dk_level least_level = DK_INFO;

void dk_say_init(const char *program, enum dk_level least)
{
    program_name = program;
    least_level = least;
}

void dk_say(enum dk_level level, const char *event, const char *format, ...)
{
    static const char *const words[] = {"debug", "info", "warn", "error"};
    char line[LINE_BYTES], time[DK_TIME_TEXT_BYTES];
    va_list args;
    if (level < least_level) {
        return;
    }
    int n = snprintf(line, sizeof line, "time=%s level=%s program=%s event=%s ",
                     dk_time_format(dk_clock_wall_us() / 1000 * 1000, 0, time), words[level],
                     program_name, event);
    va_start(args, format);
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
    va_end(args);
    size_t size = (size_t)n + (m > 0 ? (size_t)m : 0);
    size = size < sizeof line - 1 ? size : sizeof line - 2;
    line[size] = '\n';
    /* One write a line, so that lines of several processes do not mix. */
    if (write(STDERR_FILENO, line, size + 1) < 0) {
        return;
    }
}
