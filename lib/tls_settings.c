/* SPDX-License-Identifier: MIT */
#include "tls_settings.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_NAME_MAX 253u /* of a name in DNS */
#define PATH_SIZE_MAX 4096u

static int refuse_unwanted(const char *member, struct netron_failure *why)
{
    return netron_fail(why, NETRON_EINVAL,
                       "options.%s is given, but the URL does not ask for TLS: it begins with rediss then", member);
}

static int take_text(const char *given, const char *member, size_t max, bool is_wanted, char **out,
                     struct netron_failure *why)
{
    size_t length = given != NULL ? strnlen(given, max + 1) : 0;
    if (given == NULL)
        return 0;
    if (length == 0)
        return netron_fail(why, NETRON_EINVAL, "options.%s is empty", member);
    if (length > max)
        return netron_fail(why, NETRON_ELIMIT, "options.%s is longer than %zu bytes", member, max);
    if (!is_wanted)
        return refuse_unwanted(member, why);
    *out = strdup(given);
    return *out != NULL ? 0 : netron_fail(why, NETRON_ENOMEM, "options: no memory");
}

/* OpenSSL would take an asterisk, or the name of a NUL's left side, for what it is not, and a leading dot for every
 * name below; no host has such a name. */
static int check_server_name(const char *name, struct netron_failure *why)
{
    if (name != NULL && name[0] == '.')
        return netron_fail(why, NETRON_EINVAL, "options.tls_server_name begins with a dot: no host has such a name");
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
    int code = check_version(options, why);
    if (code == 0 && options->tls_min_version != 0 && !is_wanted)
        code = refuse_unwanted("tls_min_version", why);
    if (code == 0)
        code = take_text(options->tls_ca_file, "tls_ca_file", PATH_SIZE_MAX, is_wanted, &settings->ca_file, why);
    if (code == 0)
        code = take_text(options->tls_ca_dir, "tls_ca_dir", PATH_SIZE_MAX, is_wanted, &settings->ca_dir, why);
    if (code == 0)
        code = take_text(options->tls_cert_file, "tls_cert_file", PATH_SIZE_MAX, is_wanted, &settings->cert_file, why);
    if (code == 0)
        code = take_text(options->tls_key_file, "tls_key_file", PATH_SIZE_MAX, is_wanted, &settings->key_file, why);
    if (code == 0)
        code = take_text(options->tls_server_name, "tls_server_name", SERVER_NAME_MAX, is_wanted,
                         &settings->server_name, why);
    if (code == 0)
        code = check_server_name(settings->server_name, why);
    if (code == 0 && (settings->cert_file == NULL) != (settings->key_file == NULL))
        code = netron_fail(why, NETRON_EINVAL, "options.tls_cert_file and options.tls_key_file need each other");
    return code;
}

int netron_tls_settings_make(const netron_options *options, bool is_wanted, struct netron_tls_settings *out,
                             struct netron_failure *why)
{
    struct netron_tls_settings settings = {.min_version = options->tls_min_version};
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
