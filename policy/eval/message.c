/* SPDX-License-Identifier: Apache-2.0 */
/* The line that the user sees (DESIGN 10), and the names of codes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <portreeve/caps.h>
#include <portreeve/decide.h>

/* Appends, cut at the end of the buffer; keeps the NUL. */
static size_t add(char *buf, size_t at, const char *fmt, ...) PR_PRINTF(3, 4);

static size_t
add(char *buf, size_t at, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf + at, PR_CAP_MESSAGE + 1 - at, fmt, ap);
	va_end(ap);
	at += n > 0 ? (size_t)n : 0;
	return at < PR_CAP_MESSAGE ? at : PR_CAP_MESSAGE;
}

static struct pr_str
clip(struct pr_str s, size_t most)
{
	return pr_str_sub(s, 0, most);
}

static size_t
add_who(char *buf, size_t at, const struct pr_question *q,
    const struct pr_decision *d)
{
	const struct pr_policy *p = q->policy;

	if (q->who->anonymous)
		at = add(buf, at, "a caller without identity");
	else
		at = add(buf, at, "%.*s", PR_STRF(clip(q->who->name, 40)));
	if (p != NULL && d->team >= 0)
		at = add(buf, at, " (team %.*s)",
		    PR_STRF(clip(p->teams[d->team].name, 32)));
	if (q->request->op->op == PR_OP_UNKNOWN)
		at = add(buf, at, " may not send this");
	else
		at = add(buf, at, " may not %s", q->request->op->action);
	if (p != NULL && d->phase >= 0)
		at = add(buf, at, " in %.*s",
		    PR_STRF(clip(p->phases[d->phase].name, 24)));
	return at;
}

static size_t
add_place(char *buf, size_t at, const struct pr_policy *p,
    const struct pr_decision *d)
{
	const char *file = d->loc.file;

	if (p == NULL || (d->grant < 0 && d->guard < 0))
		return at;
	if (d->guard >= 0)
		at = add(buf, at, " [guard %.*s",
		    PR_STRF(clip(p->guards[d->guard].id, 32)));
	else
		at = add(buf, at, " [grant %.*s",
		    PR_STRF(clip(p->grants[d->grant].id, 32)));
	if (file != NULL && d->loc.line > 0) {
		const char *base = strrchr(file, '/');

		/* the last folder and the file: what one looks for */
		while (base != NULL && base > file && base[-1] != '/')
			base--;
		at = add(buf, at, ", %s:%u",
		    base != NULL && base > file ? base : file, d->loc.line);
	}
	return add(buf, at, "]");
}

void
pr_decision_message(const struct pr_question *q, const struct pr_decision *d,
    const char *decision_id, char *buf)
{
	const struct pr_policy *p = q->policy;
	char tail[160];
	size_t at, n = 0;

	/* what comes last must fit: id and whom to ask */
	n = (size_t)snprintf(tail, sizeof tail, " decision %s", decision_id);
	if (p != NULL && d->team >= 0 && p->teams[d->team].contact.n > 0)
		n = (size_t)snprintf(tail, sizeof tail,
		    " decision %s; ask %.*s", decision_id,
		    PR_STRF(clip(p->teams[d->team].contact, 48)));
	at = add_who(buf, 0, q, d);
	at = add(buf, at, ": %s",
	    d->what[0] != '\0' ? d->what : pr_reason_code(d->reason));
	if (d->hint[0] != '\0')
		at = add(buf, at, "; %s", d->hint);
	at = add_place(buf, at, p, d);
	if (n >= sizeof tail)
		n = sizeof tail - 1;
	if (at + n > PR_CAP_MESSAGE)
		at = PR_CAP_MESSAGE - n;
	memcpy(buf + at, tail, n + 1);
	for (size_t i = 0; i < at + n; i++) {
		if (buf[i] < 0x20 || buf[i] > 0x7e)
			buf[i] = '?';
	}
}
