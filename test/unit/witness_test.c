/* SPDX-License-Identifier: MIT */
/* The room witness: what is believed, what is remembered, and for how long. */
#include "expect.h"
#include "fake_loop.h"
#include "recorders.h"
#include "scarce.h"
#include "settings.h"
#include "signing.h"
#include "witness.h"

#define HOUR 3600000u

static struct fake_loop loop;
static struct log_recorder lines;
static struct netron_core *core;
static struct netron_settings settings;
static struct netron_skipped skipped;
static struct netron_witness witness;
static netron_signature_key signing, wrong_key;
static unsigned asked; /* how often a signature was checked: the keyring asks for each */
static unsigned again;

static int ask(const char *node_id, const char *key_id, netron_signature_key *key, void *arg)
{
    (void)node_id, (void)arg;
    asked++;
    if (strcmp(key_id, "k") != 0)
        return 0;
    *key = public_key(0, "k", NULL);
    return 1;
}

static void read_again(void *arg)
{
    if (arg != &again)
        ck_abort_msg("the argument is another one");
    again++;
}

static void open_witness(bool hears_departures)
{
    witness = (struct netron_witness){.core = core,
                                      .settings = &settings,
                                      .skipped = &skipped,
                                      .hears_departures = hears_departures,
                                      .again = hears_departures ? read_again : NULL,
                                      .arg = &again};
    netron_witness_open(&witness);
}

static void begin(void)
{
    const struct netron_log log = {.fn = record_log, .arg = &lines};
    netron_options options;
    memset(&lines, 0, sizeof(lines));
    asked = again = 0;
    signing = private_key(0, "k");
    wrong_key = private_key(1, "k");
    netron_options_init(&options);
    options.key_prefix = "p";
    options.trusted_key = ask;
    ck_assert_int_eq(netron_settings_make(&options, &settings, NULL), 0);
    fake_loop_init(&loop);
    ck_assert_int_eq(netron_core_new(&loop.seam, true, &log, &core), 0);
    skipped = (struct netron_skipped){.core = core};
    netron_core_enter(core);
    open_witness(true);
}

static void end(void)
{
    netron_witness_close(&witness);
    netron_witness_close(&witness);
    netron_skipped_clear(&skipped);
    netron_settings_clear(&settings);
    netron_core_dispose(core);
    netron_core_leave(core);
    fake_loop_clear(&loop);
}

static void pass(uint64_t ms)
{
    netron_core_leave(core);
    fake_loop_advance(&loop, ms);
    netron_core_enter(core);
}

/* A record of the node at that port, as it is read from the registry. key NULL: not signed. */
static struct netron_record record_of(const netron_signature_key *key, const char *id, unsigned port,
                                      const char *incarnation, uint64_t sequence, struct netron_stamp *stamp)
{
    char address[32];
    netron_node node = NETRON_NODE_INIT;
    struct netron_record record;
    snprintf(address, sizeof(address), "h:%u", port);
    node.id = id;
    node.address = address;
    char *body =
        key != NULL ? signed_body(key, "p", &node, incarnation, 20000, sequence) : netron_record_body(&node, 20000);
    ck_assert_int_eq(netron_record_parse_body(body, strlen(body), id, incarnation, &record, stamp, NULL), 0);
    free(body);
    return record;
}

/* The port that is known after such a record, 0 for none; "!" behind it in the log's count means refused. */
static unsigned judge(const netron_signature_key *key, const char *id, unsigned port, const char *incarnation,
                      uint64_t sequence)
{
    struct netron_stamp stamp;
    struct netron_failure why = {0};
    struct netron_record record = record_of(key, id, port, incarnation, sequence, &stamp);
    ck_assert_int_eq(netron_witness_judge(&witness, id, &record, &stamp, &why), 0);
    unsigned known = record.node != NULL ? (unsigned)atoi(record.node->address + 2) : 0;
    ck_assert_uint_eq(record.ttl_ms, known != 0 ? 20000 : 0);
    ck_assert(!record.is_refused || why.sentence[0] != '\0');
    netron_record_clear(&record);
    return known;
}

static unsigned refused(void)
{
    return (unsigned)core->stats.refused_records;
}

START_TEST(what_a_trusted_key_signed_is_believed_and_checked_once)
{
    ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 1);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 1);
    ck_assert_uint_eq(asked, 1);
    ck_assert_uint_eq(judge(&signing, "a", 2, "i", 11), 2);
    ck_assert_uint_eq(asked, 2);
    ck_assert_uint_eq(refused(), 0);
}
END_TEST

START_TEST(what_none_signed_is_nothing_and_told_once_for_each_id)
{
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(judge(NULL, "a", 1, "i", 10), 0);
        ck_assert_uint_eq(judge(&wrong_key, "b", 1, "i", 10), 0);
    }
    ck_assert_uint_eq(refused(), 6);
    ck_assert_uint_eq(core->stats.skipped_records, 0);
    ck_assert_int_eq(log_count(&lines, "refusing the record of node a: it is not signed"), 1);
    ck_assert_int_eq(log_count(&lines, "refusing the record of node b: its signature is wrong"), 1);
}
END_TEST

/* Every part of what is signed, put into another record. */
START_TEST(a_signature_that_was_carried_elsewhere_is_wrong)
{
    struct netron_stamp stamp, other;
    struct netron_failure why;
    for (int part = 0; part < 5; part++) {
        struct netron_record record = record_of(&signing, "a", 1, "i", 10, &stamp);
        struct netron_record carried = record_of(part == 0 ? NULL : &signing, part == 1 ? "b" : "a", part == 2 ? 2 : 1,
                                                 part == 3 ? "j" : "i", 10, &other);
        other = stamp;
        other.sequence += part == 4;
        if (part == 0)
            strcpy(settings.key_prefix, "q");
        ck_assert_int_eq(netron_witness_judge(&witness, carried.node->id, &carried, &other, &why), 0);
        settings.key_prefix[0] = 'p';
        ck_assert_msg(carried.node == NULL && carried.is_refused, "part %d", part);
        netron_record_clear(&carried);
        netron_record_clear(&record);
    }
}
END_TEST

START_TEST(an_older_record_changes_nothing_whoever_shows_it)
{
    ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 1);
    ck_assert_uint_eq(judge(&signing, "a", 2, "j", 20), 2);
    asked = 0;
    ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 2); /* another life, but signed before */
    ck_assert_uint_eq(judge(&signing, "a", 3, "j", 20), 2); /* no node signs twice with one sequence */
    ck_assert_uint_eq(judge(&signing, "a", 3, "j", 19), 2);
    ck_assert_uint_eq(asked, 0);
    ck_assert_uint_eq(refused(), 3);
    ck_assert_int_eq(log_count(&lines, "older"), 1);
    ck_assert_uint_eq(judge(&signing, "a", 3, "j", 21), 3);
}
END_TEST

START_TEST(a_forged_update_takes_out_nobody_but_another_life_does)
{
    ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 1);
    ck_assert_uint_eq(judge(NULL, "a", 2, "i", 11), 1);
    ck_assert_uint_eq(judge(&wrong_key, "a", 2, "i", 11), 1);
    ck_assert_uint_eq(judge(&wrong_key, "a", 2, "j", 11), 0);
    ck_assert_uint_eq(judge(NULL, "a", 2, "j", 11), 0);
    ck_assert_uint_eq(refused(), 4);
    ck_assert_uint_eq(judge(&signing, "a", 3, "k", 12), 3);
}
END_TEST

START_TEST(who_left_is_remembered_for_an_hour)
{
    ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 1);
    netron_witness_departed(&witness, "a");
    netron_witness_departed(&witness, "a");
    netron_witness_departed(&witness, "never seen");
    ck_assert_uint_eq(judge(&signing, "a", 2, "i", 9), 0);
    pass(HOUR - 1);
    ck_assert_uint_eq(again, 0);
    ck_assert_uint_eq(judge(&signing, "a", 2, "i", 9), 0);
    pass(1);
    ck_assert_uint_eq(again, 1); /* what was refused may be right now */
    ck_assert_uint_eq(judge(&signing, "a", 2, "i", 9), 2);
}
END_TEST

START_TEST(who_comes_back_as_it_was_is_believed)
{
    ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 1);
    netron_witness_departed(&witness, "a");
    pass(HOUR / 2);
    ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 1);
    ck_assert_uint_eq(asked, 1);
    pass(2 * HOUR); /* it is there, so it is not forgotten */
    ck_assert_uint_eq(judge(&signing, "a", 2, "i", 9), 1);
    pass(2 * HOUR);
    ck_assert_uint_eq(again, 0);
}
END_TEST

START_TEST(lookups_remember_for_an_hour_since_they_saw_it_last)
{
    netron_witness_close(&witness);
    open_witness(false);
    ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 1);
    pass(HOUR / 2);
    ck_assert_uint_eq(judge(&signing, "a", 1, "i", 10), 1);
    ck_assert_uint_eq(asked, 1);
    pass(HOUR - 1);
    ck_assert_uint_eq(judge(&signing, "a", 2, "i", 9), 1);
    pass(1);
    ck_assert_uint_eq(judge(&signing, "a", 2, "i", 9), 2);
    ck_assert_uint_eq(again, 0);
}
END_TEST

START_TEST(without_keys_everything_is_believed_and_nothing_kept)
{
    settings.keyring.find = NULL;
    ck_assert_uint_eq(judge(NULL, "a", 1, "i", 10), 1);
    ck_assert_uint_eq(judge(&wrong_key, "a", 2, "i", 9), 2);
    ck_assert_uint_eq(refused(), 0);
    ck_assert(witness.present == NULL && witness.gone == NULL);
}
END_TEST

START_TEST(a_record_without_a_node_is_left_alone)
{
    struct netron_record record = {.tag = 7, .ttl_ms = 5};
    struct netron_stamp stamp = {0};
    ck_assert_int_eq(netron_witness_judge(&witness, "a", &record, &stamp, NULL), 0);
    ck_assert(record.tag == 7 && record.ttl_ms == 5 && !record.is_refused);
    ck_assert_uint_eq(refused(), 0);
}
END_TEST

/* ---- without memory ---- */

static struct netron_record scarce_record[2];
static struct netron_stamp scarce_stamp[2];

static int live_and_leave(void)
{
    struct netron_failure why;
    int code = 0;
    open_witness(true);
    for (int i = 0; i < 4 && code == 0; i++) {
        struct netron_record record = scarce_record[i / 2];
        netron_node_retain(record.node);
        code = netron_witness_judge(&witness, "a", &record, &scarce_stamp[i / 2], &why);
        if (record.node == NULL || record.is_refused ||
            strcmp(record.node->address, scarce_record[i / 2].node->address) != 0)
            ck_abort_msg("what is right was refused");
        netron_node_free(record.node);
        if (i == 2)
            netron_witness_departed(&witness, "a");
    }
    netron_witness_close(&witness);
    return code;
}

START_TEST(without_memory_what_is_right_is_not_refused)
{
    scarce_record[0] = record_of(&signing, "a", 1, "i", 10, &scarce_stamp[0]);
    scarce_record[1] = record_of(&signing, "a", 2, "i", 11, &scarce_stamp[1]);
    scarce_memory(live_and_leave);
    ck_assert_uint_eq(refused(), 0);
    netron_record_clear(&scarce_record[0]);
    netron_record_clear(&scarce_record[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("witness");
    TCase *tcase = suite_case(suite, "witness");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, what_a_trusted_key_signed_is_believed_and_checked_once);
    tcase_add_test(tcase, what_none_signed_is_nothing_and_told_once_for_each_id);
    tcase_add_test(tcase, a_signature_that_was_carried_elsewhere_is_wrong);
    tcase_add_test(tcase, an_older_record_changes_nothing_whoever_shows_it);
    tcase_add_test(tcase, a_forged_update_takes_out_nobody_but_another_life_does);
    tcase_add_test(tcase, who_left_is_remembered_for_an_hour);
    tcase_add_test(tcase, who_comes_back_as_it_was_is_believed);
    tcase_add_test(tcase, lookups_remember_for_an_hour_since_they_saw_it_last);
    tcase_add_test(tcase, without_keys_everything_is_believed_and_nothing_kept);
    tcase_add_test(tcase, a_record_without_a_node_is_left_alone);
    tcase_add_test(tcase, without_memory_what_is_right_is_not_refused);
    return suite_run(suite);
}
