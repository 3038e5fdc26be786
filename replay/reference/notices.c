/* Keys of templates and rules: what a notice says, and to whom. */
#include "proto/event/body.h"
#include "proto/refs/template_fields.h"
#include "replay/reference/key.h"

/* ---------------------------------------------------------------- texts
 *
 *   default: {title: "{{ticket}} is late", body: ...}
 *   de: {...} */

#define DEFAULT     "default"
#define FIELD_BYTES 64

/* Each {{field}} of a text is one that docket fills in. */
static void check_fields(const struct dk_reading *reading, const struct dk_yaml *node)
{
    static const char *const fields[] = {
#define X(NAME, word) word,
        DK_TEMPLATE_FIELDS(X)
#undef X
            NULL};
#define X(NAME, word) ", " word
    static const char all[] = DK_TEMPLATE_FIELDS(X);
#undef X
    for (const char *at = strstr(node->text, "{{"); at != NULL; at = strstr(at, "{{")) {
        char name[FIELD_BYTES] = "";
        at += 2;
        const char *end = strstr(at, "}}");
        if (end == NULL || end - at >= FIELD_BYTES) {
            dk_reading_problem(reading, node, "a \"{{\" without its \"}}\": close it");
            return;
        }
        memcpy(name, at, (size_t)(end - at));
        size_t i = 0;
        while (fields[i] != NULL && strcmp(fields[i], name) != 0)
            i++;
        if (fields[i] != NULL)
            continue;
        const char *near = dk_yaml_nearest(name, fields);
        if (near != NULL)
            dk_reading_problem(reading, node,
                               "there is no template field \"%s\": did you mean {{%s}}?", name,
                               near);
        else
            dk_reading_problem(reading, node, "there is no template field \"%s\": write one of %s",
                               name, all + strlen(", "));
    }
}

static void read_one_text(const struct dk_reading *reading, const struct dk_yaml *node,
                          Docket__TemplateText *text)
{
    static const char *const words[] = {"title", "body", NULL};
    struct dk_err err;
    if (dk_yaml_only(&reading->entity->file->doc, node, words, &err) != 0) {
        dk_reference_problem_note(reading->set, err.message);
        return;
    }
    const struct dk_yaml *title = dk_yaml_get(node, "title");
    const struct dk_yaml *body = dk_yaml_get(node, "body");
    if (body == NULL) {
        dk_reading_problem(reading, node, "the text \"%s\" has no body: add \"body: ...\"",
                           node->key);
        return;
    }
    if (title != NULL && dk_reading_bytes(reading, title, &text->title)) {
        text->has_title = 1;
        check_fields(reading, title);
    }
    if (dk_reading_bytes(reading, body, &text->body))
        check_fields(reading, body);
}

static void read_texts(const struct dk_reading *reading)
{
    const struct dk_yaml *node = dk_reading_map(reading, reading->node);
    if (node != NULL && dk_yaml_get(reading->node, DEFAULT) == NULL)
        dk_reading_problem(reading, reading->node,
                           "no text for languages without one of their own: add \"" DEFAULT "\"");
    for (; node != NULL; node = node->next) {
        Docket__TemplateText **part = dk_reading_parts(reading, 1);
        bool is_default = strcmp(node->key, DEFAULT) == 0;
        if (!is_default && !dk_language_is_tag(node->key, strlen(node->key))) {
            dk_reading_problem(reading, node,
                               "\"%s\" is no language: write " DEFAULT ", or a code as de or pt-BR",
                               node->key);
            continue;
        }
        const char *language = is_default ? "" : node->key;
        (*part)->language.data = (uint8_t *)(uintptr_t)language;
        (*part)->language.len = strlen(language);
        read_one_text(reading, node, *part);
    }
}

static void say_texts(struct dk_lines *lines, const struct dk_reference_key *key,
                      const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__TemplateDefined *made = (const void *)body;
    (void)field;
    for (size_t i = 0; i < made->n_text; i++) {
        const Docket__TemplateText *text = made->text[i];
        const char *language =
            text->language.len > 0 ? dk_lines_bytes(lines, &text->language) : DEFAULT;
        if (text->has_title)
            dk_lines_add(lines, dk_lines_bytes(lines, &text->title), "%s.%s.title", key->word,
                         language);
        dk_lines_add(lines, dk_lines_bytes(lines, &text->body), "%s.%s.body", key->word, language);
    }
}

/* ---------------------------------------------------------------- to: owner, or {agent: KEY} */

static void read_to(const struct dk_reading *reading)
{
    static const struct {
        const char *word;
        unsigned cls;
    } whom[] = {{"agent", DK_SUBJECT_AGENT},
                {"group", DK_SUBJECT_GROUP},
                {"supplier", DK_SUBJECT_SUPPLIER}};
    Docket__RuleDefined *rule = (void *)reading->entity->body;
    const struct dk_yaml *node = reading->node;
    if (node->type == DK_YAML_SCALAR) {
        int recipient = 0;
        dk_reading_enum(reading, node, NULL, reading->field->descriptor, &recipient);
        rule->recipient = (Docket__RuleRecipient)recipient;
        return;
    }
    rule->recipient = DOCKET__RULE_RECIPIENT__RULE_FIXED;
    for (size_t i = 0; i < sizeof whom / sizeof whom[0] && node->count == 1; i++) {
        const struct dk_yaml *named = dk_yaml_get(node, whom[i].word);
        if (named == NULL)
            continue;
        rule->has_recipient_id = 1;
        dk_reading_id(reading, named, whom[i].cls, &rule->recipient_id);
        return;
    }
    dk_reading_problem(reading, node,
                       "to must be one word (owner, group, customer, manager, supplier, fixed), or "
                       "one of {agent: KEY}, {group: KEY}, {supplier: KEY}");
}

static void say_to(struct dk_lines *lines, const struct dk_reference_key *key,
                   const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__RuleDefined *rule = (const void *)body;
    if (rule->has_recipient_id)
        dk_lines_add(lines, dk_lines_id(lines, rule->recipient_id), "%s.%s", key->word,
                     dk_subject_class_word(dk_id_class(rule->recipient_id)));
    else
        dk_lines_add(lines, dk_lines_enum(lines, field->descriptor, (int)rule->recipient), "%s",
                     key->word);
}

const struct dk_reference_type dk_type_texts = {read_texts, say_texts};
const struct dk_reference_type dk_type_to = {read_to, say_to};
