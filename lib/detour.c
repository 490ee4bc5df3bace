/* SPDX-License-Identifier: MIT */
#include "detour.h"
#include "list.h"
#include "permission.h"
#include "redirect.h"
#include "slot.h"
#include <stdlib.h>
#include <string.h>

#define REST_MS 10000u

/* HERE -> WAITING -> THERE -> DONE: sent to the link's own node; waits for the visit; was said there; has its answer.
 */
enum errand_state { ERRAND_HERE, ERRAND_WAITING, ERRAND_THERE, ERRAND_DONE };

/* One command, until its answer. */
struct netron_errand {
    struct netron_table_entry entry; /* first: by its ticket */
    struct netron_errand *prev;      /* of those that wait; utlist.h wants these names */
    struct netron_errand *next;
    struct netron_detours *detours;
    uint64_t ticket;
    netron_reply_fn fn; /* NULL when cancelled */
    void *arg;
    enum errand_state state;
    int count;
    size_t *lengths;     /* behind the words */
    const char *words[]; /* count of them; the lengths and the texts follow */
};

static bool is_away(enum errand_state state)
{
    return state == ERRAND_WAITING || state == ERRAND_THERE;
}

static void enter_state(struct netron_errand *errand, enum errand_state state)
{
    struct netron_detours *detours = errand->detours;
    if (errand->state == ERRAND_WAITING && detours->waiting != NULL) /* the latter is so, but not to analysers */
        DL_DELETE(detours->waiting, errand);
    if (state == ERRAND_WAITING)
        DL_APPEND(detours->waiting, errand);
    detours->away -= is_away(errand->state);
    detours->away += is_away(state);
    errand->state = state;
}

static void finish(struct netron_errand *errand, const struct netron_reply *reply, const struct netron_failure *failure)
{
    netron_reply_fn fn = errand->fn;
    void *arg = errand->arg;
    enter_state(errand, ERRAND_DONE);
    netron_table_remove(&errand->detours->errands, errand);
    free(errand);
    if (fn != NULL)
        fn(arg, reply, failure);
}

/* ---- there ---- */

static void on_asked(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_detours *detours = arg;
    (void)failure; /* the errand behind it hears it as well */
    detours->refusal.code = 0;
    if (reply != NULL && netron_reply_error(reply) != NULL)
        netron_permission_fail(detours->visit.settings, NULL, reply, "ASKING", &detours->refusal);
}

/* Whatever is said there is the answer: a second redirection means that the slot is elsewhere by now, or has come back,
 * and the next try will find it. But where ASKING was refused, it is that which sends us back. */
static void on_answer_there(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_errand *errand = arg;
    struct netron_detours *detours = errand->detours;
    const struct netron_failure refusal = detours->refusal;
    detours->whence = detours->visits;
    if (reply == NULL)
        finish(errand, NULL, detours->why != NULL ? detours->why : failure);
    else if (refusal.code != 0 && netron_reply_error(reply) != NULL)
        finish(errand, NULL, &refusal);
    else
        finish(errand, reply, NULL);
}

static void send_there(struct netron_errand *errand)
{
    static const char *const asking[] = {"ASKING"};
    static const size_t lengths[] = {6};
    struct netron_visit *visit = &errand->detours->visit;
    struct netron_failure why;
    enter_state(errand, ERRAND_THERE);
    int code = netron_visit_send(visit, 1, asking, lengths, on_asked, errand->detours);
    if (code == 0)
        code = netron_visit_send(visit, errand->count, errand->words, errand->lengths, on_answer_there, errand);
    if (code == 0)
        return;
    netron_fail(&why, code, "%s: %s", errand->words[0], netron_strerror(code));
    finish(errand, NULL, &why);
}

/* Its wait is over, one way or the other. Each who is told can change the list. */
static struct netron_errand *take_waiting(struct netron_detours *detours)
{
    struct netron_errand *first = detours->waiting;
    if (first == NULL)
        return NULL;
    DL_DELETE(detours->waiting, first);
    first->state = ERRAND_THERE;
    return first;
}

static void on_ready(void *arg)
{
    struct netron_detours *detours = arg;
    struct netron_errand *errand;
    while ((errand = take_waiting(detours)) != NULL)
        send_there(errand);
}

static void fail_waiting(struct netron_detours *detours, const struct netron_failure *why)
{
    struct netron_errand *errand;
    while ((errand = take_waiting(detours)) != NULL)
        finish(errand, NULL, why);
}

static void on_ended(void *arg, const struct netron_failure *why)
{
    struct netron_detours *detours = arg;
    const struct netron_location *at = &detours->visit.at;
    struct netron_failure named;
    char address[NETRON_ADDRESS_SIZE];
    netron_fail(&named, why->code, "cluster node %s: %s", netron_address_text(address, at->host, at->port),
                why->sentence);
    fail_waiting(detours, &named);
}

static void on_rest(void *arg)
{
    struct netron_detours *detours = arg;
    if (detours->away > 0)
        netron_core_after(detours->core, &detours->rest, REST_MS);
    else
        netron_visit_end(&detours->visit);
}

static const struct netron_visit_events visit_events = {.ready = on_ready, .ended = on_ended};

/* ---- here ---- */

/* A slot goes to one node at a time: while errands are under way to that, they are not cut off by news of another. */
static bool is_busy_elsewhere(const struct netron_detours *detours, const struct netron_location *to)
{
    return !netron_location_same(&detours->visit.at, to) && detours->away > 0;
}

/* Whether these words send to another node, and to which. */
static bool is_way(const struct netron_detours *detours, const char *words, struct netron_location *to)
{
    if (netron_redirect_parse(words, detours->slot, &detours->here, to) != NETRON_REDIRECT_ASK)
        return false;
    return to->host[0] != '\0' || netron_topology_find(detours->topology, to->port, &detours->here, to);
}

/* False: the answer is no way to another node, and stands. */
static bool redirect(struct netron_errand *errand, const struct netron_reply *reply)
{
    struct netron_detours *detours = errand->detours;
    struct netron_visit *visit = &detours->visit;
    struct netron_location to;
    const char *words = netron_reply_error(reply);
    if (words == NULL || errand->fn == NULL || !is_way(detours, words, &to) || is_busy_elsewhere(detours, &to))
        return false;
    netron_core_after(detours->core, &detours->rest, REST_MS);
    if (!netron_location_same(&visit->at, &to)) /* an earlier move, that came to nothing */
        netron_visit_end(visit);
    if (visit->state == NETRON_VISIT_READY) {
        send_there(errand);
        return true;
    }
    enter_state(errand, ERRAND_WAITING);
    if (visit->state == NETRON_VISIT_IDLE) {
        detours->visits++;
        netron_visit_begin(visit, &to);
    }
    return true;
}

static void on_answer_here(void *arg, const struct netron_reply *reply, const struct netron_failure *failure)
{
    struct netron_errand *errand = arg;
    if (redirect(errand, reply))
        return;
    errand->detours->whence = 0;
    finish(errand, reply, failure);
}

static struct netron_errand *errand_new(int argc, const char *const *argv, const size_t *lengths)
{
    size_t size = 0;
    for (int i = 0; i < argc; i++)
        size += lengths[i];
    size_t words = (size_t)argc;
    struct netron_errand *errand = malloc(sizeof(*errand) + words * (sizeof(char *) + sizeof(size_t)) + size);
    if (errand == NULL)
        return NULL;
    *errand = (struct netron_errand){.count = argc};
    errand->lengths = (size_t *)(void *)(errand->words + words);
    char *text = (char *)(errand->lengths + words);
    for (int i = 0; i < argc; i++) {
        errand->words[i] = i == 0 ? argv[0] : text; /* the first is a constant, and outlives the errand */
        errand->lengths[i] = lengths[i];
        text = mempcpy(text, argv[i], lengths[i]);
    }
    return errand;
}

int netron_detours_send(struct netron_detours *detours, struct netron_conn *conn, int argc, const char *const *argv,
                        const size_t *lengths, netron_reply_fn fn, void *arg, uint64_t *ticket)
{
    struct netron_errand *errand = errand_new(argc, argv, lengths);
    if (errand == NULL)
        return NETRON_ENOMEM;
    errand->detours = detours;
    errand->fn = fn;
    errand->arg = arg;
    errand->ticket = detours->tickets++;
    int code = NETRON_ENOMEM;
    if (!netron_table_add(&detours->errands, errand, (const char *)&errand->ticket, sizeof(errand->ticket)))
        goto failed;
    code = netron_conn_send(conn, argc, argv, lengths, on_answer_here, errand, NULL);
    if (code != 0) {
        netron_table_remove(&detours->errands, errand);
        goto failed;
    }
    if (ticket != NULL)
        *ticket = errand->ticket;
    return 0;

failed:
    free(errand);
    return code;
}

void netron_detours_cancel(struct netron_detours *detours, uint64_t ticket)
{
    struct netron_errand *errand = netron_table_find(detours->errands, (const char *)&ticket, sizeof(ticket));
    if (errand == NULL)
        return;
    errand->fn = NULL;
    if (errand->state == ERRAND_WAITING) /* nothing else would end it but the visit */
        finish(errand, NULL, NULL);
}

/* ---- beginning and end ---- */

void netron_detours_init(struct netron_detours *detours, struct netron_core *core,
                         const struct netron_settings *settings, struct netron_topology *topology)
{
    *detours =
        (struct netron_detours){.core = core, .topology = topology, .slot = netron_slot_of(settings->key_prefix)};
    netron_deadline_init(&detours->rest, on_rest, detours);
    netron_visit_init(&detours->visit, core, settings, &visit_events, detours);
}

void netron_detours_end(struct netron_detours *detours, const struct netron_failure *why)
{
    netron_core_cancel(detours->core, &detours->rest);
    detours->why = why;
    netron_visit_end(&detours->visit);
    fail_waiting(detours, why);
    detours->why = NULL;
}
