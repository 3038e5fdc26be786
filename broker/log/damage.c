#include "broker/log/damage.h"

#include "broker/log/files.h"
#include "proto/base/say.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool dk_damage_is(const struct dk_err *err)
{
    return err->code == DK_ECORRUPT || err->code == DK_ECANON;
}

void dk_damage_advise(const char *dir)
{
    dk_say(DK_ERROR, "log-damaged",
           "dir=%s advice=\"docket replay verify finds the place; go on with a copy: a backup's or "
           "a follower's\"",
           dir);
}

static void say(MDB_env *env, const char *message)
{
    int length = (int)strcspn(message, "\n"); /* "FILE:LINE: Assertion ... failed in FUNCTION" */
    dk_say(DK_ERROR, "pages-damaged", "dir=%s lmdb=\"%.*s\"",
           (const char *)mdb_env_get_userctx(env), length, message);
}

static void end_over_log(MDB_env *env, const char *message)
{
    say(env, message);
    dk_damage_advise(mdb_env_get_userctx(env));
    _exit(DK_DAMAGE_EXIT);
}

static void end_over_derived(MDB_env *env, const char *message)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (dk_path(path, mdb_env_get_userctx(env), names[i], NULL) == 0)
            unlink(path);
    }
    say(env, message);
    dk_say(DK_INFO, "removed", "advice=\"start again: it is made anew from the log\"");
    _exit(DK_DAMAGE_EXIT);
}

static void end_over_read(MDB_env *env, const char *message)
{
    say(env, message);
    dk_say(DK_INFO, "ended", "advice=\"stop its writer and delete it: it is made anew\"");
    _exit(DK_DAMAGE_EXIT);
}

void dk_damage_watch(MDB_env *env, const char *dir, enum dk_damage_of of)
{
    static MDB_assert_func *const end[] = {[DK_DAMAGE_LOG] = end_over_log,
                                           [DK_DAMAGE_DERIVED] = end_over_derived,
                                           [DK_DAMAGE_READ] = end_over_read};
    mdb_env_set_userctx(env, (void *)dir);
    mdb_env_set_assert(env, end[of]);
}

/* ---------------------------------------------------------------- faults */

/* Set before the handler is, and never again: a handler can be given nothing. */
static char notice[PATH_MAX + 512];

static void on_fault(int number)
{
    ssize_t written = write(STDERR_FILENO, notice, strlen(notice));
    (void)written;
    if (number == SIGBUS)
        _exit(DK_DAMAGE_EXIT);
} /* the handler is gone now: the same address ends the process by its signal */

void dk_damage_on_faults(const char *dir)
{
    static const int numbers[] = {SIGBUS, SIGSEGV};
    snprintf(notice, sizeof notice,
             "memory fault: pages of the log in %s may be damaged: see docket replay verify, and "
             "go on with a copy, a backup's or a follower's. If it finds nothing, delete seals "
             "and lookups beside it, and the nodes' state: they are made anew\n",
             dir);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction before, action = {.sa_handler = on_fault, .sa_flags = (int)SA_RESETHAND};
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(numbers[i], &action, NULL);
    }
}
