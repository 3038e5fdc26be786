#include "proto/peer/config.h"
#include "proto/base/id.h"
#include "proto/base/yaml.h"
#include "proto/calendar/zone.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char template_text[] =
    "# docket: the configuration of one site. Broker, nodes and the command line read this file.\n"
    "# Paths are relative to this folder.\n"
    "\n"
    "site: %u                 # this site's number, 1..65534; fixed once the log exists\n"
    "zone: UTC               # IANA zone in which times are shown\n"
    "\n"
    "log: log                # the event log: the truth. Everything else can be rebuilt from it\n"
    "keys: keys              # CURVE keys, and allowed.yaml: who may do what\n"
    "state: state            # the nodes' own state: may be deleted, is rebuilt\n"
    "outbox: outbox          # where the file transport writes notices\n"
    "\n"
    "broker:\n"
    "  # ipc:// paths are relative too; a list binds more, as [ipc://run/request, "
    "tcp://10.0.0.1:7401]\n"
    "  request: ipc://run/request\n"
    "  announce: ipc://run/announce\n"
    "  feed: ipc://run/feed\n"
    "  reserve: 256MiB         # appends are refused below this much free space\n"
    "  ahead: 128MiB           # the log's file is grown this far ahead of need\n"
    "  checkpoint: 500000      # events between two checkpoints of the tickets' heads\n"
    "\n"
    "# smtp:                   # where rules \"via: smtp\" send their mails\n"
    "#   server: smtp://mail.example.org:587   # or smtps://HOST:PORT\n"
    "#   from: support@example.org\n"
    "#   user: docket\n"
    "#   password_file: keys/smtp-password     # its first line; chmod 600\n"
    "#   starttls: required    # or allowed: without TLS when the server has none\n"
    "#   ca: keys/mail-ca.pem  # certificates to trust instead of the system's\n";

/* "PATH" under the configuration's folder, unless absolute. */
static int resolve(const struct dk_config *config, const char *path, char out[DK_PATH_BYTES])
{
    int n = path[0] == '/' ? snprintf(out, DK_PATH_BYTES, "%s", path)
                           : snprintf(out, DK_PATH_BYTES, "%s/%s", config->dir, path);
    return n < DK_PATH_BYTES ? 0 : DK_ETOOBIG;
}

static int read_path(struct dk_config *config, const struct dk_yaml_doc *doc, const char *key,
                     const char *fallback, char out[DK_PATH_BYTES], struct dk_err *err)
{
    const struct dk_yaml *node = dk_yaml_get(doc->root, key);
    const char *text = fallback;
    int rc = dk_yaml_string(doc, node, &text, err);
    if (rc == 0 && text[0] == '\0') {
        rc = dk_yaml_error(doc, node, err, "%s is empty: name a folder", key);
    }
    if (rc == 0 && resolve(config, text, out) != 0) {
        rc = dk_yaml_error(doc, node != NULL ? node : doc->root, err,
                           "the path of %s is longer than %d bytes", key, DK_PATH_BYTES - 1);
    }
    return rc;
}

static int add_endpoint(const struct dk_config *config, const struct dk_yaml_doc *doc,
                        const struct dk_yaml *node, const char *text,
                        struct dk_endpoints *endpoints, struct dk_err *err)
{
    char *out = endpoints->at[endpoints->count];
    int n;
    if (strncmp(text, "tcp://", 6) == 0) {
        n = snprintf(out, DK_ENDPOINT_BYTES, "%s", text);
    } else if (strncmp(text, "ipc://", 6) == 0) {
        const char *path = text + 6;
        n = path[0] == '/' ? snprintf(out, DK_ENDPOINT_BYTES, "%s", text)
                           : snprintf(out, DK_ENDPOINT_BYTES, "ipc://%s/%s", config->dir, path);
        if (n - 6 >= (int)sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
            return dk_yaml_error(doc, node != NULL ? node : doc->root, err,
                                 "the socket path %.200s is longer than the system's %zu bytes: "
                                 "move the folder, or give a shorter ipc:// path",
                                 out + 6, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
        }
    } else {
        return dk_yaml_error(doc, node, err,
                             "\"%s\" is no endpoint: write ipc://PATH or "
                             "tcp://HOST:PORT",
                             text);
    }
    if (n >= DK_ENDPOINT_BYTES) {
        return dk_yaml_error(doc, node, err, "the endpoint is too long");
    }
    endpoints->count++;
    return 0;
}

static int read_endpoints(const struct dk_config *config, const struct dk_yaml_doc *doc,
                          const struct dk_yaml *broker, const char *key, const char *fallback,
                          struct dk_endpoints *endpoints, struct dk_err *err)
{
    const struct dk_yaml *node = dk_yaml_get(broker, key);
    const char *text = fallback;
    endpoints->count = 0;
    if (node == NULL || node->type != DK_YAML_LIST) {
        int rc = dk_yaml_string(doc, node, &text, err);
        return rc != 0 ? rc : add_endpoint(config, doc, node, text, endpoints, err);
    }
    if (node->count == 0 || node->count > DK_ENDPOINTS_MAX) {
        return dk_yaml_error(doc, node, err, "%s takes 1 to %d endpoints", key, DK_ENDPOINTS_MAX);
    }
    for (const struct dk_yaml *item = node->child; item != NULL; item = item->next) {
        int rc = dk_yaml_string(doc, item, &text, err);
        if (rc == 0) {
            rc = add_endpoint(config, doc, item, text, endpoints, err);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static bool shares(const struct dk_endpoints *a, const struct dk_endpoints *b)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t j = 0; j < b->count; j++) {
            if ((a != b || i < j) && strcmp(a->at[i], b->at[j]) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* The second socket that listens on an ipc path takes it from the first without a word. */
static int check_endpoints(const struct dk_config *config, const struct dk_yaml_doc *doc,
                           const struct dk_yaml *broker, struct dk_err *err)
{
    const struct {
        const char *key;
        const struct dk_endpoints *endpoints;
    } list[] = {
        {"request", &config->request}, {"announce", &config->announce}, {"feed", &config->feed}};
    const size_t count = sizeof list / sizeof list[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i; j < count; j++) {
            const struct dk_yaml *node = dk_yaml_get(broker, list[j].key);
            if (shares(list[i].endpoints, list[j].endpoints)) {
                return dk_yaml_error(doc, node != NULL ? node : broker, err,
                                     "%s and %s would listen on the same endpoint", list[i].key,
                                     list[j].key);
            }
        }
    }
    return 0;
}

/* "256MiB", "4GiB", "1048576": bytes. */
static int read_bytes(const struct dk_yaml_doc *doc, const struct dk_yaml *node, uint64_t *bytes,
                      struct dk_err *err)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
    const char *text = NULL;
    char *end;
    int rc = dk_yaml_string(doc, node, &text, err);
    if (rc != 0 || text == NULL) {
        return rc;
    }
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (errno == 0 && end != text && text[0] != '-' && strcmp(end, units[i].unit) == 0 &&
            number <= UINT64_MAX >> (units[i].shift + 1)) {
            *bytes = (uint64_t)number << units[i].shift;
            return 0;
        }
    }
    return dk_yaml_error(doc, node, err,
                         "\"%s\" is no size: write a number and KiB, MiB, GiB or "
                         "TiB, as 256MiB",
                         text);
}

static int read_broker(struct dk_config *config, const struct dk_yaml_doc *doc, struct dk_err *err)
{
    static const char *const keys[] = {"request", "announce",   "feed", "reserve",
                                       "ahead",   "checkpoint", NULL};
    const struct dk_yaml *broker = dk_yaml_get(doc->root, "broker");
    int rc = broker == NULL ? 0 : dk_yaml_only(doc, broker, keys, err);
    config->reserve_bytes = UINT64_C(256) << 20;
    config->ahead_bytes = UINT64_C(128) << 20;
    config->checkpoint_events = 500000;
    if (rc == 0) {
        rc = read_endpoints(config, doc, broker, "request", "ipc://run/request", &config->request,
                            err);
    }
    if (rc == 0) {
        rc = read_endpoints(config, doc, broker, "announce", "ipc://run/announce",
                            &config->announce, err);
    }
    if (rc == 0) {
        rc = read_endpoints(config, doc, broker, "feed", "ipc://run/feed", &config->feed, err);
    }
    rc = rc != 0 ? rc : check_endpoints(config, doc, broker, err);
    if (rc == 0) {
        rc = read_bytes(doc, dk_yaml_get(broker, "reserve"), &config->reserve_bytes, err);
    }
    if (rc == 0) {
        rc = read_bytes(doc, dk_yaml_get(broker, "ahead"), &config->ahead_bytes, err);
    }
    if (rc == 0) {
        rc = dk_yaml_int(doc, dk_yaml_get(broker, "checkpoint"), 1000, INT64_C(1) << 30,
                         &config->checkpoint_events, err);
    }
    return rc;
}

static int read_zone(struct dk_config *config, const struct dk_yaml_doc *doc, struct dk_err *err)
{
    const struct dk_yaml *node = dk_yaml_get(doc->root, "zone");
    const char *name = "UTC";
    struct dk_zone *zone = NULL;
    struct dk_err why = {0};
    int rc = dk_yaml_string(doc, node, &name, err);
    if (rc != 0) {
        return rc;
    }
    if (strlen(name) >= sizeof config->zone) {
        return dk_yaml_error(doc, node, err, "the zone's name is too long");
    }
    if (dk_zone_load(&zone, name, &why) != 0) {
        return dk_yaml_error(doc, node, err, "%s", why.message);
    }
    dk_zone_free(&zone);
    (void)snprintf(config->zone, sizeof config->zone, "%s", name);
    return 0;
}

static int copy_string(const struct dk_yaml_doc *doc, const struct dk_yaml *map, const char *key,
                       char *out, size_t out_bytes, struct dk_err *err)
{
    const struct dk_yaml *node = dk_yaml_get(map, key);
    const char *text = "";
    int rc = dk_yaml_string(doc, node, &text, err);
    if (rc == 0 && snprintf(out, out_bytes, "%s", text) >= (int)out_bytes) {
        rc = dk_yaml_error(doc, node, err, "%s is longer than %zu bytes", key, out_bytes - 1);
    }
    return rc;
}

static int copy_path(const struct dk_config *config, const struct dk_yaml_doc *doc,
                     const struct dk_yaml *map, const char *key, char out[DK_PATH_BYTES],
                     struct dk_err *err)
{
    char path[DK_PATH_BYTES];
    int rc = copy_string(doc, map, key, path, sizeof path, err);
    if (rc == 0 && path[0] != '\0' && resolve(config, path, out) != 0) {
        rc = dk_yaml_error(doc, dk_yaml_get(map, key), err,
                           "the path of %s is longer than %d bytes", key, DK_PATH_BYTES - 1);
    }
    return rc;
}

static int check_smtp(const struct dk_config_smtp *smtp, const struct dk_yaml_doc *doc,
                      const struct dk_yaml *node, struct dk_err *err)
{
    const char *at = strchr(smtp->from, '@');
    if (strncmp(smtp->server, "smtp://", 7) != 0 && strncmp(smtp->server, "smtps://", 8) != 0) {
        return dk_yaml_error(doc, node, err,
                             "smtp needs a server: write smtp://HOST:PORT or smtps://HOST:PORT");
    }
    if (at == NULL || at == smtp->from || at[1] == '\0' ||
        strpbrk(smtp->from, " <>,\"\t\r\n") != NULL) {
        return dk_yaml_error(doc, node, err,
                             "smtp needs a mailbox to send from: write from: "
                             "NAME@HOST");
    }
    if ((smtp->user[0] != '\0') != (smtp->password_file[0] != '\0')) {
        return dk_yaml_error(doc, node, err, "smtp's user and password_file go together");
    }
    return smtp->user[0] == '\0' || smtp->tls_required
               ? 0
               : dk_yaml_error(doc, node, err,
                               "smtp would tell its password without TLS: take \"starttls: "
                               "allowed\" or the user away");
}

static int read_smtp(struct dk_config *config, const struct dk_yaml_doc *doc, struct dk_err *err)
{
    static const char *const keys[] = {"server",   "from", "user", "password_file",
                                       "starttls", "ca",   NULL};
    static const char *const modes[] = {"required", "allowed", NULL};
    struct dk_config_smtp *smtp = &config->smtp;
    const struct dk_yaml *node = dk_yaml_get(doc->root, "smtp");
    int mode = 0;
    if (node == NULL) {
        return 0;
    }
    int rc = dk_yaml_only(doc, node, keys, err);
    rc = rc != 0 ? rc : copy_string(doc, node, "server", smtp->server, sizeof smtp->server, err);
    rc = rc != 0 ? rc : copy_string(doc, node, "from", smtp->from, sizeof smtp->from, err);
    rc = rc != 0 ? rc : copy_string(doc, node, "user", smtp->user, sizeof smtp->user, err);
    rc = rc != 0 ? rc : copy_path(config, doc, node, "password_file", smtp->password_file, err);
    rc = rc != 0 ? rc : copy_path(config, doc, node, "ca", smtp->ca, err);
    if (rc == 0 && dk_yaml_get(node, "starttls") != NULL) {
        rc = dk_yaml_word(doc, dk_yaml_get(node, "starttls"), modes, &mode, err);
    }
    smtp->tls_required = mode == 0 || strncmp(smtp->server, "smtps://", 8) == 0;
    return rc != 0 ? rc : check_smtp(smtp, doc, node, err);
}

static int read_document(struct dk_config *config, const struct dk_yaml_doc *doc,
                         struct dk_err *err)
{
    static const char *const keys[] = {"site",   "zone",   "log",  "keys", "state",
                                       "outbox", "broker", "smtp", NULL};
    int rc = dk_yaml_only(doc, doc->root, keys, err);
    config->site = 1;
    if (rc == 0) {
        rc = dk_yaml_int(doc, dk_yaml_get(doc->root, "site"), 1, DK_SITE_MAX - 1, &config->site,
                         err);
    }
    rc = rc != 0 ? rc : read_zone(config, doc, err);
    if (rc == 0) {
        rc = read_path(config, doc, "log", "log", config->log, err);
    }
    if (rc == 0) {
        rc = read_path(config, doc, "keys", "keys", config->keys, err);
    }
    if (rc == 0) {
        rc = read_path(config, doc, "state", "state", config->state, err);
    }
    if (rc == 0) {
        rc = read_path(config, doc, "outbox", "outbox", config->outbox, err);
    }
    rc = rc != 0 ? rc : read_smtp(config, doc, err);
    return rc != 0 ? rc : read_broker(config, doc, err);
}

int dk_config_load(struct dk_config *config, const char *path, struct dk_err *err)
{
    char real[PATH_MAX], file[PATH_MAX + 16];
    struct stat st;
    struct dk_yaml_doc doc;
    memset(config, 0, sizeof *config);
    if (realpath(path, real) == NULL || stat(real, &st) != 0) {
        return dk_err_errno(err, errno == ENOENT ? DK_ENOTFOUND : DK_EIO, errno,
                            "cannot read the configuration %s (make one with: "
                            "docket-broker --init DIR)",
                            path);
    }
    (void)snprintf(file, sizeof file, S_ISDIR(st.st_mode) ? "%s/docket.yaml" : "%s", real);
    if (!S_ISDIR(st.st_mode)) {
        *strrchr(real, '/') = '\0';
    }
    if (snprintf(config->dir, sizeof config->dir, "%s", real) >= (int)sizeof config->dir) {
        return dk_err_set(err, DK_ETOOBIG, "the folder's path %s is too long", real);
    }
    int rc = dk_yaml_load(&doc, file, err);
    if (rc != 0) {
        return rc;
    }
    rc = read_document(config, &doc, err);
    dk_yaml_close(&doc);
    return rc;
}

int dk_config_write(const char *dir, unsigned site, struct dk_err *err)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/docket.yaml", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) {
        return dk_err_errno(err, errno == EEXIST ? DK_EEXISTS : DK_EIO, errno, "cannot create %s",
                            path);
    }
    bool ok = dprintf(fd, template_text, site) > 0 && fsync(fd) == 0;
    int saved = errno;
    (void)close(fd);
    return ok ? 0 : dk_err_errno(err, DK_EIO, saved, "cannot write %s", path);
}

const char *dk_config_default_path(void)
{
    const char *path = getenv("DOCKET_CONFIG");
    if (path != NULL && path[0] != '\0') {
        return path;
    }
    return access("docket.yaml", R_OK) == 0 ? "docket.yaml" : "data/docket.yaml";
}

void dk_config_query_endpoint(const struct dk_config *config, const char *role,
                              char endpoint[DK_ENDPOINT_BYTES])
{
    DK_ASSERT(snprintf(endpoint, DK_ENDPOINT_BYTES, "ipc://%.*s/run/%s", 200, config->dir, role) <
              DK_ENDPOINT_BYTES);
}
