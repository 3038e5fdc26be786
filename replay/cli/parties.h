/* Customers and companies: brought in from a file, and shown. */
#ifndef DK_REPLAY_CLI_PARTIES_H
#define DK_REPLAY_CLI_PARTIES_H

#include "proto/refs/refs.h"
#include "replay/cli/cli.h"

int dk_customers_run(struct dk_cli *cli, struct dk_err *err);
int dk_companies_run(struct dk_cli *cli, struct dk_err *err);

extern const struct dk_parameter dk_customers_parameters[], dk_companies_parameters[];
extern const char dk_customers_more[], dk_companies_more[]; /* their columns, for --help */

/* For `get`: whether a class is one of these two. */
bool dk_parties_is_class(unsigned cls);
/* What they say, a row each; and of one, a line a field. */
void dk_parties_table(const struct dk_cli *cli, const struct dk_refs *refs,
                      const struct dk_refs_version *const *version, size_t count, unsigned cls);
void dk_parties_print(const struct dk_cli *cli, const struct dk_refs *refs,
                      const struct dk_refs_version *version);
/* Adds to `object` what no key of it says yet. */
void dk_parties_json(const struct dk_refs *refs, const struct dk_refs_version *version,
                     json_t *object);
/* For qsort of versions of customers: by address, then by name. */
int dk_parties_order(const void *a, const void *b);
/* The customer or company that people name so, whether it is in force or not. */
int dk_parties_find(struct dk_cli *cli, unsigned cls, const char *name, uint64_t *subject,
                    struct dk_err *err);

#endif
