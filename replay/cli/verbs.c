#include "proto/base/yaml.h"
#include "replay/cli/verb.h"
#include <string.h>

#define VERBS_MAX 128

const struct dk_verb_group dk_verb_groups[] = {
    {"A ticket's life", dk_verbs_life},
    {"Talking", dk_verbs_talk},
    {"Who asks", dk_verbs_customers},
    {"Working it", dk_verbs_work},
    {"Reading", dk_verbs_read},
    {"The site", dk_verbs_site},
    {"The past, read from the log", dk_verbs_replay},
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

/* How many of a name's words are argv's, one after the other; `*left` is what the name has more. */
static int words_matched(const char *name, int argc, char **argv, const char **left)
{
    int words = 0;
    *left = name;
    while (**left != '\0' && words < argc) {
        size_t bytes = strcspn(*left, " ");
        if (strlen(argv[words]) != bytes || strncmp(*left, argv[words], bytes) != 0) {
            break;
        }
        *left += bytes + ((*left)[bytes] == ' ');
        words++;
    }
    return words;
}

const struct dk_verb *dk_verb_find(int argc, char **argv, int *words)
{
    const struct dk_verb *found = NULL;
    const char *left;
    *words = 0;
    for (size_t g = 0; g < dk_verb_group_count; g++) {
        for (const struct dk_verb *v = dk_verb_groups[g].verb; v->name != NULL; v++) {
            int matched = words_matched(v->name, argc, argv, &left);
            if (*left == '\0' && matched > *words) {
                *words = matched;
                found = v;
            }
        }
    }
    return found;
}

bool dk_verb_is_below(const struct dk_verb *verb, const char *words)
{
    size_t bytes = strlen(words);
    return strncmp(verb->name, words, bytes) == 0 && verb->name[bytes] == ' ';
}

int dk_verb_begun(int argc, char **argv)
{
    int words = 0;
    const char *left;
    for (size_t g = 0; g < dk_verb_group_count; g++) {
        for (const struct dk_verb *v = dk_verb_groups[g].verb; v->name != NULL; v++) {
            int matched = words_matched(v->name, argc, argv, &left);
            words = *left != '\0' && matched > words ? matched : words;
        }
    }
    return words;
}

const char *dk_verb_nearest(const char *words)
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
    return dk_yaml_nearest(words, names);
}
