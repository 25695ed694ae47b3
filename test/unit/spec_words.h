/* SPDX-License-Identifier: Apache-2.0 */
/* An effective spec in words: what the tests of specs compare. */
#ifndef SPEC_WORDS_H
#define SPEC_WORDS_H

#include <inttypes.h>
#include <string.h>

#include "eval_kit.h"

#define CREATE "POST /v1.41/containers/create"

/* ---- a spec in words: what is not zero, in a fixed order ---- */

static void
put(struct pr_buf *b, const char *name, struct pr_str s)
{
	if (s.n > 0)
		pr_buf_printf(b, " %s=%.*s", name, PR_STRF(s));
}

static void
put_flag(struct pr_buf *b, const char *name, bool set)
{
	if (set)
		pr_buf_printf(b, " %s", name);
}

static void
put_int(struct pr_buf *b, const char *name, int64_t v)
{
	if (v != 0)
		pr_buf_printf(b, " %s=%" PRId64, name, v);
}

static void
put_list(struct pr_buf *b, const char *name, struct pr_strs l)
{
	for (size_t i = 0; i < l.n; i++)
		pr_buf_printf(b, " %s=%.*s", name, PR_STRF(l.v[i]));
}

static void
put_map(struct pr_buf *b, const char *name, struct pr_kvs m)
{
	for (size_t i = 0; i < m.n; i++)
		pr_buf_printf(b, " %s[%.*s]=%.*s", name, PR_STRF(m.v[i].key),
		    PR_STRF(m.v[i].value));
}

static void
put_ns(struct pr_buf *b, const char *name, const struct pr_ns *ns,
    const struct pr_spec *s)
{
	static const char *const kinds[] = {"private", "none", "host",
	    "shareable", "container", "named", "invalid"};

	if (ns->kind == PR_NS_PRIVATE && ns->text.n == 0)
		return;
	pr_buf_printf(b, " %s=%s", name, kinds[ns->kind]);
	if (ns->ref >= 0)
		pr_buf_printf(b, ":%.*s", PR_STRF(s->refs[ns->ref].name));
}

static void
put_mounts(struct pr_buf *b, const struct pr_spec *s)
{
	static const char *const types[] = {
	    "bind", "volume", "tmpfs", "image", "other"};

	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct pr_mount *m = &s->mounts[i];

		pr_buf_printf(
		    b, " %s(%.*s", types[m->type], PR_STRF(m->source));
		put_flag(b, "ro", m->read_only);
		put_flag(b, "shallow", m->shallow);
		put_flag(b, "relabel", m->relabel);
		put(b, "prop", m->propagation);
		put(b, "driver", m->driver);
		put(b, "type", m->type_text);
		put_map(b, "opt", m->options);
		pr_buf_cstr(b, ")");
		/* what a mount refers to is what it names */
		if (m->type == PR_MOUNT_BIND) {
			ck_assert(pr_str_eq(s->binds[m->bind].path, m->source));
			ck_assert(s->binds[m->bind].writes == !m->read_only);
		}
		if (m->ref >= 0)
			ck_assert(pr_str_eq(s->refs[m->ref].name, m->source));
	}
}

static void
put_power(struct pr_buf *b, const struct pr_spec *s)
{
	put_flag(b, "privileged", s->privileged);
	put_list(b, "add", s->cap_add);
	put_list(b, "drop", s->cap_drop);
	put(b, "seccomp", s->seccomp);
	put(b, "apparmor", s->apparmor);
	put_list(b, "selinux", s->selinux);
	put_list(b, "secopt", s->security_options);
	put_flag(b, "nnp", s->no_new_privs == PR_YES);
	put_flag(b, "masked", s->masked_given);
	put_flag(b, "readonly", s->readonly_given);
	for (size_t i = 0; i < s->n_devices; i++)
		put(b, "device", s->devices[i].host);
	for (size_t i = 0; i < s->n_asks; i++) {
		pr_buf_printf(b, " ask(%.*s %" PRId64,
		    PR_STRF(s->asks[i].driver), s->asks[i].count);
		put_list(b, "cap", s->asks[i].capabilities);
		put_flag(b, "ids", s->asks[i].ids);
		pr_buf_cstr(b, ")");
	}
	put_list(b, "rule", s->cgroup_rules);
	put_map(b, "sysctl", s->sysctls);
	put_map(b, "annotation", s->annotations);
	put_map(b, "storage", s->storage_opt);
	put(b, "runtime", s->runtime);
	put(b, "parent", s->cgroup_parent);
	put_list(b, "group", s->group_add);
}

static void
put_limits(struct pr_buf *b, const struct pr_spec *s)
{
	put_flag(b, "oomkill", s->oom_kill_disable);
	put_int(b, "oom", s->oom_score);
	put(b, "cpuset", s->cpuset_cpus);
	put(b, "mems", s->cpuset_mems);
	put_flag(b, "realtime", s->realtime);
	put_flag(b, "weight", s->blkio_weight);
	put_flag(b, "blkdev", s->blkio_devices);
	put_int(b, "memory", s->memory);
	put_int(b, "swap", s->swap);
	put_int(b, "cpus", s->cpus);
	put_int(b, "pids", s->pids);
	put_int(b, "shm", s->shm);
	for (size_t i = 0; i < s->n_ulimits; i++)
		pr_buf_printf(b, " ulimit(%.*s %" PRId64 " %" PRId64 ")",
		    PR_STRF(s->ulimits[i].name), s->ulimits[i].soft,
		    s->ulimits[i].hard);
	put(b, "restart", s->restart);
	put_int(b, "max", s->restart_max);
}

static void
put_network(struct pr_buf *b, const struct pr_spec *s)
{
	for (size_t i = 0; i < s->n_endpoints; i++) {
		put_ns(b, "endpoint", &s->endpoints[i].network, s);
		put_flag(b, "fixed", s->endpoints[i].static_ip);
		put_map(b, "epopt", s->endpoints[i].driver_opts);
	}
	put_flag(b, "mac", s->static_mac);
	put_flag(b, "links", s->links);
	put_list(b, "host", s->extra_hosts);
	put_list(b, "dns", s->dns);
	for (size_t i = 0; i < s->n_ports; i++)
		pr_buf_printf(b, " port(%.*s %.*s)", PR_STRF(s->ports[i].ip),
		    PR_STRF(s->ports[i].port));
	put_flag(b, "all-ports", s->publish_all);
}

/* References but the image's, which every create has. */
static void
put_refs(struct pr_buf *b, const struct pr_spec *s)
{
	static const char *const roles[] = {"target", "container-of", "network",
	    "namespace", "volumes-from", "link", "volume", "image",
	    "mount-image", "new-name", "argument"};

	for (size_t i = 0; i < s->n_refs; i++) {
		if (s->refs[i].role == PR_REF_IMAGE)
			continue;
		pr_buf_printf(b, " <%s %s %.*s>", roles[s->refs[i].role],
		    pr_kind_name(s->refs[i].kind), PR_STRF(s->refs[i].name));
	}
}

static const char *
words(struct kit *k, const struct pr_spec *s)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf b = PR_BUF_INIT;

	put_map(&b, "label", s->labels);
	put(&b, "user", s->user);
	put_list(&b, "env", s->env);
	put_flag(&b, "health", s->healthcheck);
	put_flag(&b, "nohealth", s->healthcheck_off);
	put_ns(&b, "net", &s->network, s);
	put_ns(&b, "pid", &s->pid, s);
	put_ns(&b, "ipc", &s->ipc, s);
	put_ns(&b, "uts", &s->uts, s);
	put_ns(&b, "userns", &s->userns, s);
	put_ns(&b, "cgroupns", &s->cgroupns, s);
	put_mounts(&b, s);
	put_flag(&b, "volumes-from", s->volumes_from);
	put_power(&b, s);
	put_limits(&b, s);
	put_network(&b, s);
	put(&b, "log", s->log_driver);
	put_map(&b, "logopt", s->log_opts);
	put_flag(&b, "rootfs-ro", s->read_only_rootfs);
	for (size_t i = 0; i < s->n_names; i++)
		put(&b, "name", s->names[i].text);
	put_refs(&b, s);
	if (s->must_default != NULL)
		pr_buf_printf(&b, " default:%s", s->must_default);
	if (s->unknown_field != NULL)
		pr_buf_printf(&b, " unknown:%s", s->unknown_field);
	return b.n == 0
	    ? ""
	    : pr_arena_strdup(k->arena, pr_str_sub(pr_buf_view(&b), 1, b.n));
}

#endif /* SPEC_WORDS_H */
