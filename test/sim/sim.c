/* SPDX-License-Identifier: MIT */
#include "sim.h"
#include <script_sources.h>
#include <stdio.h>
#include <string.h>

#define SEED UINT64_C(0x6e6574726f6e)

struct sim sim;

void __wrap_netron_random_seed(struct netron_random *random);
void __wrap_netron_random_seed(struct netron_random *random)
{
    random->state = SEED;
}

void sim_open(void)
{
    fake_loop_init(&sim.loop);
    peer_open(&sim.peer, &sim.loop);
    netron_options_init(&sim.options);
    sim.options.url = sim.peer.url;
    sim.options.on_link = record_link;
    sim.options.on_link_arg = &sim.links;
    sim.options.log = record_log;
    sim.options.log_arg = &sim.log;
    sim.random.state = SEED;
}

void sim_close(void)
{
    netron_discovery_free(sim.discovery);
    peer_close(&sim.peer);
    fake_loop_clear(&sim.loop);
}

TCase *sim_case(Suite *suite, const char *name)
{
    TCase *tcase = suite_case(suite, name);
    tcase_add_checked_fixture(tcase, sim_open, sim_close);
    return tcase;
}

void sim_join(void)
{
    ck_assert_int_eq(netron_discovery_new_on(&sim.loop.seam, &sim.options, &sim.discovery), 0);
    sim.states.discovery = sim.discovery;
}

void sim_register(void)
{
    netron_service services[2];
    netron_node node = make_node("n1", "10.0.0.1:80", services, "web", "1", NULL, NULL);
    ck_assert_int_eq(netron_register(sim.discovery, &node, record_state, &sim.states, &sim.registration), 0);
    sim_random(); /* the incarnation */
}

void sim_join_and_register(void)
{
    sim_join();
    sim_settle();
    sim_register();
    sim_settle();
    sim_random(); /* the tag */
    ck_assert_int_eq(latest_state(&sim.states), NETRON_REGISTERED);
}

void sim_advance(uint64_t ms)
{
    fake_loop_advance(&sim.loop, ms);
}

void sim_settle(void)
{
    fake_loop_settle(&sim.loop);
}

uint64_t sim_random(void)
{
    return netron_random_next(&sim.random);
}

uint64_t sim_at(const char *beginning, int position)
{
    return peer_find(&sim.peer, beginning, position)->at;
}

size_t sim_count(const char *beginning)
{
    return peer_count(&sim.peer, beginning);
}

static const char *call_of(const struct netron_script_source *script)
{
    static char beginning[64];
    snprintf(beginning, sizeof(beginning), "EVALSHA %s", script->sha1);
    return beginning;
}

size_t sim_registers(void)
{
    return sim_count(call_of(&netron_script_source_register));
}

size_t sim_deregisters(void)
{
    return sim_count(call_of(&netron_script_source_deregister));
}

const struct peer_command *sim_register_command(int position)
{
    return peer_find(&sim.peer, call_of(&netron_script_source_register), position);
}

bool sim_last_register_has(const char *text)
{
    return strstr(sim_register_command(-1)->text, text) != NULL;
}

const char *sim_busy(struct peer *peer, const struct peer_command *command)
{
    return peer_is_handshake(command) ? peer_answer_well(peer, command) : "-BUSY Redis is busy running a script\r\n";
}

const char *sim_silent(struct peer *peer, const struct peer_command *command)
{
    return peer_is_handshake(command) ? peer_answer_well(peer, command) : "";
}

void sim_redis_goes_away(void)
{
    peer_stop_listening(&sim.peer);
    peer_hang_up_all(&sim.peer);
    sim_settle();
}
