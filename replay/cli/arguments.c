#include "replay/cli/arguments.h"
#include <getopt.h>
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

static int is_option(const struct dk_parameter *parameter)
{
    return parameter->name != NULL && parameter->name[0] == '-';
}

/* The lists as getopt_long wants them. */
struct table {
    struct option option[OPTIONS_MAX + 1];
    const struct dk_parameter *parameter[OPTIONS_MAX];
    char letters[2 * OPTIONS_MAX + 3];
    int count;
};

static int argument_mode(const struct dk_parameter *parameter)
{
    if (parameter->value == NULL) {
        return no_argument;
    }
    return parameter->value[0] == '[' ? optional_argument : required_argument;
}

static void build_table(struct table *table, const struct dk_arguments *arguments, int options_only)
{
    size_t letters = 0;
    memset(table, 0, sizeof *table);
    table->letters[letters++] = options_only ? '+' : ':';
    if (options_only) {
        table->letters[letters++] = ':';
    }
    for (size_t l = 0; l < DK_PARAMETER_LISTS; l++) {
        const struct dk_parameter *p = arguments->list[l];
        for (; p != NULL && !dk_parameter_last(p); p++) {
            if (!is_option(p)) {
                continue;
            }
            DK_ASSERT(table->count < OPTIONS_MAX);
            table->parameter[table->count] = p;
            table->option[table->count++] =
                (struct option){.name = p->name + 2, .has_arg = argument_mode(p)};
            if (p->letter != 0) {
                table->letters[letters++] = p->letter;
                table->letters[letters++] = p->value != NULL ? ':' : '\0';
                letters -= p->value == NULL;
            }
        }
    }
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

static const struct dk_parameter *by_letter(const struct table *table, int letter)
{
    for (int i = 0; i < table->count; i++) {
        if (table->parameter[i]->letter == letter) {
            return table->parameter[i];
        }
    }
    return NULL;
}

static int take_option(struct dk_arguments *arguments, const struct table *table, int option,
                       int index, char **argv, struct dk_err *err)
{
    if (option == ':') {
        return dk_err_set(err, DK_EINVAL, "%s needs a value", argv[optind - 1]);
    }
    const struct dk_parameter *p = option == 0 ? table->parameter[index] : by_letter(table, option);
    if (option == '?' || p == NULL) {
        return dk_err_set(err, DK_EINVAL, "%s is not understood", argv[optind - 1]);
    }
    const char *absent = p->value == NULL ? "yes" : "";
    return add_given(arguments, p, optarg != NULL ? optarg : absent, err);
}

/* The positional parameter that the next word is for. */
static const struct dk_parameter *next_positional(const struct dk_arguments *arguments)
{
    for (size_t l = 0; l < DK_PARAMETER_LISTS; l++) {
        const struct dk_parameter *p = arguments->list[l];
        for (; p != NULL && !dk_parameter_last(p); p++) {
            if (dk_parameter_positional(p) &&
                ((p->is & DK_MANY) != 0 || dk_argument(arguments, p->name) == NULL)) {
                return p;
            }
        }
    }
    return NULL;
}

int dk_arguments_parse(struct dk_arguments *arguments, int argc, char **argv, int options_only,
                       int *used, struct dk_err *err)
{
    struct table table;
    int option, index = 0, rc = 0;
    build_table(&table, arguments, options_only);
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    while (rc == 0 &&
           (option = getopt_long(argc, argv, table.letters, table.option, &index)) != -1) {
        rc = take_option(arguments, &table, option, index, argv, err);
    }
    *used = optind;
    for (; rc == 0 && !options_only && *used < argc; ++*used) {
        const struct dk_parameter *p = next_positional(arguments);
        rc = p != NULL ? add_given(arguments, p, argv[*used], err)
                       : dk_err_set(err, DK_EINVAL, "\"%s\" is one argument too many", argv[*used]);
    }
    return rc;
}

int dk_arguments_complete(const struct dk_arguments *arguments, struct dk_err *err)
{
    for (size_t l = 0; l < DK_PARAMETER_LISTS; l++) {
        const struct dk_parameter *p = arguments->list[l];
        for (; p != NULL && !dk_parameter_last(p); p++) {
            if ((p->is & DK_NEEDED) != 0 && dk_argument(arguments, p->name) == NULL) {
                return dk_err_set(err, DK_EINVAL, "%s is missing", p->name);
            }
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
