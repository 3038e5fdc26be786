/* The folder of one role: world, tables and role kept in step with a log's positions. Pure: records
 * are handed in. Live node, replay and simulator all fold through this. */
#ifndef DK_RUNTIME_FOLDER_H
#define DK_RUNTIME_FOLDER_H

#include "nodes/runtime/role.h"
#include "proto/base/arena.h"

struct dk_folder;

int dk_folder_new(struct dk_folder **folder, const struct dk_role_ops *ops, struct dk_err *err);
void dk_folder_free(struct dk_folder **folder);

const struct dk_role_ops *dk_folder_ops(const struct dk_folder *folder);
const struct dk_world *dk_folder_world(const struct dk_folder *folder);
void *dk_folder_self(const struct dk_folder *folder);
uint64_t dk_folder_position(const struct dk_folder *folder);

/* Folds one record, whose position must be the next. 0; DK_EORDER (a gap: says expected and got);
 * DK_ECORRUPT (form or crc). */
int dk_folder_apply(struct dk_folder *folder, const uint8_t *record, size_t record_bytes,
                    struct dk_err *err);

/* Goes past one record, whose position must be the next, as if it had not happened. */
int dk_folder_pass(struct dk_folder *folder, const uint8_t *record, size_t record_bytes,
                   struct dk_err *err);

/* What has been touched and not considered, or is due by `now_us`: one item at a time. */
bool dk_folder_next_item(struct dk_folder *folder, int64_t now_us, uint64_t *item);
/* The earliest instant at which an item is due; INT64_MAX: none. */
int64_t dk_folder_next_due_us(const struct dk_folder *folder);
/* Considers an item into `intents` (cleared first, basis set). When it owes nothing now, it is put
 * down for when it may. */
void dk_folder_consider(struct dk_folder *folder, uint64_t item, int64_t now_us,
                        struct dk_intents *intents);
/* Puts an item down again: at once (0) or at an instant. */
void dk_folder_touch(struct dk_folder *folder, uint64_t item, int64_t at_us);

/* The hash of world and tables at this position. */
uint64_t dk_folder_hash(struct dk_folder *folder);

/* Answers a query: "state" (position, fold version, hash) for every role, the rest is the role's.
 */
int dk_folder_query(struct dk_folder *folder, const char *name, const char *const *argument,
                    size_t argument_count, struct dk_buf *json, struct dk_err *err);

/* Packs what is quiet in the tables that are packed, now: what folding does by itself when it is
 * due. Nothing that a folder answers depends on it. */
void dk_folder_chill(struct dk_folder *folder);

/* The tables: tickets, definitions, then the role's own: for checkpoints and for `replay diff`. */
#define DK_FOLDER_TABLES_MAX (DK_ROLE_TABLES_MAX + 2)
size_t dk_folder_tables(const struct dk_folder *folder, struct dk_table **table, size_t max);
struct dk_table *dk_folder_definitions(const struct dk_folder *folder);

/* The tables have been filled and the definitions applied to `refs`, from a checkpoint: the folder
 * stands at `position`, and the role derives what it derives. */
int dk_folder_restored(struct dk_folder *folder, uint64_t position, int64_t recorded_us,
                       struct dk_err *err);

#endif
