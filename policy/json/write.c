/* SPDX-License-Identifier: Apache-2.0 */
#include <portreeve/json.h>

/*
 * Recursion is bounded: the reader takes no document that is deeper than
 * PR_CAP_JSON_DEPTH.
 */
/* NOLINTNEXTLINE(misc-no-recursion) */
void
pr_json_write(struct pr_buf *b, const struct pr_json *v, struct pr_str text)
{
	switch (v->type) {
	case PR_JSON_FALSE:
		pr_buf_cstr(b, "false");
		break;
	case PR_JSON_TRUE:
		pr_buf_cstr(b, "true");
		break;
	case PR_JSON_NUMBER:
		pr_buf_str(b, pr_str_sub(text, v->begin, v->end));
		break;
	case PR_JSON_STRING:
		pr_buf_json(b, v->str);
		break;
	case PR_JSON_ARRAY:
		pr_buf_char(b, '[');
		for (uint32_t i = 0; i < v->n; i++) {
			if (i > 0)
				pr_buf_char(b, ',');
			pr_json_write(b, &v->items[i], text);
		}
		pr_buf_char(b, ']');
		break;
	case PR_JSON_OBJECT:
		pr_buf_char(b, '{');
		for (uint32_t i = 0; i < v->n; i++) {
			if (i > 0)
				pr_buf_char(b, ',');
			pr_buf_json(b, v->members[i].key);
			pr_buf_char(b, ':');
			pr_json_write(b, &v->members[i].value, text);
		}
		pr_buf_char(b, '}');
		break;
	case PR_JSON_NULL:
	default:
		pr_buf_cstr(b, "null");
		break;
	}
}
