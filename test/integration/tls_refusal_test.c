/* SPDX-License-Identifier: MIT */
/* TLS that cannot be: each refusal is told with its reason, none hangs, none is survived by a connection in plain. */
#include "listener.h"
#include "tls_stand.h"
#include <fcntl.h>

static struct log_recorder lines;

static void expect_refused(int code, const char *words)
{
    options.log = record_log;
    options.log_arg = &lines;
    stand_join();
    stand_expect_told(code, words);
    AWAIT(&world, latest_state(&stand.states) == NETRON_FAILED);
    ck_assert_int_eq(stand.states.code[0], code);
    ck_assert_msg(strstr(stand.states.sentence, words) != NULL, "the registration says: %s", stand.states.sentence);
    netron_log_level loudest = NETRON_LOG_DEBUG;
    for (int i = 0; i < lines.count; i++)
        if (strstr(lines.line[i], words) != NULL && lines.level[i] < loudest)
            loudest = lines.level[i];
    ck_assert_int_eq(loudest, code == NETRON_ETLS ? NETRON_LOG_ERROR : NETRON_LOG_WARNING);
    world_run(&world, 250); /* a further attempt or two are no news */
    ck_assert_int_eq(stand.links.count[NETRON_LINK_COMMANDS], 1);
}

static void expect_mended(void)
{
    AWAIT(&world, latest_state(&stand.states) == NETRON_REGISTERED && stand.links.is_up[NETRON_LINK_EVENTS]);
}

/* ---- the server's certificate ---- */

START_TEST(a_certificate_of_an_unknown_ca_is_refused)
{
    issue("other-ca", NULL, NULL, -1, 24);
    issue("stranger", "other-ca", HOSTS, -1, 24);
    stand_serve_as("stranger", "no", "", false);
    expect_refused(NETRON_ETLS, "no CA of options.tls_ca_file or tls_ca_dir has signed it");
    issue("other-ca", NULL, NULL, -1, 24);
    server_kill(&server);
    stand_serve_as("server", "no", "", true);
    expect_mended();
}
END_TEST

START_TEST(a_certificate_of_a_ca_that_the_system_does_not_know_is_refused)
{
    stand_serve_as("server", "no", "", false);
    options.tls_ca_file = NULL;
    expect_refused(NETRON_ETLS, "no CA that the system trusts has signed it; options.tls_ca_file");
}
END_TEST

START_TEST(a_certificate_that_signed_itself_is_refused)
{
    issue("stranger", NULL, HOSTS, -1, 24);
    stand_serve_as("stranger", "no", "", false);
    expect_refused(NETRON_ETLS, "no CA of options.tls_ca_file or tls_ca_dir has signed it");
}
END_TEST

START_TEST(a_certificate_of_another_host_is_refused)
{
    issue("stranger", "ca", "DNS:elsewhere.test,DNS:*.local,IP:127.0.0.2", -1, 24);
    stand_serve_as("stranger", "no", "", false);
    snprintf(stand.url, sizeof(stand.url), "rediss://%s:%u", _i == 0 ? "localhost" : "127.0.0.1", stand.port);
    expect_refused(NETRON_ETLS, _i == 0 ? "the certificate that \"localhost\" shows is refused: hostname mismatch"
                                        : "the certificate that \"127.0.0.1\" shows is refused: IP address mismatch");
}
END_TEST

START_TEST(a_certificate_that_lacks_the_name_that_is_set_is_refused)
{
    options.tls_server_name = "redis.elsewhere.test";
    stand_serve();
    expect_refused(NETRON_ETLS, "the certificate that \"redis.elsewhere.test\" shows is refused: hostname mismatch");
}
END_TEST

/* Whoever gives the name says where that is, too. */
static struct question {
    netron_resolve_fn fn; /* NULL: none */
    void *arg;
} question;

static void *resolve(netron_loop *loop, const char *host, netron_resolve_fn fn, void *arg)
{
    (void)loop, (void)host;
    question = (struct question){fn, arg};
    return &question;
}

static void resolve_cancel(netron_loop *loop, void *resolution)
{
    (void)loop, (void)resolution;
    question.fn = NULL;
}

static bool answer_question(void *arg)
{
    static const char *const address[] = {"127.0.0.1"};
    const struct question asked = question;
    (void)arg;
    question.fn = NULL;
    if (asked.fn != NULL)
        asked.fn(0, address, 1, NULL, asked.arg);
    return true;
}

START_TEST(a_name_that_stands_for_many_is_refused)
{
    static const char *const names[] = {".redis.test", ".", ".."};
    netron_loop *loop = reactor_loop(world.reactor);
    loop->resolve = resolve;
    loop->resolve_cancel = resolve_cancel;
    world.other_end = answer_question;
    issue("stranger", "ca", "DNS:anything.redis.test", -1, 24);
    stand_serve_as("stranger", "no", "", false);
    snprintf(stand.url, sizeof(stand.url), "rediss://%s:%u", names[_i], stand.port);
    ck_assert_int_eq(netron_discovery_new_on(loop, &options, &discovery), 0);
    AWAIT(&world, stand.links.count[NETRON_LINK_COMMANDS] >= 1);
    ck_assert_msg(stand.links.code[NETRON_LINK_COMMANDS] == NETRON_ETLS &&
                      strstr(stand.links.sentence[NETRON_LINK_COMMANDS], "no certificate is one of a host \".") != NULL,
                  "the link says %d: %s", stand.links.code[NETRON_LINK_COMMANDS],
                  stand.links.sentence[NETRON_LINK_COMMANDS]);
}
END_TEST

START_TEST(a_certificate_out_of_its_time_is_refused)
{
    issue("expired", "ca", HOSTS, -48, -24);
    issue("future", "ca", HOSTS, 24, 48);
    stand_serve_as(_i == 0 ? "expired" : "future", "no", "", false);
    expect_refused(NETRON_ETLS, _i == 0 ? "certificate has expired" : "certificate is not yet valid");
}
END_TEST

START_TEST(a_certificate_of_a_ca_that_has_expired_is_refused)
{
    issue("ca", NULL, NULL, -48, -24);
    issue("server", "ca", HOSTS, -1, 24);
    stand_serve();
    expect_refused(NETRON_ETLS, "certificate has expired");
}
END_TEST

/* ---- ours ---- */

static void show(const char *name)
{
    static char cert[128], key[128];
    snprintf(cert, sizeof(cert), "%s/%s.crt", stand.folder, name);
    snprintf(key, sizeof(key), "%s/%s.key", stand.folder, name);
    options.tls_cert_file = cert;
    options.tls_key_file = key;
}

/* In TLS 1.3 the server says so after our handshake is done. */
static const char *version_of(int turn)
{
    return turn == 0 ? "TLSv1.2" : "TLSv1.3";
}

START_TEST(no_client_certificate_where_one_is_wanted)
{
    stand_serve_as("server", "yes", version_of(_i), false);
    expect_refused(NETRON_ETLS, "(does it want a client certificate? options.tls_cert_file)");
}
END_TEST

START_TEST(a_client_certificate_that_the_server_refuses)
{
    static const char *const reasons[] = {"unknown ca", "certificate expired"};
    issue("other-ca", NULL, NULL, -1, 24);
    issue("client", "other-ca", NULL, -1, 24);
    issue("late", "ca", NULL, -48, -24);
    show(_i / 2 == 0 ? "client" : "late");
    stand_serve_as("server", "yes", version_of(_i % 2), false);
    expect_refused(NETRON_ETLS, "(that is said of the client certificate, options.tls_cert_file)");
    ck_assert_msg(strstr(stand.links.sentence[NETRON_LINK_COMMANDS], reasons[_i / 2]) != NULL, "the link says: %s",
                  stand.links.sentence[NETRON_LINK_COMMANDS]);
    issue(_i / 2 == 0 ? "client" : "late", "ca", NULL, -1, 24);
    expect_mended();
}
END_TEST

/* ---- files ---- */

static void write_file(const char *name, const char *content)
{
    FILE *file = fopen(stand_file(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    fclose(file);
}

START_TEST(a_file_that_is_not_there_is_told_with_its_option)
{
    static const struct {
        const char *missing, *words;
    } cases[] = {{"ca.crt", "options.tls_ca_file"},
                 {"client.crt", "options.tls_cert_file"},
                 {"client.key", "options.tls_key_file"}};
    char kept[128], hidden[160];
    issue("client", "ca", NULL, -1, 24);
    show("client");
    stand_serve_as("server", "yes", "", false);
    snprintf(kept, sizeof(kept), "%s", stand_file(cases[_i].missing));
    snprintf(hidden, sizeof(hidden), "%s.hidden", kept);
    ck_assert_int_eq(rename(kept, hidden), 0);
    expect_refused(NETRON_ETLS, cases[_i].words);
    ck_assert_ptr_nonnull(strstr(stand.links.sentence[NETRON_LINK_COMMANDS], "No such file or directory"));
    ck_assert_ptr_nonnull(strstr(stand.links.sentence[NETRON_LINK_COMMANDS], kept));
    ck_assert_int_eq(rename(hidden, kept), 0);
    expect_mended();
}
END_TEST

START_TEST(a_folder_that_is_not_there_or_is_none_is_told)
{
    options.tls_ca_file = NULL;
    options.tls_ca_dir = _i == 0 ? stand_file("nowhere") : stand.ca_file;
    stand_serve();
    expect_refused(NETRON_ETLS, "options.tls_ca_dir");
    ck_assert_ptr_nonnull(
        strstr(stand.links.sentence[NETRON_LINK_COMMANDS], _i == 0 ? "No such file or directory" : "Not a directory"));
}
END_TEST

START_TEST(a_file_that_holds_something_else_is_told_with_its_option)
{
    static const struct {
        const char *file, *words;
    } cases[] = {{"ca.crt", "options.tls_ca_file"},
                 {"client.crt", "options.tls_cert_file"},
                 {"client.key", "options.tls_key_file"}};
    issue("client", "ca", NULL, -1, 24);
    show("client");
    stand_serve_as("server", "yes", "", false);
    write_file(cases[_i].file, "this is not the file that you are looking for\n");
    expect_refused(NETRON_ETLS, cases[_i].words);
}
END_TEST

START_TEST(a_key_of_another_certificate_is_told)
{
    const struct certificate late = {
        .name = "late", .issuer = "ca", .from_hours = -1, .to_hours = 24, .has_rsa_key = _i == 1};
    static const char *const reasons[] = {"key values mismatch", "key type mismatch"};
    issue("client", "ca", NULL, -1, 24);
    certificate_make(stand.folder, &late);
    show("client");
    options.tls_key_file = stand_file("late.key");
    stand_serve_as("server", "yes", "", false);
    expect_refused(NETRON_ETLS, "options.tls_key_file");
    ck_assert_msg(strstr(stand.links.sentence[NETRON_LINK_COMMANDS], reasons[_i]) != NULL, "the link says: %s",
                  stand.links.sentence[NETRON_LINK_COMMANDS]);
}
END_TEST

/* Nobody is asked for the passphrase: there is no terminal that could answer. */
START_TEST(a_key_with_a_passphrase_is_told)
{
    issue("client", "ca", NULL, -1, 24);
    show("client");
    certificate_lock(stand.folder, "client", "open sesame");
    stand_serve();
    expect_refused(NETRON_ETLS, "client.key\": it needs a passphrase");
}
END_TEST

/* ---- versions, and servers of another kind ---- */

START_TEST(a_server_that_knows_no_tls_new_enough_is_told)
{
    options.tls_min_version = NETRON_TLS_1_3;
    stand_serve_as("server", "no", "TLSv1.2", false);
    expect_refused(NETRON_ETLS, "(options.tls_min_version, or what openssl.cnf asks for)");
}
END_TEST

START_TEST(a_server_in_plain_behind_a_url_of_tls_is_told)
{
    char number[16];
    snprintf(number, sizeof(number), "%u", stand.port);
    const char *const extra[] = {"--port", number, NULL};
    server_start(&server, extra);
    expect_refused(NETRON_ETLS, "wrong version number (does this port speak TLS?)");
    ck_assert_int_eq(count_clients(&server), 0);
}
END_TEST

START_TEST(a_server_of_tls_behind_a_url_in_plain_is_told)
{
    snprintf(stand.url, sizeof(stand.url), "redis://localhost:%u", stand.port);
    options.tls_ca_file = NULL;
    stand_serve();
    expect_refused(NETRON_EDISCONNECTED, "before it said anything (does this port want TLS, rediss://?)");
}
END_TEST

START_TEST(a_server_that_accepts_and_says_nothing_is_left_after_the_connect_timeout)
{
    struct listener listener;
    char hello[4096];
    listener_open(&listener, stand.port);
    options.connect_timeout_ms = 300;
    uint64_t begun = world_clock_ms();
    discovery = world_join(&world, &options);
    AWAIT(&world, listener_hear(&listener, hello, sizeof(hello)) > 100);
    if (_i == 1) /* half of the header of a record */
        ck_assert_int_eq(write(listener.conn, "\x16\x03\x03", 3), 3);
    AWAIT(&world, stand.links.count[NETRON_LINK_COMMANDS] == 1);
    ck_assert_uint_ge(world_clock_ms() - begun, 250); /* the loop's clock ticks in its turns */
    ck_assert_int_eq(stand.links.code[NETRON_LINK_COMMANDS], NETRON_ETIMEDOUT);
    ck_assert_str_eq(stand.links.sentence[NETRON_LINK_COMMANDS],
                     "no connection to Redis within 300 ms (the TLS handshake)");
    listener_close(&listener);
}
END_TEST

START_TEST(what_is_no_tls_at_all_is_told_at_once)
{
    static const struct {
        const char *said;
        int code;
    } cases[] = {{"HTTP/1.1 400 Bad Request\r\n\r\n", NETRON_ETLS},
                 {"\x15\x03\x03\x00\x02\x02\x50", NETRON_EDISCONNECTED}, /* an internal error of the server */
                 {"\x15\x03\x03\x00\x02\x02\x28", NETRON_ETLS},          /* no handshake */
                 {"\x16\x03\x03\xff\xff", NETRON_ETLS},
                 {"", NETRON_EDISCONNECTED}};
    static const size_t lengths[] = {28, 7, 7, 5, 0};
    struct listener listener;
    char hello[4096];
    listener_open(&listener, stand.port);
    discovery = world_join(&world, &options);
    AWAIT(&world, listener_hear(&listener, hello, sizeof(hello)) > 100);
    ck_assert_int_eq(write(listener.conn, cases[_i].said, lengths[_i]), (ssize_t)lengths[_i]);
    if (lengths[_i] == 0)
        listener_hang_up(&listener);
    AWAIT(&world, stand.links.count[NETRON_LINK_COMMANDS] == 1);
    ck_assert_msg(stand.links.code[NETRON_LINK_COMMANDS] == cases[_i].code, "the link says %d: %s",
                  stand.links.code[NETRON_LINK_COMMANDS], stand.links.sentence[NETRON_LINK_COMMANDS]);
    if (lengths[_i] == 0) {
        char words[96];
        snprintf(words, sizeof(words), "localhost:%u: cannot connect: the TLS handshake: ", stand.port);
        ck_assert_ptr_eq(strstr(stand.links.sentence[NETRON_LINK_COMMANDS], words),
                         stand.links.sentence[NETRON_LINK_COMMANDS]);
    }
    listener_close(&listener);
}
END_TEST

/* A certificate that is none: OpenSSL says so by an error that all its libraries have, whose number is as large as
 * those of alerts, and larger. */
START_TEST(an_error_of_our_side_is_not_told_as_one_of_redis)
{
    static const unsigned char answer[2 * 5 + 49 + 14] = {
        0x16,        0x03, 0x03, 0x00, 49,               /* a record */
        0x02,        0x00, 0x00, 45,   0x03, 0x03,       /* ServerHello: TLS 1.2 */
        [43] = 0x00, 0xc0, 0x2b, 0x00,                   /* behind 32 bytes: no session, a cipher, no compression */
        0x00,        0x05, 0xff, 0x01, 0x00, 0x01, 0x00, /* renegotiation is safe */
        0x16,        0x03, 0x03, 0x00, 14,               /* a record */
        0x0b,        0x00, 0x00, 10,   0x00, 0x00, 7,    0x00, /* Certificate: one */
        0x00,        4,    'n',  'o',  'n',  'e',
    };
    struct listener listener;
    char hello[4096];
    listener_open(&listener, stand.port);
    discovery = world_join(&world, &options);
    AWAIT(&world, listener_hear(&listener, hello, sizeof(hello)) > 100);
    ck_assert_int_eq(write(listener.conn, answer, sizeof(answer)), (ssize_t)sizeof(answer));
    AWAIT(&world, stand.links.count[NETRON_LINK_COMMANDS] == 1);
    ck_assert_str_eq(stand.links.sentence[NETRON_LINK_COMMANDS], "TLS: the handshake with Redis failed: ASN1 lib");
    ck_assert_int_eq(stand.links.code[NETRON_LINK_COMMANDS], NETRON_ETLS);
    listener_close(&listener);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls_refusal");
    TCase *tcase = suite_case(suite, "refused");
    tcase_add_checked_fixture(tcase, stand_open, stand_close);
    tcase_add_test(tcase, a_certificate_of_an_unknown_ca_is_refused);
    tcase_add_test(tcase, a_certificate_of_a_ca_that_the_system_does_not_know_is_refused);
    tcase_add_test(tcase, a_certificate_that_signed_itself_is_refused);
    tcase_add_loop_test(tcase, a_certificate_of_another_host_is_refused, 0, 2);
    tcase_add_test(tcase, a_certificate_that_lacks_the_name_that_is_set_is_refused);
    tcase_add_loop_test(tcase, a_name_that_stands_for_many_is_refused, 0, 3);
    tcase_add_loop_test(tcase, a_certificate_out_of_its_time_is_refused, 0, 2);
    tcase_add_test(tcase, a_certificate_of_a_ca_that_has_expired_is_refused);
    tcase_add_loop_test(tcase, no_client_certificate_where_one_is_wanted, 0, 2);
    tcase_add_loop_test(tcase, a_client_certificate_that_the_server_refuses, 0, 4);
    tcase_add_loop_test(tcase, a_file_that_is_not_there_is_told_with_its_option, 0, 3);
    tcase_add_loop_test(tcase, a_folder_that_is_not_there_or_is_none_is_told, 0, 2);
    tcase_add_loop_test(tcase, a_file_that_holds_something_else_is_told_with_its_option, 0, 3);
    tcase_add_loop_test(tcase, a_key_of_another_certificate_is_told, 0, 2);
    tcase_add_test(tcase, a_key_with_a_passphrase_is_told);
    tcase_add_test(tcase, a_server_that_knows_no_tls_new_enough_is_told);
    tcase_add_test(tcase, a_server_in_plain_behind_a_url_of_tls_is_told);
    tcase_add_test(tcase, a_server_of_tls_behind_a_url_in_plain_is_told);
    tcase_add_loop_test(tcase, a_server_that_accepts_and_says_nothing_is_left_after_the_connect_timeout, 0, 2);
    tcase_add_loop_test(tcase, what_is_no_tls_at_all_is_told_at_once, 0, 5);
    tcase_add_test(tcase, an_error_of_our_side_is_not_told_as_one_of_redis);
    return suite_run(suite);
}
