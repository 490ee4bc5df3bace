/* SPDX-License-Identifier: MIT */
/* What Redis' ACL refused, told as the rule that would allow it: "+getex", "~netron:discovery:*",
 * "&netron:discovery:events". */
#ifndef NETRON_LIB_PERMISSION_H
#define NETRON_LIB_PERMISSION_H

#include "reply.h"
#include "settings.h"

/*
 * As netron_reply_fail(); the sentence of a NETRON_EPERM also says which rule the user lacks, wherever Redis' words
 * leave no doubt. script: the text of the script whose call was answered, or NULL; Redis 7.0 and older name a line of
 * it instead of the command.
 */
int netron_permission_fail(const struct netron_settings *settings, const char *script, const struct netron_reply *reply,
                           const char *what, struct netron_failure *failure);
/* The same for a server without keys, of which one channel is listened to. */
int netron_permission_fail_beside(const char *channel, const struct netron_reply *reply, const char *what,
                                  struct netron_failure *failure);

#endif
