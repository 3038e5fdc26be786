/* Text that others wrote, on its way to a terminal: control characters in it could move the cursor,
 * rewrite what stands on the screen, or make the terminal answer as if somebody typed. */
#ifndef DK_REPLAY_CLI_PRINTABLE_H
#define DK_REPLAY_CLI_PRINTABLE_H

#include <stdbool.h>
#include <stdio.h>

struct dk_printable {
    FILE *to;
    bool led; /* 0xc2, which may begin a C1 control character, is held back */
};

/* A stream, by the line, that writes to `to` what it is given, but U+FFFD for a control character
 * (C0 without line feed and tab, DEL, C1) and nothing for a carriage return. Fclose it before `to`;
 * `printable` is held until then. */
FILE *dk_printable_open(struct dk_printable *printable, FILE *to);

#endif
