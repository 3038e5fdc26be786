#include "proto/base/yaml.h"
#include "proto/base/buf.h"
#include "proto/base/time.h"
#include "proto/base/utf8.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#define TEXT_MAX_BYTES (4u << 20)
#define LEVELS_MAX     32
#define NODES_MAX      200000

/* The tree's memory: chunks in a list, freed together. */
struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(16) char data[];
};

static void *take(struct dk_yaml_doc *doc, size_t bytes)
{
    struct chunk *chunk = doc->memory;
    size_t rounded = (bytes + 15) & ~(size_t)15;
    if (chunk == NULL || rounded > chunk->size - chunk->used) {
        size_t size = rounded > 65536 ? rounded : 65536;
        struct chunk *fresh = malloc(sizeof *fresh + size);
        DK_ASSERT(fresh != NULL);
        *fresh = (struct chunk){.next = chunk, .size = size};
        doc->memory = chunk = fresh;
    }
    void *at = chunk->data + chunk->used;
    chunk->used += rounded;
    return memset(at, 0, rounded);
}

static const char *copy(struct dk_yaml_doc *doc, const void *text, size_t bytes)
{
    char *at = take(doc, bytes + 1);
    if (bytes > 0) {
        memcpy(at, text, bytes);
    }
    return at;
}

static int error_at(const struct dk_yaml_doc *doc, size_t line, struct dk_err *err,
                    const char *what)
{
    return dk_err_set(err, DK_EINVAL, "%s:%zu: %s", doc->name, line, what);
}

/* ---------------------------------------------------------------- building the tree */

struct builder {
    struct dk_yaml_doc *doc;
    struct dk_yaml *open[LEVELS_MAX]; /* lists and maps not ended yet */
    struct dk_yaml **tail[LEVELS_MAX];
    size_t depth;
    const char *key; /* read in the innermost map, its value not yet */
    size_t key_line;
    size_t nodes;
};

/* Puts a node where the builder stands: root, item or value. */
static void place(struct builder *b, struct dk_yaml *node)
{
    if (b->depth == 0) {
        b->doc->root = node;
        return;
    }
    struct dk_yaml *parent = b->open[b->depth - 1];
    if (parent->type == DK_YAML_MAP) {
        node->key = b->key;
        node->line = (int)b->key_line;
        b->key = NULL;
    }
    node->parent = parent;
    *b->tail[b->depth - 1] = node;
    b->tail[b->depth - 1] = &node->next;
    parent->count++;
}

static int add(struct builder *b, enum dk_yaml_type type, const yaml_event_t *event,
               struct dk_yaml **out, struct dk_err *err)
{
    size_t line = event->start_mark.line + 1;
    if (++b->nodes > NODES_MAX) {
        return error_at(b->doc, line, err, "the document has too many parts");
    }
    struct dk_yaml *node = take(b->doc, sizeof *node);
    node->type = type;
    node->line = (int)line;
    place(b, node);
    *out = node;
    return 0;
}

static int add_scalar(struct builder *b, const yaml_event_t *event, struct dk_err *err)
{
    const char *text = (const char *)event->data.scalar.value;
    size_t bytes = event->data.scalar.length, line = event->start_mark.line + 1;
    struct dk_yaml *node = NULL;
    if (!dk_utf8_is_text(text, bytes)) {
        return error_at(b->doc, line, err, "this is not valid UTF-8 text");
    }
    bool in_map = b->depth > 0 && b->open[b->depth - 1]->type == DK_YAML_MAP;
    if (in_map && b->key == NULL) {
        b->key = copy(b->doc, text, bytes);
        b->key_line = line;
        return 0;
    }
    int rc = add(b, DK_YAML_SCALAR, event, &node, err);
    if (rc == 0) {
        node->text = copy(b->doc, text, bytes);
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    }
    return rc;
}

static int open_node(struct builder *b, enum dk_yaml_type type, const yaml_event_t *event,
                     struct dk_err *err)
{
    size_t line = event->start_mark.line + 1;
    struct dk_yaml *node = NULL;
    bool in_map = b->depth > 0 && b->open[b->depth - 1]->type == DK_YAML_MAP;
    if (b->depth == LEVELS_MAX) {
        return error_at(b->doc, line, err, "this is nested too deeply");
    }
    if (in_map && b->key == NULL) {
        return error_at(b->doc, line, err, "a key must be a word");
    }
    int rc = add(b, type, event, &node, err);
    if (rc == 0) {
        b->open[b->depth] = node;
        b->tail[b->depth++] = &node->child;
    }
    return rc;
}

static int by_key(const void *a, const void *b)
{
    const struct dk_yaml *const *x = a, *const *y = b;
    int order = strcmp((*x)->key, (*y)->key);
    return order != 0 ? order : (*x)->line - (*y)->line;
}

/* Sorted, because a map may have as many keys as a document has nodes. */
static int refuse_duplicates(const struct dk_yaml_doc *doc, const struct dk_yaml *map,
                             struct dk_err *err)
{
    const struct dk_yaml **sorted = malloc((map->count + 1) * sizeof *sorted);
    DK_ASSERT(sorted != NULL);
    size_t count = 0;
    int rc = 0;
    for (const struct dk_yaml *child = map->child; child != NULL; child = child->next) {
        sorted[count++] = child;
    }
    qsort(sorted, count, sizeof *sorted, by_key);
    for (size_t i = 1; rc == 0 && i < count; i++) {
        if (strcmp(sorted[i - 1]->key, sorted[i]->key) == 0) {
            rc = dk_yaml_error(doc, sorted[i], err, "\"%s\" stands here twice: take one away",
                               sorted[i]->key);
        }
    }
    free(sorted);
    return rc;
}

static int close_node(struct builder *b, struct dk_err *err)
{
    const struct dk_yaml *node = b->open[--b->depth];
    return node->type == DK_YAML_MAP ? refuse_duplicates(b->doc, node, err) : 0;
}

static bool has_anchor_or_tag(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
    default: return false;
    }
}

static int take_event(struct builder *b, const yaml_event_t *event, struct dk_err *err)
{
    size_t line = event->start_mark.line + 1;
    if (has_anchor_or_tag(event)) {
        return error_at(b->doc, line, err, "anchors and tags are not read: write the value out");
    }
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (b->doc->root != NULL) {
            return error_at(b->doc, line, err, "a second document begins: one file holds one");
        }
        return 0;
    case YAML_SCALAR_EVENT: return add_scalar(b, event, err);
    case YAML_SEQUENCE_START_EVENT: return open_node(b, DK_YAML_LIST, event, err);
    case YAML_MAPPING_START_EVENT: return open_node(b, DK_YAML_MAP, event, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: return close_node(b, err);
    case YAML_ALIAS_EVENT:
        return error_at(b->doc, line, err, "aliases are not read: write the value out");
    default: return 0;
    }
}

/* The reader, which meets bytes that are no UTF-8, knows only how far it came. */
static size_t line_of_problem(const yaml_parser_t *parser, const char *text, size_t bytes)
{
    if (parser->error != YAML_READER_ERROR) {
        return parser->problem_mark.line + 1;
    }
    size_t line = 1;
    for (size_t i = 0; i < bytes && i < parser->problem_offset; i++) {
        line += text[i] == '\n';
    }
    return line;
}

static int too_big(const char *name, struct dk_err *err)
{
    return dk_err_set(err, DK_ETOOBIG, "%s is larger than %u bytes", name, TEXT_MAX_BYTES);
}

int dk_yaml_parse(struct dk_yaml_doc *doc, const char *name, const char *text, size_t bytes,
                  struct dk_err *err)
{
    yaml_parser_t parser;
    yaml_event_t event;
    struct builder builder = {.doc = doc};
    int rc = 0;
    bool ended = false;
    memset(doc, 0, sizeof *doc);
    doc->name = strdup(name);
    DK_ASSERT(doc->name != NULL && yaml_parser_initialize(&parser));
    if (bytes > TEXT_MAX_BYTES) {
        rc = too_big(name, err);
    }
    /* libyaml aborts on a NULL, which is what an empty buffer holds. */
    yaml_parser_set_input_string(&parser, (const unsigned char *)(bytes > 0 ? text : ""), bytes);
    while (rc == 0 && !ended) {
        if (!yaml_parser_parse(&parser, &event)) {
            DK_ASSERT(parser.error != YAML_MEMORY_ERROR);
            rc = dk_err_set(err, DK_EINVAL, "%s:%zu: this is no YAML: %s%s%s", name,
                            line_of_problem(&parser, text, bytes), parser.problem,
                            parser.context != NULL ? ", " : "",
                            parser.context != NULL ? parser.context : "");
            break;
        }
        ended = event.type == YAML_STREAM_END_EVENT;
        rc = take_event(&builder, &event, err);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (rc == 0 && doc->root == NULL) {
        doc->root = take(doc, sizeof *doc->root);
        doc->root->type = DK_YAML_MAP;
        doc->root->line = 1;
    }
    if (rc != 0) {
        dk_yaml_close(doc);
    }
    return rc;
}

static int read_all(int fd, const char *name, struct dk_buf *buf, struct dk_err *err)
{
    uint8_t piece[65536];
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0) {
        if (dk_buf_append(buf, piece, (size_t)n) != 0) {
            return too_big(name, err);
        }
    }
    return n == 0 ? 0 : dk_err_errno(err, DK_EIO, errno, "cannot read %s", name);
}

int dk_yaml_load(struct dk_yaml_doc *doc, const char *path, struct dk_err *err)
{
    struct dk_buf buf;
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "stdin" : path;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    memset(doc, 0, sizeof *doc);
    if (fd < 0) {
        return dk_err_errno(err, errno == ENOENT ? DK_ENOTFOUND : DK_EIO, errno, "cannot read %s",
                            name);
    }
    dk_buf_init(&buf, TEXT_MAX_BYTES);
    int rc = read_all(fd, name, &buf, err);
    if (!is_stdin) {
        (void)close(fd);
    }
    if (rc == 0) {
        rc = dk_yaml_parse(doc, name, (const char *)buf.data, buf.size, err);
    }
    dk_buf_close(&buf);
    return rc;
}

void dk_yaml_close(struct dk_yaml_doc *doc)
{
    struct chunk *chunk = doc->memory;
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    free(doc->name);
    memset(doc, 0, sizeof *doc);
}

/* ---------------------------------------------------------------- reading it */

const struct dk_yaml *dk_yaml_get(const struct dk_yaml *map, const char *key)
{
    if (map == NULL || map->type != DK_YAML_MAP) {
        return NULL;
    }
    for (const struct dk_yaml *child = map->child; child != NULL; child = child->next) {
        if (strcmp(child->key, key) == 0) {
            return child;
        }
    }
    return NULL;
}

int dk_yaml_error(const struct dk_yaml_doc *doc, const struct dk_yaml *node, struct dk_err *err,
                  const char *format, ...)
{
    char what[DK_ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return error_at(doc, node != NULL ? (size_t)node->line : 1, err, what);
}

/* How a node is called in an error. */
static const char *label(const struct dk_yaml *node)
{
    if (node->key != NULL) {
        return node->key;
    }
    if (node->parent != NULL && node->parent->key != NULL) {
        return node->parent->key; /* the list that it is an item of */
    }
    return node->parent != NULL ? "this item" : "the document";
}

static bool is_null(const struct dk_yaml *node)
{
    return node->type == DK_YAML_SCALAR && !node->quoted &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
            strcmp(node->text, "null") == 0);
}

int dk_yaml_string(const struct dk_yaml_doc *doc, const struct dk_yaml *node, const char **value,
                   struct dk_err *err)
{
    if (node == NULL) {
        return 0;
    }
    if (node->type != DK_YAML_SCALAR || is_null(node)) {
        return dk_yaml_error(doc, node, err, "%s must be one word or text", label(node));
    }
    *value = node->text;
    return 0;
}

int dk_yaml_int(const struct dk_yaml_doc *doc, const struct dk_yaml *node, int64_t min, int64_t max,
                int64_t *value, struct dk_err *err)
{
    char *end = NULL;
    if (node == NULL) {
        return 0;
    }
    errno = 0;
    long long number = node->type == DK_YAML_SCALAR ? strtoll(node->text, &end, 10) : 0;
    if (end == NULL || end == node->text || *end != '\0' || errno != 0 || node->quoted ||
        number < min || number > max) {
        return dk_yaml_error(doc, node, err, "%s must be a whole number from %lld to %lld",
                             label(node), (long long)min, (long long)max);
    }
    *value = number;
    return 0;
}

int dk_yaml_bool(const struct dk_yaml_doc *doc, const struct dk_yaml *node, bool *value,
                 struct dk_err *err)
{
    if (node == NULL) {
        return 0;
    }
    bool scalar = node->type == DK_YAML_SCALAR && !node->quoted;
    if (scalar && strcmp(node->text, "true") == 0) {
        *value = true;
    } else if (scalar && strcmp(node->text, "false") == 0) {
        *value = false;
    } else {
        return dk_yaml_error(doc, node, err, "%s must be true or false", label(node));
    }
    return 0;
}

int dk_yaml_duration(const struct dk_yaml_doc *doc, const struct dk_yaml *node, int64_t *us,
                     struct dk_err *err)
{
    if (node == NULL) {
        return 0;
    }
    if (node->type != DK_YAML_SCALAR || dk_duration_parse(node->text, us, NULL) != 0) {
        return dk_yaml_error(doc, node, err, "%s must be a duration, as 90s, 15m, 4h, 2d or 1h30m",
                             label(node));
    }
    return 0;
}

/* Edit distance, for words up to 31 characters; more counts as far. */
static size_t distance(const char *a, const char *b)
{
    size_t row[32], n = strlen(a), m = strlen(b);
    if (n > 31 || m > 31) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= m; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j];
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t step = (above < row[j - 1] ? above : row[j - 1]) + 1;
            row[j] = change < step ? change : step;
            diagonal = above;
        }
    }
    return row[m];
}

const char *dk_yaml_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    size_t half = strlen(word) / 2, least = (half < 3 ? half : 3) + 1; /* farther is no help */
    for (; *words != NULL; words++) {
        size_t d = distance(word, *words);
        if (d < least) {
            least = d;
            best = *words;
        }
    }
    return best;
}

/* "a, b or c", or "a, b, ..." where there is no room for all. */
static void join(char *out, size_t size, const char *const *words)
{
    size_t used = 0;
    for (size_t i = 0; words[i] != NULL && used < size; i++) {
        const char *between = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        bool fits = used + strlen(between) + strlen(words[i]) + sizeof ", ..." <= size;
        (void)snprintf(out + used, size - used, "%s%s", fits ? between : ", ...",
                       fits ? words[i] : "");
        used = fits ? strlen(out) : size;
    }
}

static int unknown_word(const struct dk_yaml_doc *doc, const struct dk_yaml *node, const char *what,
                        const char *word, const char *const *words, struct dk_err *err)
{
    char all[256] = "";
    const char *near = dk_yaml_nearest(word, words);
    if (near != NULL) {
        return dk_yaml_error(doc, node, err, "%s \"%s\" is not known: did you mean %s?", what, word,
                             near);
    }
    join(all, sizeof all, words);
    return dk_yaml_error(doc, node, err, "%s \"%s\" is not known: write %s", what, word, all);
}

int dk_yaml_word(const struct dk_yaml_doc *doc, const struct dk_yaml *node,
                 const char *const *words, int *index, struct dk_err *err)
{
    if (node == NULL) {
        return 0;
    }
    if (node->type != DK_YAML_SCALAR) {
        return dk_yaml_error(doc, node, err, "%s must be one word", label(node));
    }
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(node->text, words[i]) == 0) {
            *index = i;
            return 0;
        }
    }
    return unknown_word(doc, node, label(node), node->text, words, err);
}

int dk_yaml_only(const struct dk_yaml_doc *doc, const struct dk_yaml *map, const char *const *keys,
                 struct dk_err *err)
{
    if (map->type != DK_YAML_MAP) {
        return dk_yaml_error(doc, map, err, "%s must hold \"key: value\" lines", label(map));
    }
    for (const struct dk_yaml *child = map->child; child != NULL; child = child->next) {
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], child->key) != 0) {
            i++;
        }
        if (keys[i] == NULL) {
            return unknown_word(doc, child, "the key", child->key, keys, err);
        }
    }
    return 0;
}
