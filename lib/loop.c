/* SPDX-License-Identifier: MIT */
#include <netron/loop.h>

void netron_loop_free(netron_loop *loop)
{
    if (loop != NULL)
        loop->free(loop);
}
