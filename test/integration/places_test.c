/* SPDX-License-Identifier: MIT */
/*
 * The table of README.md that says which URL and options lead to which Redis: each of its lines, in its order, leads to
 * a real one here, with only hosts, ports and paths exchanged. Those with TLS are tried by tls, sentinel_tls and
 * tls_settings; here they are accepted by a build that has it, and refused by one that has not.
 */
#include "recorders.h"
#include "redis_cluster.h"
#include "sentinel_set.h"
#include "server.h"
#include "suite.h"
#include "world.h"
#include <netron/netron.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 32
#define TEXT_MAX 512

struct line {
    char redis[TEXT_MAX], url[TEXT_MAX], options[TEXT_MAX];
};

static struct line lines[LINES_MAX];
static int line_count;
static struct world world;
static struct server server;
static unsigned port;

/* ---- the table ---- */

/* The column's text, without blanks around it, without backquotes, and of links only what is read. */
static char *read_column(char *at, char *out)
{
    size_t length = 0;
    for (at += strspn(at, " "); *at != '|' && *at != '\n' && *at != '\0' && length < TEXT_MAX - 1; at++) {
        if (at[0] == ']' && at[1] == '(')
            at += strcspn(at, ")");
        else if (*at != '`' && !(at[0] == '[' && strchr(at, ']') != NULL && strchr(at, ']')[1] == '('))
            out[length++] = *at;
    }
    while (length > 0 && out[length - 1] == ' ')
        length--;
    out[length] = '\0';
    return *at == '|' ? at + 1 : at;
}

static void read_table(void)
{
    const char *path = getenv("NETRON_TEST_README");
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    char text[2048];
    bool is_inside = false;
    if (file == NULL) {
        fprintf(stderr, "NETRON_TEST_README names no file\n");
        exit(EXIT_FAILURE);
    }
    while (fgets(text, sizeof(text), file) != NULL && line_count < LINES_MAX) {
        is_inside = strncmp(text, "| your Redis |", 14) == 0 || (is_inside && text[0] == '|');
        if (!is_inside || strncmp(text, "| your Redis", 12) == 0 || strncmp(text, "|-", 2) == 0)
            continue;
        struct line *line = &lines[line_count++];
        read_column(read_column(read_column(text + 1, line->redis), line->url), line->options);
    }
    (void)fclose(file);
}

/* ---- exchanging ---- */

static const char *exchange(const char *text, const char *from, const char *to)
{
    static char texts[8][2 * TEXT_MAX]; /* in turn */
    static unsigned turn;
    char *out = texts[turn++ % 8];
    const char *found = strstr(text, from);
    ck_assert_msg(found != NULL, "%s does not hold %s", text, from);
    snprintf(out, sizeof(texts[0]), "%.*s%s%s", (int)(found - text), text, to, found + strlen(from));
    return out;
}

static const char *here(const char *url, const char *host)
{
    char place[32];
    snprintf(place, sizeof(place), "localhost:%u", port);
    return exchange(url, host, place);
}

/* ---- arriving ---- */

static void expect_all_of_it(netron_options *options)
{
    static const netron_service service = {"orders", "1.0.0"};
    const netron_node node = {
        .size = sizeof(node), .id = "n", .address = "h:1", .services = &service, .service_count = 1};
    struct event_recorder heard = {0};
    struct done_recorder left = {0};
    netron_view_status status = {.size = sizeof(status)};
    options->pubsub_enabled = 1;
    netron_discovery *discovery = world_join(&world, options);
    ck_assert_int_eq(netron_subscribe_to_events(discovery, record_event, &heard, NULL), 0);
    ck_assert_int_eq(netron_register(discovery, &node, NULL, NULL, NULL), 0);
    AWAIT(&world, heard.count == 1 && heard.synced == 1);
    ck_assert_int_eq(netron_view_get_status(discovery, &status), 0);
    ck_assert_int_eq(status.state, NETRON_VIEW_FRESH);
    /* The next one is to find nobody. */
    ck_assert_int_eq(netron_discovery_shutdown(discovery, record_done, &left), 0);
    AWAIT(&world, left.calls == 1);
    ck_assert_int_eq(left.code, 0);
    netron_discovery_free(discovery);
}

static void serve(const char *const *extra)
{
    char number[8];
    const char *words[16] = {"--port", number, "--bind", "127.0.0.1 ::1"};
    port = server_free_port();
    snprintf(number, sizeof(number), "%u", port);
    for (int i = 0; extra != NULL && extra[i] != NULL; i++)
        words[4 + i] = extra[i];
    server_start(&server, words);
    world_open(&world);
}

static void leave(void)
{
    world_close(&world);
    server_forget(&server);
    server_stop(&server);
}

static void as_installed(const struct line *line)
{
    serve(NULL);
    netron_options options = world_options(here(line->url, "127.0.0.1:6379"));
    expect_all_of_it(&options);
    leave();
}

static void elsewhere(const struct line *line)
{
    serve(NULL);
    netron_options options = world_options(here(line->url, "redis.example:6380"));
    expect_all_of_it(&options);
    server_expect(&server, "OK", "SELECT 2");
    ck_assert_int_eq((int)server_integer(&server, "EXISTS netron:discovery:registry"), 1);
    leave();
}

static void at_ipv6(const struct line *line)
{
    char place[16];
    serve(NULL);
    snprintf(place, sizeof(place), "]:%u", port);
    netron_options options = world_options(exchange(line->url, "]:6379", place));
    expect_all_of_it(&options);
    leave();
}

static void at_a_socket(const struct line *line)
{
    serve(NULL);
    netron_options options = world_options(exchange(line->url, "/run/redis/redis.sock", server.socket));
    expect_all_of_it(&options);
    leave();
}

/* The password alone is that of the user who is there without a name. */
static void with_a_password(const struct line *line)
{
    serve(NULL);
    server_expect(&server, "OK", "ACL SETUSER default resetpass >secret");
    netron_options options = world_options(here(line->url, "redis.example"));
    expect_all_of_it(&options);
    options = world_options(exchange(here(line->url, "redis.example"), ":secret@", ""));
    options.password = "secret";
    expect_all_of_it(&options);
    leave();
}

static void with_a_user(const struct line *line)
{
    serve(NULL);
    server_expect(&server, "OK", "ACL SETUSER netron on >secret ~* &* +@all");
    server_expect(&server, "OK", "ACL SETUSER default off");
    netron_options options = world_options(here(line->url, "redis.example"));
    expect_all_of_it(&options);
    options = world_options(exchange(here(line->url, "redis.example"), "netron:secret@", ""));
    options.username = "netron";
    options.password = "secret";
    expect_all_of_it(&options);
    leave();
}

static int supply(netron_link_role role, netron_credentials *credentials, void *arg)
{
    (void)role, (void)arg;
    return netron_credentials_set(credentials, NULL, "secret");
}

static void with_a_password_that_changes(const struct line *line)
{
    serve(NULL);
    server_expect(&server, "OK", "ACL SETUSER default resetpass >secret");
    netron_options options = world_options(here(line->url, "redis.example"));
    options.credentials = supply;
    expect_all_of_it(&options);
    leave();
}

static void over_tls(const struct line *line)
{
    netron_options options;
    char sentence[512];
    netron_options_init(&options);
    options.url = line->url;
    options.tls_ca_file = "/ca.pem";
    if (strstr(line->options, "tls_cert_file") != NULL) {
        options.tls_cert_file = "/client.pem";
        options.tls_key_file = "/client.key";
    }
    if (strstr(line->options, "key_prefix") != NULL)
        options.key_prefix = "{netron:discovery}";
    int code = netron_options_check(&options, sentence, sizeof(sentence));
    ck_assert_msg(code == 0 || (code == NETRON_EURL && strstr(sentence, "needs a build with TLS") != NULL), "%s: %s",
                  line->url, sentence);
}

static void behind_sentinels(const struct line *line)
{
    struct sentinel_set set = {.redis_password = "secret", .sentinel_password = "another"};
    char hosts[128];
    sentinel_set_start(&set);
    snprintf(hosts, sizeof(hosts), "127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u", set.sentinel[0].port, set.sentinel[1].port,
             set.sentinel[2].port);
    world_open(&world);
    netron_options options = world_options(exchange(line->url, "10.0.0.1,10.0.0.2:26379,10.0.0.3", hosts));
    options.sentinel_password = "another";
    expect_all_of_it(&options);
    world_close(&world);
    sentinel_set_stop(&set);
}

static void in_a_cluster(const struct line *line)
{
    static struct cluster cluster;
    char hosts[64];
    cluster_start(&cluster, 3, 0, NULL);
    snprintf(hosts, sizeof(hosts), "127.0.0.1:%u,127.0.0.1:%u", cluster.port[0], cluster.port[1]);
    world_open(&world);
    netron_options options = world_options(exchange(line->url, "10.0.0.7:6379,10.0.0.8:6379", hosts));
    options.key_prefix = "{netron:discovery}";
    expect_all_of_it(&options);
    world_close(&world);
    cluster_forget(&cluster);
    cluster_stop(&cluster);
}

static const struct {
    const char *redis, *options;
    void (*arrive)(const struct line *line);
} places[] = {
    {"on this machine, as installed", "", as_installed},
    {"elsewhere, another port, another database", "", elsewhere},
    {"at an IPv6 address", "", at_ipv6},
    {"a Unix socket, database 2", "", at_a_socket},
    {"with a password (requirepass)", "or password", with_a_password},
    {"with a user of its ACL", "or username, password", with_a_user},
    {"with a password that changes", "credentials", with_a_password_that_changes},
    {"with TLS", "tls_ca_file", over_tls},
    {"with TLS and client certificates", "tls_ca_file, tls_cert_file, tls_key_file", over_tls},
    {"behind sentinels", "sentinel_password", behind_sentinels},
    {"behind sentinels, with TLS", "tls_ca_file", over_tls},
    {"a cluster", "key_prefix: {netron:discovery}", in_a_cluster},
    {"a cluster, with TLS", "key_prefix: {netron:discovery}, tls_ca_file", over_tls},
};
#define PLACES (int)(sizeof(places) / sizeof(places[0]))

START_TEST(each_line_of_the_table_leads_to_its_redis)
{
    ck_assert_int_eq(line_count, PLACES);
    ck_assert_str_eq(lines[_i].redis, places[_i].redis);
    ck_assert_str_eq(lines[_i].options, places[_i].options);
    places[_i].arrive(&lines[_i]);
}
END_TEST

int main(void)
{
    unsetenv("NETRON_TEST_TLS"); /* each line says for itself how Redis is reached */
    read_table();
    Suite *suite = suite_create("places");
    TCase *tcase = suite_case(suite, "places");
    tcase_set_timeout(tcase, 90);
    tcase_add_loop_test(tcase, each_line_of_the_table_leads_to_its_redis, 0, PLACES);
    return suite_run(suite);
}
