#include "replay/import/mapper.h"

#include "tests/unit/import_fixture.h"

static const char snapshots[] = "source: desk\n"
                                "shape: snapshots\n"
                                "case: id\n"
                                "missing: ['?']\n"
                                "opened: {at: opened, by: opener}\n"
                                "changed: {at: at, by: who}\n"
                                "customer: caller\n"
                                "group: grp\n"
                                "assignee: agent\n"
                                "product: [cat, sub]\n"
                                "priority: {column: prio, words: {P1: critical, P3: normal}}\n"
                                "impact: {column: imp, words: {1: high, 2: medium}}\n"
                                "status:\n"
                                "  column: state\n"
                                "  words: {New: new, Active: open, Odd: open, Wait: pending "
                                "customer, Done: solved, End: closed}\n"
                                "final:\n"
                                "  solved: {at: solved_at, by: solver}\n"
                                "  closed: {at: closed_at, code: code}\n"
                                "attributes:\n"
                                "  moves: {type: number, from: '0'}\n"
                                "  made: {type: choice, from: 'yes'}\n"
                                "  site: text\n"
                                "  due: date\n";

static const char header[] = "id,opened,opener,at,who,caller,grp,agent,cat,sub,prio,imp,state,"
                             "solved_at,solver,closed_at,code,moves,made,site,due\n";

/* Maps rows of the mapping above; says both texts when the events are others. */
static void expect(const char *rows, const char *events, const char *rejects)
{
    struct import_fixture f;
    char file[8192];
    fixture_open(&f, snapshots);
    (void)snprintf(file, sizeof file, "%s%s", header, rows);
    ASSERT_STR(fixture_map(&f, file), events);
    ASSERT_STR(f.rejects_text, rejects);
    fixture_close(&f);
}

static void test_mapper_opens_a_ticket_by_its_first_row(void **state)
{
    (void)state;
    expect(
        "T1,2026-01-02 08:00,Ann,2026-01-02 08:05,Bob,Cal,G1,Bob,a,b,P1,1,New,?,?,?,?,0,yes,Rome,"
        "2026-02-01\n",
        "1 +customer Cal\n"
        "1 +product a name=a\n"
        "1 +product a / b name=b below a\n"
        "1 +agent Ann\n"
        "1 opened T1 customer=Cal product=a / b priority=1 impact=1 | Ann 2026-01-02T08:00:00Z\n"
        "1 +group G1\n"
        "1 +agent Bob\n"
        "1 routed G1 | Bob 2026-01-02T08:05:00Z\n"
        "1 assigned Bob | Bob 2026-01-02T08:05:00Z\n"
        "1 +field site\n"
        "1 field site=Rome | Bob 2026-01-02T08:05:00Z\n"
        "1 +field due\n"
        "1 field due=2026-02-01T00:00:00Z | Bob 2026-01-02T08:05:00Z\n",
        "");
}

/* What is not known makes no entity; a queue that nobody knows is an event all the same. */
static void test_mapper_takes_what_is_not_known(void **state)
{
    (void)state;
    expect("T1,2026-01-02 08:00,?,2026-01-02 08:05,?,?,?,?,?,b,,?,?,?,?,?,?,?,?,?,?\n",
           "1 opened T1 | importer 2026-01-02T08:00:00Z\n"
           "1 routed nobody | importer 2026-01-02T08:05:00Z\n"
           "1 +field moves\n"
           "1 field moves= | importer 2026-01-02T08:05:00Z\n"
           "1 +field made\n"
           "1 field made= | importer 2026-01-02T08:05:00Z\n",
           "");
}

static void test_mapper_writes_what_changed_between_rows(void **state)
{
    (void)state;
    expect("T1,2026-01-02,?,2026-01-02 08:00,?,Cal,G1,?,a,b,P3,2,New,?,?,?,?,0,yes,?,?\n"
           "T1,2026-01-02,?,2026-01-02 09:00,?,Cal,G1,?,a,b,P3,2,New,?,?,?,?,0,yes,?,?\n"
           "T1,2026-01-02,?,2026-01-02 10:00,?,Dan,G2,Bob,a,c,P1,1,Active,?,?,?,?,1,no,Rome,?\n"
           "T1,2026-01-02,?,2026-01-02 11:00,?,?,?,?,?,?,?,?,?,?,?,?,?,1,no,?,?\n"
           "T1,2026-01-02,?,2026-01-02 12:00,?,Dan,G2,?,a,?,P1,1,Odd,?,?,?,?,1,no,?,?\n",
           "1 +customer Cal\n"
           "1 +product a name=a\n"
           "1 +product a / b name=b below a\n"
           "1 opened T1 customer=Cal product=a / b priority=3 impact=2 | importer "
           "2026-01-02T00:00:00Z\n"
           "1 +group G1\n"
           "1 routed G1 | importer 2026-01-02T08:00:00Z\n"
           "3 +customer Dan\n"
           "3 requester Dan | importer 2026-01-02T10:00:00Z\n"
           "3 +product a / c name=c below a\n"
           "3 classified product=a / c priority=1 impact=1 | importer 2026-01-02T10:00:00Z\n"
           "3 +group G2\n"
           "3 routed G2 | importer 2026-01-02T10:00:00Z\n"
           "3 +agent Bob\n"
           "3 assigned Bob | importer 2026-01-02T10:00:00Z\n"
           "3 status open | importer 2026-01-02T10:00:00Z\n"
           "3 +field moves\n"
           "3 field moves=1 | importer 2026-01-02T10:00:00Z\n"
           "3 +field made\n"
           "3 field made=(no) | importer 2026-01-02T10:00:00Z\n"
           "3 +field site\n"
           "3 field site=Rome | importer 2026-01-02T10:00:00Z\n"
           "4 routed nobody | importer 2026-01-02T11:00:00Z\n"
           "4 assigned nobody | importer 2026-01-02T11:00:00Z\n"
           "4 field site= | importer 2026-01-02T11:00:00Z\n"
           "5 classified product=a | importer 2026-01-02T12:00:00Z\n"
           "5 routed G2 | importer 2026-01-02T12:00:00Z\n",
           "");
}

/* Every solve carries the final instant that its row knows; 0 says that it is known to be unknown.
 */
static void test_mapper_qualifies_the_ends(void **state)
{
    (void)state;
    expect("T1,2026-01-02,?,2026-01-02 "
           "08:00,?,?,G,?,?,?,?,?,Done,2026-01-05,Bob,2026-01-09,c5,0,yes,?,"
           "?\n"
           "T1,2026-01-02,?,2026-01-02 09:00,?,?,G,?,?,?,?,?,Active,2026-01-05,Bob,?,c5,0,yes,?,?\n"
           "T1,2026-01-02,?,2026-01-05 01:00,?,?,G,?,?,?,?,?,Done,2026-01-05,Bob,?,c5,0,yes,?,?\n"
           "T1,2026-01-02,?,2026-01-06 01:00,?,?,G,?,?,?,?,?,End,2026-01-05,Bob,?,c5,0,yes,?,?\n",
           "1 opened T1 | importer 2026-01-02T00:00:00Z\n"
           "1 +group G\n"
           "1 routed G | importer 2026-01-02T08:00:00Z\n"
           "1 +agent Bob\n"
           "1 status solved final=2026-01-05T00:00:00Z by=Bob | importer 2026-01-02T08:00:00Z\n"
           "2 status open | importer 2026-01-02T09:00:00Z\n"
           "3 status solved final=2026-01-05T00:00:00Z by=Bob | importer 2026-01-05T01:00:00Z\n"
           "4 status closed final=unknown code=c5 | importer 2026-01-06T01:00:00Z\n",
           "");
}

/* A row that is not understood changes nothing: the next one is compared with the one before it. */
static void test_mapper_leaves_out_rows_it_cannot_understand(void **state)
{
    (void)state;
    expect("T1,2026-01-02,?,2026-01-02 08:00,?,?,G1,?,?,?,?,?,New,?,?,?,?,0,yes,?,?\n"
           "T1,2026-01-02,?,2026-01-02 09:00,?,?,G2,?,?,?,?,?,Lost,?,?,?,?,0,yes,?,?\n"
           "T1,2026-01-02,?,?,?,?,G2,?,?,?,?,?,New,?,?,?,?,0,yes,?,?\n"
           "T1,2026-01-02,?,soon,?,?,G2,?,?,?,?,?,New,?,?,?,?,0,yes,?,?\n"
           "T1,2026-01-02,?,2099-01-01,?,?,G2,?,?,?,?,?,New,?,?,?,?,0,yes,?,?\n"
           "T1,2026-01-02,?,2026-01-02 09:00,?,?,G2,?,?,?,?,?,New,?,?,?,?,many,yes,?,?\n"
           "T1,2026-01-02,?,2026-01-02 09:00,?,?,G2,?,?,?,?,?,Done,when,?,?,?,0,yes,?,?\n"
           "T1,2026-01-02,?,2026-01-02 09:00,?,?,G2,?,?,?,?,?,New,?,?,?,?,0,yes,?,never\n"
           "T1,2026-01-02,?,1970-01-01 00:00Z,?,?,G1,?,?,?,?,?,Active,?,?,?,?,0,yes,?,?\n"
           "T1,2026-01-02,?,2026-01-02 10:00,?,?,G1,?,?,?,?,?,Active,?,?,?,?,0,yes,?,?\n",
           "1 opened T1 | importer 2026-01-02T00:00:00Z\n"
           "1 +group G1\n"
           "1 routed G1 | importer 2026-01-02T08:00:00Z\n"
           "10 status open | importer 2026-01-02T10:00:00Z\n",
           "file.csv:3: row 2: state \"Lost\" is not among the mapping's words\n"
           "file.csv:4: row 3: at is not known\n"
           "file.csv:5: row 4: at: \"soon\" is no time (at \"soon\"): write it as "
           "2026-02-03T04:05:06Z, 2026-02-03 04:05 or 2026-02-03\n"
           "file.csv:6: row 5: at \"2099-01-01\" lies in the future\n"
           "file.csv:7: row 6: moves \"many\" is no number\n"
           "file.csv:8: row 7: solved_at: \"when\" is no time (at \"when\"): write it as "
           "2026-02-03T04:05:06Z, 2026-02-03 04:05 or 2026-02-03\n"
           "file.csv:9: row 8: due: \"never\" is no time (at \"never\"): write it as "
           "2026-02-03T04:05:06Z, 2026-02-03 04:05 or 2026-02-03\n"
           "file.csv:10: row 9: at \"1970-01-01 00:00Z\" is the instant 0, which stands for "
           "none\n");
}

/* The first row that is understood opens the ticket, under its own ordinal. */
static void test_mapper_opens_by_the_first_row_it_understands(void **state)
{
    (void)state;
    expect("T1,?,?,2026-01-02 08:00,?,?,G1,?,?,?,?,?,New,?,?,?,?,0,yes,?,?\n"
           "T1,2026-01-01,?,2026-01-02 09:00,?,?,G1,?,?,?,?,?,New,?,?,?,?,0,yes,?,?\n",
           "2 opened T1 | importer 2026-01-01T00:00:00Z\n"
           "2 +group G1\n"
           "2 routed G1 | importer 2026-01-02T09:00:00Z\n",
           "file.csv:2: row 1: opened is not known\n");
}

static void test_mapper_bounds_names(void **state)
{
    (void)state;
    struct import_fixture f;
    char file[8192], name[DK_KEY_MAX_BYTES + 2];
    memset(name, 'n', sizeof name);
    name[DK_KEY_MAX_BYTES] = '\0';
    fixture_open(&f, snapshots);
    (void)snprintf(file, sizeof file,
                   "%sT1,2026-01-02,?,2026-01-02,?,?,%s,?,?,?,?,?,?,?,?,?,?,0,yes,?,?\n"
                   "T1,2026-01-02,?,2026-01-02,?,?,%sn,?,?,?,?,?,?,?,?,?,?,0,yes,?,?\n"
                   "T1,2026-01-02,?,2026-01-02,?,?,%s,?,%s,?,?,?,?,?,?,?,?,0,yes,?,?\n",
                   header, name, name, name, name);
    ASSERT_CONTAINS(fixture_map(&f, file), "1 routed nnn");
    ASSERT_EQ(f.report.rejected, 2);
    ASSERT_CONTAINS(f.rejects_text, "row 2: grp \"nnn");
    ASSERT_CONTAINS(f.rejects_text, "row 3: cat \"nnn");
    fixture_close(&f);
}

static const char activities[] =
    "source: jira\n"
    "shape: activities\n"
    "case: issue\n"
    "cases: scattered\n"
    "changed: {at: time}\n"
    "activities:\n"
    "  - {when: {act: assigned}, is: assigned, to: who}\n"
    "  - {when: {act: moved}, is: routed, to: who}\n"
    "  - {when: {act: comment, seen: private}, is: note, agent: who}\n"
    "  - when: {act: comment}\n"
    "    from: requester\n"
    "    is: message inbound\n"
    "    customer: who\n"
    "    text: body\n"
    "  - {when: {act: comment, seen: robot}, is: message automatic}\n"
    "  - {when: {act: comment}, is: message outbound, agent: who, id: nr}\n"
    "  - {when: {act: seen}, is: nothing}\n"
    "  - {when: {act: done}, is: solved, agent: who}\n"
    "  - {when: {act: again}, is: pending supplier, agent: who}\n";

static void test_mapper_tells_acts(void **state)
{
    (void)state;
    struct import_fixture f;
    fixture_open(&f, activities);
    ASSERT_STR(fixture_map(&f, "time,issue,act,who,seen,nr,body\n"
                               "2026-01-02T08:00,7,assigned,Bob,,,\n"
                               "2026-01-02T08:00,8,comment,Eve,public,1,hello\n"
                               "2026-01-02T08:01,7,comment,Ann,public,2,help\n"
                               "2026-01-02T08:02,7,comment,Bob,public,3,yes\n"
                               "2026-01-02T08:03,7,comment,Ann,public,4,\n"
                               "2026-01-02T08:04,7,comment,Bob,robot,5,\n"
                               "2026-01-02T08:05,7,comment,Bob,private,6,\n"
                               "2026-01-02T08:06,7,moved,G2,,,\n"
                               "2026-01-02T08:07,7,assigned,,,,\n"
                               "2026-01-02T08:07,7,seen,Bob,,,\n"
                               "2026-01-02T08:07,7,odd,Bob,,,\n"
                               "2026-01-02T08:08,7,done,Bob,,,\n"
                               "2026-01-02T08:09,7,done,Bob,,,\n"
                               "2026-01-02T08:09,7,again,Bob,,,\n"),
               "1 opened 7 | importer 2026-01-02T08:00:00Z\n"
               "1 +agent Bob\n"
               "1 assigned Bob | importer 2026-01-02T08:00:00Z\n"
               "2 +customer Ann\n"
               "2 requester Ann | Ann 2026-01-02T08:01:00Z\n"
               "2 message in \"help\" | Ann 2026-01-02T08:01:00Z\n"
               "3 message out id=3 | Bob 2026-01-02T08:02:00Z\n"
               "4 message in | Ann 2026-01-02T08:03:00Z\n"
               "5 message out automatic | importer 2026-01-02T08:04:00Z\n"
               "6 note | Bob 2026-01-02T08:05:00Z\n"
               "7 +group G2\n"
               "7 routed G2 | importer 2026-01-02T08:06:00Z\n"
               "8 assigned nobody | importer 2026-01-02T08:07:00Z\n"
               "11 status solved | Bob 2026-01-02T08:08:00Z\n"
               "13 status pending (supplier) | Bob 2026-01-02T08:09:00Z\n"
               "1 +customer Eve\n"
               "1 opened 8 customer=Eve | Eve 2026-01-02T08:00:00Z\n"
               "1 message in \"hello\" | Eve 2026-01-02T08:00:00Z\n");
    ASSERT_STR(f.rejects_text,
               "file.csv:12: row 11: none of the mapping's activities fits the row\n");
    fixture_close(&f);
}

/* Each file's events are the first events of a longer file's: what a row makes does not depend on
 * later rows. */
static void test_mapper_only_adds_for_a_longer_file(void **state)
{
    (void)state;
    static const char *const states[] = {"New", "Active", "Wait", "Done", "End", "?"};
    static const char *const groups[] = {"G1", "G2", "?"};
    char rows[8192], before[FIXTURE_MAX_TEXT / 8] = "";
    size_t bytes = (size_t)snprintf(rows, sizeof rows, "%s", header);
    for (int i = 0; i < 30; i++) {
        struct import_fixture f;
        bytes += (size_t)snprintf(rows + bytes, sizeof rows - bytes,
                                  "T1,2026-01-02,?,2026-01-02 08:%02d,?,?,%s,?,a,?,P%d,?,%s,"
                                  "2026-01-0%d,?,?,?,%d,yes,?,?\n",
                                  i, groups[i * 7 % 3], i % 2 * 2 + 1, states[i * 5 % 6], 1 + i % 9,
                                  i / 3);
        fixture_open(&f, snapshots);
        const char *events = fixture_map(&f, rows);
        ASSERT_EQ(f.report.rejected, 0);
        ASSERT_EQ(strncmp(events, before, strlen(before)), 0);
        (void)snprintf(before, sizeof before, "%s", events);
        fixture_close(&f);
    }
}

static void test_mapper_defines_once(void **state)
{
    (void)state;
    struct import_fixture f;
    fixture_open(&f, snapshots);
    dk_mapper_know(&f.mapper, dk_id_of_key(DK_SUBJECT_GROUP, "G1", 2, NULL));
    char file[1024];
    (void)snprintf(file, sizeof file,
                   "%sT1,2026-01-02,?,2026-01-02,?,?,G1,?,?,?,?,?,?,?,?,?,?,0,yes,?,?\n"
                   "T2,2026-01-02,?,2026-01-02,?,?,G2,?,?,?,?,?,?,?,?,?,?,0,yes,?,?\n"
                   "T3,2026-01-02,?,2026-01-02,?,?,G2,?,?,?,?,?,?,?,?,?,?,0,yes,?,?\n",
                   header);
    const char *events = fixture_map(&f, file);
    ASSERT_TRUE(strstr(events, "+group G1") == NULL);
    const char *first = strstr(events, "+group G2");
    ASSERT_TRUE(first != NULL && strstr(first + 1, "+group G2") == NULL);
    fixture_close(&f);
}

/* A case that is mapped again without a row: what only that row defined is defined by the next one
 * that names it. */
static void test_mapper_takes_drafts_back(void **state)
{
    (void)state;
    struct import_fixture f;
    const struct dk_case *one = NULL;
    struct dk_err err;
    fixture_open(&f, "source: s\nshape: snapshots\ncase: c\nchanged: {at: t}\ngroup: g\n");
    f.at = "c,t,g\na,2026-01-01,G1\na,2026-01-02,G2\na,2026-01-03,G2\n";
    ASSERT_OK(dk_csv_new(&f.csv, ',', fixture_read, &f, &err), &err);
    ASSERT_OK(dk_cases_new(&f.cases, &f.mapping, f.csv, NULL, fixture_salt, DK_CASES_MEMORY_BYTES,
                           &f.report, &err),
              &err);
    ASSERT_EQ(dk_cases_next(f.cases, &one, &err), 1);
    ASSERT_OK(dk_mapper_case(&f.mapper, one, &f.drafts, &err), &err);
    ASSERT_EQ(f.drafts.count, 5); /* two groups, Opened, and Routed twice */
    dk_mapper_undo(&f.mapper, &f.drafts);
    one->first->next->passed_over = true;
    ASSERT_OK(dk_mapper_case(&f.mapper, one, &f.drafts, &err), &err);
    ASSERT_EQ(f.drafts.count, 5);
    ASSERT_EQ(f.drafts.draft[3].row->ordinal, 3);
    ASSERT_TRUE(!f.drafts.draft[3].of_ticket);
    fixture_close(&f);
}

static void test_mapper_says_what_is_still_open(void **state)
{
    (void)state;
    static const struct {
        const char *state;
        bool live;
    } rows[] = {{"New", true}, {"Active", true}, {"Wait", true}, {"Done", false}, {"End", false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct import_fixture f;
        char file[1024];
        fixture_open(&f, snapshots);
        (void)snprintf(file, sizeof file,
                       "%sT1,2026-01-02,?,2026-01-02,?,?,?,?,?,?,?,?,%s,?,?,?,?,0,yes,?,?\n",
                       header, rows[i].state);
        (void)fixture_map(&f, file);
        ASSERT_EQ(dk_mapper_live(&f.mapper), rows[i].live);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapper_opens_a_ticket_by_its_first_row),
        cmocka_unit_test(test_mapper_takes_what_is_not_known),
        cmocka_unit_test(test_mapper_writes_what_changed_between_rows),
        cmocka_unit_test(test_mapper_qualifies_the_ends),
        cmocka_unit_test(test_mapper_leaves_out_rows_it_cannot_understand),
        cmocka_unit_test(test_mapper_opens_by_the_first_row_it_understands),
        cmocka_unit_test(test_mapper_bounds_names),
        cmocka_unit_test(test_mapper_tells_acts),
        cmocka_unit_test(test_mapper_only_adds_for_a_longer_file),
        cmocka_unit_test(test_mapper_defines_once),
        cmocka_unit_test(test_mapper_takes_drafts_back),
        cmocka_unit_test(test_mapper_says_what_is_still_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
