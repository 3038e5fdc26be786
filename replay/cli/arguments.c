#include "replay/cli/arguments.h"
#include "proto/base/yaml.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_MAX 64

int dk_parameter_positional(const struct dk_parameter *parameter)
{
    return parameter->name != NULL && parameter->name[0] != '-';
}

int dk_parameter_last(const struct dk_parameter *parameter)
{
    return parameter->name == NULL && parameter->field == NULL;
}

static bool is_option(const struct dk_parameter *parameter)
{
    return parameter->name != NULL && parameter->name[0] == '-';
}

/* The parameters of all lists, one after the other: `*list` and `*p` start at 0 and NULL. */
static bool next_parameter(const struct dk_arguments *arguments, size_t *list,
                           const struct dk_parameter **p)
{
    *p = *p != NULL ? *p + 1 : arguments->list[*list];
    while (*p == NULL || dk_parameter_last(*p)) {
        if (++*list >= DK_PARAMETER_LISTS) {
            return false;
        }
        *p = arguments->list[*list];
    }
    return true;
}

/* A word that begins with '-', but "-" itself and numbers: -2h is a time, -5 a number. */
static bool looks_like_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9');
}

static int add_given(struct dk_arguments *arguments, const struct dk_parameter *parameter,
                     const char *text, struct dk_err *err)
{
    if (arguments->count == DK_GIVEN_MAX) {
        return dk_err_set(err, DK_EINVAL, "more than %d arguments", DK_GIVEN_MAX);
    }
    if ((parameter->is & DK_MANY) == 0 && dk_argument(arguments, parameter->name) != NULL) {
        return dk_err_set(err, DK_EINVAL, "%s is given twice", parameter->name);
    }
    arguments->given[arguments->count++] = (struct dk_given){parameter, text};
    return 0;
}

/* The option that `bytes` bytes of a word name, in full or by a beginning that no other one has;
 * NULL when there is none, and the nearest one is told. */
static const struct dk_parameter *by_name(const struct dk_arguments *arguments, const char *word,
                                          size_t bytes, struct dk_err *err)
{
    const char *names[OPTIONS_MAX + 1] = {NULL};
    const struct dk_parameter *p = NULL, *begun = NULL;
    size_t count = 0, matches = 0;
    for (size_t list = 0; next_parameter(arguments, &list, &p);) {
        if (!is_option(p)) {
            continue;
        }
        DK_ASSERT(count < OPTIONS_MAX);
        names[count++] = p->name;
        if (strncmp(p->name, word, bytes) == 0) {
            if (p->name[bytes] == '\0') {
                return p;
            }
            begun = p;
            matches++;
        }
    }
    const char *nearest = dk_yaml_nearest(word, names);
    if (matches == 0) {
        (void)dk_err_set(err, DK_EINVAL, "%.*s is not understood%s%s%s", (int)bytes, word,
                         nearest != NULL ? ": is " : "", nearest != NULL ? nearest : "",
                         nearest != NULL ? " meant?" : "");
    } else if (matches > 1) {
        (void)dk_err_set(err, DK_EINVAL, "%.*s may be one of several options: write it in full",
                         (int)bytes, word);
    }
    return matches == 1 ? begun : NULL;
}

static const struct dk_parameter *by_letter(const struct dk_arguments *arguments, char letter)
{
    const struct dk_parameter *p = NULL;
    for (size_t list = 0; next_parameter(arguments, &list, &p);) {
        if (letter != '\0' && p->letter == letter) {
            return p;
        }
    }
    return NULL;
}

/* The words that are left to read. */
struct words {
    int count, next;
    char **word;
};

/* The value of an option that needs one: what is left of its own word, else the next word. */
static int add_valued(struct dk_arguments *arguments, const struct dk_parameter *parameter,
                      const char *text, struct words *words, struct dk_err *err)
{
    if (text == NULL && words->next == words->count) {
        return dk_err_set(err, DK_EINVAL, "%s needs a value: %s", parameter->name,
                          parameter->value);
    }
    return add_given(arguments, parameter, text != NULL ? text : words->word[words->next++], err);
}

/* --name, --name=value, --name value. */
static int take_name(struct dk_arguments *arguments, const char *word, struct words *words,
                     struct dk_err *err)
{
    size_t bytes = strcspn(word, "=");
    const char *value = word[bytes] == '=' ? word + bytes + 1 : NULL;
    const struct dk_parameter *p = by_name(arguments, word, bytes, err);
    if (p == NULL) {
        return DK_EINVAL;
    }
    if (p->value == NULL && value != NULL) {
        return dk_err_set(err, DK_EINVAL, "%s takes no value", p->name);
    }
    if (p->value == NULL || p->value[0] == '[') {
        return add_given(arguments, p, p->value == NULL ? "yes" : value != NULL ? value : "", err);
    }
    return add_valued(arguments, p, value, words, err);
}

/* -f, -n 5, -n5, -fn5. */
static int take_letters(struct dk_arguments *arguments, const char *word, struct words *words,
                        struct dk_err *err)
{
    int rc = 0;
    for (const char *at = word + 1; rc == 0 && *at != '\0'; at++) {
        const struct dk_parameter *p = by_letter(arguments, *at);
        if (p == NULL) {
            return dk_err_set(err, DK_EINVAL,
                              "%s is not understood (what is no option, but begins with -, "
                              "goes behind --)",
                              word);
        }
        if (p->value != NULL) {
            return add_valued(arguments, p, at[1] != '\0' ? at + 1 : NULL, words, err);
        }
        rc = add_given(arguments, p, "yes", err);
    }
    return rc;
}

static int take_word(struct dk_arguments *arguments, const char *word, struct dk_err *err)
{
    const struct dk_parameter *p = NULL;
    for (size_t list = 0; next_parameter(arguments, &list, &p);) {
        if (dk_parameter_positional(p) &&
            ((p->is & DK_MANY) != 0 || dk_argument(arguments, p->name) == NULL)) {
            return add_given(arguments, p, word, err);
        }
    }
    return dk_err_set(err, DK_EINVAL, "\"%s\" is one argument too many", word);
}

int dk_arguments_parse(struct dk_arguments *arguments, int argc, char **argv, int options_only,
                       int *used, struct dk_err *err)
{
    struct words words = {.count = argc, .next = 1, .word = argv};
    bool all_words = false; /* behind -- */
    int rc = 0;
    while (rc == 0 && words.next < argc) {
        const char *word = argv[words.next];
        if (options_only && !looks_like_option(word)) {
            break;
        }
        words.next++;
        if (all_words || !looks_like_option(word)) {
            rc = take_word(arguments, word, err);
        } else if (strcmp(word, "--") == 0) {
            all_words = true;
        } else if (word[1] == '-') {
            rc = take_name(arguments, word, &words, err);
        } else {
            rc = take_letters(arguments, word, &words, err);
        }
    }
    *used = words.next;
    return rc;
}

int dk_arguments_complete(const struct dk_arguments *arguments, struct dk_err *err)
{
    const struct dk_parameter *p = NULL;
    for (size_t list = 0; next_parameter(arguments, &list, &p);) {
        if ((p->is & DK_NEEDED) != 0 && dk_argument(arguments, p->name) == NULL) {
            return dk_err_set(err, DK_EINVAL, "%s is missing: %s", p->name, p->help);
        }
    }
    return 0;
}

const char *dk_argument(const struct dk_arguments *arguments, const char *name)
{
    const char *text = NULL, *next;
    for (size_t cursor = 0; (next = dk_argument_next(arguments, name, &cursor)) != NULL;) {
        text = next;
    }
    return text;
}

const char *dk_argument_next(const struct dk_arguments *arguments, const char *name, size_t *cursor)
{
    while (*cursor < arguments->count) {
        const struct dk_given *given = &arguments->given[(*cursor)++];
        if (strcmp(given->parameter->name, name) == 0) {
            return given->text;
        }
    }
    return NULL;
}
