#include "nodes/notification/delivery/outcome.h"
#include "proto/base/utf8.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void dk_outcome_set(struct dk_outcome *outcome, enum dk_verdict verdict, const char *format, ...)
{
    va_list arguments;
    outcome->verdict = verdict;
    outcome->alone = false;
    outcome->after_us = 0;
    va_start(arguments, format);
    (void)vsnprintf(outcome->said, sizeof outcome->said, format, arguments);
    va_end(arguments);
    outcome->said[dk_utf8_prefix(outcome->said, strlen(outcome->said))] = '\0';
}
