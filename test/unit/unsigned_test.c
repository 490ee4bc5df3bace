/* SPDX-License-Identifier: MIT */
/* A library that was built without signatures: whoever asks for them is told so, instead of going without. */
#include "expect.h"
#include "signing.h"

static int answer(const char *node_id, const char *key_id, netron_signature_key *key, void *arg)
{
    (void)node_id, (void)key_id, (void)key, (void)arg;
    return 0;
}

START_TEST(each_option_that_needs_them_is_refused_with_its_reason)
{
    netron_signature_key key = private_key(0, "k");
    for (int i = 0; i < 3; i++) {
        netron_options options;
        char sentence[256];
        netron_options_init(&options);
        options.signing_key = i == 0 ? &key : NULL;
        options.trusted_keys = i == 1 ? &key : NULL;
        options.trusted_key_count = i == 1;
        options.trusted_key = i == 2 ? answer : NULL;
        ck_assert_int_eq(netron_options_check(&options, sentence, sizeof(sentence)), NETRON_EDISABLED);
        ck_assert_msg(strstr(sentence, "built without signatures") != NULL, "%s", sentence);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unsigned");
    tcase_add_test(suite_case(suite, "unsigned"), each_option_that_needs_them_is_refused_with_its_reason);
    return suite_run(suite);
}
