/* SPDX-License-Identifier: MIT */
#include "credentials.h"
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX 65536u /* bytes; a token of a kilobyte or two is usual */
/* Redis cuts off the arguments that it repeats, and writes its own in place of line feeds: parts count as well. */
#define TELLING_PART 6u

void netron_credentials_clear(struct netron_credentials *credentials)
{
    netron_secret_free(credentials->username);
    netron_secret_free(credentials->password);
    *credentials = (struct netron_credentials){0};
}

static int set(struct netron_credentials *credentials, const char *username, const char *password)
{
    struct netron_credentials copy = {0};
    if (username != NULL)
        copy.username = strdup(username);
    if (password != NULL)
        copy.password = strdup(password);
    if ((username != NULL && copy.username == NULL) || (password != NULL && copy.password == NULL)) {
        netron_credentials_clear(&copy);
        return NETRON_ENOMEM;
    }
    netron_credentials_clear(credentials);
    *credentials = copy;
    return 0;
}

int netron_credentials_set(netron_credentials *credentials, const char *username, const char *password)
{
    if (credentials == NULL || (username != NULL && (username[0] == '\0' || password == NULL)))
        return NETRON_EINVAL;
    /* A user of the ACL may have an empty password; alone it is a token that is not there yet. */
    if (username == NULL && password != NULL && password[0] == '\0')
        return NETRON_EINVAL;
    if ((username != NULL && strnlen(username, SECRET_MAX + 1) > SECRET_MAX) ||
        (password != NULL && strnlen(password, SECRET_MAX + 1) > SECRET_MAX))
        return NETRON_ELIMIT;
    return set(credentials, username, password);
}

int netron_credentials_ask(const struct netron_settings *settings, netron_link_role role,
                           struct netron_credentials *out, struct netron_failure *why)
{
    *out = (struct netron_credentials){0};
    int code;
    if (settings->credentials == NULL) {
        code = set(out, settings->redis.username, settings->redis.password);
        return code == 0 ? 0 : netron_fail(why, code, "no memory for the password");
    }
    code = settings->credentials(role, out, settings->credentials_arg);
    if (code == 0)
        return 0;
    netron_credentials_clear(out);
    code = code < 0 ? code : NETRON_EINVAL;
    if (code == NETRON_EUNAVAILABLE) /* whose usual words are about Redis */
        return netron_fail(why, code, "options.credentials supplied none: there are none yet");
    return netron_fail(why, code, "options.credentials supplied none: %s", netron_strerror(code));
}

bool netron_credentials_leak(const struct netron_credentials *credentials, const char *text)
{
    const char *password = credentials->password != NULL ? credentials->password : "";
    size_t rest = strlen(password);
    size_t part = rest < TELLING_PART ? rest : TELLING_PART;
    for (size_t length = strlen(text); length >= part && rest >= part && part != 0; password++, rest--)
        if (memmem(text, length, password, part) != NULL)
            return true;
    return false;
}
