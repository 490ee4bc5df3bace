/* SPDX-License-Identifier: MIT */
/* A URL: what is read keeps the limits and is read again the same when it is written anew, and no sentence depends on
 * what stands before the '@'. */
#include "failure.h"
#include "fuzz.h"
#include "url.h"
#include <ctype.h>
#include <netron/netron.h>
#include <stdbool.h>
#include <sys/un.h>

#define HOST_MAX 255

static bool is_same_text(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static void expect_limits(const struct netron_url *url)
{
    FUZZ_EXPECT((url->host_count == 0) == (url->path != NULL), "hosts or a path");
    FUZZ_EXPECT(url->host_count <= (url->kind == NETRON_URL_SERVER ? 1 : NETRON_HOSTS_MAX), "%zu hosts",
                url->host_count);
    for (size_t i = 0; i < url->host_count; i++) {
        size_t length = strlen(url->hosts[i].name);
        FUZZ_EXPECT(length >= 1 && length <= HOST_MAX && url->hosts[i].port != 0, "host of %zu bytes", length);
    }
    if (url->path != NULL) {
        size_t length = strlen(url->path);
        FUZZ_EXPECT(length >= 2 && length < sizeof(((struct sockaddr_un *)NULL)->sun_path), "path of %zu bytes",
                    length);
    }
    FUZZ_EXPECT((url->kind == NETRON_URL_SENTINELS) == (url->primary_name != NULL), "a name without sentinels");
    FUZZ_EXPECT(url->username == NULL || url->password != NULL, "a user without a password");
    FUZZ_EXPECT(url->database <= (url->kind == NETRON_URL_CLUSTER ? 0 : NETRON_DATABASE_MAX), "database %u",
                (unsigned)url->database);
}

/* ---- written anew ---- */

static char *append_encoded(char *to, const char *text)
{
    for (; *text != '\0'; text++)
        to += sprintf(to, "%%%02X", (unsigned)(unsigned char)*text);
    return to;
}

static char *append_hosts(char *to, const struct netron_url *url)
{
    for (size_t i = 0; i < url->host_count; i++) {
        const struct netron_host *host = &url->hosts[i];
        bool is_ipv6 = strchr(host->name, ':') != NULL;
        to += sprintf(to, "%s%s%s%s:%u", i > 0 ? "," : "", is_ipv6 ? "[" : "", host->name, is_ipv6 ? "]" : "",
                      (unsigned)host->port);
    }
    return to;
}

static size_t room_for(const struct netron_url *url)
{
    const char *texts[] = {url->username, url->password, url->path, url->primary_name};
    size_t room = 64;
    for (size_t i = 0; i < 4; i++)
        room += texts[i] != NULL ? 3 * strlen(texts[i]) : 0;
    for (size_t i = 0; i < url->host_count; i++)
        room += strlen(url->hosts[i].name) + 16;
    return room;
}

static char *write_url(const struct netron_url *url)
{
    static const char *const kinds[] = {"", "+sentinel", "+cluster"};
    char *text = malloc(room_for(url));
    FUZZ_EXPECT(text != NULL, "no memory");
    char *to = text + (url->path != NULL ? sprintf(text, "unix://")
                                         : sprintf(text, "redis%s%s://", url->tls ? "s" : "", kinds[url->kind]));
    if (url->password != NULL) {
        to = append_encoded(to, url->username != NULL ? url->username : "");
        *to++ = ':';
        to = append_encoded(to, url->password);
        *to++ = '@';
    }
    if (url->path != NULL) {
        *to++ = '/';
        to = append_encoded(to, url->path + 1);
        sprintf(to, "?db=%u", (unsigned)url->database);
        return text;
    }
    to = append_hosts(to, url);
    *to++ = '/';
    if (url->primary_name != NULL) {
        to = append_encoded(to, url->primary_name);
        *to++ = '/';
    }
    sprintf(to, "%u", (unsigned)url->database);
    return text;
}

static bool has_same_hosts(const struct netron_url *one, const struct netron_url *other)
{
    for (size_t i = 0; i < one->host_count && i < other->host_count; i++)
        if (strcmp(one->hosts[i].name, other->hosts[i].name) != 0 || one->hosts[i].port != other->hosts[i].port)
            return false;
    return one->host_count == other->host_count;
}

static void expect_the_same_again(const struct netron_url *url)
{
    struct netron_url again;
    struct netron_failure why = {0};
    char *text = write_url(url);
    FUZZ_EXPECT(netron_url_parse(text, &again, &why) == 0, "%s: %s", why.sentence, text);
    FUZZ_EXPECT(has_same_hosts(url, &again) && url->kind == again.kind && url->tls == again.tls &&
                    is_same_text(url->path, again.path) && is_same_text(url->primary_name, again.primary_name) &&
                    is_same_text(url->username, again.username) && is_same_text(url->password, again.password) &&
                    url->database == again.database,
                "another URL: %s", text);
    netron_url_clear(&again);
    free(text);
}

/* ---- with another password ---- */

/* The next one of its kind, so that the URL keeps its form: a digit stays a digit, and 0 stays 0. */
static char next_of_kind(char character)
{
    static const char *const kinds[] = {"123456789", "abcdef", "ABCDEF", "ghijklmnopqrstuvwxyz",
                                        "GHIJKLMNOPQRSTUVWXYZ"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const char *found = character != '\0' ? strchr(kinds[i], character) : NULL;
        if (found != NULL)
            return *(found[1] != '\0' ? found + 1 : kinds[i]);
    }
    return character;
}

static void change_credentials(char *text)
{
    char *begin = strstr(text, "://");
    if (begin == NULL)
        return;
    begin += 3;
    bool is_unix = tolower((unsigned char)text[0]) == 'u';
    char *end = is_unix ? strchr(begin, '/') : strrchr(begin, '@');
    for (char *at = begin; end != NULL && at < end; at++)
        *at = next_of_kind(*at);
}

/* What netron_options_check() says of the URL as well: the sentence that a user gets to see. */
static void complain(const char *text, char *sentence, size_t size)
{
    netron_options options;
    netron_options_init(&options);
    options.url = text;
    sentence[0] = '\0';
    netron_options_check(&options, sentence, size);
}

static void expect_the_same_sentences(const char *text, int code, const struct netron_failure *why)
{
    struct netron_url url;
    struct netron_failure other = {0};
    char *changed = fuzz_text((const uint8_t *)text, strlen(text));
    char sentence[512];
    char other_sentence[512];
    change_credentials(changed);
    int other_code = netron_url_parse(changed, &url, &other);
    FUZZ_EXPECT(code == other_code && strcmp(why->sentence, other.sentence) == 0, "\"%s\" and \"%s\"", why->sentence,
                other.sentence);
    complain(text, sentence, sizeof(sentence));
    complain(changed, other_sentence, sizeof(other_sentence));
    FUZZ_EXPECT(strcmp(sentence, other_sentence) == 0, "\"%s\" and \"%s\"", sentence, other_sentence);
    netron_url_clear(&url);
    free(changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct netron_url url;
    struct netron_failure why = {0};
    char *text = fuzz_text(data, size);
    int code = netron_url_parse(text, &url, &why);
    if (code == 0) {
        expect_limits(&url);
        expect_the_same_again(&url);
    } else {
        FUZZ_EXPECT(code == NETRON_EURL && why.code == code && why.sentence[0] != '\0', "code %d", code);
        FUZZ_EXPECT(url.hosts == NULL && url.path == NULL && url.username == NULL && url.password == NULL, "leftovers");
    }
    expect_the_same_sentences(text, code, &why);
    netron_url_clear(&url);
    free(text);
    return 0;
}
