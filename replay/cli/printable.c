#include "replay/cli/printable.h"
#include "proto/base/err.h"

static void put(const struct dk_printable *printable, unsigned char byte)
{
    bool control = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
    if (control && byte != '\r') {
        (void)fputs("\xef\xbf\xbd", printable->to);
    } else if (!control) {
        (void)fputc(byte, printable->to);
    }
}

/* In UTF-8 the C1 characters are 0xc2 0x80 to 0xc2 0x9f; the two bytes may come apart. */
static ssize_t on_write(void *cookie, const char *text, size_t bytes)
{
    struct dk_printable *printable = cookie;
    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool led = printable->led;
        printable->led = byte == 0xc2;
        if (led && byte >= 0x80 && byte < 0xa0) {
            put(printable, 0x7f);
            continue;
        }
        if (led) {
            (void)fputc(0xc2, printable->to);
        }
        if (!printable->led) {
            put(printable, byte);
        }
    }
    return ferror(printable->to) ? 0 : (ssize_t)bytes;
}

FILE *dk_printable_open(struct dk_printable *printable, FILE *to)
{
    *printable = (struct dk_printable){.to = to};
    FILE *out = fopencookie(printable, "w", (cookie_io_functions_t){.write = on_write});
    DK_ASSERT(out != NULL && setvbuf(out, NULL, _IOLBF, BUFSIZ) == 0);
    return out;
}
