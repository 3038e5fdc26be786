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
    if (dk_reading_prose(reading, body, &text->body))
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

/* Whom a rule, or a step of its chain, tells. */
struct addressee {
    Docket__RuleRecipient *recipient;
    protobuf_c_boolean *has_id;
    uint64_t *id;
};

static void read_addressee(const struct dk_reading *reading, const struct dk_yaml *node,
                           const struct addressee *to)
{
    static const struct {
        const char *word;
        unsigned cls;
    } whom[] = {{"agent", DK_SUBJECT_AGENT},
                {"group", DK_SUBJECT_GROUP},
                {"supplier", DK_SUBJECT_SUPPLIER}};
    if (node->type == DK_YAML_SCALAR) {
        int recipient = 0;
        dk_reading_enum(reading, node, NULL, &docket__rule_recipient__descriptor, &recipient);
        *to->recipient = (Docket__RuleRecipient)recipient;
        return;
    }
    *to->recipient = DOCKET__RULE_RECIPIENT__RULE_FIXED;
    for (size_t i = 0; i < sizeof whom / sizeof whom[0] && node->count == 1; i++) {
        const struct dk_yaml *named = dk_yaml_get(node, whom[i].word);
        if (named == NULL)
            continue;
        *to->has_id = 1;
        dk_reading_id(reading, named, whom[i].cls, to->id);
        return;
    }
    dk_reading_problem(reading, node,
                       "to must be one word (owner, group, customer, manager, supplier, fixed), or "
                       "one of {agent: KEY}, {group: KEY}, {supplier: KEY}");
}

static void say_addressee(struct dk_lines *lines, const char *path, Docket__RuleRecipient recipient,
                          bool has_id, uint64_t id)
{
    if (has_id)
        dk_lines_add(lines, dk_lines_id(lines, id), "%s.%s", path,
                     dk_subject_class_word(dk_id_class(id)));
    else
        dk_lines_add(lines,
                     dk_lines_enum(lines, &docket__rule_recipient__descriptor, (int)recipient),
                     "%s", path);
}

static void read_to(const struct dk_reading *reading)
{
    Docket__RuleDefined *rule = (void *)reading->entity->body;
    read_addressee(
        reading, reading->node,
        &(struct addressee){&rule->recipient, &rule->has_recipient_id, &rule->recipient_id});
}

static void say_to(struct dk_lines *lines, const struct dk_reference_key *key,
                   const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__RuleDefined *rule = (const void *)body;
    (void)field;
    say_addressee(lines, key->word, rule->recipient, rule->has_recipient_id, rule->recipient_id);
}

/* ---------------------------------------------------------------- then
 *
 *   - {to: manager, via: smtp, template: late, wait: 15m}
 *   - {to: {agent: mara}, via: webhook, address: https://..., template: late, wait: 1h,
 *      payload: slack} */

static void read_text_part(const struct dk_reading *reading, const struct dk_yaml *node,
                           Docket__Text **part)
{
    Docket__Text *text = (void *)dk_reference_message(reading->set, &docket__text__descriptor);
    text->has_plain = 1;
    if (dk_reading_bytes(reading, node, &text->plain))
        *part = text;
}

static void read_step_options(const struct dk_reading *reading, const struct dk_yaml *node,
                              Docket__ChainStep *step)
{
    const struct dk_yaml *address = dk_yaml_get(node, "address");
    const struct dk_yaml *payload = dk_yaml_get(node, "payload");
    const struct dk_yaml *chat = dk_yaml_get(node, "chat");
    int value;
    if (address != NULL)
        read_text_part(reading, address, &step->address);
    if (payload != NULL &&
        dk_reading_enum(reading, payload, NULL, &docket__payload__descriptor, &value)) {
        step->has_payload = 1;
        step->payload = (Docket__Payload)value;
    }
    if (chat != NULL && dk_reading_bytes(reading, chat, &step->chat))
        step->has_chat = 1;
}

static void read_step(const struct dk_reading *reading, const struct dk_yaml *node,
                      Docket__ChainStep *step)
{
    static const char *const words[] = {"to",      "via",     "template", "wait",
                                        "address", "payload", "chat",     NULL};
    enum { NEEDED = 4 };
    struct dk_err err;
    int transport = 0;
    if (dk_yaml_only(&reading->entity->file->doc, node, words, &err) != 0) {
        dk_reference_problem_note(reading->set, err.message);
        return;
    }
    for (int i = 0; i < NEEDED; i++) {
        if (dk_yaml_get(node, words[i]) == NULL) {
            dk_reading_problem(reading, node, "a step has no %s: add \"%s: ...\"", words[i],
                               words[i]);
            return;
        }
    }
    read_addressee(
        reading, dk_yaml_get(node, "to"),
        &(struct addressee){&step->recipient, &step->has_recipient_id, &step->recipient_id});
    dk_reading_enum(reading, dk_yaml_get(node, "via"), NULL, &docket__transport__descriptor,
                    &transport);
    step->transport = (Docket__Transport)transport;
    dk_reading_id(reading, dk_yaml_get(node, "template"), DK_SUBJECT_TEMPLATE, &step->template_);
    dk_reading_duration(reading, dk_yaml_get(node, "wait"), &step->wait_us);
    read_step_options(reading, node, step);
}

static void read_steps(const struct dk_reading *reading)
{
    size_t count = 0;
    const struct dk_yaml *node = reading->node->type == DK_YAML_MAP
                                     ? reading->node
                                     : dk_reading_list(reading, reading->node, &count);
    Docket__ChainStep **step = dk_reading_parts(reading, node == reading->node ? 1 : count);
    if (node == reading->node) { /* a list of one */
        read_step(reading, node, *step);
        return;
    }
    for (size_t i = 0; i < count; i++, node = node->next)
        read_step(reading, node, step[i]);
}

static void say_step(struct dk_lines *lines, const char *path, const Docket__ChainStep *step)
{
    size_t bytes;
    const char *address = dk_text_plain(step->address, &bytes);
    say_addressee(lines, dk_lines_format(lines, "%s.to", path), step->recipient,
                  step->has_recipient_id, step->recipient_id);
    dk_lines_add(lines, dk_lines_enum(lines, &docket__transport__descriptor, (int)step->transport),
                 "%s.via", path);
    if (step->address != NULL)
        dk_lines_add(lines, dk_lines_format(lines, "%.*s", (int)bytes, address), "%s.address",
                     path);
    dk_lines_add(lines, dk_lines_id(lines, step->template_), "%s.template", path);
    dk_lines_add(lines, dk_lines_duration(lines, step->wait_us), "%s.wait", path);
    if (step->has_payload)
        dk_lines_add(lines, dk_lines_enum(lines, &docket__payload__descriptor, (int)step->payload),
                     "%s.payload", path);
    if (step->has_chat)
        dk_lines_add(lines, dk_lines_bytes(lines, &step->chat), "%s.chat", path);
}

static void say_steps(struct dk_lines *lines, const struct dk_reference_key *key,
                      const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__RuleDefined *rule = (const void *)body;
    (void)field;
    for (size_t i = 0; i < rule->n_step; i++)
        say_step(lines, dk_lines_format(lines, "%s.%zu", key->word, i + 1), rule->step[i]);
}

const struct dk_reference_type dk_type_texts = {read_texts, say_texts};
const struct dk_reference_type dk_type_to = {read_to, say_to};
const struct dk_reference_type dk_type_steps = {read_steps, say_steps};
