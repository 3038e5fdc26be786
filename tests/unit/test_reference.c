/* What `docket apply` refuses, and in which words. */
#include "tests/unit/reference_fixture.h"

/* ---------------------------------------------------------------- what is refused */

#define TEN      "abcdefghij"
#define TOO_LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN /* for a key */

static const struct {
    const char *yaml;
    const char *problem; /* the first, or the only one */
} refused[] = {
    /* shape */
    {"agents: [mara]", "t.yaml:1: \"agents\" must hold keys, and under each what it defines"},
    {"agnets: {}", "t.yaml:1: the key \"agnets\" is not known: did you mean agents?"},
    {"- a", "t.yaml:1: the document must hold \"key: value\" lines"},
    {"a: [", "t.yaml:2: this is no YAML: did not find expected node content, while parsing a flow "
             "node"},
    {"groups:\n  \"se rvice\": {line: 1}",
     "t.yaml:2: \"se rvice\" is no key: write up to 96 letters, digits, '.', '_', '-'"},
    {"groups:\n  desk: {line: 1}\n  desk: {line: 2}",
     "t.yaml:3: \"desk\" stands here twice: take one away"},
    {"products:\n  lan:\n    routes: {1: desk}\n    products:\n      lan:\n",
     "t.yaml:5: product \"lan\" is defined at t.yaml:2 too: take one away, or give it another key"},
    {"groups:\n  desk:\n    line: 1\n    calender: office",
     "t.yaml:4: the key \"calender\" is not known: did you mean calendar?"},
    {"groups: {desk: 1}", "t.yaml:1: group \"desk\" must hold \"key: value\" lines"},
    {"groups: {desk: {}}", "t.yaml:1: group \"desk\" has no line: add \"line: ...\""},
    {"groups: {desk: {line: 0}}", "t.yaml:1: line must be a whole number from 1 to 9"},
    {"groups: {desk: {line: 1, removed: maybe}}", "t.yaml:1: removed must be true or false"},
    {"effective_from: soon",
     "t.yaml:1: effective_from must be a date or time, as 2026-02-01 or 2026-02-01T09:00+01:00; "
     "without an offset it is UTC"},

    {"groups: {" TOO_LONG TOO_LONG ": {line: 1}}",
     "t.yaml:1: \"" TOO_LONG "\" is no key: write up to 96 letters, digits, '.', '_', '-'"},
    {"sites: {far: {number: 65535, zone: UTC}}",
     "t.yaml:1: number must be a whole number from 1 to 65534"},
    {"checklists: {c: {questions: []}}",
     "t.yaml:1: questions of checklist \"c\" is empty: write at least one"},
    {"agents: {mara: {first_name: Mara, surname: L, email: mara at home}}",
     "t.yaml:1: \"mara at home\" is no mailbox: write one as anna@example.org"},

    /* names */
    {"groups: {desk: {line: 1, calendar: ofice}}",
     "t.yaml:1: there is no calendar \"ofice\": did you mean \"office\"?"},
    {"groups: {desk: {line: 1, manager: somebody-else}}",
     "t.yaml:1: there is no agent \"somebody-else\": define it, or name another"},
    {"groups: {desk: {line: 1, site: berlinn}}",
     "t.yaml:1: there is no site \"berlinn\": did you mean \"berlin\"?"},
    {"calendars: {office: {removed: true}}\ngroups: {desk: {line: 1, calendar: office}}",
     "t.yaml:2: calendar \"office\" is removed at t.yaml:1: name another"},
    {"agents: {mara: {first_name: Mara, surname: L, groups: [desk, desk]}}",
     "t.yaml:1: \"desk\" stands in groups twice: take one away"},
    {"agents: {mara: {first_name: Mara, surname: L, channels: {emial: 1}}}",
     "t.yaml:1: channels \"emial\" is not known: did you mean email?"},
    {"settings: {channel_weight: {phone: 3}}\n"
     "agents:\n  mara: {first_name: Mara, surname: L, groups: [desk], channels: {phone: 2}}",
     "t.yaml:3: agent \"mara\" could never take a ticket by phone: it weighs 3, and there is room "
     "for 2; give room for a multiple of it, or 0 for none"},
    {"agents: {mara: {surname: Lindqvist}}",
     "t.yaml:1: agent \"mara\" has no first_name: add \"first_name: ...\""},

    /* catalogue */
    {"products: {lan: {name: Local network}}",
     "t.yaml:1: tickets of product \"lan\" would reach nobody: give it, or a product above it, a "
     "route for line 1, or the settings a default_group"},
    {"products: {lan: {routes: {1: dsk}}}",
     "t.yaml:1: there is no group \"dsk\": did you mean \"desk\"?"},
    {"products: {lan: {routes: {1: " TOO_LONG "}}}",
     "t.yaml:1: there is no group \"" TOO_LONG "\": define it, or name another"},
    {"products: {" TOO_LONG ": {products: {lan: }}}",
     "t.yaml:1: \"" TOO_LONG "\" is no key: write up to 96 letters, digits, '.', '_', '-'"},
    {"products: {lan: {routes: {one: desk}}}",
     "t.yaml:1: \"one\" is no line: write lines 1 to 9, and under each its group"},
    {"products:\n  lan:\n    routes: {1: desk, 2: experts}",
     "t.yaml:3: the route for line 2 leads to a group of line 3: \"experts\""},
    {"products:\n  hen: {parent: egg}\n  egg: {parent: hen}",
     "t.yaml:2: product \"hen\" is its own ancestor: give one of them another parent"},
    {"products: {lan: {products: {wan: {parent: network}}}}",
     "t.yaml:1: product \"wan\" stands in another already: take \"parent\" away"},
    {"groups:\n  empty: {line: 1}\nproducts:\n  lan: {routes: {1: empty}}",
     "t.yaml:2: group \"empty\" has no agents: add it to the groups of one, or remove it"},
    {"agents:\n  elena: {first_name: Elena, surname: Petrova, groups: [desk]}",
     "t.yaml:2: group \"experts\" has no agents: add it to the groups of one, or remove it"},
    {"groups: {desk: {line: 1, secondary: desk}}",
     "t.yaml:1: group \"desk\" is its own secondary: name another"},

    /* places and times */
    {"sites: {paris: {number: 1, zone: Europe/Paris}}",
     "t.yaml:1: site \"berlin\" has number 1 too: give each its own"},
    {"sites: {paris: {number: 2, zone: Europe/Pariss}}",
     "t.yaml:1: there is no time zone \"Europe/Pariss\": write an IANA name, as Europe/Berlin"},
    {"calendars:\n  x:\n    zone: Mars/Olympus\n    hours: {mon: \"09:00-17:00\"}",
     "t.yaml:3: there is no time zone \"Mars/Olympus\": write an IANA name, as Europe/Berlin"},
    {"calendars:\n  x:\n    zone: UTC\n    hours: {monday: \"09:00-17:00\"}",
     "t.yaml:4: \"monday\" names no days: write mon, mon-fri or \"mon, wed\""},
    {"calendars:\n  x:\n    zone: UTC\n    hours:\n      mon-fri: 09:00-17:00\n      wed: closed",
     "t.yaml:6: \"wed\" names a day again: give each day its hours once"},
    {"calendars: {x: {zone: UTC, hours: {mon: 9-17}}}",
     "t.yaml:1: working hours must read as 09:00-13:00, 14:00-18:00 (at most 8), or closed; "
     "22:00-06:00 goes over midnight, 00:00-24:00 is all day"},
    {"calendars: {x: {zone: UTC, hours: {mon: \"09:00-13:00, 12:00-17:00\"}}}",
     "t.yaml:1: \"09:00-13:00, 12:00-17:00\": an interval begins before the one in front of it "
     "has ended: order them, and let none overlap"},
    {"calendars:\n  x:\n    zone: UTC\n    hours: {mon: \"09:00-17:00\"}\n    holidays:\n"
     "      2026-02-30: Never",
     "t.yaml:6: \"2026-02-30\" is no date: write one as 2026-12-25"},
    {"calendars:\n  x:\n    zone: UTC\n    hours: {mon: \"09:00-17:00\"}\n"
     "    holidays: {2026-12-24: Eve}\n    special_days: {2026-12-24: \"09:00-12:00\"}",
     "t.yaml:6: 2026-12-24 is a holiday and a special day: make it one"},

    /* shifts */
    {"calendars: {early: {zone: Europe/Berlin, hours: {fri: \"08:00-09:30\"}}}\n"
     "shifts:\n  early:\n    calendar: early\n    agents: [mara]",
     "t.yaml:5: Mara Lindqvist would work shifts \"early\" and \"day\" at once, at "
     "2026-11-27T08:00:00Z: let one end before the other begins"},
    {"shifts: {x: {calendar: evening, agents: [mara], from: 2026-12-02, to: 2026-12-01}}",
     "t.yaml:1: shift \"x\" ends before it begins: \"to\" is its last day"},

    /* policies */
    {"policies: {ola: {x: {when: {group: desk}, goals: {group-ownership: 1h}}}}",
     "t.yaml:1: the ola policies have no default: end the list with one that has no \"when\""},
    {"policies:\n  uc:\n    all: {goals: {supplier: 4h}}\n"
     "    carrier: {when: {supplier: carrier}, goals: {supplier: 4h}}",
     "t.yaml:4: policy \"carrier\" is never reached: \"all\" before it matches whatever it does; "
     "put it first, or take it away"},
    {"policies:\n  ola:\n    wide: {when: {product: network}, goals: {group-ownership: 4h}}\n"
     "    vpn: {when: {product: vpn, priority: high}, goals: {group-ownership: 1h}}\n"
     "    all: {goals: {group-ownership: 9h}}",
     "t.yaml:4: policy \"vpn\" is never reached: \"wide\" before it matches whatever it does; "
     "put it first, or take it away"},
    {"policies: {sla: {default: {goals: {resolution: 4h}}}}",
     "t.yaml:1: sla policy \"gold\" is in force and not in this list: add it where it belongs, or "
     "with \"removed: true\""},
    {"policies: {ola: {x: {goals: {resolution: 1h}}}}",
     "t.yaml:1: a goal of ola policy \"x\" is of another sort: group-ownership goes with ola, "
     "supplier with uc, all others with sla"},
    {"policies: {ola: {x: {goals: {group-ownership: {urgent: 1h}}}}}",
     "t.yaml:1: goals \"urgent\" is not known: write critical, high, normal or low"},
    {"policies: {ola: {x: {goals: {group-ownership: fast}}}}",
     "t.yaml:1: group-ownership must be a duration, as 90s, 15m, 4h, 2d or 1h30m"},
    {"policies: {slo: {}}", "t.yaml:1: the key \"slo\" is not known: did you mean sla?"},

    /* the rest */
    {"fields: {size: {type: choice}}",
     "t.yaml:1: field \"size\" has no choices: choices go with type choice, and only with it"},
    {"contracts: {c: {level: gold}}",
     "t.yaml:1: contract \"c\" must name a company or a supplier, and not both: write one of "
     "\"company: ...\", \"supplier: ...\""},
    {"contracts: {c: {company: acme}}",
     "t.yaml:1: there is no company \"acme\": define it, or name another"},
    {"templates:\n  x:\n    texts:\n      default:\n        body: \"{{tickt}}\"",
     "t.yaml:5: there is no template field \"tickt\": did you mean {{ticket}}?"},
    {"templates: {x: {texts: {default: {title: \"{{weather}}\", body: b}}}}",
     "t.yaml:1: there is no template field \"weather\": write one of ticket, subject, status, "
     "priority, type, channel, product, line, group, owner, customer, company, supplier, "
     "recipient, event, occurred, actor, text, metric, due, late_by, level"},
    {"templates: {x: {texts: {default: {body: \"{{ticket\"}}}}",
     "t.yaml:1: a \"{{\" without its \"}}\": close it"},
    {"templates: {x: {texts: {de: {body: hallo}}}}",
     "t.yaml:1: no text for languages without one of their own: add \"default\""},
    {"rules: {r: {events: assigned, to: owner, via: file, address: a, template: lat}}",
     "t.yaml:1: there is no template \"lat\": did you mean \"late\"?"},
    {"rules: {r: {events: asigned, to: owner, via: file, address: a, template: late}}",
     "t.yaml:1: events \"asigned\" is not known: did you mean assigned?"},
    {"rules: {r: {events: assigned, to: owner, via: webhook, template: late}}",
     "t.yaml:1: rule \"r\" does not say where to: add \"address: ...\" (a path, a URL, a mailbox)"},
    {"rules: {r: {events: assigned, level: 90, to: owner, via: smtp, template: late}}",
     "t.yaml:1: a level goes with the event clock-warned only"},
#define RULE  "rules: {r: {events: assigned, to: owner, via: smtp, template: late, "
#define STEP  "to: manager, via: smtp, template: late"
#define WHERE "t.yaml:1: "
    {RULE "then: [{" STEP ", wait: 1h}]}}",
     WHERE "rule \"r\" does not say after which time others are told: add \"wait: ...\""},
    {RULE "wait: 1h, then: [{" STEP "}]}}", WHERE "a step has no wait: add \"wait: ...\""},
    {RULE "wait: 1h, then: [{" STEP ", wait: 0s}]}}",
     WHERE "a step must leave time to acknowledge: give it a wait"},
    {RULE "wait: 1h, then: {" STEP ", wait: 1h, until: 2h}}}", WHERE
     "the key \"until\" is not known: write to, via, template, wait, address, payload or chat"},
    {RULE "wait: 1h, then: [{to: nobody, via: smtp, template: late, wait: 1h}]}}",
     WHERE "then \"nobody\" is not known: write owner, group, customer, manager, fixed or "
           "supplier"},
    {RULE "wait: 1h, then: [{to: {agent: mary}, via: smtp, template: late, wait: 1h}]}}",
     WHERE "there is no agent \"mary\": did you mean \"mara\"?"},
    {RULE "wait: 1h, then: [{to: manager, via: webhook, template: late, wait: 1h}]}}",
     WHERE "rule \"r\" does not say where to: add \"address: ...\" (a path, a URL, a mailbox)"},
    {RULE "repeats: 2}}", WHERE "repeats and idle go with a chain only: add \"wait: ...\""},
    {RULE "wait: 1h, idle: 1h}}",
     WHERE "beginning again when idle is a repeat: add \"repeats: ...\""},
    {RULE "wait: 1h, digest: 1h}}",
     WHERE "what must be acknowledged, or is urgent, is not gathered: take digest away"},
    {"rules: {r: {events: assigned, to: owner, via: webhook, address: hooks.example.org, template: "
     "late}}",
     WHERE "address \"hooks.example.org\" is no URL: write http://HOST/... or https://HOST/..."},
    {"rules: {r: {events: assigned, to: owner, via: smtp, address: \"a@b, c@d\", template: late}}",
     WHERE "address \"a@b, c@d\" is no mailbox: write one as anna@example.org"},
    {RULE "payload: slack}}", WHERE "a payload goes with \"via: webhook\" only"},
    {"rules: {r: {events: assigned, to: owner, via: webhook, address: \"http://x\", template: "
     "late, "
     "payload: telegram}}",
     WHERE "a chat goes with \"payload: telegram\", and only with it"},
    {"policies: {ola: {x: {goals: {group-ownership: 1h}, warn_before: [30m, 30m]}}}",
     "t.yaml:1: \"30m\" stands in warn_before twice: take one away"},
    {"policies: {ola: {x: {goals: {group-ownership: 1h}, warn: [1, 2, 3, 4, 5, 6, 7, 8, 9], "
     "warn_before: [1m, 2m, 3m, 4m, 5m, 6m, 7m, 8m]}}}",
     "t.yaml:1: ola policy \"x\" warns more than 16 times: take some away"},

    /* what cannot be meant, alone */
    {"groups: {desk: {line: 1, name: \"  \"}}",
     WHERE "name must be one line of up to 127 bytes that says something"},
    {"groups: {desk: {line: 1, name: \"a\\nb\"}}",
     WHERE "name must be one line of up to 127 bytes that says something"},
    {"groups: {desk: {line: 1, name: " TOO_LONG TEN TEN TEN "}}",
     WHERE "name must be one line of up to 127 bytes that says something"},
    {"groups: {desk: {line: -1}}", WHERE "line must be a whole number from 1 to 9"},
    {"groups: {desk: {line: 99999999999999999999}}",
     WHERE "line must be a whole number from 1 to 9"},
    {"groups: {desk: {line: 1, removed: true, lines: 2}}",
     WHERE "the key \"lines\" is not known: did you mean line?"},
    {"effective_from: 1970-01-01\ngroups: {desk: {line: 1}}",
     WHERE "effective_from lies before 1990, as no calendar does"},
    {"groups: {desk: {line: 1, effective_from: 2199-01-01}}",
     WHERE "effective_from lies more than 3650 days ahead"},
    {"effective_from: 2199-01-01\ngroups: {desk: {line: 1}}",
     WHERE "effective_from lies more than 3650 days ahead"},
    {"agents: {mara: {first_name: \" \", surname: L}}",
     WHERE "first_name is empty: write something or take it away"},
    {"agents: {mara: {first_name: \"a\\nb\", surname: L}}",
     WHERE "first_name must be one line, without tabs and other control characters"},
    {"agents: {mara: {first_name: M, surname: L, languages: [english]}}",
     WHERE "agent \"mara\": agent_defined.language is no language's tag, as de or pt-BR"},
    {"agents: {mara: {first_name: M, surname: L, groups: [desk], channels: {chat: -1}}}",
     WHERE "chat must be a whole number from 0 to 1000"},
    {"settings: {channel_weight: {phone: 0}}", WHERE "phone must be a whole number from 1 to 1000"},
    {"settings: {queue_timeout: -1h}",
     WHERE "queue_timeout must be a duration, as 90s, 15m, 4h, 2d or 1h30m"},
    {"settings: {queue_timeout: 9999d}", WHERE "queue_timeout must be from 0s to 3650d"},
    {"settings: {needs_tier: {gold: 10}}", WHERE "gold must be a whole number from 1 to 9"},
    {"sites: {berlin: {number: 1, zone: Europe/Berlin, next: berlin}}",
     WHERE "site \"berlin\" is its own next one: name another"},
    {"products: {lan: {parent: lan}}",
     WHERE "product \"lan\" is its own ancestor: give one of them another parent"},
    {"calendars: {x: {zone: UTC, hours: {mon: closed}}}",
     WHERE "hours of calendar \"x\" is empty: write at least one"},
    {"calendars: {x: {zone: UTC, hours: {mon: \"09:00-09:00\"}}}",
     WHERE "working hours must read as 09:00-13:00, 14:00-18:00 (at most 8), or closed; "
           "22:00-06:00 goes over midnight, 00:00-24:00 is all day"},
    {"calendars: {x: {zone: UTC, hours: {mon: \"09:00-17:00\"}, holidays: {2200-01-01: N}}}",
     WHERE "\"2200-01-01\" is out of the years 1990 to 2099"},
    {"shifts: {x: {calendar: evening, agents: [mara], from: 1900-01-01}}",
     WHERE "\"1900-01-01\" is out of the years 1990 to 2099"},
    {"fields: {size: {type: text, choices: [a]}}",
     WHERE "field \"size\" has choices: choices go with type choice, and only with it"},
    {"templates: {x: {texts: {default: {body: b}, de: {body: b}, DE: {body: c}}}}",
     WHERE "two texts are in \"de\": take one away"},
    {"templates: {x: {texts: {default: {title: \"a\\nBcc: b@c\", body: b}}}}",
     WHERE "texts must be one line, without tabs and other control characters"},
    {"contracts: {c: {supplier: carrier, currency: EURO}}",
     WHERE "\"EURO\" is no currency: write the three letters of ISO 4217, as EUR"},
    {"contracts: {c: {supplier: carrier, currency: eur}}",
     WHERE "\"eur\" is no currency: write the three letters of ISO 4217, as EUR"},
#define PENALTY(what) "contracts: {c: {supplier: carrier, currency: EUR, penalties: {" what "}}}"
    {"contracts: {c: {supplier: carrier, penalties: {any: {rate_minor: 1, per: 1h, cap_minor: "
     "1}}}}",
     WHERE "the penalties of contract \"c\" have no currency: add \"currency: EUR\", or another of "
           "ISO 4217"},
    {PENALTY("any: {rate_minor: 0, per: 1h, cap_minor: 1}"),
     WHERE "a penalty costs something, and its cap holds one unit at least: rate_minor from 1 to "
           "cap_minor"},
    {PENALTY("any: {rate_minor: 5, per: 1h, cap_minor: 4}"),
     WHERE "a penalty costs something, and its cap holds one unit at least: rate_minor from 1 to "
           "cap_minor"},
    {PENALTY("any: {rate_minor: 5, per: 0s, cap_minor: 5}"),
     WHERE "a penalty counts units of time: give them a length"},
    {PENALTY("any: {rate_minor: 5, per: 1h, cap_minor: 5}, "
             "supplier: {any: {rate_minor: 6, per: 1h, cap_minor: 6}}"),
     WHERE "two penalties are for the same metric and priority (where none is named: supplier): "
           "take one away"},
    {PENALTY("first-reply: {any: {rate_minor: 5, per: 1h, cap_minor: 5}}"),
     WHERE "a penalty of contract \"c\" is for what it does not promise: supplier goes with a "
           "supplier, all but group-ownership with a company"},
#define POLICY(what) "policies: {ola: {x: {" what "}}}"
    {POLICY("when: {product: []}, goals: {group-ownership: 1h}"),
     WHERE "the condition on product holds no value, or one of another sort: write what it may be, "
           "or take it away"},
    {POLICY("when: {language: german}, goals: {group-ownership: 1h}"),
     WHERE "the condition on language holds no value, or one of another sort: write what it may "
           "be, or take it away"},
    {POLICY("goals: {group-ownership: {calendar: office}}"),
     WHERE "group-ownership has a calendar and no goal: add \"any: 4h\""},
    {POLICY("goals: {group-ownership: 0s}"), WHERE "a goal of no time cannot be met: give it some"},
    {POLICY("goals: {group-ownership: 9999d}"), WHERE "goals must be from 0s to 3650d"},
    {POLICY("goals: {group-ownership: 1h}, warn: 100"),
     WHERE "warn must be a whole number from 1 to 99"},
    {POLICY("goals: {group-ownership: 1h}, warn_before: 0s"),
     WHERE "warn_before of no time says nothing: give it some, or take it away"},
    {POLICY("goals: {group-ownership: 1h}, warn_before: 1h"),
     WHERE "a warning must come before a goal is used up and after it began: make it shorter than "
           "the goals, and longer than nothing"},
    {POLICY("goals: {group-ownership: 1h}, pause: customer"),
     WHERE "pauses are those of the goal of resolution, and there is none"},
    {POLICY("goals: {group-ownership: 1h}, auto_close_days: 3"),
     WHERE "days to solve or close by itself go with sla policies only"},
    {"rules: {r: {events: notice-sent, to: owner, via: smtp, template: late}}",
     WHERE "\"notice-sent\" tells nobody: rules listen to events of tickets, and notices are no "
           "news"},
    {RULE "wait: 0s}}", WHERE "wait of no time says nothing: give it some, or take it away"},
    {RULE "digest: 0s}}", WHERE "digest of no time says nothing: give it some, or take it away"},
    {RULE "wait: 1h, repeats: 101}}", WHERE "repeats must be a whole number from 0 to 100"},

    /* what cannot be meant, together */
    {"groups:\n  desk:\n    line: 1\n    secondary: experts",
     "t.yaml:4: secondary of group \"desk\" of line 1 leads to group \"experts\" of line 3: name "
     "one of the same line"},
    {"groups:\n  desk:\n    line: 1\n    next_site: experts",
     "t.yaml:4: next_site of group \"desk\" of line 1 leads to group \"experts\" of line 3: name "
     "one of the same line"},
    {"groups: {desk: {line: 1, next_site: desk}}",
     WHERE "group \"desk\" is its own next one: name a group of another site"},
    {"groups:\n  desk: {line: 1, site: berlin, next_site: night}\n"
     "  night: {line: 1, site: berlin}\n"
     "agents: {nia: {first_name: N, surname: A, groups: [night]}}",
     "t.yaml:2: next_site of group \"desk\" leads to group \"night\" of the same site: name one of "
     "another, or make it secondary"},
    {"groups:\n  desk:\n    line: 2", /* network leads to it, and is not in the file */
     "t.yaml:3: the route for line 1 leads to a group of line 2: \"desk\""},
    {"settings: {default_group: experts}",
     WHERE "the default group is where tickets begin, and \"experts\" is of line 3: name one of "
           "line 1"},
    {"sites:\n  berlin:\n    removed: true",
     "t.yaml:3: site \"berlin\" is still named by group \"desk\": change that first"},
    {"sites: {berlin: {number: 7, zone: Europe/Berlin}}",
     WHERE "site \"berlin\" has number 1, and its tickets are named by it: leave it"},
    {"agents: {mara: {first_name: M, surname: L, groups: [desk], capacity: 1}}\n"
     "settings:\n  channel_weight: {email: 2, phone: 2, web: 2, chat: 2, messenger: 2, social: 2, "
     "review: 2, api: 2, on-behalf: 2}",
     WHERE "agent \"mara\" could never take a ticket: it weighs 2 at least, and there is room for "
           "1; give more, or 0 for none"},
    {"products: {network: {routes: {1: desk}, skills: [wizardry]}}",
     WHERE "nobody has the skill \"wizardry\" that product \"network\" asks for: give it to an "
           "agent, or take it away"},
    {"settings: {needs_tier: {gold: 2}}",
     WHERE "nobody is of tier 2, which tickets of \"gold\" need: the highest is 1"},
    {"contracts:\n  a: {supplier: carrier}\n  b: {supplier: carrier}",
     "t.yaml:2: contract \"b\" is with this supplier too: end one with \"removed: true\""},
    {"calendars: {late: {zone: UTC, hours: {mon: \"09:00-17:00\"}, effective_from: 2027-06-01}}\n"
     "suppliers: {carrier: {calendar: late}}",
     "t.yaml:2: supplier \"carrier\" names late, which begins later, at 2027-06-01T00:00:00Z: let "
     "both begin together"},
    {"shifts:\n  a: {calendar: evening, agents: [elena], from: 2029-01-01}\n"
     "  b: {calendar: evening, agents: [elena], from: 2029-01-01}",
     "t.yaml:2: Elena Petrova would work shifts \"a\" and \"b\" at once, at 2029-01-01T16:00:00Z: "
     "let one end before the other begins"},

/* rules: who would never be told, and nowhere */
#define WARNED "rules: {r: {events: clock-warned, to: owner, via: smtp, template: late, "
    {WARNED "level: 90}}", WHERE
     "rule \"r\" is never told: no policy in force warns at 90; add it to \"warn\" of one, or "
     "name a level that stands there"},
    {"policies:\n  ola: {x: {goals: {group-ownership: 1h}, warn: 90}}\n" WARNED
     "level: 90, metric: resolution}}",
     "t.yaml:3: rule \"r\" is never told: no policy with a goal of resolution warns at 90; add it "
     "to \"warn\" of one, or name a level that stands there"},
    {WARNED "metric: supplier}}",
     WHERE "rule \"r\" is never told: no policy has a goal of supplier"},
#define TO(what) "rules: {r: {events: assigned, template: late, " what "}}"
    {TO("to: owner, via: file, address: ../../etc/passwd"),
     WHERE "address \"../../etc/passwd\" is no path below the folder of files: write one as "
           "notices/desk.jsonl, without \"..\""},
    {TO("to: owner, via: file, address: /etc/passwd"),
     WHERE "address \"/etc/passwd\" is no path below the folder of files: write one as "
           "notices/desk.jsonl, without \"..\""},
    {TO("to: owner, via: file, address: a/./b"),
     WHERE "address \"a/./b\" is no path below the folder of files: write one as "
           "notices/desk.jsonl, without \"..\""},
    {TO("to: owner, via: webhook, address: \"http:///x\""),
     WHERE "address \"http:///x\" is no URL: write http://HOST/... or https://HOST/..."},
    {TO("to: owner, via: webhook, address: \"http://x y\""),
     WHERE "address \"http://x y\" is no URL: write http://HOST/... or https://HOST/..."},
    {TO("to: owner, via: webhook, address: \"file:///etc/passwd\""),
     WHERE "address \"file:///etc/passwd\" is no URL: write http://HOST/... or https://HOST/..."},
    {TO("to: group, via: smtp"),
     WHERE "rule \"r\" does not say where to: add \"address: ...\" (a path, a URL, a mailbox)"},
    {TO("to: {agent: mara}, via: smtp"),
     WHERE "rule \"r\" sends mail to agent \"mara\", who has no mailbox: give one there, or add "
           "\"address: ...\""},
    {TO("to: {supplier: carrier}, via: smtp"),
     WHERE "rule \"r\" sends mail to supplier \"carrier\", who has no mailbox: give one there, or "
           "add \"address: ...\""},

    /* removal */
    {"groups: {gone: {removed: true}}",
     "t.yaml:1: there is no group \"gone\" to remove: take the entry away"},
    {"groups:\n  desk:\n    removed: true",
     "t.yaml:3: group \"desk\" is still named by agent \"mara\": change that first"},
};

static void test_reference_refuses_with_file_and_line(void **state)
{
    const struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct dk_reference *set = load(refused[i].yaml);
        struct dk_err err = {0};
        assert_int_equal(dk_reference_compare(set, fixture->refs, NOW_US, &err), DK_EINVAL);
        assert_string_equal(err.message, refused[i].problem);
        assert_string_equal(dk_reference_problem(set, 0), refused[i].problem);
        assert_int_equal(dk_reference_change_count(set), 0);
        dk_reference_free(&set);
    }
}

static void test_reference_says_the_steps_of_a_chain(void **state)
{
    struct fixture *fixture = *state;
    apply(fixture, RULE "wait: 15m, then: {" STEP ", wait: 20m}}}");
    assert_difference(fixture,
                      RULE "wait: 15m, repeats: 2, idle: 2h, then: [{" STEP ", wait: 30m}, "
                           "{to: {agent: elena}, via: webhook, address: \"http://x\", template: "
                           "late, wait: 1h, payload: telegram, chat: \"-7\"}]}}",
                      "~ rule r\n"
                      "    then.1.wait: 20m -> 30m\n"
                      "    then.2.to.agent: (none) -> elena\n"
                      "    then.2.via: (none) -> webhook\n"
                      "    then.2.address: (none) -> http://x\n"
                      "    then.2.template: (none) -> late\n"
                      "    then.2.wait: (none) -> 1h\n"
                      "    then.2.payload: (none) -> telegram\n"
                      "    then.2.chat: (none) -> -7\n"
                      "    repeats: (none) -> 2\n"
                      "    idle: (none) -> 2h\n"
                      "0 added, 1 changed, 0 removed, 0 unchanged\n");
}

static void test_reference_collects_problems_up_to_a_bound(void **state)
{
    const struct fixture *fixture = *state;
    char yaml[4096] = "groups:\n";
    for (int i = 0; i < 25; i++) {
        size_t used = strlen(yaml);
        snprintf(yaml + used, sizeof yaml - used, "  g%d: {line: %d}\n", i, i + 10);
    }
    struct dk_reference *set = load(yaml);
    size_t more;
    assert_int_equal(dk_reference_compare(set, fixture->refs, NOW_US, NULL), DK_EINVAL);
    assert_int_equal(dk_reference_problem_count(set, &more), DK_REFERENCE_MAX_PROBLEMS);
    assert_int_equal(more, 5);
    assert_string_equal(dk_reference_problem(set, 19),
                        "t.yaml:21: line must be a whole number from 1 to 9");
    dk_reference_free(&set);
}

static void test_reference_keeps_a_list_of_policies_in_one_file(void **state)
{
    const struct fixture *fixture = *state;
    static const char one[] = "policies: {uc: {a: {goals: {supplier: 1h}}}}";
    static const char two[] = "policies: {uc: {b: {goals: {supplier: 1h}}}}";
    struct dk_reference *set = load(one);
    assert_int_equal(dk_reference_add_text(set, "u.yaml", two, strlen(two), NULL), 0);
    assert_int_equal(dk_reference_compare(set, fixture->refs, NOW_US, NULL), DK_EINVAL);
    assert_string_equal(dk_reference_problem(set, 0),
                        "u.yaml:1: uc policies stand in t.yaml too: their order counts, so keep "
                        "them in one file");
    dk_reference_free(&set);
}

static void test_reference_says_which_file_is_missing(void **state)
{
    (void)state;
    struct dk_reference *set;
    struct dk_err err;
    assert_int_equal(dk_reference_new(&set, NULL), 0);
    assert_int_equal(dk_reference_add_file(set, "/nowhere/x.yaml", &err), DK_ENOTFOUND);
    assert_non_null(strstr(err.message, "/nowhere/x.yaml"));
    dk_reference_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_reference_refuses_with_file_and_line),
        TEST(test_reference_says_the_steps_of_a_chain),
        TEST(test_reference_collects_problems_up_to_a_bound),
        TEST(test_reference_keeps_a_list_of_policies_in_one_file),
        TEST(test_reference_says_which_file_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
