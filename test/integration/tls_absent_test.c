/* SPDX-License-Identifier: MIT */
/* What a build without TLS says of a URL that asks for it. */
#include "stage.h"
#include "tls.h"

START_TEST(a_url_of_tls_is_refused_with_the_reason)
{
    char sentence[256];
    options.url = "rediss://localhost";
    ck_assert_int_eq(netron_options_check(&options, sentence, sizeof(sentence)), NETRON_EURL);
    ck_assert_str_eq(sentence, "url: rediss:// needs a build with TLS (hiredis 1.0 or newer with hiredis_ssl)");
    ck_assert_int_eq(reactor_discovery_new(world.reactor, &options, &discovery), NETRON_EURL);
    ck_assert_ptr_null(discovery);
}
END_TEST

START_TEST(what_means_tls_is_refused_with_a_url_in_plain)
{
    options.tls_ca_file = "/etc/ssl/ca.crt";
    ck_assert_int_eq(reactor_discovery_new(world.reactor, &options, &discovery), NETRON_EINVAL);
}
END_TEST

/* What the settings leave nobody to ask. */
START_TEST(whatever_is_asked_of_it_fails)
{
    const struct netron_tls_settings settings = {0};
    struct netron_failure why = {0};
    struct netron_tls *tls = NULL;
    unsigned interest = 0;
    ck_assert(!netron_tls_is_built_in());
    ck_assert_int_eq(netron_tls_new(&settings, "localhost", &tls, &why), NETRON_ETLS);
    ck_assert_str_eq(why.sentence, "this build has no TLS");
    ck_assert_int_eq(netron_tls_handshake(tls, NULL, &interest, &why), NETRON_ETLS);
    ck_assert_int_eq(netron_tls_read(tls, NULL, &why), NETRON_ETLS);
    ck_assert_int_eq(netron_tls_write(tls, NULL, &why), NETRON_ETLS);
    ck_assert_uint_eq(netron_tls_interest(tls, NULL), 0);
    netron_tls_free(tls);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tcase = suite_case(suite, "absent");
    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_test(tcase, a_url_of_tls_is_refused_with_the_reason);
    tcase_add_test(tcase, what_means_tls_is_refused_with_a_url_in_plain);
    tcase_add_test(tcase, whatever_is_asked_of_it_fails);
    return suite_run(suite);
}
