/* YAML documents as trees whose every node knows its line, over libyaml.
 *
 * Aliases, anchors, tags, duplicate keys and more than one document are refused: what docket reads
 * is configuration, and a surprise there is a mistake. Bounds: 4 MiB of text, 32 levels,
 * 200,000 nodes. Errors read "FILE:LINE: what is wrong, what to do". */
#ifndef DK_BASE_YAML_H
#define DK_BASE_YAML_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dk_yaml_type { DK_YAML_SCALAR, DK_YAML_LIST, DK_YAML_MAP };

struct dk_yaml {
    enum dk_yaml_type type;
    int line;              /* from 1: of its key, where it has one */
    bool quoted;           /* a scalar in quotes or a block: never null, number or boolean */
    const char *key;       /* this node's key in the map that holds it, or NULL */
    const char *text;      /* scalar: its text (NUL-terminated, valid UTF-8) */
    size_t count;          /* list, map: number of children */
    struct dk_yaml *child; /* list, map: the first child */
    struct dk_yaml *next;  /* the next sibling */
    const struct dk_yaml *parent;
};

struct dk_yaml_doc {
    struct dk_yaml *root;
    char *name; /* the file's name, for errors */
    void *memory;
};

/* Reads a file ("-" is stdin), or a text; an empty one is an empty map. 0; DK_EINVAL with file and
 * line; DK_ENOTFOUND; DK_EIO; DK_ETOOBIG. After an error there is nothing to close. */
int dk_yaml_load(struct dk_yaml_doc *doc, const char *path, struct dk_err *err);
int dk_yaml_parse(struct dk_yaml_doc *doc, const char *name, const char *text, size_t bytes,
                  struct dk_err *err);
void dk_yaml_close(struct dk_yaml_doc *doc);

/* The child of a map with `key`, or NULL (also when `map` is NULL or no map). */
const struct dk_yaml *dk_yaml_get(const struct dk_yaml *map, const char *key);

/* Typed reading. Absent (`node` NULL) leaves `*value` as it was and returns 0: the caller has set
 * the default. A value that does not fit is DK_EINVAL, naming file, line, key and what was
 * expected. Strings are borrowed until the document closes. */
int dk_yaml_string(const struct dk_yaml_doc *doc, const struct dk_yaml *node, const char **value,
                   struct dk_err *err);
int dk_yaml_int(const struct dk_yaml_doc *doc, const struct dk_yaml *node, int64_t min, int64_t max,
                int64_t *value, struct dk_err *err);
int dk_yaml_bool(const struct dk_yaml_doc *doc, const struct dk_yaml *node, bool *value,
                 struct dk_err *err);
int dk_yaml_duration(const struct dk_yaml_doc *doc, const struct dk_yaml *node, int64_t *us,
                     struct dk_err *err);

/* One of `words` (NULL-terminated) -> its index. */
int dk_yaml_word(const struct dk_yaml_doc *doc, const struct dk_yaml *node,
                 const char *const *words, int *index, struct dk_err *err);

/* DK_EINVAL at the first key of `map` that is not in `keys` (NULL-terminated), naming the nearest
 * allowed one. */
int dk_yaml_only(const struct dk_yaml_doc *doc, const struct dk_yaml *map, const char *const *keys,
                 struct dk_err *err);

/* The one of `words` (NULL-terminated) that `word` most likely is a misspelling of, or NULL. */
const char *dk_yaml_nearest(const char *word, const char *const *words);

/* DK_EINVAL at `node`: "FILE:LINE: ...". */
int dk_yaml_error(const struct dk_yaml_doc *doc, const struct dk_yaml *node, struct dk_err *err,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
