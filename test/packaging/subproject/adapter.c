/* SPDX-License-Identifier: MIT */
/* The adapters have the same names in a subproject as where they are installed. */
#include <netron/adapters/epoll.h>

int main(void)
{
    netron_loop *loop = netron_epoll_loop();
    netron_loop_free(loop);
    return loop == NULL;
}
