/* Errors: one table of codes, and a message wrapped outward as it travels up.
 *
 * A function that can fail returns 0 or a negative `enum dk_code` and, when the caller gave a
 * `struct dk_err`, fills it. Callers add context with `dk_err_wrap` ("cannot open log at DIR:
 * ..."). The same codes travel in replies (docket.proto, Answer.code), so a client sees what the
 * broker saw.
 */
#ifndef DK_BASE_ERR_H
#define DK_BASE_ERR_H

#include <stddef.h>

/* code, name, what it means in one sentence */
#define DK_CODES(X)                                                                                \
    X(-1, DK_EINVAL, "the input is malformed")                                                     \
    X(-2, DK_ECANON, "the record is not in canonical form")                                        \
    X(-3, DK_ETOOBIG, "the input is larger than a limit allows")                                   \
    X(-4, DK_EVERSION, "the format or protocol version is not known here")                         \
    X(-5, DK_EACCES, "the key's role does not allow this")                                         \
    X(-6, DK_ENOTFOUND, "what is named does not exist")                                            \
    X(-7, DK_EILLEGAL, "the ticket's state does not allow this action")                            \
    X(-8, DK_ESTALE, "the decision's basis is older than what it must have seen")                  \
    X(-9, DK_ECONFLICT, "the subject is not at the expected version")                              \
    X(-10, DK_EREUSED, "the number was used before with other bytes")                              \
    X(-11, DK_EORDER, "the number is not the next one of this producer")                           \
    X(-12, DK_EHELLO, "the producer has not said hello on this connection")                        \
    X(-13, DK_EFENCED, "another session has taken this producer over")                             \
    X(-14, DK_EEARLY, "the clock event lies before its due time")                                  \
    X(-15, DK_ECLOCK, "the broker's clock stepped and waits to be accepted")                       \
    X(-16, DK_ENOSPACE, "free space is below the reserve: appends are refused")                    \
    X(-17, DK_EBUSY, "a bound is reached: try again later")                                        \
    X(-18, DK_ECORRUPT, "stored bytes are not what was written")                                   \
    X(-19, DK_EIO, "the system refused an operation on a file or socket")                          \
    X(-20, DK_EMOVED, "the ticket lives at another site")                                          \
    X(-21, DK_EEXISTS, "what is to be created exists already")                                     \
    X(-22, DK_EREFERENCE, "the event names reference data that does not exist or does not fit")    \
    X(-23, DK_ENOMEM, "the memory set aside for this is used up")                                  \
    X(-24, DK_ETIME, "the time given is out of range")                                             \
    X(-25, DK_EDIVERGED, "two logs that should be one differ")                                     \
    X(-26, DK_ETIMEOUT, "no answer came in time")

enum dk_code {
#define X(number, name, sentence) name = (number),
    DK_CODES(X)
#undef X
};

#define DK_ERR_MESSAGE_BYTES 512
#define DK_ERR_FIELD_BYTES   64

struct dk_err {
    int code;                           /* enum dk_code, or 0 */
    int sys_errno;                      /* errno where the system said no, else 0 */
    char field[DK_ERR_FIELD_BYTES];     /* the offending field ("occurred_us"), or "" */
    char message[DK_ERR_MESSAGE_BYTES]; /* one sentence for a person, no final full stop */
};

/* Fills `err` (which may be NULL) and returns `code`, so that `return dk_err_set(...)` reads well.
 */
int dk_err_set(struct dk_err *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with errno's text appended; keeps `sys_errno`. */
int dk_err_errno(struct dk_err *err, int code, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same, naming the offending field. */
int dk_err_field(struct dk_err *err, int code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "CONTEXT: " before the message; code, errno and field stay. Returns the code, and DK_EINVAL
 * when `err` is NULL: who may be given NULL and promises a code returns his own. */
int dk_err_wrap(struct dk_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "DK_ESTALE" and the table's sentence; for a code not in the table "DK_?" and "unknown error". */
const char *dk_code_name(int code);
const char *dk_code_sentence(int code);

/* A bug, not an error: says where and aborts. Compiled in always. */
#define DK_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : dk_assert_failed(#condition, __FILE__, __LINE__, __func__))
void dk_assert_failed(const char *condition, const char *file, int line, const char *function)
    __attribute__((noreturn));

#endif
