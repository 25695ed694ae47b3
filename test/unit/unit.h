/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test's main() does: run one suite, print one closing line. */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>

/*
 * Runs the suite (taking it over) and prints "N passed, M failed"; returns
 * what main() returns.
 */
int unit_run(Suite *s);

#endif /* UNIT_H */
