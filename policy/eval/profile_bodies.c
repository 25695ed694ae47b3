/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which key is asked of which body (profile_keys.def says so, a letter a
 * body), and what judges it there.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "profile.h"

_Static_assert(PR_SPEC_BODY_COUNT <= 16, "bodies fit in a mask");

static const struct {
	char letter;
	const char *word, *text;
} bodies[PR_SPEC_BODY_COUNT] = {
#define X(id, letter, word, text) [PR_SPEC_##id] = {letter, word, text},
    PR_SPEC_BODIES(X)
#undef X
};

/* Bit b: the key is asked of body b; set up before main(). */
static uint16_t asked[PR_KEY_COUNT];

__attribute__((constructor)) static void
asked_setup(void)
{
	for (unsigned k = 0; k < PR_KEY_COUNT; k++) {
		const char *letters =
		    pr_profile_key((enum pr_profile_key)k)->bodies;

		for (unsigned b = 0; b < PR_SPEC_BODY_COUNT; b++) {
			if (bodies[b].letter != '\0' &&
			    strchr(letters, bodies[b].letter) != NULL)
				asked[k] |= (uint16_t)(1U << b);
		}
	}
	asked[PR_KEY_UNKNOWN_FIELDS] |= 1U << PR_SPEC_NOTHING;
}

bool
pr_profile_key_asks(enum pr_profile_key key, enum pr_spec_body body)
{
	return (asked[key] >> body & 1) != 0;
}

const char *
pr_spec_body_name(enum pr_spec_body body)
{
	return bodies[body].word;
}

const char *
pr_spec_body_text(enum pr_spec_body body)
{
	return bodies[body].text;
}

const char *
pr_profile_key_bodies(enum pr_profile_key key, char *buf, size_t len)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned b = 0; b < PR_SPEC_BODY_COUNT && n < len; b++) {
		int m;

		if (bodies[b].word == NULL ||
		    !pr_profile_key_asks(key, (enum pr_spec_body)b))
			continue;
		m = snprintf(
		    buf + n, len - n, "%s%s", n > 0 ? " " : "", bodies[b].word);
		n += m > 0 ? (size_t)m : 0;
	}
	return buf;
}

/* Keys that are read from other fields than in a container's body. */
static const key_judge image[PR_KEY_COUNT] = {
    [PR_KEY_IMAGES_ALLOW] = judge_images_source,
    [PR_KEY_IMAGES_WRITE] = judge_images_write,
    [PR_KEY_IMAGES_PUSH] = judge_images_push,
    [PR_KEY_IMAGES_FROM_SRC] = judge_images_from_src,
};

static const key_judge network[PR_KEY_COUNT] = {
    [PR_KEY_NET_DRIVERS] = judge_net_drivers,
    [PR_KEY_NET_OPTIONS] = judge_net_options,
    [PR_KEY_IPAM_DRIVERS] = judge_ipam_drivers,
};

static const key_judge connect[PR_KEY_COUNT] = {
    [PR_KEY_NS_NETWORK] = judge_endpoints,
};

static const key_judge build[PR_KEY_COUNT] = {
    [PR_KEY_IMAGES_ALLOW] = judge_images_source,
    [PR_KEY_IMAGES_WRITE] = judge_images_write,
    [PR_KEY_BUILD_NETWORK] = judge_build_network,
    [PR_KEY_BUILD_REMOTE] = judge_build_remote,
    [PR_KEY_BUILD_SECRETS] = judge_build_secrets,
    [PR_KEY_BUILD_OPAQUE] = judge_build_opaque,
};

static const key_judge service[PR_KEY_COUNT] = {
    [PR_KEY_NS_NETWORK] = judge_service_network,
};

static const key_judge *const others[PR_SPEC_BODY_COUNT] = {
    [PR_SPEC_IMAGE] = image,
    [PR_SPEC_COMMIT] = image,
    [PR_SPEC_NETWORK] = network,
    [PR_SPEC_CONNECT] = connect,
    [PR_SPEC_BUILD] = build,
    [PR_SPEC_SESSION] = build,
    [PR_SPEC_SERVICE] = service,
};

key_judge
judge_of(enum pr_profile_key key, enum pr_spec_body body)
{
	key_judge judge;

	if (!pr_profile_key_asks(key, body))
		return NULL;
	judge = others[body] != NULL ? others[body][key] : NULL;
	if (judge == NULL)
		judge = judge_of_key(key);
	assert(judge != NULL); /* a letter of the table without a judge */
	return judge;
}
