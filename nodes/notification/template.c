#include "nodes/notification/template.h"
#include "proto/base/utf8.h"
#include <string.h>
#include <strings.h>

static const char *const words[DK_TEMPLATE_FIELD_COUNT] = {
#define X(NAME, word) [DK_TEMPLATE_##NAME] = (word),
    DK_TEMPLATE_FIELDS(X)
#undef X
};

/* The field whose "{{word}}" begins at `at`, and how long that is; DK_TEMPLATE_FIELD_COUNT: none
 * does. */
static enum dk_template_field field_at(const char *at, size_t bytes, size_t *size)
{
    for (int field = 0; field < DK_TEMPLATE_FIELD_COUNT; field++) {
        size_t word = strlen(words[field]);
        if (bytes >= word + 4 && memcmp(at, "{{", 2) == 0 &&
            memcmp(at + 2, words[field], word) == 0 && memcmp(at + 2 + word, "}}", 2) == 0) {
            *size = word + 4;
            return (enum dk_template_field)field;
        }
    }
    return DK_TEMPLATE_FIELD_COUNT;
}

/* Takes away what stands beyond the bound, and a character that it cuts. */
static void cut(struct dk_buf *out)
{
    if (out->size > DK_TEMPLATE_MAX_BYTES) {
        out->size = dk_utf8_prefix(out->data, DK_TEMPLATE_MAX_BYTES);
    }
}

void dk_template_render(const ProtobufCBinaryData *text, const struct dk_template_values *values,
                        struct dk_buf *out)
{
    const char *data = (const char *)text->data;
    size_t at = 0, plain = 0;
    dk_buf_clear(out);
    while (at < text->len && out->size <= DK_TEMPLATE_MAX_BYTES) {
        size_t size = 1;
        enum dk_template_field field = field_at(data + at, text->len - at, &size);
        if (field != DK_TEMPLATE_FIELD_COUNT) {
            (void)dk_buf_append(out, data + plain, at - plain);
            values->put(values->arg, field, out);
            plain = at + size;
        }
        at += size;
    }
    (void)dk_buf_append(out, data + plain, at - plain);
    cut(out);
}

static const Docket__TemplateText *find_text(const Docket__TemplateDefined *template,
                                             const char *language, size_t bytes)
{
    for (size_t i = 0; i < template->n_text; i++) {
        const ProtobufCBinaryData *own = &template->text[i]->language;
        if (own->len == bytes &&
            (bytes == 0 || strncasecmp((const char *)own->data, language, bytes) == 0)) {
            return template->text[i];
        }
    }
    return NULL;
}

const Docket__TemplateText *dk_template_text(const Docket__TemplateDefined *template,
                                             const char *language, size_t bytes)
{
    const Docket__TemplateText *found = NULL;
    while (bytes > 0 && found == NULL) {
        const char *last = NULL;
        found = find_text(template, language, bytes);
        last = memrchr(language, '-', bytes);
        bytes = last != NULL ? (size_t)(last - language) : 0;
    }
    return found != NULL ? found : find_text(template, "", 0);
}
