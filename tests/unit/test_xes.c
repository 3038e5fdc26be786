#include "docket.pb-c.h"
#include "replay/import/xes.h"
#include "tests/lib/assert.h"
#include <stdio.h>
#include <stdlib.h>

struct fixture {
    struct dk_mapping mapping;
    struct dk_xes *xes;
    struct dk_xes_row row;
    const char *at;
    size_t step;
};

static ssize_t give(void *arg, void *data, size_t bytes)
{
    struct fixture *f = arg;
    size_t n = strnlen(f->at, f->step < bytes ? f->step : bytes);
    memcpy(data, f->at, n);
    f->at += n;
    return (ssize_t)n;
}

static void begin(struct fixture *f, const char *text, size_t step)
{
    static const char map[] = "source: s\nformat: xes\nshape: snapshots\ncase: \"case:name\"\n"
                              "changed: {at: when}\ngroup: ward\nignored: [secret]\n";
    struct dk_err err;
    *f = (struct fixture){.at = text, .step = step};
    ASSERT_OK(dk_mapping_parse(&f->mapping, "map.yaml", map, strlen(map), &err), &err);
    ASSERT_OK(dk_xes_new(&f->xes, &f->mapping, give, f, &err), &err);
}

static void end(struct fixture *f)
{
    dk_xes_free(&f->xes);
    dk_mapping_close(&f->mapping);
}

/* The row's columns in the order of the mapping, and what is kept of it, as one text. */
static const char *told(const struct fixture *f, char text[512])
{
    size_t at = 0;
    Docket__SourceRow *kept = docket__source_row__unpack(NULL, f->row.kept.size, f->row.kept.data);
    ASSERT_TRUE(kept != NULL);
    for (size_t i = 0; i < f->mapping.column_count; i++) {
        at += (size_t)snprintf(text + at, 512 - at, "%.*s|", (int)f->row.value[i].size,
                               (const char *)f->row.value[i].data);
    }
    for (size_t i = 0; i < kept->n_attribute; i++) {
        const Docket__SourceAttribute *a = kept->attribute[i];
        at += (size_t)snprintf(text + at, 512 - at, " %s%u.%d.%.*s=%.*s", a->has_scope ? "c" : "",
                               a->depth, (int)a->type, (int)a->key.len, (const char *)a->key.data,
                               a->value != NULL ? (int)a->value->plain.len : 0,
                               a->value != NULL ? (const char *)a->value->plain.data : "");
    }
    docket__source_row__free_unpacked(kept, NULL);
    return text;
}

/* The event's own attribute comes before the log's for all events; below others are no columns;
 * a trace's are kept on its first row. However the bytes come in. */
static void test_xes_columns_and_what_is_kept(void **state)
{
    static const char log[] =
        "<log>\n<global scope=\"event\"><string key=\"ward\" value=\"W\"/></global>\n"
        "<string key=\"name\" value=\"the log's\"/>\n<trace><string key=\"name\" value=\"t\"/>\n"
        "<event><date key=\"when\" value=\"D1\"><int key=\"ward\" value=\"7\"/></date></event>\n"
        "<event><date key=\"when\" value=\"D2\"/><string key=\"ward\" value=\"V\"/>"
        "<string key=\"secret\" value=\"x\"><string key=\"more\" value=\"y\"/></string></event>"
        "</trace></log>";
    (void)state;
    for (size_t step = 1; step < sizeof log; step = 3 * step + 1) {
        struct fixture f;
        struct dk_err err;
        char text[512];
        begin(&f, log, step);
        ASSERT_EQ(dk_xes_next(f.xes, &f.row, &err), 1);
        ASSERT_EQ(f.row.line, 5);
        ASSERT_STR(told(&f, text), "t|D1|W| c0.1.name=t 0.2.when=D1 1.3.ward=7");
        ASSERT_EQ(dk_xes_next(f.xes, &f.row, &err), 1);
        ASSERT_EQ(f.row.line, 6);
        ASSERT_STR(told(&f, text), "t|D2|V| 0.2.when=D2 0.1.ward=V");
        ASSERT_EQ(dk_xes_next(f.xes, &f.row, &err), 0);
        ASSERT_EQ(dk_xes_next(f.xes, &f.row, &err), 0);
        end(&f);
    }
}

/* What cannot be read further is told again by each call. */
static void test_xes_stays_at_what_ended_it(void **state)
{
    struct fixture f;
    struct dk_err err;
    (void)state;
    begin(&f, "<log><trace>\n<event></trace>", 5);
    for (int i = 0; i < 2; i++) {
        ASSERT_CODE(dk_xes_next(f.xes, &f.row, &err), DK_EIO);
        ASSERT_STR(err.message, "line 2: mismatched tag");
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xes_columns_and_what_is_kept),
        cmocka_unit_test(test_xes_stays_at_what_ended_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
