/* SPDX-License-Identifier: MIT */
/*
 * The options of a discovery.
 *
 * Set them up with netron_options_init(), change what should differ, hand them to netron_discovery_new(). Every
 * string is copied there, so nothing of the struct has to outlive the call. For every member zero or NULL means
 * the default, which stands beside it. Times are milliseconds.
 */
#ifndef NETRON_OPTIONS_H
#define NETRON_OPTIONS_H

#include <netron/api.h>
#include <netron/signature.h>

#ifdef __cplusplus
extern "C" {
#endif

struct netron_discovery;

typedef enum netron_log_level {
    NETRON_LOG_ERROR = 1, /* something the operator has to change: a password, a permission, a version */
    NETRON_LOG_WARNING,   /* something failed and is being tried again; garbage was skipped */
    NETRON_LOG_INFO,      /* connected, registered, replaced, left */
    NETRON_LOG_DEBUG      /* every change of state */
} netron_log_level;

/*
 * Gets one line without a line feed, valid until the callback returns; never a password. It is the only callback
 * that runs from inside other calls, so it may call nothing of this library.
 */
typedef void (*netron_log_fn)(netron_log_level level, const char *line, void *arg);

typedef enum netron_link_role {
    NETRON_LINK_COMMANDS = 1, /* registrations and lookups */
    NETRON_LINK_EVENTS = 2    /* the subscription of the view (view.h); exists from its opening on */
} netron_link_role;

/*
 * Tells about a connection to Redis: code 0 = it works now (for the events link: the subscription is
 * acknowledged); negative = it ended or could not be made, and sentence says why, with the words that Redis used.
 * With code 0 the sentence is "". Told once for every change of code or sentence, not for each attempt. Any call is
 * allowed inside, netron_discovery_free() included. The sentence is valid until the callback returns. Codes:
 * NETRON_EDISCONNECTED, NETRON_ETIMEDOUT, NETRON_EAUTH, NETRON_EPERM, NETRON_EDATABASE, NETRON_EVERSION, NETRON_EREDIS,
 * NETRON_EPROTOCOL, NETRON_ERESOLVE, NETRON_EUNAVAILABLE, NETRON_ETLS, NETRON_ENOMEM, NETRON_ELOOP.
 */
typedef void (*netron_link_fn)(struct netron_discovery *discovery, netron_link_role role, int code,
                               const char *sentence, void *arg);

/* What a netron_credentials_fn fills in; valid until it returns. */
typedef struct netron_credentials netron_credentials;

/*
 * Supplies user and password of one connection, for programs whose password changes while they run. It is called
 * whenever a connection of that link has been made and is about to be greeted, from the loop's top level, first after
 * netron_discovery_new() has returned. Most are one line: return netron_credentials_set(credentials, user, password).
 *
 * Returns 0: Redis is greeted with what was set, or without AUTH when nothing was set. A negative code: there is none
 * now, and this attempt fails with that code, told by on_link; the next one asks again. It is made after the usual wait
 * (NETRON_EUNAVAILABLE for "not yet"), or about reconnect_max_ms later after a code that only an operator can mend
 * (NETRON_EAUTH). A positive number counts as NETRON_EINVAL.
 *
 * It must not block: a token that comes over the network is fetched and renewed by the program's own code on its own
 * loop, and this gives the latest one. A connection that is made already is not authenticated again; Redis ends it
 * itself when its user is deleted, and an operator can by CLIENT KILL. Any call is allowed inside,
 * netron_discovery_free() included.
 */
typedef int (*netron_credentials_fn)(netron_link_role role, netron_credentials *credentials, void *arg);

typedef enum netron_registration_policy {
    NETRON_TAKE_OVER = 1, /* the newest process wins an id, as after a restart; the older one hears REPLACED */
    NETRON_REJECT = 2     /* a live holder of the id keeps it; this registration fails with NETRON_EHELD */
} netron_registration_policy;

typedef enum netron_tls_version { NETRON_TLS_1_2 = 1, NETRON_TLS_1_3 = 2 } netron_tls_version;

typedef struct netron_options {
    size_t size; /* sizeof(netron_options); netron_options_init() sets it */

    /* Where Redis is: redis://[[user]:password@]host[:port][/database] or unix://[[user]:password@]/path[?db=n].
     * User and password are percent-decoded. Default: redis://127.0.0.1:6379/0
     * Or who knows where it is: redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/primary[/database], the
     * sentinels (port 26379 unless said otherwise) and the name by which they know the primary. User and password are
     * still those of Redis.
     * Or some nodes of a cluster: redis+cluster://[[user]:password@]host[:port][,host[:port]...]; the primary of the
     * registry's slot is found and followed.
     * With rediss instead of redis all of it is over TLS, which needs a build with hiredis 1.0 or newer (otherwise
     * NETRON_EURL). */
    const char *url;
    const char *username; /* instead of the URL's; default: none */
    const char *password; /* instead of the URL's; default: none */

    /* The first part of every key: 1 to 128 bytes without control characters. In a cluster it needs a hash tag,
     * "{netron:discovery}", and NETRON_EINVAL refuses one without. Default: netron:discovery */
    const char *key_prefix;
    /* What CLIENT LIST shows for both links: 1 to 64 bytes, printable ASCII without blanks. Default: netron */
    const char *client_name;

    uint32_t heartbeat_interval_ms; /* default 5000; each interval is varied by up to 10 % both ways */
    uint32_t heartbeat_ttl_ms;      /* default 15000; 1000 to 86400000 and at least 2 x the interval */
    /* What a failed registration, beat or departure does: it is tried again retry_count times, after retry_delay_ms,
     * then 2 x, then 3 x retry_delay_ms; then the failure is told, and the next interval tries again. What only an
     * operator can mend, a missing permission for one, is told at once. */
    uint32_t retry_count;                           /* default 3, at most 10 */
    uint32_t retry_delay_ms;                        /* default 500 */
    netron_registration_policy registration_policy; /* default NETRON_TAKE_OVER */
    uint32_t shutdown_timeout_ms; /* the longest that netron_discovery_shutdown() takes; default 5000 */

    int pubsub_enabled; /* publish own changes, and allow a view and subscriptions; default 0, as in the original */
    /* Default: key_prefix ":events"; 1 to 256 bytes without control characters. In a cluster it has to be in the slot
     * of the keys, or NETRON_EINVAL refuses it. */
    const char *pubsub_channel;

    uint32_t connect_timeout_ms; /* from resolving the name to the end of the handshake; default 5000 */
    uint32_t command_timeout_ms; /* a command sent, and unanswered for so long, ends the connection; default 5000 */
    /* A link that heard nothing for so long sends a PING, and ends when nothing came for the same time again: a dead
     * peer is noticed after twice this, or command_timeout_ms after a command. Default 10000 */
    uint32_t ping_interval_ms;
    /* Reconnects wait a random time up to min(reconnect_max_ms, reconnect_min_ms x 2^attempt) ("full jitter"). */
    uint32_t reconnect_min_ms; /* default 100 */
    uint32_t reconnect_max_ms; /* default 10000; refusals that only an operator can mend wait about this long at once */

    uint32_t lookups_max; /* pending lookups; one more is refused with NETRON_EOVERLOAD; default 1024 */

    netron_log_fn log; /* default: none, the library is silent */
    void *log_arg;
    netron_link_fn on_link; /* default: none */
    void *on_link_arg;

    /* How often the view asks whether it missed anything, each time varied by up to 10 % both ways; at least 100.
     * Default 30000 */
    uint32_t anti_entropy_interval_ms;

    /* Asked for user and password at each connect, and then there may be none above and in the URL. Default: none */
    netron_credentials_fn credentials;
    void *credentials_arg;

    /* For the sentinels of a redis+sentinel URL; with any other URL they are refused. What the user has to be allowed
     * stands in README.md. Default: none */
    const char *sentinel_username;
    const char *sentinel_password;

    /* Signed nodes (signature.h); default: nothing is signed, and nothing has to be. */
    const netron_signature_key *signing_key; /* signs the nodes of this process; NULL = none */
    /* With any of these, or with trusted_key, only nodes that one of them signed are known. 1 to 65,536, looked
     * through one after the other */
    const netron_signature_key *trusted_keys;
    size_t trusted_key_count;
    netron_trusted_key_fn trusted_key; /* is asked for those that are not among them; default: none */
    void *trusted_key_arg;

    /* How long the system waits for the other machine to confirm what was sent, before it ends the connection
     * (TCP_USER_TIMEOUT, where there is such a thing). A Redis that is busy still confirms: so a dead machine can be
     * noticed sooner than command_timeout_ms lets a slow answer be. Default: the system's own; the library's timeouts
     * come first */
    uint32_t tcp_user_timeout_ms;

    /* TLS, when the URL begins with rediss; without that none of these may be set. The files are PEM. They are read,
     * and judged, at each connect (on the loop: local files are best, and a CA file spares the 30 ms that reading all
     * that the system trusts takes), so renewed ones are in use from the next one on. */
    const char *tls_ca_file;   /* whose certificates are trusted; default: what the system trusts */
    const char *tls_ca_dir;    /* the same as a folder, with names as "openssl rehash" makes them; default: none */
    const char *tls_cert_file; /* the client certificate, and its chain; needs tls_key_file; default: none */
    const char *tls_key_file;  /* its key, without a passphrase */
    /* Whose certificate the server has to show, and the name that it is told (SNI). Default: the host of the URL, or
     * what sentinels and clusters tell, mostly an IP address; given, it holds for all of these servers */
    const char *tls_server_name;
    netron_tls_version tls_min_version; /* default NETRON_TLS_1_2 */
} netron_options;

/* Sets every member to zero, and size. options must not be NULL. May be called from anywhere. */
NETRON_API void netron_options_init(netron_options *options);

/*
 * Tells what netron_discovery_new() would say of these options, and why: a sentence that names the member and the
 * limit is written to sentence (at most size bytes, always terminated; NULL with size 0 for none).
 * Returns 0, NETRON_EINVAL, NETRON_ELIMIT, NETRON_EURL, NETRON_EDISABLED (a key, but the library was built without
 * signatures), NETRON_ENOMEM. Nothing is kept. May be called from anywhere.
 */
NETRON_API int netron_options_check(const netron_options *options, char *sentence, size_t size);

/*
 * Sets what a netron_credentials_fn supplies, and may be called inside it only; a later call replaces an earlier one.
 * username NULL: AUTH with the password alone, for the user "default"; password NULL: no AUTH. Both are copied before
 * it returns, and the copies are overwritten as soon as Redis has answered the greeting. The send buffer of the
 * connection (hiredis') has them as well: it is freed, but not overwritten. Returns 0; NETRON_EINVAL (a user without a
 * password, an empty user, an empty password without a user), NETRON_ELIMIT (more than 65536 bytes), NETRON_ENOMEM:
 * then what was set before stays.
 */
NETRON_API int netron_credentials_set(netron_credentials *credentials, const char *username, const char *password);

#ifdef __cplusplus
}
#endif

#endif
