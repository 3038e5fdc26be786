#include "proto/base/err.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fill(struct dk_err *err, int code, int sys_errno, const char *field, const char *format,
                 va_list args)
{
    err->code = code;
    err->sys_errno = sys_errno;
    (void)snprintf(err->field, sizeof err->field, "%s", field);
    (void)vsnprintf(err->message, sizeof err->message, format, args);
}

int dk_err_set(struct dk_err *err, int code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        fill(err, code, 0, "", format, args);
        va_end(args);
    }
    return code;
}

int dk_err_errno(struct dk_err *err, int code, int sys_errno, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        char reason[128];
        va_start(args, format);
        fill(err, code, sys_errno, "", format, args);
        va_end(args);
        size_t used = strlen(err->message);
        (void)snprintf(err->message + used, sizeof err->message - used, ": %s",
                       strerror_r(sys_errno, reason, sizeof reason));
    }
    return code;
}

int dk_err_field(struct dk_err *err, int code, const char *field, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        fill(err, code, 0, field, format, args);
        va_end(args);
    }
    return code;
}

int dk_err_wrap(struct dk_err *err, const char *format, ...)
{
    char context[DK_ERR_MESSAGE_BYTES], whole[2 * DK_ERR_MESSAGE_BYTES + 2];
    va_list args;
    if (err == NULL) {
        return DK_EINVAL;
    }
    va_start(args, format);
    (void)vsnprintf(context, sizeof context, format, args);
    va_end(args);
    (void)snprintf(whole, sizeof whole, "%s: %s", context, err->message);
    whole[sizeof err->message - 1] = '\0';
    memcpy(err->message, whole, strlen(whole) + 1);
    return err->code;
}

const char *dk_code_name(int code)
{
    switch (code) {
    case 0: return "DK_OK";
#define X(number, name, sentence)                                                                  \
    case number: return #name;
        DK_CODES(X)
#undef X
    default: return "DK_?";
    }
}

const char *dk_code_sentence(int code)
{
    switch (code) {
#define X(number, name, sentence)                                                                  \
    case number: return sentence;
        DK_CODES(X)
#undef X
    default: return "unknown error";
    }
}

void dk_assert_failed(const char *condition, const char *file, int line, const char *function)
{
    (void)fprintf(stderr, "%s:%d: %s: a bug: %s does not hold\n", file, line, function, condition);
    abort();
}
