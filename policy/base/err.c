/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include <portreeve/arena.h>
#include <portreeve/buf.h>
#include <portreeve/err.h>

int
pr_err_set(struct pr_err **err, enum pr_err_code code, int errnum,
    const char *fmt, ...)
{
	struct pr_buf text = PR_BUF_INIT;
	va_list ap;

	if (err == NULL)
		return -1;
	va_start(ap, fmt);
	pr_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	pr_err_free(*err);
	*err = pr_xcalloc(1, sizeof **err);
	(*err)->code = code;
	(*err)->errnum = errnum;
	(*err)->text = text.p; /* taken over */
	return -1;
}

int
pr_err_wrap(struct pr_err **err, const char *fmt, ...)
{
	struct pr_buf text = PR_BUF_INIT;
	va_list ap;

	if (err == NULL || *err == NULL)
		return -1;
	va_start(ap, fmt);
	pr_buf_vprintf(&text, fmt, ap);
	va_end(ap);
	pr_buf_cstr(&text, ": ");
	pr_buf_cstr(&text, (*err)->text);
	free((*err)->text);
	(*err)->text = text.p; /* taken over */
	return -1;
}

void
pr_err_free(struct pr_err *err)
{
	if (err == NULL)
		return;
	free(err->text);
	free(err);
}

void
pr_err_freep(struct pr_err **err)
{
	pr_err_free(*err);
	*err = NULL;
}

const char *
pr_err_text(const struct pr_err *err)
{
	return err != NULL && err->text != NULL ? err->text : "no reason given";
}
