/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as we write them: nothing is forwarded as it came. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "chan.h"
#include "flow.h"

/* The head of the request for the daemon; body follows where it says so. */
void message_request(struct iobuf *out, const struct flow *f);
/* First line and headers of the daemon's answer, without what frames it. */
void message_answer(
    struct pr_buf *out, const struct http_head *h, struct pr_str method);
/* An error of ours. */
void message_error(
    struct pr_buf *out, int status, const char *text, bool head, bool last);
/* A piece of a chunked body; an empty one writes nothing. */
void message_chunk(struct iobuf *out, struct pr_str data);

#endif /* MESSAGE_H */
