#include "replay/import/tiers.h"
#include "proto/base/limits.h"
#include "proto/base/yaml.h"
#include "proto/event/kinds.h"
#include <stdio.h>
#include <string.h>

#define ARENA_BYTES ((size_t)DK_TIERS_MAX * (DK_KEY_MAX_BYTES + 32))

static bool is_known(const struct dk_tiers *tiers, const void *word, size_t bytes)
{
    for (size_t i = 0; i < tiers->count; i++) {
        if (strlen(tiers->word[i]) == bytes && memcmp(tiers->word[i], word, bytes) == 0) {
            return true;
        }
    }
    return false;
}

static void add(struct dk_tiers *tiers, const ProtobufCBinaryData *word)
{
    if (tiers->count < DK_TIERS_MAX && word->len <= DK_KEY_MAX_BYTES &&
        !is_known(tiers, word->data, word->len)) {
        const char *copy = dk_arena_strndup(&tiers->arena, word->data, word->len);
        DK_ASSERT(copy != NULL);
        tiers->word[tiers->count++] = copy;
    }
}

static void add_conditions(struct dk_tiers *tiers, Docket__Condition *const *condition,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; condition[i]->field == DOCKET__CONDITION_FIELD__CONDITION_TIER &&
                           k < condition[i]->n_text;
             k++) {
            add(tiers, &condition[i]->text[k]);
        }
    }
}

static int add_named(void *arg, const struct dk_refs_version *version)
{
    struct dk_tiers *tiers = arg;
    const void *body = version->body;
    if (version->kind == DK_KIND_POLICY_DEFINED) {
        const Docket__PolicyDefined *policy = body;
        add_conditions(tiers, policy->condition, policy->n_condition);
    } else if (version->kind == DK_KIND_RULE_DEFINED) {
        const Docket__RuleDefined *rule = body;
        add_conditions(tiers, rule->condition, rule->n_condition);
    } else if (version->kind == DK_KIND_PRODUCT_DEFINED) {
        const Docket__ProductDefined *product = body;
        for (size_t i = 0; i < product->n_audience; i++) {
            add(tiers, &product->audience[i]);
        }
    } else if (version->kind == DK_KIND_SETTINGS_DEFINED) {
        const Docket__SettingsDefined *settings = body;
        for (size_t i = 0; i < settings->n_tier_need; i++) {
            add(tiers, &settings->tier_need[i]->tier);
        }
    }
    return 0;
}

int dk_tiers_init(struct dk_tiers *tiers, const struct dk_refs *refs, int64_t at_us,
                  struct dk_err *err)
{
    static const unsigned classes[] = {DK_SUBJECT_POLICY, DK_SUBJECT_RULE, DK_SUBJECT_PRODUCT,
                                       DK_SUBJECT_SETTINGS};
    memset(tiers, 0, sizeof *tiers);
    if (dk_arena_init(&tiers->arena, ARENA_BYTES) != 0) {
        return dk_err_set(err, DK_ENOMEM, "no memory for tiers");
    }
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        (void)dk_refs_each(refs, classes[i], at_us, add_named, tiers);
    }
    return 0;
}

void dk_tiers_close(struct dk_tiers *tiers)
{
    dk_arena_close(&tiers->arena);
}

int dk_tiers_check(const struct dk_tiers *tiers, struct dk_slice tier, struct dk_err *err)
{
    char word[DK_KEY_MAX_BYTES + 1];
    if (is_known(tiers, tier.data, tier.size)) {
        return 0;
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)tier.size, (const char *)tier.data);
    const char *nearest = dk_yaml_nearest(word, tiers->word);
    return dk_err_set(err, DK_EREFERENCE,
                      "no policy, rule, product or setting in force names the tier \"%s\"%s%s%s "
                      "(--new-tiers takes it)",
                      word, nearest != NULL ? ": is \"" : "", nearest != NULL ? nearest : "",
                      nearest != NULL ? "\" meant?" : "");
}
