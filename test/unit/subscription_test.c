/* SPDX-License-Identifier: MIT */
/* The room subscription: each hears the picture, SYNCED once, and every difference from then on. */
#include "expect.h"
#include "failing_allocations.h"
#include "fake_loop.h"
#include "nodes.h"
#include "snapshot.h"
#include "subscription.h"

#define LISTENERS 4

static struct fake_loop loop;
static struct netron_core *core;
static struct netron_subscriptions all;
static netron_snapshot *picture;
static bool has_no_memory; /* for a picture */
static int pictures;

/* What a listener does when it hears a text. */
struct deed {
    const char *at;   /* the beginning of what is heard */
    const char *does; /* the listeners that it frees, by number, "*" for all; '+' adds another one */
};

static struct listener {
    netron_subscription *subscription;
    char heard[4096]; /* "+a@5 =@5 -a@6(expired) " */
    const struct deed *deed;
} listeners[LISTENERS];

static void begin_listening(int number);

static void act(const char *does)
{
    for (; *does != '\0'; does++) {
        if (*does == '*')
            netron_subscriptions_free_all(&all);
        else if (*does == '+')
            begin_listening(LISTENERS - 1);
        else
            netron_subscription_free(listeners[*does - '0'].subscription);
    }
}

static void hear(netron_subscription *subscription, const netron_event *event, void *arg)
{
    struct listener *listener = arg;
    char text[64];
    ck_assert_ptr_eq(subscription, listener->subscription);
    ck_assert_uint_eq(event->size, sizeof(*event));
    snprintf(text, sizeof(text), "%c%s@%d%s%s ", "?+~-="[event->type], event -> node -> id, (int)event -> revision,
             event -> reason, event -> reason[0] != '\0' ? "!" : "");
    strcat(listener->heard, text);
    if (listener->deed != NULL && strncmp(text, listener->deed->at, strlen(listener->deed->at)) == 0)
        act(listener->deed->does);
    ck_assert_uint_gt(event->node->weight, 0); /* what was told lasts until the callback returns */
}

static void begin_listening(int number)
{
    struct listener *listener = &listeners[number];
    listener->heard[0] = '\0';
    netron_core_enter(core);
    ck_assert_int_eq(netron_subscriptions_add(&all, hear, listener, &listener->subscription), 0);
    netron_core_leave(core);
    ck_assert_str_eq(listener->heard, ""); /* never from inside the call */
}

static const netron_snapshot *draw(void *arg)
{
    ck_assert_ptr_eq(arg, &picture);
    pictures++;
    return has_no_memory ? NULL : netron_snapshot_retain(picture);
}

static void paint(const char *ids)
{
    netron_snapshot_release(picture);
    picture = netron_snapshot_new(strlen(ids));
    for (; *ids != '\0'; ids++) {
        const char id[2] = {*ids, '\0'};
        netron_node *node = node_of(id);
        netron_snapshot_add(picture, node);
        netron_node_free(node);
    }
}

static uint64_t latest; /* revision of the picture */

static void tell(netron_event_type type, const char *id, uint64_t revision)
{
    latest = revision;
    netron_node *node = node_of(id);
    const netron_event event = {.size = sizeof(event),
                                .type = type,
                                .node = node,
                                .reason = type == NETRON_NODE_DEREGISTERED ? "expired" : "",
                                .revision = revision};
    netron_core_enter(core);
    netron_subscriptions_tell(&all, &event);
    netron_core_leave(core);
    netron_node_free(node);
}

static void synced(uint64_t revision)
{
    latest = revision;
    netron_core_enter(core);
    netron_subscriptions_synced(&all);
    netron_core_leave(core);
}

static void begin(void)
{
    const struct netron_log log = {0};
    fake_loop_init(&loop);
    memset(listeners, 0, sizeof(listeners));
    has_no_memory = false;
    pictures = 0;
    picture = NULL;
    latest = 0;
    paint("");
    ck_assert_int_eq(netron_core_new(&loop.seam, false, &log, &core), 0);
    all = (struct netron_subscriptions){.core = core, .revision = &latest, .picture = draw, .picture_arg = &picture};
}

static void end(void)
{
    netron_snapshot_release(picture);
    netron_core_enter(core);
    netron_subscriptions_free_all(&all);
    ck_assert_ptr_null(all.all);
    netron_core_dispose(core);
    netron_core_leave(core);
    fake_loop_clear(&loop);
}

/* ---- the picture ---- */

START_TEST(a_late_subscription_hears_the_picture_and_that_it_is_complete)
{
    paint("abc");
    synced(5);
    begin_listening(0);
    fake_loop_settle(&loop);
    ck_assert_str_eq(listeners[0].heard, "+a@5 +b@5 +c@5 =@5 ");
    fake_loop_advance(&loop, 100000);
    synced(6); /* of that it hears once */
    ck_assert_str_eq(listeners[0].heard, "+a@5 +b@5 +c@5 =@5 ");
    ck_assert_int_eq(pictures, 1);
}
END_TEST

START_TEST(an_early_subscription_hears_of_each_node_once_and_synced_when_the_picture_is_complete)
{
    paint("a");
    begin_listening(0);
    fake_loop_settle(&loop);
    ck_assert_str_eq(listeners[0].heard, "+a@0 ");
    tell(NETRON_NODE_REGISTERED, "b", 3);
    tell(NETRON_NODE_DEREGISTERED, "a", 4);
    ck_assert_str_eq(listeners[0].heard, "+a@0 +b@3 -a@4expired! ");
    synced(4);
    synced(5);
    tell(NETRON_NODE_UPDATED, "b", 6);
    ck_assert_str_eq(listeners[0].heard, "+a@0 +b@3 -a@4expired! =@4 ~b@6 ");
}
END_TEST

START_TEST(what_happens_before_the_picture_is_told_as_part_of_it)
{
    begin_listening(0);
    tell(NETRON_NODE_REGISTERED, "a", 1);
    synced(1);
    ck_assert_str_eq(listeners[0].heard, "");
    paint("a");
    fake_loop_settle(&loop);
    ck_assert_str_eq(listeners[0].heard, "+a@1 =@1 ");
}
END_TEST

START_TEST(the_picture_has_the_revision_of_the_latest_change)
{
    synced(5);
    tell(NETRON_NODE_REGISTERED, "a", 7);
    paint("a");
    begin_listening(0);
    fake_loop_settle(&loop);
    ck_assert_str_eq(listeners[0].heard, "+a@7 =@7 ");
    synced(2); /* another registry */
    begin_listening(1);
    fake_loop_settle(&loop);
    ck_assert_str_eq(listeners[1].heard, "+a@2 =@2 ");
}
END_TEST

START_TEST(an_empty_registry_is_complete_as_well)
{
    begin_listening(0);
    fake_loop_settle(&loop);
    ck_assert_str_eq(listeners[0].heard, "");
    synced(0);
    ck_assert_str_eq(listeners[0].heard, "=@0 ");
}
END_TEST

START_TEST(a_picture_that_there_was_no_memory_for_comes_a_second_later)
{
    paint("a");
    synced(5);
    has_no_memory = true;
    begin_listening(0);
    fake_loop_settle(&loop);
    tell(NETRON_NODE_REGISTERED, "b", 6);
    fake_loop_advance(&loop, 999);
    ck_assert_int_eq(pictures, 1);
    fake_loop_advance(&loop, 1);
    fake_loop_settle(&loop);
    ck_assert_int_eq(pictures, 2);
    ck_assert_str_eq(listeners[0].heard, "");
    has_no_memory = false;
    paint("ab");
    fake_loop_advance(&loop, 1000);
    fake_loop_settle(&loop);
    ck_assert_str_eq(listeners[0].heard, "+a@6 +b@6 =@6 ");
}
END_TEST

START_TEST(all_that_have_their_picture_hear_a_difference_in_the_order_in_which_they_came)
{
    for (int i = 0; i < 3; i++)
        begin_listening(i);
    fake_loop_settle(&loop);
    begin_listening(3);
    tell(NETRON_NODE_REGISTERED, "a", 1);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(listeners[i].heard, "+a@1 ");
    ck_assert_str_eq(listeners[3].heard, "");
    ck_assert_uint_eq(core->stats.events, 1);
}
END_TEST

/* ---- freed, and added, inside callbacks ---- */

/* Three listeners with the picture "ab" of revision 5, of which the second acts; then c arrives, and leaves. */
static const struct {
    struct deed deed;
    const char *heard[LISTENERS];
} scenes[] = {
    {{"nothing", ""},
     {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", ""}},
    {{"+a", "1"}, {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", ""}},
    {{"+a", "0"}, {"+a@5 +b@5 =@5 ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", ""}},
    {{"+a", "2"}, {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", "", ""}},
    {{"+b", "*"}, {"+a@5 +b@5 =@5 ", "+a@5 +b@5 ", "", ""}},
    {{"=", "1"}, {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", ""}},
    {{"=", "02"}, {"+a@5 +b@5 =@5 ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", "", ""}},
    {{"+c", "1"}, {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", ""}},
    {{"+c", "2"}, {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 ", ""}},
    {{"+c", "12"}, {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 ", "+a@5 +b@5 =@5 ", ""}},
    {{"+c", "21"}, {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 ", "+a@5 +b@5 =@5 ", ""}},
    {{"+c", "11"}, {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", ""}},
    {{"+c", "*"}, {"+a@5 +b@5 =@5 +c@6 ", "+a@5 +b@5 =@5 +c@6 ", "+a@5 +b@5 =@5 ", ""}},
    {{"-c", "012"},
     {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 ", ""}},
    {{"+c", "+"},
     {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ",
      "+a@6 +b@6 +c@6 =@6 -c@7expired! "}},
    {{"+c", "*+"},
     {"+a@5 +b@5 =@5 +c@6 ", "+a@5 +b@5 =@5 +c@6 ", "+a@5 +b@5 =@5 ", "+a@6 +b@6 +c@6 =@6 -c@7expired! "}},
    {{"+b", "1+"},
     {"+a@5 +b@5 =@5 +c@6 -c@7expired! ", "+a@5 +b@5 ", "+a@5 +b@5 =@5 +c@6 -c@7expired! ",
      "+a@5 +b@5 =@5 +c@6 -c@7expired! "}},
};

START_TEST(subscriptions_may_be_freed_and_added_inside_each_callback)
{
    paint("ab");
    synced(5);
    listeners[1].deed = &scenes[_i].deed;
    for (int i = 0; i < 3; i++)
        begin_listening(i);
    fake_loop_settle(&loop);
    paint("abc");
    tell(NETRON_NODE_REGISTERED, "c", 6);
    fake_loop_settle(&loop);
    paint("ab");
    tell(NETRON_NODE_DEREGISTERED, "c", 7);
    fake_loop_settle(&loop);
    for (int i = 0; i < LISTENERS; i++)
        ck_assert_msg(strcmp(listeners[i].heard, scenes[_i].heard[i]) == 0, "listener %d heard %s", i,
                      listeners[i].heard);
}
END_TEST

START_TEST(one_that_is_freed_before_its_picture_hears_nothing_and_leaves_no_timer)
{
    paint("a");
    synced(1);
    begin_listening(0);
    netron_subscription_free(listeners[0].subscription);
    ck_assert_uint_eq(fake_loop_next(&loop), UINT64_MAX);
    fake_loop_advance(&loop, 10000);
    tell(NETRON_NODE_UPDATED, "a", 2);
    ck_assert_str_eq(listeners[0].heard, "");
    ck_assert_int_eq(pictures, 0);
    netron_subscription_free(NULL);
}
END_TEST

START_TEST(without_memory_there_is_no_subscription)
{
    netron_subscription *untouched = listeners[0].subscription;
    begin_listening(1);
    netron_core_enter(core);
    allocations_left = 0;
    int code = netron_subscriptions_add(&all, hear, &listeners[0], &listeners[0].subscription);
    allocations_left = -1;
    netron_core_leave(core);
    ck_assert_int_eq(code, NETRON_ENOMEM);
    ck_assert_ptr_eq(listeners[0].subscription, untouched);
    synced(1);
    fake_loop_settle(&loop);
    ck_assert_str_eq(listeners[0].heard, "");
    ck_assert_str_eq(listeners[1].heard, "=@1 ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("subscription");
    TCase *tcase = suite_case(suite, "subscription");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_late_subscription_hears_the_picture_and_that_it_is_complete);
    tcase_add_test(tcase, an_early_subscription_hears_of_each_node_once_and_synced_when_the_picture_is_complete);
    tcase_add_test(tcase, what_happens_before_the_picture_is_told_as_part_of_it);
    tcase_add_test(tcase, the_picture_has_the_revision_of_the_latest_change);
    tcase_add_test(tcase, an_empty_registry_is_complete_as_well);
    tcase_add_test(tcase, a_picture_that_there_was_no_memory_for_comes_a_second_later);
    tcase_add_test(tcase, all_that_have_their_picture_hear_a_difference_in_the_order_in_which_they_came);
    tcase_add_loop_test(tcase, subscriptions_may_be_freed_and_added_inside_each_callback, 0, COUNT_OF(scenes));
    tcase_add_test(tcase, one_that_is_freed_before_its_picture_hears_nothing_and_leaves_no_timer);
    tcase_add_test(tcase, without_memory_there_is_no_subscription);
    return suite_run(suite);
}
