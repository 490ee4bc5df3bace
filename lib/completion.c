/* SPDX-License-Identifier: MIT */
#include "completion.h"
#include <stdlib.h>

struct netron_completion {
    struct netron_completion *next;
    uint64_t order;
    uint64_t mark;
    netron_done_fn done;
    void *arg;
};

int netron_completions_add(struct netron_completions *completions, uint64_t mark, netron_done_fn done, void *arg)
{
    if (done == NULL)
        return 0;
    struct netron_completion *completion = malloc(sizeof(*completion));
    if (completion == NULL)
        return NETRON_ENOMEM;
    *completion = (struct netron_completion){.order = completions->order++, .mark = mark, .done = done, .arg = arg};
    if (completions->last != NULL)
        completions->last->next = completion;
    else
        completions->first = completion;
    completions->last = completion;
    return 0;
}

/* Other failures may have come between the cause and the call. */
static void note_code(struct netron_core *core, int code)
{
    struct netron_failure why;
    if (code == 0 || core->failure.code == code)
        return;
    netron_fail(&why, code, "%s", netron_strerror(code));
    netron_core_note(core, &why);
}

void netron_completions_run(struct netron_completions *completions, uint64_t up_to, struct netron_core *core,
                            netron_discovery *discovery, int code)
{
    uint64_t limit = completions->order;
    for (;;) {
        struct netron_completion *completion = completions->first;
        if (completion == NULL || completion->mark > up_to || completion->order >= limit)
            return;
        completions->first = completion->next;
        if (completions->first == NULL)
            completions->last = NULL;
        netron_done_fn done = completion->done;
        void *arg = completion->arg;
        free(completion);
        note_code(core, code);
        done(discovery, code, arg);
    }
}
