/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand in the lists of a profile. */
#include <arpa/inet.h>
#include <string.h>

#include "leaf.h"

/* Any name or pattern, with substitutions. */
static bool
any_pattern(struct load *ld, const struct ynode *n)
{
	return value_glob(&ld->l, n, true);
}

/* A path with globs, or with ":ro" after it. */
static bool
bind_source(struct load *ld, const struct ynode *n)
{
	struct pr_str s = n->s, rest;
	const char *what = NULL;

	if (pr_str_ends(s, ":ro"))
		s.n -= 3;
	if (s.n == 0 || s.p[0] != '/')
		what = "a bind source begins with /";
	else if (pr_str_find(s, ':') < s.n)
		what = "the only suffix is \":ro\"";
	rest = pr_str_sub(s, 1, s.n);
	while (what == NULL && s.n > 1 && rest.p != NULL) {
		struct pr_str part = pr_str_cut(&rest, '/');

		if (part.n == 0 || pr_str_is(part, ".") ||
		    pr_str_is(part, ".."))
			what = "empty, . and .. parts never match: sources "
			       "are resolved before they are compared";
	}
	if (what != NULL) {
		lang_error(&ld->l, ynode_loc(n), NULL, "%s", what);
		return false;
	}
	return any_pattern(ld, n);
}

static bool
capability(struct load *ld, const struct ynode *n)
{
	static const char *const names[] = {"ALL", "AUDIT_CONTROL",
	    "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF",
	    "CHECKPOINT_RESTORE", "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH",
	    "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE",
	    "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD",
	    "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_RAW",
	    "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG",
	    "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT", "SYS_MODULE", "SYS_NICE",
	    "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME",
	    "SYS_TTY_CONFIG", "WAKE_ALARM"};
	struct pr_str s = n->s;

	if (s.n > 4 && pr_str_eq_nocase(pr_str_sub(s, 0, 4), PR_STR("CAP_")))
		s = pr_str_sub(s, 4, s.n);
	for (size_t i = 0; i < PR_COUNT(names); i++) {
		if (pr_str_is_nocase(s, names[i]))
			return true;
	}
	lang_error(&ld->l, ynode_loc(n),
	    lang_meant(&ld->l, s, names, PR_COUNT(names),
		"as NET_BIND_SERVICE; capabilities(7) lists them"),
	    "unknown capability \"%.*s\"", PR_STRF(n->s));
	return false;
}

static bool
address(struct load *ld, const struct ynode *n)
{
	struct pr_str bits = n->s, s = pr_str_cut(&bits, '/');
	char text[64], binary[16];
	uint64_t prefix = 0;
	bool v6 = pr_str_find(s, ':') < s.n;

	if (s.n < sizeof text) {
		memcpy(text, s.p, s.n);
		text[s.n] = '\0';
		if (inet_pton(v6 ? AF_INET6 : AF_INET, text, binary) == 1 &&
		    (bits.p == NULL ||
			(pr_str_u64(bits, &prefix) &&
			    prefix <= (v6 ? 128 : 32))))
			return true;
	}
	lang_error(&ld->l, ynode_loc(n), "as 127.0.0.1, \"::1\" or 10.0.0.0/8",
	    "not an address");
	return false;
}

/* no, always, unless-stopped, on-failure, on-failure:N */
static bool
restart_policy(struct load *ld, const struct ynode *n)
{
	struct pr_str s = n->s;
	uint64_t count;

	if (pr_str_starts(s, "on-failure:") &&
	    pr_str_u64(pr_str_sub(s, 11, s.n), &count) && count > 0 &&
	    count <= 1000000)
		return true;
	lang_error(&ld->l, ynode_loc(n),
	    "no, always, unless-stopped, on-failure or on-failure:5",
	    "\"%.*s\" is no restart policy", PR_STRF(s));
	return false;
}

/* "type:svirt_lxc_net_t", "level:s0:c1,c2" */
static bool
selinux_option(struct load *ld, const struct ynode *n)
{
	static const char *const heads[] = {
	    "user:", "role:", "type:", "level:", "filetype:"};

	for (size_t i = 0; i < PR_COUNT(heads); i++) {
		if (pr_str_starts(n->s, heads[i]))
			return any_pattern(ld, n);
	}
	lang_error(&ld->l, ynode_loc(n),
	    "default, disable, or user:, role:, type:, level:",
	    "\"%.*s\" is no SELinux option", PR_STRF(n->s));
	return false;
}

static bool
env_name(struct load *ld, const struct ynode *n)
{
	if (pr_str_find(n->s, '=') == n->s.n)
		return value_glob(&ld->l, n, false);
	lang_error(&ld->l, ynode_loc(n), NULL,
	    "names of variables are compared, values never");
	return false;
}

static bool
image_pattern(struct load *ld, const struct ynode *n)
{
	struct pr_str s = n->s;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != ' ' && s.p[i] != '\\')
			continue;
		lang_error(&ld->l, ynode_loc(n), NULL,
		    "\"%.*s\" cannot be an image's name", PR_STRF(s));
		return false;
	}
	if (pr_str_find(s, ':') < 8 && pr_str_find(s, '/') < s.n &&
	    (pr_str_starts(s, "http://") || pr_str_starts(s, "https://"))) {
		lang_error(&ld->l, ynode_loc(n), "as registry.acme.com/team/*",
		    "images are not URLs");
		return false;
	}
	return any_pattern(ld, n);
}

static bool
device_path(struct load *ld, const struct ynode *n)
{
	if (n->s.n > 0 && n->s.p[0] == '/')
		return any_pattern(ld, n);
	lang_error(&ld->l, ynode_loc(n), "as /dev/fuse or /dev/snd/**",
	    "a device is a path");
	return false;
}

static bool
mount_option(struct load *ld, const struct ynode *n)
{
	for (size_t i = 0; i < n->s.n; i++) {
		char c = n->s.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    (i > 0 && (c == '=' || c == '_')))
			continue;
		lang_error(&ld->l, ynode_loc(n), "as exec, suid or dev",
		    "\"%.*s\" is no mount option", PR_STRF(n->s));
		return false;
	}
	return true;
}

static const struct leaf_list rows[] = {
    {PR_KEY_NS_NETWORK, "private|none|own|host|container:own", NULL},
    {PR_KEY_NS_PID, "private|host|container:own", NULL},
    {PR_KEY_NS_IPC, "private|none|shareable|host|container:own", NULL},
    {PR_KEY_NS_UTS, "private|host", NULL},
    {PR_KEY_NS_USER, "default|host", NULL},
    {PR_KEY_NS_CGROUP, "private|host", NULL},
    {PR_KEY_BIND, NULL, bind_source},
    {PR_KEY_PROPAGATION, "private|rprivate|shared|rshared|slave|rslave", NULL},
    {PR_KEY_TMPFS, NULL, mount_option},
    {PR_KEY_MOUNT_IMAGES, NULL, image_pattern},
    {PR_KEY_CAP_ADD, NULL, capability},
    {PR_KEY_CAP_DROP, NULL, capability},
    {PR_KEY_SECCOMP, "default|unconfined|builtin|custom", NULL},
    {PR_KEY_SELINUX, "default|disable", selinux_option},
    {PR_KEY_DEVICES, NULL, device_path},
    {PR_KEY_IMAGES_ALLOW, NULL, image_pattern},
    {PR_KEY_IMAGES_WRITE, NULL, image_pattern},
    {PR_KEY_IMAGES_PUSH, NULL, image_pattern},
    {PR_KEY_BUILD_NETWORK, "default|none|own|host|container:own", NULL},
    {PR_KEY_PORTS_BIND, NULL, address},
    {PR_KEY_RESTART, "no|always|unless-stopped|on-failure", restart_policy},
    {PR_KEY_ENV_FORBID, NULL, env_name},
};

const struct leaf_list *
leaf_list(enum pr_profile_key key)
{
	static const struct leaf_list any = {0, NULL, any_pattern};

	for (size_t i = 0; i < PR_COUNT(rows); i++) {
		if (rows[i].key == key)
			return &rows[i];
	}
	return &any;
}
