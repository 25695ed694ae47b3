/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of the protocol: constant shapes, always one write. */
#ifndef ANSWER_H
#define ANSWER_H

#include <stdbool.h>

#include <microhttpd.h>

#include <portreeve/compiler.h>

struct answers; /* the constant ones, made once */

struct answers *answers_new(void) PR_NODISCARD;
void answers_free(struct answers *a);

/* {"Allow":true}; `last`: the connection ends with it. */
enum MHD_Result answer_allow(
    struct answers *a, struct MHD_Connection *c, bool last);
/* {"Allow":false,"Msg":"..."} */
enum MHD_Result answer_deny(
    struct MHD_Connection *c, const char *message, bool last);
/* {"Implements":["authz"]} */
enum MHD_Result answer_activate(struct answers *a, struct MHD_Connection *c);
/* 404 */
enum MHD_Result answer_no_endpoint(struct answers *a, struct MHD_Connection *c);

#endif /* ANSWER_H */
