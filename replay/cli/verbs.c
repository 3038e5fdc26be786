#include "proto/base/yaml.h"
#include "replay/cli/verb.h"
#include <string.h>

#define VERBS_MAX 128

const struct dk_verb_group dk_verb_groups[] = {
    {"A ticket's life", dk_verbs_life}, {"Talking", dk_verbs_talk},
    {"Working it", dk_verbs_work},      {"Reading", dk_verbs_read},
    {"The site", dk_verbs_site},        {"The past, read from the log", dk_verbs_replay},
};
const size_t dk_verb_group_count = sizeof dk_verb_groups / sizeof dk_verb_groups[0];

const struct dk_parameter dk_common_parameters[] = {
    {"--config", "PATH", "docket.yaml or its folder ($DOCKET_CONFIG, ./docket.yaml, ./data)", NULL,
     0, 0},
    {"--key", "NAME", "the key to connect with: KEYS/NAME.key ($DOCKET_KEY)", NULL, 0, 0},
    {"--timeout", "DURATION", "how long to wait for an answer (10s)", NULL, 0, 0},
    {"--json", NULL, "print JSON; times are ISO 8601, in UTC (kpi: in the zone shown)", NULL, 0, 0},
    {"--zone", "ZONE", "IANA zone of times shown and read (the configuration's)", NULL, 0, 0},
    {"--help", NULL, "say what there is, with examples", NULL, 0, 'h'},
    {"--version", NULL, "say the program's version", NULL, 0, 0},
    DK_PARAMETERS_END,
};

const struct dk_parameter dk_actor_parameters[] = {
    {"--as", "AGENT", "the agent who acts, by key ($DOCKET_AGENT)", NULL, 0, 0},
    {"--customer", "CUSTOMER",
     "the customer who acts, or asks, by address or another name of theirs", NULL, 0, 0},
    {"--at", "TIME", "when it happened, if not now", NULL, 0, 0},
    {"--expect-version", "NUMBER", "refuse it unless the ticket is at this version", NULL, 0, 0},
    DK_PARAMETERS_END,
};

/* How many words of argv a verb's name matches: all of them, or 0. */
static int words_matched(const char *name, int argc, char **argv)
{
    int words = 0;
    for (const char *at = name; *at != '\0'; words++) {
        size_t bytes = strcspn(at, " ");
        if (words == argc || strlen(argv[words]) != bytes || strncmp(at, argv[words], bytes) != 0) {
            return 0;
        }
        at += bytes + (at[bytes] == ' ');
    }
    return words;
}

const struct dk_verb *dk_verb_find(int argc, char **argv, int *words)
{
    for (size_t g = 0; g < dk_verb_group_count; g++) {
        for (const struct dk_verb *v = dk_verb_groups[g].verb; v->name != NULL; v++) {
            *words = words_matched(v->name, argc, argv);
            if (*words > 0) {
                return v;
            }
        }
    }
    return NULL;
}

const char *dk_verb_nearest(const char *word)
{
    const char *names[VERBS_MAX + 1];
    size_t count = 0;
    for (size_t g = 0; g < dk_verb_group_count; g++) {
        for (const struct dk_verb *v = dk_verb_groups[g].verb; v->name != NULL; v++) {
            DK_ASSERT(count < VERBS_MAX);
            names[count++] = v->name;
        }
    }
    names[count] = NULL;
    return dk_yaml_nearest(word, names);
}
