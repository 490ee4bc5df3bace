/* SPDX-License-Identifier: MIT */
/* Redis over TLS: both links work, come back, take renewed certificates, and carry what a large registry has. */
#include "listener.h"
#include "scene.h"
#include "tls_stand.h"
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>

#define NODES 5000

static void expect_clients(int count)
{
    AWAIT(&world, count_clients(&server) == count);
}

/* ---- it works ---- */

START_TEST(both_links_work_over_tls)
{
    static const char *const hosts[] = {"localhost", "127.0.0.1"};
    snprintf(stand.url, sizeof(stand.url), "rediss://%s:%u", hosts[_i], stand.port);
    stand_serve();
    stand_join();
    stand_await_all();
    expect_clients(2);
    uint64_t enough = beats(discovery) + 3;
    AWAIT(&world, beats(discovery) >= enough);
}
END_TEST

START_TEST(a_folder_of_cas_does_as_well)
{
    char name[128];
    certificate_rehash(stand.folder, "ca", name, sizeof(name));
    options.tls_ca_file = NULL;
    options.tls_ca_dir = stand.folder;
    stand_serve();
    stand_join();
    stand_await_all();
    unlink(name);
}
END_TEST

START_TEST(what_the_system_trusts_is_the_default)
{
    options.tls_ca_file = NULL;
    stand_serve();
    setenv("SSL_CERT_FILE", stand.ca_file, 1);
    stand_join();
    stand_await_all();
}
END_TEST

START_TEST(a_client_certificate_is_shown_to_who_asks_for_it)
{
    issue("client", "ca", NULL, -1, 24);
    options.tls_cert_file = stand_file("client.crt");
    options.tls_key_file = stand_file("client.key");
    stand_serve_as("server", _i == 0 ? "yes" : "no", "", false);
    stand_join();
    stand_await_all();
}
END_TEST

START_TEST(the_versions_of_tls)
{
    static const struct {
        const char *of_server;
        netron_tls_version least;
    } cases[] = {{"TLSv1.2", 0}, {"TLSv1.2", NETRON_TLS_1_2}, {"TLSv1.3", 0}, {"TLSv1.3", NETRON_TLS_1_3}};
    options.tls_min_version = cases[_i].least;
    stand_serve_as("server", "no", cases[_i].of_server, false);
    stand_join();
    stand_await_all();
}
END_TEST

START_TEST(a_large_registry_comes_through_whole)
{
    stand_serve_as("server", "no", _i == 0 ? "TLSv1.2" : "TLSv1.3", false);
    scene.server.pid = server.pid;
    memcpy(scene.server.socket, server.socket, sizeof(server.socket));
    scene_fill("many-", NODES, "[{\"name\":\"orders\",\"version\":\"1.0.0\"}]");
    static struct nodes_recorder found;
    options.command_timeout_ms = 20000;
    discovery = world_join(&world, &options);
    ck_assert_int_eq(netron_view_open(discovery), 0);
    AWAIT(&world, stand.links.is_up[NETRON_LINK_COMMANDS] && stand.links.is_up[NETRON_LINK_EVENTS]);
    ck_assert_int_eq(netron_get_active_nodes(discovery, record_nodes, &found), 0);
    AWAIT(&world, found.calls == 1);
    ck_assert_int_eq(found.code, 0);
    ck_assert_uint_eq(found.count, NODES);
    netron_view_status status = {.size = sizeof(status)};
    AWAIT(&world, netron_view_get_status(discovery, &status) == 0 && status.node_count == NODES);
    ck_assert_int_eq(stand.links.count[NETRON_LINK_COMMANDS], 1);
    ck_assert_int_eq(stand.links.count[NETRON_LINK_EVENTS], 1);
}
END_TEST

/* ---- the name that the server is told ---- */

/* What the first connection of the discovery begins with, over whatever was listened for. */
static const char *hear_hello(size_t *length)
{
    static char hello[4096];
    struct listener listener;
    listener_open(&listener, stand.port);
    discovery = world_join(&world, &options);
    AWAIT(&world, (*length = listener_hear(&listener, hello, sizeof(hello))) > 100);
    listener_close(&listener);
    return hello;
}

START_TEST(the_server_is_told_which_name_is_meant)
{
    static const struct {
        const char *host, *name, *told;
    } cases[] = {{"localhost", NULL, "localhost"},
                 {"localhost", "redis.test", "redis.test"},
                 {"127.0.0.1", "redis.test", "redis.test"},
                 {"localhost", "redis.test.", "redis.test"}};
    size_t length;
    snprintf(stand.url, sizeof(stand.url), "rediss://%s:%u", cases[_i].host, stand.port);
    options.tls_server_name = cases[_i].name;
    const char *hello = hear_hello(&length);
    size_t told = strlen(cases[_i].told);
    const char *at = memmem(hello, length, cases[_i].told, told);
    ck_assert_ptr_nonnull(at);
    ck_assert(at[-2] == 0 && at[-1] == (char)told); /* no more of it */
}
END_TEST

START_TEST(a_numeric_address_is_no_name_to_tell)
{
    size_t length;
    snprintf(stand.url, sizeof(stand.url), "rediss://127.0.0.1:%u", stand.port);
    const char *hello = hear_hello(&length);
    ck_assert_ptr_null(memmem(hello, length, "127.0.0.1", 9));
}
END_TEST

START_TEST(the_name_that_is_set_is_the_one_that_counts)
{
    issue("stranger", "ca", "DNS:elsewhere.test", -1, 24);
    options.tls_server_name = "elsewhere.test";
    stand_serve_as("stranger", "no", "", false);
    stand_join();
    stand_await_all();
}
END_TEST

/* ---- the least version ---- */

static void write_configuration(const char *path, const char *setting)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = least\n[least]\n%s\n", setting);
    fclose(file);
}

/* OpenSSL reads its configuration once, before anything else: so the rest of the stand comes after it. */
START_TEST(the_systems_least_version_is_lowered_by_the_option_alone)
{
    static const char v1_3[] = "\x00\x2b\x00\x03\x02\x03\x04"; /* what the client names in its first message */
    static const char v1_2[] = "\x00\x2b\x00\x05\x04\x03\x04\x03\x03";
    static const struct {
        const char *setting;
        netron_tls_version least;
        const char *named;
        size_t length;
    } cases[] = {{"MinProtocol = TLSv1.3", 0, v1_3, sizeof(v1_3) - 1},
                 {"MinProtocol = TLSv1.3", NETRON_TLS_1_3, v1_3, sizeof(v1_3) - 1},
                 {"MinProtocol = TLSv1.3", NETRON_TLS_1_2, v1_2, sizeof(v1_2) - 1},
                 {"MinProtocol = TLSv1.2", 0, v1_2, sizeof(v1_2) - 1},
                 {"MinProtocol = TLSv1.2", NETRON_TLS_1_3, v1_3, sizeof(v1_3) - 1},
                 {"MinProtocol = TLSv1\nCipherString = DEFAULT@SECLEVEL=0", 0, v1_2, sizeof(v1_2) - 1},
                 {"CipherString = DEFAULT@SECLEVEL=0", 0, v1_2, sizeof(v1_2) - 1}};
    char path[] = "/tmp/netron-openssl-XXXXXX";
    size_t length;
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    write_configuration(path, cases[_i].setting);
    setenv("OPENSSL_CONF", path, 1);
    stand_open();
    unlink(path);
    options.tls_min_version = cases[_i].least;
    const char *hello = hear_hello(&length);
    ck_assert_ptr_nonnull(memmem(hello, length, cases[_i].named, cases[_i].length));
    stand_close();
}
END_TEST

/* ---- broken and back ---- */

START_TEST(a_killed_connection_is_made_again)
{
    options.retry_delay_ms = 150; /* so that a reconnect, with its handshake, is over before the last try of a beat */
    stand_serve();
    stand_join();
    stand_await_all();
    server_integer(&server, "CLIENT KILL TYPE %s SKIPME yes", _i == 0 ? "normal" : "pubsub");
    netron_link_role role = _i == 0 ? NETRON_LINK_COMMANDS : NETRON_LINK_EVENTS;
    AWAIT(&world, stand.links.count[role] == 3 && stand.links.is_up[role]);
    ck_assert_int_eq(stand.links.count[3 - role], 1);
    expect_clients(2);
    ck_assert_int_eq(stand.states.count, 1);
}
END_TEST

START_TEST(a_server_that_is_killed_is_told_of_and_found_again)
{
    stand_serve();
    stand_join();
    stand_await_all();
    server_kill(&server);
    AWAIT(&world, stand.links.count[NETRON_LINK_COMMANDS] == 2 && stand.links.count[NETRON_LINK_EVENTS] == 2);
    ck_assert_int_eq(stand.links.code[NETRON_LINK_COMMANDS], NETRON_EDISCONNECTED);
    stand_serve_as("server", "no", "", true);
    AWAIT(&world, server_integer(&server, "EXISTS " P ":heartbeat:node-1") == 1);
    AWAIT(&world, stand.links.is_up[NETRON_LINK_COMMANDS] && stand.links.is_up[NETRON_LINK_EVENTS]);
}
END_TEST

START_TEST(renewed_certificates_are_taken_at_the_next_connect)
{
    issue("client", "ca", NULL, -1, 24);
    options.tls_cert_file = stand_file("client.crt");
    options.tls_key_file = stand_file("client.key");
    stand_serve_as("server", "yes", "", false);
    stand_join();
    stand_await_all();
    server_kill(&server);
    /* All of them by a new CA: nothing of the old would do any more. */
    issue("ca", NULL, NULL, -1, 24);
    issue("server", "ca", HOSTS, -1, 24);
    issue("client", "ca", NULL, -1, 24);
    stand_serve_as("server", "yes", "", true);
    AWAIT(&world, server_integer(&server, "EXISTS " P ":heartbeat:node-1") == 1);
    AWAIT(&world, stand.links.is_up[NETRON_LINK_COMMANDS] && stand.links.is_up[NETRON_LINK_EVENTS]);
}
END_TEST

static volatile sig_atomic_t pipes_broken;

static void on_sigpipe(int number)
{
    (void)number;
    pipes_broken = 1;
}

START_TEST(no_broken_pipe_raises_a_signal)
{
    static struct state_recorder states;
    char address[32];
    signal(SIGPIPE, on_sigpipe);
    stand_serve();
    discovery = world_join(&world, &options);
    netron_registration *registration = begin(discovery, "node-1", &states);
    for (int turns = 0; turns < 6; turns++) {
        AWAIT(&world, stand.links.is_up[NETRON_LINK_COMMANDS]);
        snprintf(address, sizeof(address), "10.0.0.2:%d", turns + 1);
        server_kill(&server);
        ck_assert_int_eq(netron_registration_update_address(registration, address, NULL, NULL), 0);
        for (int i = 0; i < turns; i++)
            world_turn(&world);
        AWAIT(&world, !stand.links.is_up[NETRON_LINK_COMMANDS]);
        stand_serve_as("server", "no", "", true);
        AWAIT(&world, text_is(&server, address, "HGET %s address", P ":nodes:node-1"));
    }
    AWAIT(&world, stand.links.is_up[NETRON_LINK_COMMANDS]);
    server_kill(&server);
    netron_discovery_free(discovery); /* which says goodbye */
    discovery = NULL;
    ck_assert_int_eq(pipes_broken, 0);
    signal(SIGPIPE, SIG_DFL);
}
END_TEST

START_TEST(it_can_be_freed_at_any_moment_of_the_handshake)
{
    stand_serve();
    for (int turns = 0; turns < 20; turns++) {
        discovery = world_join(&world, &options);
        for (int i = 0; i < turns; i++)
            reactor_turn(world.reactor, 1);
        netron_discovery_free(discovery);
    }
    discovery = NULL;
    expect_clients(0);
}
END_TEST

/* Also when the goodbye fails: the server is gone, which nobody has noticed yet. */
START_TEST(what_the_program_has_in_the_queue_of_errors_stays_there)
{
    stand_serve();
    stand_join();
    stand_await_all();
    if (_i == 1)
        server_kill(&server);
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 7);
    netron_discovery_free(discovery);
    discovery = NULL;
    ck_assert_int_eq(ERR_GET_REASON(ERR_get_error()), 7);
    ck_assert_uint_eq(ERR_get_error(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tcase = suite_case(suite, "TLS");
    tcase_add_checked_fixture(tcase, stand_open, stand_close);
    tcase_add_loop_test(tcase, both_links_work_over_tls, 0, 2);
    tcase_add_test(tcase, a_folder_of_cas_does_as_well);
    tcase_add_test(tcase, what_the_system_trusts_is_the_default);
    tcase_add_loop_test(tcase, a_client_certificate_is_shown_to_who_asks_for_it, 0, 2);
    tcase_add_loop_test(tcase, the_versions_of_tls, 0, 4);
    tcase_add_loop_test(tcase, a_large_registry_comes_through_whole, 0, 2);
    tcase_add_loop_test(tcase, the_server_is_told_which_name_is_meant, 0, 4);
    tcase_add_test(tcase, a_numeric_address_is_no_name_to_tell);
    tcase_add_test(tcase, the_name_that_is_set_is_the_one_that_counts);
    tcase_add_loop_test(tcase, a_killed_connection_is_made_again, 0, 2);
    tcase_add_test(tcase, a_server_that_is_killed_is_told_of_and_found_again);
    tcase_add_test(tcase, renewed_certificates_are_taken_at_the_next_connect);
    tcase_add_test(tcase, no_broken_pipe_raises_a_signal);
    tcase_add_test(tcase, it_can_be_freed_at_any_moment_of_the_handshake);
    tcase_add_loop_test(tcase, what_the_program_has_in_the_queue_of_errors_stays_there, 0, 2);
    tcase = suite_case(suite, "versions");
    tcase_add_loop_test(tcase, the_systems_least_version_is_lowered_by_the_option_alone, 0, 7);
    return suite_run(suite);
}
