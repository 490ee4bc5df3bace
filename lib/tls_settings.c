/* SPDX-License-Identifier: MIT */
#include "tls_settings.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_NAME_MAX 253u /* of a name in DNS */
#define PATH_SIZE_MAX 4096u

struct text {
    const char *member;
    const char *given;
    size_t max;
    char **out;
};

static int check_text(const struct text *text, struct netron_failure *why)
{
    size_t length = strnlen(text->given, text->max + 1);
    if (length == 0)
        return netron_fail(why, NETRON_EINVAL, "options.%s is empty", text->member);
    if (length > text->max)
        return netron_fail(why, NETRON_ELIMIT, "options.%s is longer than %zu bytes", text->member, text->max);
    return 0;
}

/* OpenSSL would take an asterisk, or the name of a NUL's left side, for what it is not; no host has such a name. */
static int check_server_name(const char *name, struct netron_failure *why)
{
    for (; name != NULL && *name != '\0'; name++)
        if (*name <= 0x20 || *name > 0x7e || *name == '*')
            return netron_fail(why, NETRON_EINVAL, "options.tls_server_name is no host name, and no numeric address");
    return 0;
}

static int check_version(const netron_options *options, struct netron_failure *why)
{
    int version = (int)options->tls_min_version;
    if (version == 0 || version == NETRON_TLS_1_2 || version == NETRON_TLS_1_3)
        return 0;
    return netron_fail(why, NETRON_EINVAL, "options.tls_min_version is %d: NETRON_TLS_1_2 or NETRON_TLS_1_3 is allowed",
                       version);
}

static int make(const netron_options *options, bool is_wanted, struct netron_tls_settings *settings,
                struct netron_failure *why)
{
    const struct text texts[] = {
        {"tls_ca_file", options->tls_ca_file, PATH_SIZE_MAX, &settings->ca_file},
        {"tls_ca_dir", options->tls_ca_dir, PATH_SIZE_MAX, &settings->ca_dir},
        {"tls_cert_file", options->tls_cert_file, PATH_SIZE_MAX, &settings->cert_file},
        {"tls_key_file", options->tls_key_file, PATH_SIZE_MAX, &settings->key_file},
        {"tls_server_name", options->tls_server_name, SERVER_NAME_MAX, &settings->server_name},
    };
    static const char unwanted[] = "options.%s is given, but the URL does not ask for TLS: it begins with rediss then";
    int code = check_version(options, why);
    if (code == 0 && options->tls_min_version != 0 && !is_wanted)
        code = netron_fail(why, NETRON_EINVAL, unwanted, "tls_min_version");
    for (size_t i = 0; code == 0 && i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].given == NULL)
            continue;
        code = check_text(&texts[i], why);
        if (code == 0 && !is_wanted)
            code = netron_fail(why, NETRON_EINVAL, unwanted, texts[i].member);
        if (code == 0 && (*texts[i].out = strdup(texts[i].given)) == NULL)
            code = netron_fail(why, NETRON_ENOMEM, "options: no memory");
    }
    if (code == 0)
        code = check_server_name(settings->server_name, why);
    if (code == 0 && (settings->cert_file == NULL) != (settings->key_file == NULL))
        code = netron_fail(why, NETRON_EINVAL, "options.tls_cert_file and options.tls_key_file need each other");
    return code;
}

int netron_tls_settings_make(const netron_options *options, bool is_wanted, struct netron_tls_settings *out,
                             struct netron_failure *why)
{
    struct netron_tls_settings settings = {.min_version = options->tls_min_version == NETRON_TLS_1_3 ? NETRON_TLS_1_3
                                                                                                     : NETRON_TLS_1_2};
    int code = make(options, is_wanted, &settings, why);
    if (code != 0)
        netron_tls_settings_clear(&settings);
    *out = settings;
    return code;
}

void netron_tls_settings_clear(struct netron_tls_settings *settings)
{
    free(settings->ca_file);
    free(settings->ca_dir);
    free(settings->cert_file);
    free(settings->key_file);
    free(settings->server_name);
    *settings = (struct netron_tls_settings){0};
}
