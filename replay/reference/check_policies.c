/* Lists of policies: complete, ending in a default, and every one of them reached (S4). */
#include "replay/reference/set.h"

static const char *type_word(Docket__PolicyType type)
{
    static const char *const words[] = {"", "sla", "ola", "uc"};
    return words[type];
}

static bool same_bytes(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static bool holds_id(const struct dk_reference *set, const Docket__Condition *wide, uint64_t id)
{
    for (size_t i = 0; i < wide->n_id; i++) {
        if (wide->id[i] == id || (dk_id_class(id) == DK_SUBJECT_PRODUCT &&
                                  dk_refs_product_within(set->after, id, wide->id[i], set->now_us)))
            return true;
    }
    return false;
}

static bool holds_number(const Docket__Condition *wide, uint32_t number)
{
    for (size_t i = 0; i < wide->n_number; i++) {
        if (wide->number[i] == number)
            return true;
    }
    return false;
}

static bool holds_text(const Docket__Condition *wide, const ProtobufCBinaryData *text)
{
    for (size_t i = 0; i < wide->n_text; i++) {
        if (same_bytes(&wide->text[i], text))
            return true;
    }
    return false;
}

/* Whether all that `narrow` lets pass, `wide` does. */
static bool implies(const struct dk_reference *set, const Docket__Condition *narrow,
                    const Docket__Condition *wide)
{
    bool all = narrow->field == wide->field;
    for (size_t i = 0; i < narrow->n_id && all; i++)
        all = holds_id(set, wide, narrow->id[i]);
    for (size_t i = 0; i < narrow->n_number && all; i++)
        all = holds_number(wide, narrow->number[i]);
    for (size_t i = 0; i < narrow->n_text && all; i++)
        all = holds_text(wide, &narrow->text[i]);
    return all;
}

/* Whether every ticket that `later` matches is matched by `earlier`. */
static bool covers(const struct dk_reference *set, const Docket__PolicyDefined *earlier,
                   const Docket__PolicyDefined *later)
{
    for (size_t i = 0; i < earlier->n_condition; i++) {
        bool implied = false;
        for (size_t k = 0; k < later->n_condition && !implied; k++)
            implied = implies(set, later->condition[k], earlier->condition[i]);
        if (!implied)
            return false;
    }
    return true;
}

static const Docket__PolicyDefined *policy_of(const struct dk_refs_version *version)
{
    return (const void *)version->body;
}

static void check_reached(struct dk_reference *set, const struct dk_refs_version *const *list,
                          size_t at)
{
    const struct dk_reference_entity *entity = dk_reference_find(set, list[at]->subject);
    for (size_t i = 0; i < at && entity != NULL; i++) {
        if (!covers(set, policy_of(list[i]), policy_of(list[at])))
            continue;
        const ProtobufCBinaryData *key = &dk_refs_definition(list[i])->key;
        dk_reference_problem_at(set, entity->file, entity->node,
                                "policy \"%s\" is never reached: \"%.*s\" before it matches "
                                "whatever it does; put it first, or take it away",
                                entity->key, (int)key->len, (const char *)key->data);
        return;
    }
}

static const struct dk_reference_entity *last_listed(const struct dk_reference *set,
                                                     Docket__PolicyType type)
{
    const struct dk_reference_entity *last = NULL;
    for (size_t i = 0; i < set->entity_count; i++) {
        if (set->entity[i].cls == DK_SUBJECT_POLICY && set->entity[i].type == type)
            last = &set->entity[i];
    }
    return last;
}

/* A list that is written is the whole list: an order among policies that it does not name would be
 * anybody's guess. */
static void check_complete(struct dk_reference *set, const struct dk_refs_version *const *list,
                           size_t count, const struct dk_reference_entity *last)
{
    for (size_t i = 0; i < count; i++) {
        if (dk_reference_find(set, list[i]->subject) != NULL)
            continue;
        const ProtobufCBinaryData *key = &dk_refs_definition(list[i])->key;
        dk_reference_problem_at(set, last->file, last->node,
                                "%s policy \"%.*s\" is in force and not in this list: add it where "
                                "it belongs, or with \"removed: true\"",
                                type_word(last->type), (int)key->len, (const char *)key->data);
    }
}

static void check_type(struct dk_reference *set, Docket__PolicyType type)
{
    size_t count;
    const struct dk_refs_version *const *list =
        dk_refs_policies(set->after, type, set->now_us, &count);
    const struct dk_reference_entity *last = last_listed(set, type);
    if (last == NULL || count == 0)
        return;
    if (set->listed[type] > 0)
        check_complete(set, list, count, last);
    bool has_default = false;
    for (size_t i = 0; i < count; i++) {
        has_default = has_default || policy_of(list[i])->n_condition == 0;
        check_reached(set, list, i);
    }
    if (!has_default)
        dk_reference_problem_at(set, last->file, last->node,
                                "the %s policies have no default: end the list with one that has "
                                "no \"when\"",
                                type_word(type));
}

void dk_reference_check_policies(struct dk_reference *set)
{
    for (int type = DOCKET__POLICY_TYPE__POLICY_SLA; type <= DOCKET__POLICY_TYPE__POLICY_UC; type++)
        check_type(set, (Docket__PolicyType)type);
}
