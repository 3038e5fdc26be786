/* The report as JSON. */
#include "nodes/runtime/answer.h"
#include "nodes/sla/explain.h"
#include "nodes/sla/sla.h"
#include "replay/whatif/tally.h"

static json_t *side_json(const uint64_t outcome[DK_OUTCOME_COUNT])
{
    json_t *made = json_object();
    uint64_t met = outcome[DK_OUTCOME_MET], judged = met + outcome[DK_OUTCOME_BREACHED];
    for (unsigned o = DK_OUTCOME_MET; o < DK_OUTCOME_COUNT; o++) {
        json_object_set_new(made, dk_outcome_word(o), json_integer((json_int_t)outcome[o]));
    }
    /* To six decimals, as the shares of a report of KPIs. */
    uint64_t millionths =
        judged > 0 ? (uint64_t)(((unsigned __int128)met * 200000000 + judged) / (2 * judged)) : 0;
    json_object_set_new(made, "attainment",
                        judged > 0 ? json_real((double)millionths / 1e6) : json_null());
    return made;
}

static json_t *by_json(const struct dk_tally *tally, const struct dk_tally_line *line)
{
    const struct dk_kpi_query *query = tally->whatif->query;
    json_t *made = json_object();
    for (size_t i = 0; i < query->by_count; i++) {
        uint64_t value = line->row.key[1 + i];
        char text[DK_DIM_TEXT_BYTES];
        json_object_set_new(made, dk_dim_word(query->by[i]),
                            value != 0
                                ? json_string(dk_dim_text(query->by[i], value,
                                                          tally->whatif->promises->before, text))
                                : json_null());
    }
    return made;
}

static json_t *lines_json(struct dk_tally *tally)
{
    json_t *lines = json_array();
    dk_sums_sort(&tally->lines);
    for (size_t i = 0; i < tally->lines.count; i++) {
        const struct dk_tally_line *line = dk_sums_at(&tally->lines, i);
        json_array_append_new(
            lines,
            json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "metric",
                      dk_answer_word(&docket__metric__descriptor, (unsigned)line->row.key[0]), "by",
                      by_json(tally, line), "before", side_json(line->outcome[DK_BEFORE]), "after",
                      side_json(line->outcome[DK_AFTER]), "newly_met", (json_int_t)line->newly_met,
                      "newly_breached", (json_int_t)line->newly_breached, "differ",
                      (json_int_t)line->differ));
    }
    return lines;
}

static json_t *credit_json(const struct dk_tally *tally, const struct dk_tally_credit *credit)
{
    const struct dk_promises *promises = tally->whatif->promises;
    bool stays = dk_refs_last(promises->after, credit->row.key[1]) != NULL;
    const struct dk_refs *refs = stays ? promises->after : promises->before;
    const Docket__ContractDefined *contract = (const void *)credit->terms->body;
    bool to_us = contract->supplier != 0;
    char month[24];
    (void)snprintf(month, sizeof month, "%04llu-%02llu",
                   (unsigned long long)credit->row.key[0] / 12,
                   (unsigned long long)credit->row.key[0] % 12 + 1);
    return json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:I}", "month", month, "contract",
                     dk_explain_key(refs, credit->row.key[1]), to_us ? "supplier" : "company",
                     dk_explain_key(refs, to_us ? contract->supplier : contract->company),
                     "currency",
                     contract->has_currency ? json_stringn((const char *)contract->currency.data,
                                                           contract->currency.len)
                                            : json_null(),
                     "before_minor", (json_int_t)credit->minor[DK_BEFORE], "after_minor",
                     (json_int_t)credit->minor[DK_AFTER], "difference_minor",
                     (json_int_t)credit->minor[DK_AFTER] - (json_int_t)credit->minor[DK_BEFORE]);
}

static json_t *credits_json(struct dk_tally *tally)
{
    json_t *credits = json_array();
    dk_sums_sort(&tally->credits);
    for (size_t i = 0; i < tally->credits.count; i++) {
        json_array_append_new(credits, credit_json(tally, dk_sums_at(&tally->credits, i)));
    }
    return credits;
}

json_t *dk_tally_report(struct dk_tally *tally)
{
    const struct dk_promises *promises = tally->whatif->promises;
    const struct dk_kpi_query *query = tally->whatif->query;
    json_t *by = json_array();
    for (size_t i = 0; i < query->by_count; i++) {
        json_array_append_new(by, json_string(dk_dim_word(query->by[i])));
    }
    return json_pack(
        "{s:s, s:I, s:s, s:i, s:i, s:o, s:o, s:o, s:s, s:o, s:{s:I, s:I, s:I, s:I}, s:o, s:o, s:O, "
        "s:I}",
        "report", "what-if", "position", (json_int_t)promises->position, "definitions",
        promises->digest, "definition_version", DK_WHATIF_DEFINITIONS, "fold_version",
        (int)dk_sla_role.fold_version, "judged_at", dk_answer_instant(promises->recorded_us),
        "from", query->from_us != INT64_MIN ? dk_answer_instant(query->from_us) : json_null(), "to",
        dk_answer_instant(query->to_us), "zone", dk_zone_name(query->zone), "by", by, "tickets",
        "judged", (json_int_t)tally->judged, "differ", (json_int_t)tally->differ, "newly_met",
        (json_int_t)tally->newly_met, "newly_breached", (json_int_t)tally->newly_breached, "lines",
        lines_json(tally), "credits", credits_json(tally), "newly", tally->newly, "newly_left_out",
        (json_int_t)tally->left_out);
}
