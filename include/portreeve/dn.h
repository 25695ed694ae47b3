/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distinguished names (RFC 4514) in one spelling, so that two names are the
 * same name exactly if their bytes are.  Pure: no directory is asked.
 *
 * The normal form: attribute types in lower case and by their short names
 * (commonName and 2.5.4.3 are cn), values of the usual string types without
 * regard to case and with runs of blanks as one, no blanks around separators,
 * the parts of a multi-valued RDN sorted, and every special byte as \xx.
 */
#ifndef PR_DN_H
#define PR_DN_H

#include <stdbool.h>

#include <portreeve/buf.h>
#include <portreeve/compiler.h>
#include <portreeve/str.h>

#define PR_DN_MAX      ((size_t)4096) /* bytes of a name as it is written */
#define PR_DN_TYPE_MAX 64             /* bytes of an attribute type, with NUL */

/*
 * Appends the normal form of dn to *out.  False: not a DN (out is as it was):
 * RFC 4514 is followed, but blanks around separators are accepted, and empty
 * values, NUL and bytes that are not UTF-8 are refused.  The empty DN is a DN.
 */
bool pr_dn_normalise(struct pr_str dn, struct pr_buf *out) PR_NODISCARD;
/*
 * The same for a pattern: an unescaped `*` in a value stands for any bytes of
 * that one value ("cn=pay-*,ou=groups,dc=acme"); `\2a` is the star itself.
 */
bool pr_dn_pattern(struct pr_str pattern, struct pr_buf *out) PR_NODISCARD;
/* Both in normal form.  A pattern has as many RDNs as what it matches. */
bool pr_dn_match(struct pr_str pattern, struct pr_str dn);
/* True if dn is base or below it; both in normal form. */
bool pr_dn_under(struct pr_str dn, struct pr_str base);

/*
 * The i-th part of the first RDN as it is written: its type, and appended to
 * *value its decoded value.  False: there is none (or it is "#..." BER).
 */
bool pr_dn_rdn(struct pr_str dn, unsigned i, char type[PR_DN_TYPE_MAX],
    struct pr_buf *value) PR_NODISCARD;

/*
 * The short lower-case name of an attribute type; options (";binary") are
 * cut off.  False: not an attribute type.
 */
bool pr_dn_type(struct pr_str type, char out[PR_DN_TYPE_MAX]) PR_NODISCARD;
/*
 * Appends a string value as caseIgnoreMatch (RFC 4517 4.2.11) compares it:
 * no blanks at the ends, one between words, small letters (Latin, Greek and
 * Cyrillic; other scripts and composed characters as they are).
 */
void pr_dn_fold(struct pr_str value, struct pr_buf *out);

#endif /* PR_DN_H */
