#include "broker/log/damage.h"
#include "broker/net/broker.h"
#include "broker/net/init.h"
#include "proto/base/id.h"
#include "proto/base/say.h"
#include "proto/peer/config.h"
#include "proto/peer/descriptors.h"
#include "proto/peer/ready.h"
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "docket-broker: keeps one site's event log and serves it\n"
    "\n"
    "  docket-broker --init DIR [--site N]   make DIR with keys, an empty log and docket.yaml; a\n"
    "                                        second one completes what a kill left\n"
    "  docket-broker [--config PATH]         run; Ctrl-C or SIGTERM ends it cleanly\n"
    "\n"
    "  --config PATH   docket.yaml or its folder (default: $DOCKET_CONFIG, ./docket.yaml,\n"
    "                  ./data/docket.yaml)\n"
    "  --init DIR      prepare a new site in DIR and end\n"
    "  --site N        with --init: the site's number, 1..65534 (default 1)\n"
    "  --clock FILE    live by the clock in FILE (int64: microseconds since 1970), which stands\n"
    "                  until somebody moves it: to rehearse a day in a minute, never with a log\n"
    "                  that people work on\n"
    "  --verbose       say more on stderr\n"
    "  --version, --help\n"
    "\n"
    "Examples\n"
    "  docket-broker --init data && docket-broker --config data\n"
    "\n"
    "Exit codes: 0 ended as asked, 64 wrong usage, 65 pages of the log or of what is made from\n"
    "it make no sense (stderr says which and what to do), 74 a write to the log failed (nothing\n"
    "acknowledged is lost: start it again), 1 any other error, which stderr names.\n";

enum exit_code { EXIT_USAGE = 64 };

struct arguments {
    const char *config;
    const char *init;
    const char *clock;
    unsigned site;
    bool verbose;
};

static int fail(const struct dk_err *err)
{
    (void)fprintf(stderr, "docket-broker: %s (%s)\n", err->message, dk_code_name(err->code));
    return EXIT_FAILURE;
}

static int init_site(const char *dir, unsigned site)
{
    struct dk_err err = {0};
    if (dk_init_site(dir, site, &err) != 0) {
        return fail(&err);
    }
    (void)printf("site %u is ready in %s\nstart it: docket-broker --config %s\n", site, dir, dir);
    return EXIT_SUCCESS;
}

static void on_signal(struct ev_loop *loop, struct ev_signal *watcher, int revents)
{
    (void)watcher;
    (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

static int run(const char *config_path, const char *clock_path)
{
    struct dk_err err = {0};
    struct dk_config config;
    struct dk_broker *broker = NULL;
    struct dk_held_clock *clock = NULL;
    struct ev_signal interrupt, terminate;
    (void)signal(SIGPIPE, SIG_IGN);
    dk_descriptors_raise();
    if (dk_config_load(&config, config_path, &err) != 0) {
        return fail(&err);
    }
    dk_damage_on_faults(config.log);
    struct ev_loop *loop = ev_default_loop(0);
    ev_signal_init(&interrupt, on_signal, SIGINT);
    ev_signal_init(&terminate, on_signal, SIGTERM);
    ev_signal_start(loop, &interrupt);
    ev_signal_start(loop, &terminate);
    if (clock_path != NULL) {
        if (dk_held_clock_open(&clock, clock_path, &err) != 0) {
            return fail(&err);
        }
        dk_say(DK_WARN, "clock-held", "file=%s effect=\"time is what the file says\"", clock_path);
    }
    if (dk_broker_new(&broker, loop, &config, clock, &err) != 0) {
        (void)fail(&err);
        if (dk_damage_is(&err)) {
            dk_damage_advise(config.log);
            return DK_DAMAGE_EXIT;
        }
        return EXIT_FAILURE;
    }
    dk_ready("serving");
    ev_run(loop, 0);
    dk_ready_stopping();
    dk_broker_free(&broker);
    dk_held_clock_close(&clock);
    dk_say(DK_INFO, "ended", "reason=asked");
    return EXIT_SUCCESS;
}

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"init", required_argument, NULL, 'i'},
        {"site", required_argument, NULL, 's'},   {"clock", required_argument, NULL, 'k'},
        {"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        char *end = NULL;
        unsigned long site;
        switch (option) {
        case 'c': arguments->config = optarg; break;
        case 'i': arguments->init = optarg; break;
        case 'k': arguments->clock = optarg; break;
        case 'v': arguments->verbose = true; break;
        case 's':
            site = strtoul(optarg, &end, 10);
            if (*end != '\0' || site < 1 || site >= DK_SITE_MAX) {
                (void)fprintf(stderr, "docket-broker: --site takes 1..%d\n", DK_SITE_MAX - 1);
                return EXIT_USAGE;
            }
            arguments->site = (unsigned)site;
            break;
        case 'V': (void)printf("docket-broker %s\n", DK_VERSION); exit(EXIT_SUCCESS);
        case 'h': (void)fputs(help, stdout); exit(EXIT_SUCCESS);
        default: (void)fputs("Try: docket-broker --help\n", stderr); return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "docket-broker: \"%s\" is not understood; try --help\n",
                      argv[optind]);
        return EXIT_USAGE;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.config = dk_config_default_path(), .site = 1};
    dk_descriptors_fill_standard();
    int rc = read_arguments(argc, argv, &arguments);
    if (rc != 0) {
        return rc;
    }
    dk_say_init("broker", arguments.verbose ? DK_DEBUG : DK_INFO);
    return arguments.init != NULL ? init_site(arguments.init, arguments.site)
                                  : run(arguments.config, arguments.clock);
}
