/* SPDX-License-Identifier: MIT */
/*
 * No sentence of this file quotes the URL: where an '@' or a '/' is misplaced, any part of it may be the password.
 */
#include "url.h"
#include "text.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define PATH_MAX_BYTES (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

/* A part of the URL: from begin up to, not including, end. */
struct span {
    const char *begin;
    const char *end;
};

static size_t span_length(struct span span)
{
    return (size_t)(span.end - span.begin);
}

static const char *find_first(struct span span, char wanted)
{
    return memchr(span.begin, wanted, span_length(span));
}

static const char *find_last(struct span span, char wanted)
{
    return memrchr(span.begin, wanted, span_length(span));
}

/* ---- parts ---- */

/* Every '%' begins the two digits of a byte other than NUL. */
static bool is_encoded_well(struct span span)
{
    for (const char *at = span.begin; at < span.end; at++) {
        if (*at != '%')
            continue;
        if (span.end - at < 3 || netron_text_hex_value(at[1]) < 0 || netron_text_hex_value(at[2]) < 0 ||
            (at[1] == '0' && at[2] == '0'))
            return false;
        at += 2;
    }
    return true;
}

static int decode(struct span span, const char *part, char **out, struct netron_failure *why)
{
    if (!is_encoded_well(span))
        return netron_fail(why, NETRON_EURL, "url: a \"%%\" in the %s is not followed by two hex digits (00 excluded)",
                           part);
    char *decoded = malloc(span_length(span) + 1);
    if (decoded == NULL)
        return netron_fail(why, NETRON_ENOMEM, "url: no memory");
    char *to = decoded;
    for (const char *at = span.begin; at < span.end; at++) {
        if (*at == '%') {
            *to++ = (char)(netron_text_hex_value(at[1]) * 16 + netron_text_hex_value(at[2]));
            at += 2;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    *out = decoded;
    return 0;
}

static bool read_number(struct span span, unsigned long max, unsigned long *out)
{
    unsigned long number = 0;
    for (const char *at = span.begin; at < span.end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        number = number * 10 + (unsigned long)(*at - '0');
        if (number > max)
            return false;
    }
    *out = number;
    return span.begin < span.end;
}

static int read_database(struct span span, struct netron_url *url, struct netron_failure *why)
{
    unsigned long database;
    if (!read_number(span, NETRON_DATABASE_MAX, &database))
        return netron_fail(why, NETRON_EURL, "url: the database is no number from 0 to %d", NETRON_DATABASE_MAX);
    url->database = (uint32_t)database;
    return 0;
}

/* [user]:password */
static int read_credentials(struct span span, struct netron_url *url, struct netron_failure *why)
{
    const char *colon = find_first(span, ':');
    if (colon == NULL)
        return netron_fail(why, NETRON_EURL,
                           "url: before \"@\" stands a user without a password: \"user:password@\" or \":password@\" "
                           "is needed");
    if (colon > span.begin) {
        int code = decode((struct span){span.begin, colon}, "user", &url->username, why);
        if (code != 0)
            return code;
    }
    /* Neither user nor password is what a template leaves of variables that are not set: no credentials. */
    if (url->username == NULL && colon + 1 == span.end)
        return 0;
    return decode((struct span){colon + 1, span.end}, "password", &url->password, why);
}

static bool is_bracketed_ipv6(struct span span)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    size_t length = span_length(span) - 2;
    if (length >= sizeof(address))
        return false;
    memcpy(address, span.begin + 1, length);
    address[length] = '\0';
    return inet_pton(AF_INET6, address, &parsed) == 1;
}

static int add_host(struct netron_url *url, struct span name, unsigned long port, struct netron_failure *why)
{
    struct netron_host *hosts = NULL;
    if (url->host_count == NETRON_HOSTS_MAX)
        netron_fail(why, NETRON_EURL, "url: there are more than %d hosts", NETRON_HOSTS_MAX);
    else if ((hosts = realloc(url->hosts, (url->host_count + 1) * sizeof(*hosts))) == NULL)
        netron_fail(why, NETRON_ENOMEM, "url: no memory");
    if (hosts == NULL)
        return why->code;
    url->hosts = hosts;
    hosts[url->host_count] = (struct netron_host){.port = (uint16_t)port};
    memcpy(hosts[url->host_count++].name, name.begin, span_length(name));
    return 0;
}

static int read_host(struct span span, unsigned long port, struct netron_url *url, struct netron_failure *why)
{
    if (span.begin == span.end)
        return netron_fail(why, NETRON_EURL, "url: the host is missing");
    if (span_length(span) > NETRON_HOST_MAX)
        return netron_fail(why, NETRON_EURL, "url: the host is longer than %d bytes", NETRON_HOST_MAX);
    if (*span.begin == '[') {
        if (!is_bracketed_ipv6(span))
            return netron_fail(why, NETRON_EURL, "url: there is no IPv6 address in the brackets of the host");
        span = (struct span){span.begin + 1, span.end - 1};
    } else if (find_first(span, ' ') != NULL) {
        return netron_fail(why, NETRON_EURL, "url: the host holds a blank");
    } else if (strcspn(span.begin, "%[]\\") < span_length(span)) {
        return netron_fail(why, NETRON_EURL, "url: the host holds a character that no host has");
    }
    return add_host(url, span, port, why);
}

/* host[:port] */
static int read_host_and_port(struct span span, struct netron_url *url, struct netron_failure *why)
{
    const char *bracket = span.begin < span.end && *span.begin == '[' ? find_first(span, ']') : NULL;
    struct span tail = {bracket != NULL ? bracket + 1 : span.begin, span.end};
    const char *colon = find_first(tail, ':');
    unsigned long port = url->kind == NETRON_URL_SENTINELS ? NETRON_SENTINEL_PORT : NETRON_REDIS_PORT;
    if (colon != find_last(tail, ':'))
        return netron_fail(why, NETRON_EURL,
                           "url: the host holds several colons; an IPv6 address needs brackets, \"[ipv6]:port\"");
    if (bracket != NULL && colon != tail.begin && tail.begin != tail.end)
        return netron_fail(why, NETRON_EURL, "url: the brackets of the host must be followed by its port");
    if (colon != NULL && (!read_number((struct span){colon + 1, span.end}, UINT16_MAX, &port) || port == 0))
        return netron_fail(why, NETRON_EURL, "url: the port is no number from 1 to %d", UINT16_MAX);
    return read_host((struct span){span.begin, colon != NULL ? colon : span.end}, port, url, why);
}

/* host[:port][,host[:port]...] */
static int read_hosts(struct span span, struct netron_url *url, struct netron_failure *why)
{
    int code = 0;
    for (const char *comma; code == 0; span.begin = comma + 1) {
        comma = find_first(span, ',');
        code = read_host_and_port((struct span){span.begin, comma != NULL ? comma : span.end}, url, why);
        if (comma == NULL)
            break;
    }
    return code;
}

/* ---- schemes ---- */

/* What stands behind the hosts: an optional database, and before it the primary's name where sentinels are asked. */
static int read_tail(struct span span, struct netron_url *url, struct netron_failure *why)
{
    if (url->kind == NETRON_URL_SENTINELS) {
        const char *slash = find_first(span, '/');
        struct span name = {span.begin, slash != NULL ? slash : span.end};
        if (name.begin == name.end)
            return netron_fail(why, NETRON_EURL,
                               "url: the name of the primary is missing: redis+sentinel://host:port,host:port/name");
        int code = decode(name, "name of the primary", &url->primary_name, why);
        if (code != 0)
            return code;
        span.begin = slash != NULL ? slash + 1 : span.end;
    }
    if (span.begin == span.end)
        return 0;
    int code = read_database(span, url, why);
    if (code == 0 && url->kind == NETRON_URL_CLUSTER && url->database != 0)
        return netron_fail(why, NETRON_EURL, "url: a cluster has no database but 0");
    return code;
}

/* [[user]:password@]hosts[/tail] */
static int read_network(struct span rest, struct netron_url *url, struct netron_failure *why)
{
    const char *authority_end = rest.begin + strcspn(rest.begin, "/?#");
    const char *at = find_last((struct span){rest.begin, authority_end}, '@');
    if (find_first((struct span){authority_end, rest.end}, '@') != NULL)
        return netron_fail(
            why, NETRON_EURL,
            "url: \"/\", \"?\" and \"#\" in the user or password must be written as %%2F, %%3F and %%23");
    if (strcspn(authority_end, "?#") < (size_t)(rest.end - authority_end))
        return netron_fail(why, NETRON_EURL, "url: redis:// takes neither a query (\"?\") nor a fragment (\"#\")");
    const struct span hosts = {at != NULL ? at + 1 : rest.begin, authority_end};
    int code = at != NULL ? read_credentials((struct span){rest.begin, at}, url, why) : 0;
    if (code == 0 && url->kind == NETRON_URL_SERVER && find_first(hosts, ',') != NULL)
        return netron_fail(
            why, NETRON_EURL,
            "url: several hosts belong to sentinels or a cluster: redis+sentinel:// or redis+cluster://");
    if (code == 0)
        code = read_hosts(hosts, url, why);
    if (code == 0)
        code = read_tail((struct span){authority_end < rest.end ? authority_end + 1 : rest.end, rest.end}, url, why);
    return code;
}

static int read_socket_path(struct span span, struct netron_url *url, struct netron_failure *why)
{
    int code = decode(span, "path", &url->path, why);
    if (url->path == NULL)
        return code;
    size_t length = strlen(url->path);
    if (length < 2)
        return netron_fail(why, NETRON_EURL, "url: the path of the socket is missing");
    if (length > PATH_MAX_BYTES)
        return netron_fail(why, NETRON_EURL, "url: the path of the socket is longer than %zu bytes", PATH_MAX_BYTES);
    return 0;
}

/* [[user]:password@]/path[?db=n] */
static int read_unix(struct span rest, struct netron_url *url, struct netron_failure *why)
{
    static const char database_key[] = "db=";
    const size_t key_length = sizeof(database_key) - 1;
    const char *slash = find_first(rest, '/');
    if (slash == NULL || (slash > rest.begin && slash[-1] != '@'))
        return netron_fail(why, NETRON_EURL,
                           "url: unix:// takes an absolute path, without a host; \"/\" in the user or password must be "
                           "written as %%2F");
    if (find_first((struct span){slash, rest.end}, '#') != NULL)
        return netron_fail(why, NETRON_EURL, "url: unix:// takes no fragment; \"#\" must be written as %%23");
    if (slash > rest.begin && find_first((struct span){slash, rest.end}, '@') != NULL)
        return netron_fail(why, NETRON_EURL,
                           "url: \"@\" in a path behind a password, and \"/\" in a password, must be written as %%40 "
                           "and %%2F");
    const char *query = find_first((struct span){slash, rest.end}, '?');
    int code = slash > rest.begin ? read_credentials((struct span){rest.begin, slash - 1}, url, why) : 0;
    if (code == 0)
        code = read_socket_path((struct span){slash, query != NULL ? query : rest.end}, url, why);
    if (code != 0 || query == NULL)
        return code;
    if (strncmp(query + 1, database_key, key_length) != 0)
        return netron_fail(why, NETRON_EURL, "url: unix:// takes no query but \"?db=n\"");
    return read_database((struct span){query + 1 + key_length, rest.end}, url, why);
}

static const struct scheme {
    const char *prefix;
    enum netron_url_kind kind;
    bool tls;
    int (*read)(struct span rest, struct netron_url *url, struct netron_failure *why);
} schemes[] = {
    {"redis://", NETRON_URL_SERVER, false, read_network},
    {"rediss://", NETRON_URL_SERVER, true, read_network},
    {"unix://", NETRON_URL_SERVER, false, read_unix},
    {"redis+sentinel://", NETRON_URL_SENTINELS, false, read_network},
    {"rediss+sentinel://", NETRON_URL_SENTINELS, true, read_network},
    {"redis+cluster://", NETRON_URL_CLUSTER, false, read_network},
    {"rediss+cluster://", NETRON_URL_CLUSTER, true, read_network},
};

static int read_url(const char *text, struct netron_url *url, struct netron_failure *why)
{
    size_t length = strlen(text);
    if (!netron_text_is_utf8(text, length))
        return netron_fail(why, NETRON_EURL, "url: it is not valid UTF-8");
    if (netron_text_has_control(text, length))
        return netron_fail(why, NETRON_EURL, "url: it holds a control character");
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t prefix_length = strlen(schemes[i].prefix);
        if (strncasecmp(text, schemes[i].prefix, prefix_length) != 0)
            continue;
        url->kind = schemes[i].kind;
        url->tls = schemes[i].tls;
        return schemes[i].read((struct span){text + prefix_length, text + length}, url, why);
    }
    return netron_fail(why, NETRON_EURL,
                       "url: it must begin with redis://, rediss://, unix://, redis+sentinel://, "
                       "rediss+sentinel://, redis+cluster:// or rediss+cluster://");
}

/* ---- the whole ---- */

int netron_url_parse(const char *text, struct netron_url *out, struct netron_failure *why)
{
    struct netron_url url = {0};
    *out = url;
    if (text == NULL || text[0] == '\0')
        return netron_fail(why, NETRON_EURL, "url: it is empty");
    int code = read_url(text, &url, why);
    if (code == 0)
        *out = url;
    else
        netron_url_clear(&url);
    return code;
}

void netron_url_clear(struct netron_url *url)
{
    free(url->hosts);
    free(url->path);
    free(url->primary_name);
    free(url->username);
    netron_secret_free(url->password);
    *url = (struct netron_url){0};
}

void netron_secret_free(char *secret)
{
    if (secret == NULL)
        return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

const char *netron_address_text(char out[NETRON_ADDRESS_SIZE], const char *host, uint16_t port)
{
    bool is_ipv6 = strchr(host, ':') != NULL;
    if (host[0] == '/')
        snprintf(out, NETRON_ADDRESS_SIZE, "%s", host);
    else
        snprintf(out, NETRON_ADDRESS_SIZE, "%s%s%s:%u", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", (unsigned)port);
    return out;
}
