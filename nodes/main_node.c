#include "broker/log/damage.h"
#include "nodes/notification/delivery/delivery.h"
#include "nodes/notification/notification.h"
#include "nodes/roles.h"
#include "nodes/runtime/node.h"
#include "proto/base/say.h"
#include "proto/peer/config.h"
#include "proto/peer/descriptors.h"
#include "proto/peer/ready.h"
#include "proto/peer/zap.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static const char help[] =
    "docket-node: folds a site's log and does one role's work\n"
    "\n"
    "  docket-node ROLE [--config PATH] [--wire]\n"
    "\n"
    "  ROLE            routing, sla, notification, analytics\n"
    "  --config PATH   docket.yaml or its folder (default: $DOCKET_CONFIG, ./docket.yaml,\n"
    "                  ./data/docket.yaml)\n"
    "  --wire          read the log from the broker over ZeroMQ instead of from its folder\n"
    "  --verbose       say more on stderr\n"
    "  --version, --help\n"
    "\n"
    "Examples\n"
    "  docket-node routing --config data\n"
    "\n"
    "A node can be killed at any time: it goes on where its state and the log say. Exit codes:\n"
    "0 ended as asked, 64 wrong usage, 65 pages of the log or of its state make no sense (stderr\n"
    "says which and what to do), 1 any other error, which stderr names.\n";

enum exit_code { EXIT_USAGE = 64 };

struct arguments {
    const struct dk_role_ops *role;
    const char *config;
    enum dk_source_kind source;
    enum dk_level level;
};

static int fail(const struct dk_err *err)
{
    (void)fprintf(stderr, "docket-node: %s (%s)\n", err->message, dk_code_name(err->code));
    return EXIT_FAILURE;
}

static void on_signal(struct ev_loop *loop, struct ev_signal *watcher, int revents)
{
    (void)watcher;
    (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

static int run_node(const struct arguments *arguments, const struct dk_config *config, void *zmq,
                    struct dk_err *err)
{
    struct dk_node_options options = {.source = arguments->source};
    struct dk_node *node = NULL;
    struct dk_delivery *delivery = NULL;
    struct ev_signal interrupt, terminate;
    struct ev_loop *loop = ev_default_loop(0);
    ev_signal_init(&interrupt, on_signal, SIGINT);
    ev_signal_init(&terminate, on_signal, SIGTERM);
    ev_signal_start(loop, &interrupt);
    ev_signal_start(loop, &terminate);
    int rc = dk_node_new(&node, loop, zmq, config, arguments->role, &options, err);
    if (rc == 0 && arguments->role == &dk_notification_role) {
        rc = dk_delivery_new(&delivery, loop, zmq, config, node, arguments->source, err);
    }
    if (rc == 0) {
        dk_ready("folding");
        ev_run(loop, 0);
        dk_ready_stopping();
    }
    dk_delivery_free(&delivery);
    dk_node_free(&node);
    if (rc == 0) {
        dk_say(DK_INFO, "ended", "reason=asked");
    }
    return rc;
}

static int run(const struct arguments *arguments)
{
    struct dk_err err = {0};
    struct dk_config config;
    struct dk_zap *zap = NULL;
    (void)signal(SIGPIPE, SIG_IGN);
    dk_descriptors_raise();
    if (dk_config_load(&config, arguments->config, &err) != 0) {
        return fail(&err);
    }
    dk_damage_on_faults(config.log);
    void *zmq = zmq_ctx_new();
    DK_ASSERT(zmq != NULL);
    int rc = dk_zap_start(&zap, zmq, config.keys, &err);
    rc = rc != 0 ? rc : run_node(arguments, &config, zmq, &err);
    (void)zmq_ctx_shutdown(zmq);
    dk_zap_stop(&zap);
    (void)zmq_ctx_term(zmq);
    return rc == 0 ? EXIT_SUCCESS : fail(&err);
}

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"wire", no_argument, NULL, 'w'},
        {"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    int option;
    while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (option) {
        case 'c': arguments->config = optarg; break;
        case 'w': arguments->source = DK_SOURCE_WIRE; break;
        case 'v': arguments->level = DK_DEBUG; break;
        case 'V': (void)printf("docket-node %s\n", DK_VERSION); exit(EXIT_SUCCESS);
        case 'h': (void)fputs(help, stdout); exit(EXIT_SUCCESS);
        default: (void)fputs("Try: docket-node --help\n", stderr); return EXIT_USAGE;
        }
    }
    arguments->role = optind + 1 == argc ? dk_role_named(argv[optind]) : NULL;
    if (arguments->role == NULL) {
        (void)fprintf(stderr, "docket-node: name one role; try --help\n");
        return EXIT_USAGE;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .config = dk_config_default_path(), .source = DK_SOURCE_SHARED, .level = DK_INFO};
    dk_descriptors_fill_standard();
    int rc = read_arguments(argc, argv, &arguments);
    if (rc != 0) {
        return rc;
    }
    dk_say_init(arguments.role->name, arguments.level);
    return run(&arguments);
}
