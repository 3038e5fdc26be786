#include "proto/refs/refs_internal.h"
#include <stdlib.h>
#include <string.h>

unsigned dk_refs_tier_number(const struct dk_refs *refs, const char *text, size_t bytes)
{
    for (size_t i = 0; i < refs->tier_count; i++) {
        if (refs->tier[i].len == bytes && memcmp(refs->tier[i].data, text, bytes) == 0)
            return (unsigned)i + 1;
    }
    return 0;
}

void dk_refs_tiers_note(struct dk_refs *refs, const struct dk_refs_version *version)
{
    const Docket__CompanyDefined *company = (const void *)version->body;
    const ProtobufCBinaryData *tier = &company->tier;
    if (version->kind != DK_KIND_COMPANY_DEFINED || tier->len == 0 ||
        dk_refs_tier_number(refs, (const char *)tier->data, tier->len) != 0)
        return;
    refs->tier = dk_refs_grow(refs->tier, refs->tier_count, &refs->tier_capacity, sizeof *tier);
    refs->tier[refs->tier_count++] = *tier;
}

void dk_refs_tiers_close(struct dk_refs *refs)
{
    free(refs->tier);
}

unsigned dk_refs_tier(const struct dk_refs *refs, uint64_t company, int64_t at_us)
{
    const Docket__CompanyDefined *body = dk_refs_company(refs, company, at_us);
    return body != NULL && body->tier.len > 0
               ? dk_refs_tier_number(refs, (const char *)body->tier.data, body->tier.len)
               : 0;
}

const ProtobufCBinaryData *dk_refs_tier_text(const struct dk_refs *refs, unsigned number)
{
    return number > 0 && number <= refs->tier_count ? &refs->tier[number - 1] : NULL;
}
