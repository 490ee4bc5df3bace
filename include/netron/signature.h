/* SPDX-License-Identifier: MIT */
/*
 * Signatures: which nodes a process believes in. Off unless the options name keys (options.h).
 *
 * Without them whoever may write to Redis may write any node. With options.signing_key the nodes of a process are
 * signed; a process with options.trusted_keys, or options.trusted_key, knows no node whose record is not signed by one
 * of these keys: not in its view, not in events, pickers and lookups, also no unsigned one of its own. Such records are
 * counted each time they are read (netron_stats.refused_records), and logged once for each id, of up to 1,024 ids (a
 * last line tells that further ones are only counted); to the registry they are records like others, so a process
 * without keys, and the registry itself, work as ever. A node of the original is never signed, and so is ignored.
 *
 * What is signed is all that a record says of its node but its timestamp: id, address, services, state, reason, weight,
 * zone, metadata, the heartbeat's TTL; the incarnation; options.key_prefix, so that no record can be carried into a
 * registry of another prefix (of another server or database it can: let them have keys or a prefix of their own); and a
 * sequence, which grows with every signature of a node (the wall clock in ms, and at least one more than before).
 *
 * Two ways to use it, by NETRON_HMAC_SHA256 and by NETRON_ED25519:
 *
 * - One secret for the whole fleet. Whoever can check a record can make one. To check one takes about 3 us.
 * - A key pair for the fleet, or for each node. Nodes hold a private key, watchers public ones, and a watcher that is
 *   broken into can sign nothing. To check a record takes about 0.12 ms, once for each change of it; 1.5 us afterwards.
 *   With such a key, or with trusted_key, views and lookups fetch 64 records at a time instead of 512: a page that has
 *   to be checked whole holds the loop for 8 to 16 ms. To check the first picture of 10,000 nodes takes 1.2 s in all.
 *
 * To refuse a forged record takes as long as to believe a right one, but it is taken anew each time that it is read: a
 * lookup or a first picture full of forged records costs that for each of its pages, every time. When several trusted
 * keys have the id that it names, and may sign for its node, it is checked by one after the other. And trusted_keys are
 * looked through one after the other, at 5 to 50 ns for each: with 10,000 of them a page of 64 records whose keys are
 * not among them takes up to 30 ms, one of 512 (without Ed25519) up to 250 ms. So for many keys trusted_key is better,
 * with a table of the program's own.
 *
 * What somebody who can write to Redis can do all the same:
 *
 * - Take nodes out, or keep those that are gone, as they last were. That a node lives (its heartbeat) and that it left
 *   (NODE_DEREGISTERED) cannot be signed: what is said of a node is proven, not that it is there. So
 *   netron_is_node_active(), which asks for the heartbeat alone, proves nothing.
 * - Show an older record of a node to a process that has not seen a newer one. A view remembers the sequence of
 *   each node that it holds, and for an hour after the node left (of the latest 65,536 ids that left); lookups do
 *   for an hour after they saw it last; neither knows what the other remembers. Whoever remembers refuses an older
 *   record, whatever its revision. A process that has just started remembers nothing, and believes the newest record
 *   that it is shown; and so does the first lookup of a process.
 *
 * A record that is refused takes nobody out by itself. When it is an older one, or names the incarnation that is known,
 * what was known of the node before stays; an attacker gains nothing by it that he could not have by leaving the good
 * record where it was. When it names another incarnation, another process has the id, and the node is told as gone,
 * with the reason "refused".
 *
 * The clocks of those who sign should agree to a few seconds. One that was set back harms no process that runs, and
 * none that takes the place of one whose record is still there, signed by a key that it knows: it signs anew behind
 * that one's sequence. Otherwise (the record is gone, or by a key that nodes do not know, or the answer that tells
 * of it was lost) views refuse the node as an older one at first; for that each node is signed once more at its
 * first repair, which is its tenth beat, or with an unknown key at the first one at which its own clock is further
 * than that record, if that is within an hour. Nobody is told of it, for nothing has changed. If the clock was
 * behind by more than that, views refuse the node until it changes when the clock has come further, or until an hour
 * after the one before left.
 */
#ifndef NETRON_SIGNATURE_H
#define NETRON_SIGNATURE_H

#include <netron/api.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NETRON_KEY_ID_MAX 64 /* bytes */

typedef enum netron_signature_algorithm { NETRON_HMAC_SHA256 = 1, NETRON_ED25519 = 2 } netron_signature_algorithm;

/*
 * A key, as raw bytes. HMAC: 32 to 64 bytes, the same for signing and for checking. Ed25519: 32 bytes, the private key
 * (RFC 8032 calls it so, others the seed) for signing, the public key for checking. Refused are keys of zeros alone,
 * and public keys by which anybody could sign. By the openssl command, after umask 077, so that nobody else can read
 * the secret ones:
 *
 *     openssl rand -out fleet.key 32
 *
 *     openssl genpkey -algorithm ed25519 -outform DER -out node.der
 *     tail -c 32 node.der > node.key
 *     openssl pkey -inform DER -in node.der -pubout -outform DER | tail -c 32 > node.pub
 *
 * The id stands in every record that the key signed. To rotate a key, let all watchers trust the new one beside the old
 * one, then let the nodes sign with it, then let nobody trust the old one any more.
 */
typedef struct netron_signature_key {
    netron_signature_algorithm algorithm;
    const char *id;             /* 1 to 64 bytes of printable ASCII without blanks, quotes, colons and backslashes */
    const unsigned char *bytes; /* copied; the copy is wiped when it is not needed any more */
    size_t length;
    /* Of a trusted key: the only node whose records it may sign, or with a '*' at the end, those whose ids begin so;
     * NULL: all; not empty. Of a signing key it is ignored. */
    const char *node_id;
} netron_signature_key;

/*
 * Is asked for the key of that id that may sign for that node, when none of options.trusted_keys is it. Answers 0 for
 * none, or 1 and fills algorithm, bytes and length of *key; these bytes are looked at once, right after it returned.
 * Both ids come from Redis, and may be anything. Called from inside while records are read, so it may call nothing of
 * this library, and must not block: have the keys before the view is opened. It is asked once for a record that is
 * believed, by the view and by lookups each, however often that is read then; for one that was refused, each time that
 * it is read. A view reads a record when its node changes, or registers anew, and when the whole picture is fetched
 * again; so one that was refused for want of its key stays so until then. One that was believed is believed until then,
 * too, so whoever takes a key back in a hurry begins with a new discovery.
 */
typedef int (*netron_trusted_key_fn)(const char *node_id, const char *key_id, netron_signature_key *key, void *arg);

#ifdef __cplusplus
}
#endif

#endif
