/* SPDX-License-Identifier: Apache-2.0 */
/* A checkpoint, read again: what it says, and whether its key says so. */
#include <string.h>

#include <jansson.h>

#include <portreeve/digest.h>

#include "checkpoint.h"

#define SIGNED_BY ",\"signature\":\""
#define SIGNATURE 88 /* characters of base64 */

static bool
copy(char *to, size_t cap, const json_t *line, const char *key)
{
	const char *s = json_string_value(json_object_get(line, key));

	if (s == NULL || strlen(s) >= cap)
		return false;
	memcpy(to, s, strlen(s) + 1);
	return true;
}

/* The line's end has one spelling: what is signed, and the signature. */
static bool
split(struct pr_str line, struct pr_str *text, uint8_t sig[PR_SIGNATURE_LEN])
{
	uint8_t bytes[SIGNATURE];
	size_t tail = strlen(SIGNED_BY) + SIGNATURE + 2;
	struct pr_str end;

	if (line.n <= tail || !pr_str_ends(line, "\"}"))
		return false;
	*text = pr_str_sub(line, 0, line.n - tail);
	end = pr_str_sub(line, text->n, line.n);
	if (!pr_str_starts(end, SIGNED_BY) ||
	    pr_base64_decode(pr_str_sub(end, strlen(SIGNED_BY), end.n - 2),
		bytes) != PR_SIGNATURE_LEN)
		return false;
	memcpy(sig, bytes, PR_SIGNATURE_LEN);
	return true;
}

const char *
pr_checkpoint_read(struct pr_str line, struct checkpoint *out)
{
	uint8_t sig[PR_SIGNATURE_LEN];
	struct pr_public_key key;
	struct pr_str text;
	json_t *v;
	bool read;

	v = json_loadb(
	    line.p, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	read = v != NULL && copy(out->chain, sizeof out->chain, v, "chain") &&
	    copy(out->door, sizeof out->door, v, "door") &&
	    copy(out->key, sizeof out->key, v, "key");
	json_decref(v);
	if (!read || !pr_public_key_read(pr_str_of(out->key), &key) ||
	    !split(line, &text, sig))
		return "this is no checkpoint that is understood";
	if (!pr_signature_is_good(&key, text, sig))
		return "the signature of this checkpoint is not its key's: it "
		       "was changed";
	return NULL;
}
