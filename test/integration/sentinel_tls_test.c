/* SPDX-License-Identifier: MIT */
/* Sentinels, and the Redis that they name, over TLS. */
#include "certificates.h"
#include "sentinel_stage.h"
#include <stdlib.h>
#include <unistd.h>

static char folder[64];
static char ca_file[96];

static void open_with_tls(void)
{
    static const struct certificate ca = {.name = "ca", .from_hours = -1, .to_hours = 24};
    static const struct certificate of_server = {
        .name = "server", .issuer = "ca", .hosts = "IP:127.0.0.1", .from_hours = -1, .to_hours = 24};
    strcpy(folder, "/tmp/netron-set-tls-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    certificate_make(folder, &ca);
    certificate_make(folder, &of_server);
    snprintf(ca_file, sizeof(ca_file), "%s/ca.crt", folder);
    set = (struct sentinel_set){.certificates = folder};
    open_stage();
    options.tls_ca_file = ca_file;
}

static void close_with_tls(void)
{
    close_stage();
    certificate_remove(folder, "server");
    certificate_remove(folder, "ca");
    rmdir(folder);
}

START_TEST(sentinels_and_redis_are_asked_over_tls)
{
    join();
    set_member_kill(&set.redis[0]);
    int primary = await_failover(0);
    assert_whole(primary);
    assert_nothing_told();
}
END_TEST

START_TEST(a_sentinel_whose_certificate_is_not_trusted_is_not_asked)
{
    options.tls_ca_file = NULL;
    discovery = world_join(&world, &options);
    AWAIT(&world, links.count[COMMANDS] > 0);
    ck_assert_int_eq(links.code[COMMANDS], NETRON_ETLS);
    ck_assert_ptr_nonnull(strstr(links.sentence[COMMANDS], "no sentinel told where the primary"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sentinel_tls");
    TCase *tcase = suite_case(suite, "tls");
    tcase_set_timeout(tcase, 150);
    tcase_add_checked_fixture(tcase, open_with_tls, close_with_tls);
    tcase_add_test(tcase, sentinels_and_redis_are_asked_over_tls);
    tcase_add_test(tcase, a_sentinel_whose_certificate_is_not_trusted_is_not_asked);
    return suite_run(suite);
}
