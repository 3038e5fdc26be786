/* What a daemon tells its operator: one logfmt line on stderr an event.
 *
 *   time=2026-02-03T04:05:06.789Z level=info program=broker event=ready head=1042
 */
#ifndef DK_BASE_SAY_H
#define DK_BASE_SAY_H

enum dk_level { DK_DEBUG, DK_INFO, DK_WARN, DK_ERROR };

/* Once, before any thread: the program's name, and the least level that is written. */
void dk_say_init(const char *program, enum dk_level least);

/* `event` is one word; `format` gives "key=value" pairs, values with blanks already quoted. From
 * any thread; lines do not mix. */
void dk_say(enum dk_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
