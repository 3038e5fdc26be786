#include "replay/cli/help.h"
#include <string.h>

#define LEFT_WIDTH 26 /* of the column before what a verb or option does */

static void put_entry(const char *left, const char *right, FILE *out)
{
    if (strlen(left) < LEFT_WIDTH) {
        (void)fprintf(out, "  %-*s%s\n", LEFT_WIDTH, left, right);
    } else {
        (void)fprintf(out, "  %s\n  %*s%s\n", left, LEFT_WIDTH, "", right);
    }
}

/* "TICKET", "[TICKET]", "FILE..." */
static void put_positionals(const struct dk_verb *verb, FILE *out)
{
    for (const struct dk_parameter *p = verb->parameter; !dk_parameter_last(p); p++) {
        if (dk_parameter_positional(p)) {
            bool needed = (p->is & DK_NEEDED) != 0;
            (void)fprintf(out, " %s%s%s%s", needed ? "" : "[", p->name,
                          (p->is & DK_MANY) != 0 ? "..." : "", needed ? "" : "]");
        }
    }
}

static void put_parameters(const struct dk_parameter *list, FILE *out)
{
    for (const struct dk_parameter *p = list; !dk_parameter_last(p); p++) {
        char left[64];
        if (p->name == NULL) {
            continue;
        }
        if (p->letter != 0) {
            (void)snprintf(left, sizeof left, "-%c, %s", p->letter, p->name);
        } else if (p->value != NULL && p->value[0] == '[') {
            (void)snprintf(left, sizeof left, "%s[=%.*s", p->name, (int)strlen(p->value) - 1,
                           p->value + 1);
        } else {
            (void)snprintf(left, sizeof left, "%s%s%s", p->name, p->value != NULL ? " " : "",
                           p->value != NULL ? p->value : "");
        }
        put_entry(left, p->help, out);
    }
}

/* Each line behind "  docket ". */
static void put_examples(const char *lines, FILE *out)
{
    for (const char *line = lines; *line != '\0';) {
        size_t bytes = strcspn(line, "\n");
        (void)fprintf(out, "  docket %.*s\n", (int)bytes, line);
        line += bytes + (line[bytes] == '\n');
    }
}

void dk_help_below(const char *words, const char *title, FILE *out)
{
    for (size_t g = 0; g < dk_verb_group_count; g++) {
        for (const struct dk_verb *v = dk_verb_groups[g].verb; v->name != NULL; v++) {
            if (dk_verb_is_below(v, words)) {
                (void)fputs(title, out);
                put_entry(v->name, v->summary, out);
                title = "";
            }
        }
    }
}

void dk_help_verb(const struct dk_verb *verb, FILE *out)
{
    (void)fprintf(out, "docket %s: %s\n\n  docket %s", verb->name, verb->summary, verb->name);
    put_positionals(verb, out);
    (void)fputs(" [option ...]\n\n", out);
    if (!dk_parameter_last(verb->parameter)) {
        put_parameters(verb->parameter, out);
        (void)fputc('\n', out);
    }
    if (verb->more != NULL) {
        (void)fprintf(out, "%s\n", verb->more);
    }
    if (verb->kind != 0) {
        (void)fputs("Who acts, and when\n", out);
        put_parameters(dk_actor_parameters, out);
        (void)fputc('\n', out);
    }
    (void)fputs("Everywhere\n", out);
    put_parameters(dk_common_parameters, out);
    dk_help_below(verb->name, "\nBesides\n", out);
    if (verb->example != NULL) {
        (void)fputs("\nExamples\n", out);
        put_examples(verb->example, out);
    }
}

void dk_help_program(FILE *out)
{
    (void)fputs("docket: opens, works, reads and replays tickets\n\n"
                "  docket [--config PATH] VERB [argument ...]\n"
                "  docket VERB --help\n",
                out);
    for (size_t g = 0; g < dk_verb_group_count; g++) {
        (void)fprintf(out, "\n%s\n", dk_verb_groups[g].title);
        for (const struct dk_verb *v = dk_verb_groups[g].verb; v->name != NULL; v++) {
            put_entry(v->name, v->summary, out);
        }
    }
    (void)fputs("\nEverywhere\n", out);
    put_parameters(dk_common_parameters, out);
    (void)fputs(
        "\nA ticket is named SITE-NUMBER, as 1-1042, or by its reference elsewhere. Agents,"
        "\ngroups, products, suppliers and fields are named by their keys.\n"
        "\nA time is 2026-02-03T04:05Z, or 2026-02-03 04:05 in the zone shown, now, -2h or +30m;"
        "\na day is its first instant. A time of day that the zone's clocks skip, or show twice,"
        "\nneeds its offset, as 2026-10-25T02:30+02:00. What is no option, but begins with -,"
        "\ngoes behind --. On a terminal, tables are cut to its width; nowhere else.\n"
        "\nExamples\n"
        "  docket status --wait --roles routing,sla,notification,analytics\n"
        "  docket open \"The printer is on fire\" --customer bob@example.org\n"
        "  docket reply 1-1 \"We are on our way\" --as anna\n"
        "  docket show 1-1\n"
        "\nExit codes\n",
        out);
#define X(number, NAME, meaning) (void)fprintf(out, "  %-6d%s\n", number, meaning);
    DK_EXITS(X)
#undef X
}
