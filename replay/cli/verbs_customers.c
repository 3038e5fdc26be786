/* Who asks, and on whose contract: what is known of customers and companies. */
#include "replay/cli/action.h"
#include "replay/cli/desk.h"
#include <string.h>

static void define(struct dk_action *action, const char *key, Docket__Definition **definition)
{
    char *copy = dk_arena_strndup(&action->arena, key, strlen(key));
    *definition = dk_arena_alloc(&action->arena, sizeof **definition);
    DK_ASSERT(copy != NULL && *definition != NULL);
    docket__definition__init(*definition);
    (*definition)->key = (ProtobufCBinaryData){strlen(copy), (uint8_t *)copy};
    (*definition)->has_removed = dk_cli_given(action->cli, "--removed") != NULL;
    (*definition)->removed = (*definition)->has_removed;
}

/* The broker takes a definition as it is: a slip of the pen would be a company without promise. */
static int check_known(struct dk_action *action, const char *option, uint64_t id,
                       struct dk_err *err)
{
    int rc = id != 0 ? dk_desk_learn(action->cli, id, err) : 0;
    if (rc != 0 || id == 0 || dk_refs_at(action->cli->desk->refs, id, INT64_MAX) != NULL) {
        return rc;
    }
    return dk_err_set(err, DK_EREFERENCE, "no %s \"%s\" is defined: define it first",
                      dk_subject_class_word(dk_id_class(id)), dk_cli_given(action->cli, option));
}

/* The definition in force, by which what is not said stays as it is (as when a file is brought in
 * that lacks a column); NULL: there is none. */
static int find_old(struct dk_action *action, const ProtobufCMessage **old, struct dk_err *err)
{
    uint64_t id = action->event[0].subject;
    int rc = dk_desk_learn(action->cli, id, err);
    const struct dk_refs_version *version =
        rc == 0 ? dk_refs_at(action->cli->desk->refs, id, dk_desk_now_us(action->cli)) : NULL;
    *old = version != NULL ? version->body : NULL;
    return rc;
}

static bool is_empty(const Docket__Text *text)
{
    return text != NULL && text->has_plain && text->plain.len == 0;
}

/* What is said to be empty, or none, is taken away. */
static void keep_customer(const struct dk_cli *cli, const ProtobufCMessage *before,
                          Docket__CustomerDefined *customer)
{
    Docket__CustomerDefined old = DOCKET__CUSTOMER_DEFINED__INIT;
    if (before != NULL) {
        old = *(const Docket__CustomerDefined *)(const void *)before;
    }
    if (dk_cli_given(cli, "--name") == NULL) {
        customer->full_name = old.full_name;
    }
    if (dk_cli_given(cli, "--address") == NULL) {
        customer->n_address = old.n_address;
        customer->address = old.address;
    }
    if (dk_cli_given(cli, "--company") == NULL) {
        customer->company = old.company;
    }
    if (dk_cli_given(cli, "--language") == NULL) {
        customer->language = old.language;
    }
    customer->full_name = is_empty(customer->full_name) ? NULL : customer->full_name;
    customer->n_address -= customer->n_address == 1 && is_empty(customer->address[0]);
    customer->has_company = customer->company != 0;
    customer->has_language = customer->language.len > 0;
}

static void keep_company(const struct dk_cli *cli, const ProtobufCMessage *before,
                         Docket__CompanyDefined *company)
{
    Docket__CompanyDefined old = DOCKET__COMPANY_DEFINED__INIT;
    if (before != NULL) {
        old = *(const Docket__CompanyDefined *)(const void *)before;
    }
    if (dk_cli_given(cli, "--name") == NULL && before != NULL) {
        company->definition->name = old.definition->name;
    }
    if (dk_cli_given(cli, "--tier") == NULL) {
        company->tier = old.tier;
    }
    if (dk_cli_given(cli, "--contract") == NULL) {
        company->contract = old.contract;
    }
    company->definition->has_name = company->definition->name.len > 0;
    company->has_tier = company->tier.len > 0;
    company->has_contract = company->contract != 0;
}

/* Known by a digest: nobody's name or address stands where it cannot be erased. */
static int complete_customer(struct dk_action *action, struct dk_err *err)
{
    Docket__CustomerDefined *customer = (Docket__CustomerDefined *)action->event[0].body;
    const char *name = dk_cli_given(action->cli, "CUSTOMER");
    const ProtobufCMessage *old = NULL;
    char key[DK_PERSON_KEY_BYTES];
    uint64_t id = 0;
    int rc = dk_desk_entity(action->cli, DK_SUBJECT_CUSTOMER, name, &id, err);
    if (rc != 0 || id == 0) {
        return rc != 0 ? rc : dk_cli_usage(err, "none is nobody");
    }
    (void)dk_id_of_person(DK_SUBJECT_CUSTOMER, name, strlen(name), action->cli->desk->session.salt,
                          key);
    define(action, key, &customer->definition);
    action->event[0].subject = id;
    rc = check_known(action, "--company", customer->company, err);
    rc = rc != 0 ? rc : find_old(action, &old, err);
    keep_customer(action->cli, old, customer);
    return rc;
}

static int complete_company(struct dk_action *action, struct dk_err *err)
{
    Docket__CompanyDefined *company = (Docket__CompanyDefined *)action->event[0].body;
    const char *key = dk_cli_given(action->cli, "COMPANY");
    const char *name = dk_cli_given(action->cli, "--name");
    const ProtobufCMessage *old = NULL;
    uint64_t id = 0;
    int rc = dk_action_entity(action, DK_SUBJECT_COMPANY, key, &id, err);
    if (rc != 0 || id == 0) {
        return rc != 0 ? rc : dk_cli_usage(err, "none is no company");
    }
    define(action, key, &company->definition);
    if (name != NULL) {
        char *copy = dk_arena_strndup(&action->arena, name, strlen(name));
        DK_ASSERT(copy != NULL);
        company->definition->name = (ProtobufCBinaryData){strlen(copy), (uint8_t *)copy};
    }
    action->event[0].subject = id;
    rc = check_known(action, "--contract", company->contract, err);
    rc = rc != 0 ? rc : find_old(action, &old, err);
    keep_company(action->cli, old, company);
    return rc;
}

/* clang-format off */
const struct dk_verb dk_verbs_customers[] = {
    {.name = "customer", .summary = "say who a customer is", .run = dk_action_run,
     .kind = DK_KIND_CUSTOMER_DEFINED, .complete = complete_customer, .of_operator = true,
     .more = "What is left out stays as it is; \"\", or none, takes it away.\n",
     .example = "customer bob@example.org --name \"Bob Hill\" --address bob@example.org "
                "--company acme --language en\n"
                "customer bob@example.org --company none\n",
     .parameter = DK_PARAMETERS(
         {"CUSTOMER", NULL, "as --customer names the customer", NULL, DK_NEEDED, 0},
         {"--name", "NAME", "the full name", "full_name", 0, 0},
         {"--address", "MAILBOX", "where notices go; may be given several times", "address",
          DK_MANY, 0},
         {"--company", "COMPANY", "on whose contract, by key", "company", 0, 0},
         {"--language", "TAG", "as en or de-CH", "language", 0, 0},
         {"--removed", NULL, "is no customer any more", NULL, 0, 0})},
    {.name = "company", .summary = "say what a company has bought", .run = dk_action_run,
     .kind = DK_KIND_COMPANY_DEFINED, .complete = complete_company, .of_operator = true,
     .more = "What is left out stays as it is; \"\", or none, takes it away.\n",
     .example = "company acme --name \"Acme Ltd\" --tier gold --contract acme-2026\n",
     .parameter = DK_PARAMETERS(
         {"COMPANY", NULL, "the company, by key", NULL, DK_NEEDED, 0},
         {"--name", "NAME", "as shown", NULL, 0, 0},
         {"--tier", "TIER", "as gold", "tier", 0, 0},
         {"--contract", "CONTRACT", "its contract, by key", "contract", 0, 0},
         {"--removed", NULL, "is no customer any more", NULL, 0, 0})},
    {.name = NULL},
};
/* clang-format on */
