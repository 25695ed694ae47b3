/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which keys say something about the bodies that are no container's: a table
 * a body.  unknown_fields applies to all of them.
 */
#include "profile.h"

static const key_judge image[PR_KEY_COUNT] = {
    [PR_KEY_IMAGES_ALLOW] = judge_images_source,
    [PR_KEY_IMAGES_WRITE] = judge_images_write,
    [PR_KEY_IMAGES_PUSH] = judge_images_push,
    [PR_KEY_IMAGES_FROM_SRC] = judge_images_from_src,
    [PR_KEY_ENV_FORBID] = judge_env_forbid,
};

static const key_judge volume[PR_KEY_COUNT] = {
    [PR_KEY_VOLUMES] = judge_volumes,
    [PR_KEY_VOLUME_DRIVERS] = judge_volume_drivers,
    [PR_KEY_VOLUME_OPTS] = judge_volume_opts,
};

static const key_judge network[PR_KEY_COUNT] = {
    [PR_KEY_NET_DRIVERS] = judge_net_drivers,
    [PR_KEY_NET_OPTIONS] = judge_net_options,
    [PR_KEY_IPAM_DRIVERS] = judge_ipam_drivers,
};

static const key_judge connect[PR_KEY_COUNT] = {
    [PR_KEY_NS_NETWORK] = judge_endpoints,
    [PR_KEY_NET_LINKS] = judge_links,
    [PR_KEY_STATIC_IP] = judge_static_ip,
    [PR_KEY_DRIVER_OPTS] = judge_driver_opts,
};

key_judge
judge_of_body(enum pr_profile_key key, enum pr_spec_body body)
{
	switch (body) {
	case PR_SPEC_IMAGE:
		return image[key];
	case PR_SPEC_VOLUME:
		return volume[key];
	case PR_SPEC_NETWORK:
		return network[key];
	case PR_SPEC_CONNECT:
		return connect[key];
	case PR_SPEC_NOTHING:
	case PR_SPEC_CONTAINER:
	case PR_SPEC_EXEC:
	case PR_SPEC_UNREAD:
		break;
	}
	return NULL;
}
