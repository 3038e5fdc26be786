#include "replay/cli/cli.h"
#include "broker/log/damage.h"
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "replay/cli/desk.h"
#include "replay/cli/help.h"
#include "replay/cli/printable.h"
#include "replay/history/moment.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int dk_cli_usage(struct dk_err *err, const char *format, ...)
{
    char sentence[DK_ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    (void)dk_err_set(err, DK_EINVAL, "%s", sentence);
    return DK_EXIT_USAGE;
}

const char *dk_cli_given(const struct dk_cli *cli, const char *name)
{
    return dk_argument(&cli->arguments, name);
}

int dk_cli_moment(const struct dk_cli *cli, const char *name, int64_t *us, struct dk_err *err)
{
    const char *text = dk_cli_given(cli, name);
    if (text == NULL || dk_moment_parse(cli->zone, dk_desk_now_us(cli), text, us, err) == 0) {
        return 0;
    }
    (void)dk_err_wrap(err, "%s", name);
    return DK_EXIT_USAGE;
}

int dk_cli_read_number(const char *name, const char *text, uint64_t max, uint64_t *number,
                       struct dk_err *err)
{
    char *end = NULL;
    errno = 0;
    uint64_t value = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
    if (end == NULL || *end != '\0' || errno != 0 || value > max) {
        return max < INT64_MAX ? dk_cli_usage(err, "%s takes a number up to %llu, not \"%s\"", name,
                                              (unsigned long long)max, text)
                               : dk_cli_usage(err, "%s takes a number, not \"%s\"", name, text);
    }
    *number = value;
    return 0;
}

int dk_cli_number(const struct dk_cli *cli, const char *name, uint64_t max, uint64_t *number,
                  struct dk_err *err)
{
    const char *text = dk_cli_given(cli, name);
    return text != NULL ? dk_cli_read_number(name, text, max, number, err) : 0;
}

void dk_cli_print_json(const struct dk_cli *cli, json_t *value)
{
    DK_ASSERT(value != NULL);
    (void)json_dumpf(value, cli->out, JSON_COMPACT);
    (void)fputc('\n', cli->out);
    json_decref(value);
}

int dk_cli_stdin(char **text, struct dk_err *err)
{
    char *bytes = malloc(DK_TEXT_MAX_BYTES + 2);
    DK_ASSERT(bytes != NULL);
    size_t size = fread(bytes, 1, DK_TEXT_MAX_BYTES + 1, stdin);
    int rc = ferror(stdin) ? dk_err_set(err, DK_EIO, "cannot read stdin") : 0;
    if (rc == 0 && size > DK_TEXT_MAX_BYTES) {
        rc = dk_err_set(err, DK_ETOOBIG, "the text on stdin is larger than %d bytes",
                        DK_TEXT_MAX_BYTES);
    }
    if (rc == 0 && memchr(bytes, '\0', size) != NULL) {
        rc = dk_err_set(err, DK_EINVAL, "stdin holds a NUL byte, which no text may have");
    }
    if (rc != 0) {
        free(bytes);
        return rc;
    }
    size -= size > 0 && bytes[size - 1] == '\n';
    bytes[size] = '\0';
    *text = bytes;
    return 0;
}

/* ------------------------------------------------------------------------------- ending */

static int exit_of(int rc)
{
    switch (rc) {
    case DK_ENOTFOUND: return DK_EXIT_NOT_FOUND;
    case DK_ECORRUPT: return DK_EXIT_DAMAGED;
    case DK_ETIMEOUT: return DK_EXIT_UNAVAILABLE;
    default: return rc < 0 ? DK_EXIT_FAILED : rc;
    }
}

static void say(const struct dk_err *err)
{
    if (err->field[0] != '\0') {
        (void)fprintf(stderr, "docket: %s (%s, field %s)\n", err->message, dk_code_name(err->code),
                      err->field);
    } else {
        (void)fprintf(stderr, "docket: %s (%s)\n", err->message, dk_code_name(err->code));
    }
}

static int end(const struct dk_verb *verb, int rc, const struct dk_err *err)
{
    if (rc == DK_EXIT_USAGE && err->code != 0) {
        (void)fprintf(stderr, "docket: %s\nTry: docket %s%s--help\n", err->message,
                      verb != NULL ? verb->name : "", verb != NULL ? " " : "");
    } else if (rc != 0 && err->code != 0) {
        say(err);
    }
    return exit_of(rc);
}

/* ------------------------------------------------------------------------------ running */

static const char *config_path(const struct dk_cli *cli)
{
    const char *path = dk_cli_given(cli, "--config");
    return path != NULL ? path : dk_config_default_path();
}

/* Reads the configuration. A verb that may do without a site has it looked for, too, but where none
 * was named and none is there, it goes on. */
static int load_site(struct dk_cli *cli, struct dk_err *err)
{
    struct dk_err why = {0};
    const char *zone = dk_cli_given(cli, "--zone");
    int rc = dk_config_load(&cli->config, config_path(cli), &why);
    cli->site = rc == 0;
    if (rc != 0 &&
        (!cli->verb->siteless || rc != DK_ENOTFOUND || dk_cli_given(cli, "--config") != NULL)) {
        *err = why;
        return rc;
    }
    zone = zone != NULL ? zone : cli->site ? cli->config.zone : "UTC";
    return dk_zone_load(&cli->zone, zone, err);
}

static int run_verb(struct dk_cli *cli, struct dk_err *err)
{
    struct dk_printable printable;
    int rc = dk_arguments_complete(&cli->arguments, err);
    if (rc != 0) {
        return DK_EXIT_USAGE;
    }
    rc = load_site(cli, err);
    cli->json = dk_cli_given(cli, "--json") != NULL;
    cli->out = isatty(STDOUT_FILENO) ? dk_printable_open(&printable, stdout) : stdout;
    dk_damage_on_faults(cli->config.log);
    rc = rc != 0 ? rc : cli->verb->run(cli, err);
    dk_desk_close(&cli->desk);
    dk_zone_free(&cli->zone);
    if (cli->out != stdout) {
        (void)fclose(cli->out);
    }
    return rc;
}

#define WORDS_BYTES 128

/* The first `count` of argv's words, as they stand in a verb's name. */
static const char *join(int count, char **argv, char text[WORDS_BYTES])
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < count && used < WORDS_BYTES; i++) {
        used +=
            (size_t)snprintf(text + used, WORDS_BYTES - used, "%s%s", i > 0 ? " " : "", argv[i]);
    }
    return text;
}

/* argv[0..] names no verb, though it may begin some: then they are listed. */
static int unknown_verb(int argc, char **argv, struct dk_err *err)
{
    char begin[WORDS_BYTES], typed[WORDS_BYTES];
    int begun = dk_verb_begun(argc, argv);
    const char *nearest = dk_verb_nearest(join(argc > begun ? begun + 1 : argc, argv, typed));
    if (begun > 0) {
        dk_help_below(join(begun, argv, begin), "", stderr);
    }
    if (begun > 0 && (begun == argc || argv[begun][0] == '-')) {
        return dk_cli_usage(err, "docket %s: say which of these", begin);
    }
    return nearest != NULL
               ? dk_cli_usage(err, "there is no verb \"%s\": is %s meant?", typed, nearest)
               : dk_cli_usage(err, "there is no verb \"%s\"", typed);
}

/* docket help [VERB], and --help with or without one. */
static int help(int argc, char **argv, struct dk_err *err)
{
    int words = 0;
    char begin[WORDS_BYTES];
    const struct dk_verb *verb = dk_verb_find(argc, argv, &words);
    if (argc == 0) {
        dk_help_program(stdout);
    } else if (verb != NULL) {
        dk_help_verb(verb, stdout);
    } else if (dk_verb_begun(argc, argv) == argc) {
        dk_help_below(join(argc, argv, begin), "", stdout);
    } else {
        return unknown_verb(argc, argv, err);
    }
    return 0;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* argv[0..] begins with the verb. */
static int run_words(struct dk_cli *cli, int argc, char **argv, struct dk_err *err)
{
    int words = 0, used = 0;
    if (argc == 0) {
        return dk_cli_usage(err, "say what to do");
    }
    if (strcmp(argv[0], "help") == 0) {
        return help(argc - 1, argv + 1, err);
    }
    cli->verb = dk_verb_find(argc, argv, &words);
    if (cli->verb == NULL && argc > 1 && is_help(argv[argc - 1])) {
        return help(argc - 1, argv, err);
    }
    if (cli->verb == NULL) {
        return unknown_verb(argc, argv, err);
    }
    cli->arguments.list[1] = cli->verb->parameter;
    cli->arguments.list[2] = cli->verb->kind != 0 ? dk_actor_parameters : NULL;
    if (dk_arguments_parse(&cli->arguments, argc - words + 1, argv + words - 1, 0, &used, err) !=
        0) {
        return DK_EXIT_USAGE;
    }
    if (dk_cli_given(cli, "--help") != NULL) {
        dk_help_verb(cli->verb, stdout);
        return 0;
    }
    return run_verb(cli, err);
}

int dk_cli_main(int argc, char **argv)
{
    struct dk_cli cli = {.arguments.list = {dk_common_parameters}};
    struct dk_err err = {0};
    int used = 0, rc = 0;
    if (dk_arguments_parse(&cli.arguments, argc, argv, 1, &used, &err) != 0) {
        rc = DK_EXIT_USAGE;
    } else if (dk_cli_given(&cli, "--version") != NULL) {
        (void)printf("docket %s\n", DK_VERSION);
    } else if (dk_cli_given(&cli, "--help") != NULL) {
        rc = help(argc - used, argv + used, &err);
    } else {
        rc = run_words(&cli, argc - used, argv + used, &err);
    }
    if (rc == 0 && (fflush(stdout) != 0 || ferror(stdout))) {
        rc = dk_err_set(&err, DK_EIO, "cannot write to stdout");
    }
    return end(cli.verb, rc, &err);
}
