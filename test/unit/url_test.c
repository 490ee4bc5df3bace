/* SPDX-License-Identifier: MIT */
/* The room url: what a Redis URL means, what is refused by name, and that no sentence gives a password away. */
#include "expect.h"
#include "url.h"
#include <stdio.h>
#include <stdlib.h>

static void expect_text(const char *url, const char *part, const char *found, const char *wanted)
{
    if (wanted == NULL)
        ck_assert_msg(found == NULL, "%s: the %s is \"%s\", not missing", url, part, found);
    else
        ck_assert_msg(found != NULL && strcmp(found, wanted) == 0, "%s: the %s is \"%s\", not \"%s\"", url, part,
                      found != NULL ? found : "(none)", wanted);
}

static void expect_cleared(const char *text, const struct netron_url *url)
{
    ck_assert_msg(url->hosts == NULL && url->host_count == 0 && url->path == NULL && url->primary_name == NULL &&
                      url->username == NULL && url->password == NULL && url->database == 0,
                  "%s: something is left in the result", text);
}

START_TEST(a_url_is_taken_apart)
{
    static const struct {
        const char *text;
        const char *host;
        unsigned port;
        const char *path, *username, *password;
        uint32_t database;
    } cases[] = {
        {"redis://127.0.0.1", "127.0.0.1", 6379, NULL, NULL, NULL, 0},
        {"redis://redis.example.com:7000", "redis.example.com", 7000, NULL, NULL, NULL, 0},
        {"redis://h/", "h", 6379, NULL, NULL, NULL, 0},
        {"redis://h/0", "h", 6379, NULL, NULL, NULL, 0},
        {"redis://h:1/15", "h", 1, NULL, NULL, NULL, 15},
        {"redis://h:65535/65535", "h", 65535, NULL, NULL, NULL, 65535},
        {"REDIS://H", "H", 6379, NULL, NULL, NULL, 0},
        {"redis://:word@h", "h", 6379, NULL, NULL, "word", 0},
        {"redis://user:word@h:7000/3", "h", 7000, NULL, "user", "word", 3},
        {"redis://user:@h", "h", 6379, NULL, "user", "", 0},
        {"redis://:@h", "h", 6379, NULL, NULL, NULL, 0},
        {"redis://user:a:b:c@h", "h", 6379, NULL, "user", "a:b:c", 0},
        {"redis://user:a@b@h", "h", 6379, NULL, "user", "a@b", 0},
        {"redis://[::1]", "::1", 6379, NULL, NULL, NULL, 0},
        {"redis://[2001:db8::1]:7000/2", "2001:db8::1", 7000, NULL, NULL, NULL, 2},
        {"redis://user:word@[::ffff:192.0.2.1]:7000", "::ffff:192.0.2.1", 7000, NULL, "user", "word", 0},
        {"unix:///run/redis.sock", NULL, 0, "/run/redis.sock", NULL, NULL, 0},
        {"Unix:///run/redis.sock?db=7", NULL, 0, "/run/redis.sock", NULL, NULL, 7},
        {"unix://user:word@/run/redis.sock?db=65535", NULL, 0, "/run/redis.sock", "user", "word", 65535},
        {"unix://:word@/s", NULL, 0, "/s", NULL, "word", 0},
        {"unix:///a%20b%3Fc%23d%2fe", NULL, 0, "/a b?c#d/e", NULL, NULL, 0},
        {"unix:///run/b\xc3\xa9.sock", NULL, 0, "/run/b\xc3\xa9.sock", NULL, NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_url url;
        struct netron_failure why = {0};
        expect_success(cases[i].text, netron_url_parse(cases[i].text, &url, &why), &why);
        expect_text(cases[i].text, "host", url.host_count > 0 ? url.hosts[0].name : NULL, cases[i].host);
        ck_assert_msg(url.kind == NETRON_URL_SERVER && !url.tls && url.host_count == (cases[i].host != NULL ? 1 : 0),
                      "%s: %zu hosts of kind %d", cases[i].text, url.host_count, (int)url.kind);
        expect_text(cases[i].text, "path", url.path, cases[i].path);
        expect_text(cases[i].text, "user", url.username, cases[i].username);
        expect_text(cases[i].text, "password", url.password, cases[i].password);
        if (cases[i].host != NULL)
            ck_assert_msg(url.hosts[0].port == cases[i].port, "%s: the port is %u", cases[i].text, url.hosts[0].port);
        ck_assert_msg(url.database == cases[i].database, "%s: the database is %u", cases[i].text, url.database);
        netron_url_clear(&url);
    }
}
END_TEST

START_TEST(several_hosts_lead_to_sentinels_or_into_a_cluster)
{
    static const struct {
        const char *text;
        enum netron_url_kind kind;
        bool tls;
        const char *hosts, *primary_name;
        uint32_t database;
    } cases[] = {
        {"rediss://h", NETRON_URL_SERVER, true, "h:6379", NULL, 0},
        {"redis+sentinel://h/m", NETRON_URL_SENTINELS, false, "h:26379", "m", 0},
        {"redis+sentinel://u:w@a:1,[::1]:2,b/my%20primary/3", NETRON_URL_SENTINELS, false, "a:1 ::1:2 b:26379",
         "my primary", 3},
        {"Rediss+Sentinel://:a,b@h/m/", NETRON_URL_SENTINELS, true, "h:26379", "m", 0},
        {"redis+cluster://a,b:7000", NETRON_URL_CLUSTER, false, "a:6379 b:7000", NULL, 0},
        {"rediss+cluster://a/0", NETRON_URL_CLUSTER, true, "a:6379", NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_url url;
        struct netron_failure why = {0};
        char hosts[1024] = "";
        expect_success(cases[i].text, netron_url_parse(cases[i].text, &url, &why), &why);
        for (size_t n = 0; n < url.host_count; n++)
            snprintf(hosts + strlen(hosts), sizeof(hosts) - strlen(hosts), "%s%s:%u", n > 0 ? " " : "",
                     url.hosts[n].name, url.hosts[n].port);
        expect_text(cases[i].text, "hosts", hosts, cases[i].hosts);
        expect_text(cases[i].text, "name of the primary", url.primary_name, cases[i].primary_name);
        ck_assert_msg(url.kind == cases[i].kind && url.tls == cases[i].tls && url.database == cases[i].database,
                      "%s: kind %d, TLS %d, database %u", cases[i].text, (int)url.kind, url.tls, url.database);
        netron_url_clear(&url);
    }
}
END_TEST

START_TEST(user_and_password_are_percent_decoded)
{
    static const struct {
        const char *text, *username, *password;
    } cases[] = {
        {"redis://us%65r:p%40ss@h", "user", "p@ss"},
        {"redis://a%3Ab:c%2Fd%3fe%23f@h", "a:b", "c/d?e#f"},
        {"redis://u:100%25@h", "u", "100%"},
        {"redis://u:%2525@h", "u", "%25"}, /* once, not twice */
        {"redis://u:a+b@h", "u", "a+b"},   /* a blank is %20; this is no form */
        {"redis://u:%7Ea%0Ab@h", "u", "~a\nb"},
        {"redis://u:%ff%FE@h", "u", "\xff\xfe"}, /* a password is bytes */
        {"redis://:%e2%82%ac@h", NULL, "\xe2\x82\xac"},
        {"unix://u:%40%2f@/s", "u", "@/"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct netron_url url;
        struct netron_failure why = {0};
        expect_success(cases[i].text, netron_url_parse(cases[i].text, &url, &why), &why);
        expect_text(cases[i].text, "user", url.username, cases[i].username);
        expect_text(cases[i].text, "password", url.password, cases[i].password);
        netron_url_clear(&url);
    }
}
END_TEST

static void expect_no_url(const char *text, const char *words)
{
    struct netron_url url;
    struct netron_failure why = {0};
    memset(&url, 0x5a, sizeof(url));
    int code = netron_url_parse(text, &url, &why);
    expect_refusal(text != NULL ? text : "(NULL)", code, NETRON_EURL, &why, "url: ");
    expect_refusal(text != NULL ? text : "(NULL)", code, NETRON_EURL, &why, words);
    expect_cleared(text != NULL ? text : "(NULL)", &url);
}

START_TEST(what_is_no_url_is_refused_with_the_name_of_the_part)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {NULL, "empty"},
        {"", "empty"},
        {"h:6379", "must begin with redis://, rediss://, unix://"},
        {"redis:h", "must begin with redis://, rediss://, unix://"},
        {"redis:/h", "must begin with redis://, rediss://, unix://"},
        {" redis://h", "must begin with redis://, rediss://, unix://"},
        {"http://h", "must begin with redis://, rediss://, unix://"},
        {"redis://a,b", "belong to sentinels or a cluster"},
        {"redis+sentinel://h", "name of the primary is missing"},
        {"redis+sentinel://h/", "name of the primary is missing"},
        {"redis+sentinel://h//1", "name of the primary is missing"},
        {"redis+sentinel://h/%zz", "in the name of the primary"},
        {"redis+sentinel://h/m/x", "database"},
        {"redis+sentinel://a,,b/m", "host is missing"},
        {"redis+sentinel://a,b,/m", "host is missing"},
        {"redis+sentinel://a,b:0/m", "port"},
        {"redis+sentinel://a,::1/m", "brackets"},
        {"redis+cluster://h/1", "no database but 0"},
        {"redis+cluster://h/m", "database"},
        {"redis://h\xff", "UTF-8"},
        {"redis://h\n", "control character"},
        {"unix://user:word@/run/a@b", "must be written as %40"},
        {"redis://h\x7f", "control character"},
        /* host */
        {"redis://", "host"},
        {"redis://:6379", "host"},
        {"redis:///1", "host"},
        {"redis://:word@", "host"},
        {"redis://:word@:7000", "host"},
        {"redis://a b", "host"},
        {"redis://a%20b", "host"},
        {"redis://a\\b", "host"},
        {"redis://a]b", "host"},
        {"redis://::1", "brackets"},
        {"redis://h:1:2", "brackets"},
        {"redis://[", "brackets"},
        {"redis://[]", "brackets"},
        {"redis://[1:80", "brackets"},
        {"redis://[::1", "brackets"},
        {"redis://[::1]x", "followed by its port"},
        {"redis://[::1]x:7000", "followed by its port"},
        {"redis://[127.0.0.1]", "brackets"},
        {"redis://[::1%25eth0]", "brackets"},
        {"redis://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", "brackets"},
        /* port */
        {"redis://h:", "port"},
        {"redis://h:0", "port"},
        {"redis://h:65536", "port"},
        {"redis://h:18446744073709557995", "port"}, /* 6379 above 2^64 */
        {"redis://h:-1", "port"},
        {"redis://h:+1", "port"},
        {"redis://h:1a", "port"},
        {"redis://[::1]:", "port"},
        {"redis://[::1]:0", "port"},
        /* database */
        {"redis://h/65536", "database"},
        {"redis://h/18446744073709551616", "database"},
        {"redis://h/-1", "database"},
        {"redis://h/a", "database"},
        {"redis://h/1/", "database"},
        {"redis://h//1", "database"},
        {"unix:///s?db=", "database"},
        {"unix:///s?db=65536", "database"},
        {"unix:///s?db=1&db=2", "database"},
        /* credentials */
        {"redis://user@h", "without a password"},
        {"redis://@h", "without a password"},
        {"unix://user@/s", "without a password"},
        {"redis://u%:w@h", "in the user"},
        {"redis://u%0:w@h", "in the user"},
        {"redis://u%zz:w@h", "in the user"},
        {"redis://u%00:w@h", "in the user"},
        {"redis://u:%@h", "in the password"},
        {"redis://u:%4@h", "in the password"},
        {"redis://u:%4g@h", "in the password"},
        {"redis://u:%g4@h", "in the password"},
        {"redis://u:a%00b@h", "in the password"},
        {"unix://u:%00@/s", "in the password"},
        {"redis://u:a/b@h", "%2F"},
        {"redis://u:a?b@h", "%3F"},
        {"redis://u:a#b@h", "%23"},
        {"unix://u:a/b@/s", "%2F"},
        /* what a scheme does not have */
        {"redis://h?db=1", "query"},
        {"redis://h/1?x", "query"},
        {"redis://h#x", "fragment"},
        {"unix:///s?database=1", "?db=n"},
        {"unix:///s?", "?db=n"},
        {"unix:///s#x", "fragment"},
        /* path */
        {"unix://", "path"},
        {"unix:///", "path"},
        {"unix://s", "path"},
        {"unix://h/s", "path"},
        {"unix:///s%0", "in the path"},
        {"unix:///s%00", "in the path"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_no_url(cases[i].text, cases[i].words);
}
END_TEST

START_TEST(there_are_at_most_64_hosts)
{
    char text[512] = "redis+cluster://h";
    struct netron_url url;
    struct netron_failure why = {0};
    for (int i = 1; i < NETRON_HOSTS_MAX; i++)
        strcat(text, ",h");
    expect_success("64", netron_url_parse(text, &url, &why), &why);
    ck_assert_uint_eq(url.host_count, 64);
    netron_url_clear(&url);
    strcat(text, ",h");
    expect_no_url(text, "more than 64 hosts");
}
END_TEST

START_TEST(a_host_has_at_most_255_bytes)
{
    char text[512] = "redis://";
    struct netron_url url;
    struct netron_failure why = {0};
    fill(text + 8, 'h', 255);
    expect_success("255", netron_url_parse(text, &url, &why), &why);
    ck_assert_uint_eq(strlen(url.hosts[0].name), 255);
    netron_url_clear(&url);
    fill(text + 8, 'h', 256);
    expect_no_url(text, "255 bytes");
}
END_TEST

/* What sockaddr_un can hold: 107 bytes and the NUL. Encoded it may be three times as long. */
START_TEST(a_socket_path_has_at_most_107_bytes_decoded)
{
    char text[512] = "unix:///";
    struct netron_url url;
    struct netron_failure why = {0};
    fill(text + 8, 'p', 106);
    expect_success("107", netron_url_parse(text, &url, &why), &why);
    ck_assert_uint_eq(strlen(url.path), 107);
    netron_url_clear(&url);
    fill(text + 8, 'p', 107);
    expect_no_url(text, "107 bytes");
    text[8] = '\0';
    for (int i = 0; i < 106; i++)
        strcat(text, "%70");
    expect_success("107 encoded", netron_url_parse(text, &url, &why), &why);
    ck_assert_uint_eq(strlen(url.path), 107);
    netron_url_clear(&url);
}
END_TEST

/* Every way to get a URL wrong that has been met or thought of, with the password where a sentence could quote it. */
START_TEST(no_sentence_holds_any_part_of_a_password)
{
    static const char *const texts[] = {
        "redis://user:Sesame/Xyzzy@host",
        "redis://user:Sesame?Xyzzy@host",
        "redis://user:Sesame#Xyzzy@host",
        "redis://user:Sesame@Xyzzy",
        "redis://user:Sesame%zzXyzzy@host",
        "redis://user:Sesame%00Xyzzy@host",
        "redis://user:Sesame Xyzzy",
        "redis://user:Sesame",
        "redis://user:SesameXyzzy@",
        "redis://user:SesameXyzzy@host:port",
        "redis://user:SesameXyzzy@host:99999",
        "redis://user:SesameXyzzy@host/none",
        "redis://user:SesameXyzzy@host?db=1",
        "redis://user:SesameXyzzy@[bad]:1",
        "redis://user:SesameXyzzy@a:b:c",
        "redis://SesameXyzzy@host",
        "redis:/user:SesameXyzzy@host",
        "redis//user:SesameXyzzy@host",
        "user:SesameXyzzy@host",
        "SesameXyzzy",
        "rediss://user:SesameXyzzy@host",
        "redis+sentinel://user:SesameXyzzy@host",
        "redis+sentinel://user:SesameXyzzy@a,b,/m",
        "redis+sentinel://user:Sesame/Xyzzy@a,b/m",
        "redis+cluster://user:SesameXyzzy@a,b/1",
        "redis://user:SesameXyzzy\xff@host",
        "redis://user:Sesame\nXyzzy@host",
        "unix://user:Sesame/Xyzzy@/run/s",
        "unix://user:SesameXyzzy@run/s",
        "unix://user:SesameXyzzy@/run/s?base=1",
        "unix://user:SesameXyzzy@/run/s?db=x",
        "unix://user:SesameXyzzy@/run/s#x",
        "unix://user:Sesame%zXyzzy@/run/s",
        "unix://user:SesameXyzzy@/",
        "unix://SesameXyzzy@/run/s",
    };
    size_t refused = 0;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct netron_url url;
        struct netron_failure why = {0};
        refused += netron_url_parse(texts[i], &url, &why) != 0;
        ck_assert_msg(strstr(why.sentence, "Sesame") == NULL && strstr(why.sentence, "Xyzzy") == NULL, "%s: \"%s\"",
                      texts[i], why.sentence);
        netron_url_clear(&url);
    }
    ck_assert_uint_ge(refused, COUNT_OF(texts) - 2); /* a host may be called Xyzzy, and TLS is well */
}
END_TEST

START_TEST(clearing_twice_is_fine)
{
    struct netron_url url;
    ck_assert_int_eq(netron_url_parse("unix://user:word@/run/s?db=3", &url, NULL), 0);
    netron_url_clear(&url);
    expect_cleared("after the first", &url);
    netron_url_clear(&url);
    expect_cleared("after the second", &url);
    netron_secret_free(NULL);
}
END_TEST

START_TEST(a_place_is_written_as_a_url_has_it)
{
    char text[NETRON_ADDRESS_SIZE];
    ck_assert_str_eq(netron_address_text(text, "redis.example", 6379), "redis.example:6379");
    ck_assert_str_eq(netron_address_text(text, "10.0.0.1", 65535), "10.0.0.1:65535");
    ck_assert_str_eq(netron_address_text(text, "fd00::1", 1), "[fd00::1]:1");
    ck_assert_str_eq(netron_address_text(text, "/run/redis.sock", 0), "/run/redis.sock");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("url");
    TCase *tcase = suite_case(suite, "url");
    tcase_add_test(tcase, a_url_is_taken_apart);
    tcase_add_test(tcase, several_hosts_lead_to_sentinels_or_into_a_cluster);
    tcase_add_test(tcase, there_are_at_most_64_hosts);
    tcase_add_test(tcase, user_and_password_are_percent_decoded);
    tcase_add_test(tcase, what_is_no_url_is_refused_with_the_name_of_the_part);
    tcase_add_test(tcase, a_host_has_at_most_255_bytes);
    tcase_add_test(tcase, a_socket_path_has_at_most_107_bytes_decoded);
    tcase_add_test(tcase, no_sentence_holds_any_part_of_a_password);
    tcase_add_test(tcase, clearing_twice_is_fine);
    tcase_add_test(tcase, a_place_is_written_as_a_url_has_it);
    return suite_run(suite);
}
