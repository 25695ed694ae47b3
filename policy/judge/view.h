/* SPDX-License-Identifier: Apache-2.0 */
/* What response rules say to a caller. */
#ifndef VIEW_H
#define VIEW_H

#include "local.h"

bool view_rule_applies(const struct pr_judgement_held *held,
    const struct pr_response *rule, enum pr_op op);

#endif /* VIEW_H */
