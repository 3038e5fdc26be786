/* The texts of notices: {{field}} stands for a value, as listed in proto/refs/template_fields.h. */
#ifndef DK_NOTIFICATION_TEMPLATE_H
#define DK_NOTIFICATION_TEMPLATE_H

#include "docket.pb-c.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"
#include "proto/refs/template_fields.h"

/* A rendered text is cut at this many bytes, between two characters. */
#define DK_TEMPLATE_MAX_BYTES 16384

/* What a buffer to render into may grow to: a whole text of a template, and values around it. */
#define DK_TEMPLATE_BUFFER_BYTES (DK_TEXT_MAX_BYTES + 4 * DK_TEMPLATE_MAX_BYTES)

/* Where values come from: `put` appends a field's value, UTF-8 of at most DK_TEMPLATE_MAX_BYTES. */
struct dk_template_values {
    void *arg;
    void (*put)(void *arg, enum dk_template_field field, struct dk_buf *out);
};

/* Replaces the content of `out`, whose `max` is DK_TEMPLATE_BUFFER_BYTES, by the text. A value is
 * not looked into for further fields. What is no known field is left as it stands: `docket apply`
 * refuses it before it gets here. */
void dk_template_render(const ProtobufCBinaryData *text, const struct dk_template_values *values,
                        struct dk_buf *out);

/* The template's text for a language of `bytes` bytes: this one, else a shorter one ("zh-Hant",
 * then "zh", for "zh-Hant-TW"), else the default; NULL when there is none of them. Capitals do not
 * count (RFC 4647 3.4). Borrowed. */
const Docket__TemplateText *dk_template_text(const Docket__TemplateDefined *template,
                                             const char *language, size_t bytes);

#endif
