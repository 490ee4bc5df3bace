/* SPDX-License-Identifier: MIT */
/* The networks between the server and those who use it: one of the publishers, one of the watchers. */
#include "model.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

const char *model_url_of(struct model *model, enum model_side side)
{
    return model->networks[side].proxy.url;
}

void model_network_options(netron_options *options)
{
    options->ping_interval_ms = 400;
    options->command_timeout_ms = 1000;
    options->connect_timeout_ms = 1000;
}

/* A connection that has lost bytes must not go on: the rest would be what no server ever said. */
static void mend(struct model_network *network)
{
    if (network->has_lost)
        proxy_cut(&network->proxy, PROXY_ALL, PROXY_RESET);
    network->has_lost = false;
    proxy_heal(&network->proxy);
}

static void answer_in_place(struct model *model, struct proxy *proxy)
{
    static const char *const commands[] = {"HELLO",  "GETEX ",     "EVALSHA ", "EVALSHA ",
                                           "HSCAN ", "SUBSCRIBE ", "PING",     ""};
    static const char *const answers[] = {"-LOADING Redis is loading the dataset in memory\r\n",
                                          "-BUSY Redis is busy running a script\r\n",
                                          "-READONLY You can't write against a read only replica.\r\n",
                                          "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
                                          "-NOAUTH Authentication required.\r\n",
                                          "-NOPERM this user has no permissions\r\n",
                                          "-MASTERDOWN Link with MASTER is down\r\n",
                                          "-NOSCRIPT No matching script\r\n",
                                          "-ERR unknown command\r\n"};
    const char *command = commands[model_draw(&model->random, COUNT_OF(commands))];
    const char *answer = answers[model_draw(&model->random, COUNT_OF(answers))];
    unsigned times = 1 + (unsigned)model_draw(&model->random, 8);
    proxy_answer(proxy, PROXY_ALL, command, answer, times);
    model_trace(model, "%u times \"%s\" is answered %.12s", times, command, answer);
}

static void impair(struct model *model, struct model_network *network, unsigned links)
{
    struct proxy *proxy = &network->proxy;
    unsigned amount = (unsigned)model_draw(&model->random, 100);
    unsigned ways = amount % 2 == 0 ? PROXY_TO_SERVER : PROXY_TO_CLIENT;
    uint64_t what = model_draw(&model->random, 9);
    model_trace(model, "network %d, links %u: fault %u", (int)(network - model->networks), links, (unsigned)what);
    switch (what) {
    case 0:
    case 1:
        proxy_cut(proxy, links, what == 0 ? PROXY_RESET : PROXY_FINISH);
        break;
    case 2:
    case 3:
        proxy_drop(proxy, links | PROXY_PRESENT, what == 2 ? PROXY_BOTH_WAYS : ways);
        network->has_lost = true;
        break;
    case 4:
        proxy_delay(proxy, links, PROXY_BOTH_WAYS, amount);
        break;
    case 5:
        proxy_drip(proxy, links, PROXY_BOTH_WAYS, 16 + amount, 4);
        break;
    case 6:
        proxy_hold(proxy, links, PROXY_BOTH_WAYS);
        break;
    case 7:
        proxy_refuse(proxy, true);
        proxy_cut(proxy, links, PROXY_RESET);
        break;
    default:
        answer_in_place(model, proxy);
        break;
    }
}

void model_fault_network(struct model *model)
{
    static const unsigned links[] = {PROXY_COMMANDS, PROXY_EVENTS, PROXY_ALL};
    struct model_network *network = &model->networks[model_draw(&model->random, SIDES)];
    unsigned which = links[model_draw(&model->random, COUNT_OF(links))];
    bool is_over = model_chance(&model->random, 30);
    model->is_shaken = true;
    for (int id = 0; id < OWN_IDS; id++) /* each may expire meanwhile, and be back */
        model_touch(model, id, 1, 1);
    mend(network);
    if (!is_over)
        impair(model, network, which);
}

void model_network_heal(struct model *model)
{
    for (int side = 0; side < SIDES; side++)
        mend(&model->networks[side]);
}

void model_network_open(struct model *model)
{
    for (int side = 0; side < SIDES; side++)
        proxy_start(&model->networks[side].proxy, model->server.socket);
}

void model_network_close(struct model *model)
{
    for (int side = 0; side < SIDES; side++)
        proxy_stop(&model->networks[side].proxy);
}
