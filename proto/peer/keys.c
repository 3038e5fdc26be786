#include "proto/peer/keys.h"
#include "proto/base/limits.h"
#include "proto/base/yaml.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

static int write_file(const char *path, mode_t mode, const char *text, struct dk_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return dk_err_errno(err, errno == EEXIST ? DK_EEXISTS : DK_EIO, errno, "cannot create %s",
                            path);
    }
    size_t size = strlen(text);
    bool ok = write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    int saved = errno;
    (void)close(fd);
    return ok ? 0 : dk_err_errno(err, DK_EIO, saved, "cannot write %s", path);
}

static int key_path(char path[PATH_MAX], const char *dir, const char *name, const char *suffix,
                    struct dk_err *err)
{
    if (name[0] == '\0' || strchr(name, '/') != NULL || name[0] == '.') {
        return dk_err_set(err, DK_EINVAL, "\"%s\" cannot name a key", name);
    }
    if (snprintf(path, PATH_MAX, "%s/%s.%s", dir, name, suffix) >= PATH_MAX) {
        return dk_err_set(err, DK_ETOOBIG, "the path of key %s is too long", name);
    }
    return 0;
}

int dk_key_new(const char *dir, const char *name, struct dk_key *key, struct dk_err *err)
{
    char path[PATH_MAX], text[256];
    int rc = key_path(path, dir, name, "key", err);
    if (rc != 0) {
        return rc;
    }
    DK_ASSERT(zmq_curve_keypair(key->public_z85, key->secret_z85) == 0);
    (void)snprintf(text, sizeof text, "public: \"%s\"\nsecret: \"%s\"\n", key->public_z85,
                   key->secret_z85);
    rc = write_file(path, 0600, text, err);
    sodium_memzero(text, sizeof text);
    return rc;
}

static bool is_z85(const char *text)
{
    uint8_t key[32];
    return strlen(text) == DK_Z85_BYTES - 1 && zmq_z85_decode(key, text) != NULL;
}

static int read_z85(const struct dk_yaml_doc *doc, const char *name, char out[DK_Z85_BYTES],
                    struct dk_err *err)
{
    const struct dk_yaml *node = dk_yaml_get(doc->root, name);
    const char *text = NULL;
    int rc = dk_yaml_string(doc, node, &text, err);
    if (rc != 0) {
        return rc;
    }
    if (text == NULL || !is_z85(text)) {
        return dk_yaml_error(doc, node != NULL ? node : doc->root, err,
                             "\"%s\" must be a key of 40 Z85 characters in quotes", name);
    }
    memcpy(out, text, DK_Z85_BYTES);
    return 0;
}

int dk_key_load(struct dk_key *key, const char *dir, const char *name, struct dk_err *err)
{
    char path[PATH_MAX];
    struct stat st;
    struct dk_yaml_doc doc;
    int rc = key_path(path, dir, name, "key", err);
    if (rc != 0) {
        return rc;
    }
    if (stat(path, &st) != 0) {
        return dk_err_errno(err, errno == ENOENT ? DK_ENOTFOUND : DK_EIO, errno,
                            "cannot read the key %s", path);
    }
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return dk_err_set(err, DK_EACCES, "the key %s can be read by others: chmod 600 it", path);
    }
    rc = dk_yaml_load(&doc, path, err);
    if (rc != 0) {
        return rc;
    }
    rc = read_z85(&doc, "public", key->public_z85, err);
    if (rc == 0) {
        rc = read_z85(&doc, "secret", key->secret_z85, err);
    }
    dk_yaml_close(&doc);
    return rc;
}

int dk_key_public(char public_z85[DK_Z85_BYTES], const char *dir, const char *name,
                  struct dk_err *err)
{
    char path[PATH_MAX];
    struct dk_yaml_doc doc;
    int rc = key_path(path, dir, name, "pub", err);
    if (rc != 0) {
        return rc;
    }
    rc = dk_yaml_load(&doc, path, err);
    if (rc != 0) {
        return dk_err_wrap(err, "cannot read the public key of %s", name);
    }
    rc = read_z85(&doc, "public", public_z85, err);
    dk_yaml_close(&doc);
    return rc;
}

int dk_keys_init(const char *dir, struct dk_err *err)
{
    static const char *const names[] = {
#define X(number, NAME, word) word,
        DK_ROLES(X)
#undef X
    };
    char path[PATH_MAX], list[8192];
    struct dk_key key;
    int used = snprintf(list, sizeof list,
                        "# Who may connect, and as what. actor binds a key to one person.\n");
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        return dk_err_errno(err, DK_EIO, errno, "cannot create %s", dir);
    }
    int rc = dk_key_new(dir, "broker", &key, err);
    if (rc == 0) {
        char text[128];
        (void)snprintf(text, sizeof text, "public: \"%s\"\n", key.public_z85);
        rc = key_path(path, dir, "broker", "pub", err);
        rc = rc != 0 ? rc : write_file(path, 0644, text, err);
    }
    for (size_t i = 0; rc == 0 && i < sizeof names / sizeof names[0]; i++) {
        rc = dk_key_new(dir, names[i], &key, err);
        used += snprintf(list + used, sizeof list - (size_t)used,
                         "- {name: %s, role: %s, public: \"%s\"}\n", names[i], names[i],
                         key.public_z85);
    }
    sodium_memzero(&key, sizeof key);
    if (rc == 0) {
        (void)snprintf(path, sizeof path, "%s/allowed.yaml", dir);
        rc = write_file(path, 0600, list, err);
    }
    return rc;
}

static int read_allowed(const struct dk_yaml_doc *doc, const struct dk_yaml *node,
                        struct dk_allowed *allowed, struct dk_err *err)
{
    static const char *const keys[] = {"name", "role", "public", "actor", NULL};
    const char *name = NULL, *role = NULL, *key = NULL, *actor = NULL;
    int rc = dk_yaml_only(doc, node, keys, err);
    rc = rc != 0 ? rc : dk_yaml_string(doc, dk_yaml_get(node, "name"), &name, err);
    rc = rc != 0 ? rc : dk_yaml_string(doc, dk_yaml_get(node, "role"), &role, err);
    rc = rc != 0 ? rc : dk_yaml_string(doc, dk_yaml_get(node, "public"), &key, err);
    rc = rc != 0 ? rc : dk_yaml_string(doc, dk_yaml_get(node, "actor"), &actor, err);
    if (rc != 0) {
        return rc;
    }
    if (name == NULL || role == NULL || key == NULL) {
        return dk_yaml_error(doc, node, err, "an allowed key needs name, role and public");
    }
    allowed->role = dk_role_of(role);
    if (allowed->role == 0) {
        return dk_yaml_error(doc, node, err, "\"%s\" is no role", role);
    }
    if (strlen(name) > DK_KEY_MAX_BYTES || !is_z85(key)) {
        return dk_yaml_error(doc, node, err, "the key of %s is not 40 Z85 characters", name);
    }
    memcpy(allowed->public_z85, key, DK_Z85_BYTES);
    (void)snprintf(allowed->name, sizeof allowed->name, "%s", name);
    allowed->actor =
        actor == NULL
            ? 0
            : dk_actor_of_subject(dk_id_of_key(DK_SUBJECT_AGENT, actor, strlen(actor), NULL));
    return 0;
}

int dk_allowed_load(struct dk_allowed_list *list, const char *dir, struct dk_err *err)
{
    char path[PATH_MAX];
    struct dk_yaml_doc doc;
    memset(list, 0, sizeof *list);
    (void)snprintf(path, sizeof path, "%s/allowed.yaml", dir);
    int rc = dk_yaml_load(&doc, path, err);
    if (rc != 0) {
        return rc;
    }
    if (doc.root->type != DK_YAML_LIST) {
        rc = dk_yaml_error(&doc, doc.root, err, "a list of keys is expected");
    } else {
        list->entry = calloc(doc.root->count + 1, sizeof *list->entry);
        DK_ASSERT(list->entry != NULL);
        for (const struct dk_yaml *n = doc.root->child; rc == 0 && n != NULL; n = n->next) {
            rc = read_allowed(&doc, n, &list->entry[list->count++], err);
        }
    }
    dk_yaml_close(&doc);
    if (rc != 0) {
        dk_allowed_free(list);
    }
    return rc;
}

void dk_allowed_free(struct dk_allowed_list *list)
{
    free(list->entry);
    memset(list, 0, sizeof *list);
}

uint64_t dk_key_id(const char public_z85[DK_Z85_BYTES])
{
    static const uint8_t zero[crypto_shorthash_KEYBYTES];
    uint64_t id;
    _Static_assert(crypto_shorthash_BYTES == sizeof id, "SipHash-2-4 gives 64 bits");
    (void)crypto_shorthash((uint8_t *)&id, (const uint8_t *)public_z85, DK_Z85_BYTES - 1, zero);
    return id != 0 ? id : 1;
}
