/* How a process ends over pages that make no sense.
 *
 * LMDB keeps no checksums of its pages. Where it meets one that something else wrote to, it calls
 * its assertion hook, or follows an offset out of the file. Neither can be gone on from; with what
 * is here the process says which folder is damaged and what to do, before it ends. Damage within a
 * record is another matter: its crc finds it, and reading goes on. */
#ifndef DK_LOG_DAMAGE_H
#define DK_LOG_DAMAGE_H

#include "proto/base/err.h"
#include <lmdb.h>
#include <stdbool.h>

#define DK_DAMAGE_EXIT 65 /* sysexits.h: EX_DATAERR */

enum dk_damage_of {
    DK_DAMAGE_LOG,     /* the truth: only a copy helps */
    DK_DAMAGE_DERIVED, /* made from the log, by this process: its file is removed, to be made anew
                        */
    DK_DAMAGE_READ,    /* made from the log, by another process */
};

/* From now on an assertion of LMDB's in `env` ends the process as said above, with
 * DK_DAMAGE_EXIT. `dir` is the environment's folder, borrowed until it is closed. */
void dk_damage_watch(MDB_env *env, const char *dir, enum dk_damage_of of);

/* Whether an error says that records or pages of a log are not what was written. */
bool dk_damage_is(const struct dk_err *err);

/* Tells the operator what helps when the log in `dir` is damaged. */
void dk_damage_advise(const char *dir);

/* Once, in a program that reads the log in `dir`: a page that cannot be read (SIGBUS) ends it with
 * DK_DAMAGE_EXIT; an address that does not exist (SIGSEGV), which may also be a bug, ends it by
 * that signal; both are said first. Handlers of others, as sanitizers', are left alone. */
void dk_damage_on_faults(const char *dir);

#endif
