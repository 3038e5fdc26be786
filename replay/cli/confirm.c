#include "replay/cli/confirm.h"
#include "replay/import/input.h"

int dk_cli_confirm(const struct dk_cli *cli, struct dk_err *err)
{
    struct dk_input answers;
    char answer = '\0';
    if (dk_cli_given(cli, "--yes") != NULL) {
        return 0;
    }
    int rc = dk_input_open(&answers, "-", err);
    if (rc != 0) {
        return rc;
    }
    (void)fprintf(stderr, "Append these? [y/N] ");
    bool yes = dk_input_read(&answers, &answer, 1) == 1 && (answer == 'y' || answer == 'Y');
    dk_input_close(&answers);
    if (yes) {
        return 0;
    }
    return answers.stopped ? DK_EXIT_INTERRUPTED
                           : dk_err_set(err, DK_EINVAL, "not confirmed: nothing was changed");
}
