/* --help, made from the verbs' tables. */
#ifndef DK_REPLAY_CLI_HELP_H
#define DK_REPLAY_CLI_HELP_H

#include "replay/cli/verb.h"
#include <stdio.h>

void dk_help_program(FILE *out);
void dk_help_verb(const struct dk_verb *verb, FILE *out);
/* The verbs whose names go on behind these words, a line each, behind a title (or "") when there
 * are any. */
void dk_help_below(const char *words, const char *title, FILE *out);

#endif
