/* SPDX-License-Identifier: Apache-2.0 */
/* One certificate, read.  Local to identity/. */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include <openssl/x509.h>

#include <portreeve/subject.h>

#include "x500.h"

struct certificate {
	X509 *x509;              /* free with certificate_fini */
	struct pr_subject facts; /* all but how, source, name, id, search */
	struct x500_name issuer, subject;
	struct pr_str issuer_key; /* normal form (dn.h), or empty */
	size_t n_cn;
};

/*
 * Reads DER (which must outlive *c, as must the arena).  NULL, or why nobody
 * can be named by it; the facts that were found out are there even then.
 */
const char *certificate_read(
    struct pr_arena *a, struct pr_str der, struct certificate *c);
void certificate_fini(struct certificate *c);

#endif /* CERTIFICATE_H */
