/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces, networks, links and published ports of a container. */
#include "extract.h"

/*
 * The words of a namespace mode are exact strings (FACTS E: "HOST" is the
 * name of something else); what is no word is a name, or nothing at all.
 */
static const struct {
	const char *word;
	enum pr_ns_kind kind;
	bool network, pid, ipc, uts, user, cgroup; /* where it means this */
} words[] = {
    {"", PR_NS_PRIVATE, true, true, true, true, true, true},
    {"default", PR_NS_PRIVATE, true, false, false, false, false, false},
    {"bridge", PR_NS_PRIVATE, true, false, false, false, false, false},
    {"private", PR_NS_PRIVATE, false, false, true, false, false, true},
    {"none", PR_NS_NONE, true, false, true, false, false, false},
    {"shareable", PR_NS_SHAREABLE, false, false, true, false, false, false},
    {"host", PR_NS_HOST, true, true, true, true, true, true},
};

enum ns {
	NS_NETWORK,
	NS_PID,
	NS_IPC,
	NS_UTS,
	NS_USER,
	NS_CGROUP
};

static bool
means(size_t i, enum ns ns)
{
	switch (ns) {
	case NS_NETWORK:
		return words[i].network;
	case NS_PID:
		return words[i].pid;
	case NS_IPC:
		return words[i].ipc;
	case NS_UTS:
		return words[i].uts;
	case NS_USER:
		return words[i].user;
	case NS_CGROUP:
		return words[i].cgroup;
	}
	return false;
}

static struct pr_ns
read_ns(struct extract *e, enum ns ns, struct pr_str text, pr_field field)
{
	struct pr_ns out = {PR_NS_INVALID, field, text, -1};

	for (size_t i = 0; i < PR_COUNT(words); i++) {
		if (means(i, ns) && pr_str_is(text, words[i].word)) {
			out.kind = words[i].kind;
			return out;
		}
	}
	if ((ns == NS_NETWORK || ns == NS_PID || ns == NS_IPC) &&
	    pr_str_starts(text, "container:") && text.n > 10) {
		out.kind = PR_NS_CONTAINER;
		out.ref = extract_ref(e, PR_KIND_CONTAINER, PR_REF_NAMESPACE,
		    pr_str_sub(text, 10, text.n), field);
	} else if (ns == NS_NETWORK) {
		out.kind = PR_NS_NAMED;
		out.ref = extract_ref(
		    e, PR_KIND_NETWORK, PR_REF_NETWORK, text, field);
	}
	return out;
}

struct pr_ns
extract_network_mode(struct extract *e, struct pr_str text, pr_field field)
{
	return read_ns(e, NS_NETWORK, text, field);
}

/* "container[:alias]" */
static int
read_links(struct extract *e, struct pr_strs links, pr_field field)
{
	for (size_t i = 0; i < links.n; i++) {
		struct pr_str alias = links.v[i],
			      name = pr_str_cut(&alias, ':');

		if (name.n > 0 && name.p[0] == '/') /* as inspect shows it */
			name = pr_str_sub(name, 1, name.n);
		if (name.n == 0)
			return body_refuse(e->why, PR_REASON_AMBIGUOUS,
			    "%s names no container", field);
		extract_ref(e, PR_KIND_CONTAINER, PR_REF_LINK, name, field);
		e->spec->links = true;
	}
	return 0;
}

/*
 * One endpoint; NetworkID makes a second one of it, for some engines prefer it
 * to the name (moby daemon/container_operations.go getNetworkID).
 */
static int
read_endpoint(struct extract *e, struct pr_str name, const struct pr_json *v,
    pr_field field)
{
	struct pr_endpoint *out = &e->spec->endpoints[e->spec->n_endpoints++];
	struct body_walk walk = {
	    .arena = e->arena, .why = e->why, .stored = e->spec->stored};
	struct body_slots f = {{NULL}}, ipam = {{NULL}};
	struct pr_str id;

	if (body_walk(&walk, BODY_ENDPOINT, v, field, &f) < 0 ||
	    body_walk(&walk, BODY_IPAM, f.f[F_E_IPAM], field, &ipam) < 0)
		return -1;
	out->network = read_ns(e, NS_NETWORK, name, field);
	out->driver_opts = body_map(e->arena, f.f[F_E_DRIVEROPTS]);
	out->static_ip = body_str(ipam.f[F_I_V4]).n > 0 ||
	    body_str(ipam.f[F_I_V6]).n > 0 ||
	    body_count(ipam.f[F_I_LOCAL]) > 0 ||
	    (!e->spec->stored && body_str(f.f[F_E_MAC]).n > 0);
	id = body_str(f.f[F_E_NETWORKID]);
	if (id.n > 0 && !e->spec->stored) {
		out = &e->spec->endpoints[e->spec->n_endpoints++];
		out->network = read_ns(e, NS_NETWORK, id,
		    pr_arena_printf(e->arena, "%s.NetworkID", field));
	}
	return read_links(e, body_strs(e->arena, f.f[F_E_LINKS]), field);
}

/* One of NetworkingConfig.EndpointsConfig. */
static int
read_member(struct extract *e, const struct pr_json_member *m)
{
	return read_endpoint(e, m->key, &m->value,
	    pr_arena_printf(e->arena, "NetworkingConfig.EndpointsConfig[%.*s]",
		pr_str_printable(m->key) && m->key.n <= 64 ? (int)m->key.n : 0,
		m->key.p));
}

/* PortBindings: "80/tcp" -> list of {HostIp, HostPort}; an empty list is none. */
static int
read_ports(struct extract *e, const struct pr_json *bindings)
{
	struct body_walk walk = {
	    .arena = e->arena, .checked = true, .why = e->why};
	struct pr_spec *s = e->spec;
	size_t n = 0;

	for (size_t i = 0; i < body_count(bindings); i++)
		n += body_count(&bindings->members[i].value);
	s->ports = pr_arena_array(e->arena, n, sizeof *s->ports);
	for (size_t i = 0; i < body_count(bindings); i++) {
		const struct pr_json *list = &bindings->members[i].value;
		struct pr_str port = bindings->members[i].key;
		pr_field field =
		    pr_arena_printf(e->arena, "HostConfig.PortBindings[%.*s]",
			pr_str_printable(port) && port.n < 32 ? (int)port.n : 0,
			port.p);

		for (size_t k = 0; k < body_count(list); k++) {
			struct body_slots f = {{NULL}};

			if (body_walk(&walk, BODY_PORTBINDING, &list->items[k],
				field, &f) < 0)
				return -1;
			s->ports[s->n_ports++] =
			    (struct pr_port){field, body_str(f.f[F_P_HOSTIP]),
				body_str(f.f[F_P_HOSTPORT]), port};
		}
	}
	return 0;
}

int
extract_network(struct extract *e, const struct body_slots *host,
    const struct pr_json *endpoints)
{
	struct pr_spec *s = e->spec;

	s->network = read_ns(e, NS_NETWORK, body_str(host->f[F_H_NETWORKMODE]),
	    "HostConfig.NetworkMode");
	s->pid = read_ns(
	    e, NS_PID, body_str(host->f[F_H_PIDMODE]), "HostConfig.PidMode");
	s->ipc = read_ns(
	    e, NS_IPC, body_str(host->f[F_H_IPCMODE]), "HostConfig.IpcMode");
	s->uts = read_ns(
	    e, NS_UTS, body_str(host->f[F_H_UTSMODE]), "HostConfig.UTSMode");
	s->userns = read_ns(e, NS_USER, body_str(host->f[F_H_USERNSMODE]),
	    "HostConfig.UsernsMode");
	s->cgroupns = read_ns(e, NS_CGROUP, body_str(host->f[F_H_CGROUPNSMODE]),
	    "HostConfig.CgroupnsMode");
	if (endpoints != NULL && endpoints->type == PR_JSON_OBJECT) {
		s->endpoints = pr_arena_array(
		    e->arena, (size_t)endpoints->n * 2, sizeof *s->endpoints);
		for (uint32_t i = 0; i < endpoints->n; i++) {
			if (read_member(e, &endpoints->members[i]) < 0)
				return -1;
		}
	}
	s->publish_all = body_bool(host->f[F_H_PUBLISHALLPORTS]);
	if (read_links(e, body_strs(e->arena, host->f[F_H_LINKS]),
		"HostConfig.Links") < 0)
		return -1;
	return read_ports(e, host->f[F_H_PORTBINDINGS]);
}

/* network.connect: the container's name is in the body. */
int
extract_connect(struct extract *e, const struct pr_request *rq)
{
	struct body_walk walk = {.arena = e->arena, .why = e->why};
	struct pr_spec *s = e->spec;
	struct body_slots f = {{NULL}};
	struct pr_str container;

	if (body_walk(&walk, BODY_CONNECT, rq->json, "", &f) < 0)
		return -1;
	s->body = PR_SPEC_CONNECT;
	s->unknown_field = walk.unknown_field;
	s->must_default = walk.must_default;
	container = body_str(f.f[F_K_CONTAINER]);
	if (container.n == 0)
		return body_refuse(
		    e->why, PR_REASON_AMBIGUOUS, "Container is not set");
	extract_ref(
	    e, PR_KIND_CONTAINER, PR_REF_ARGUMENT, container, "Container");
	s->endpoints = pr_arena_array(e->arena, 2, sizeof *s->endpoints);
	if (read_endpoint(e, rq->name, f.f[F_K_ENDPOINT], "EndpointConfig") < 0)
		return -1;
	s->endpoints[0].network.field = "the network of the path";
	return 0;
}

int
extract_network_create(struct extract *e, const struct pr_request *rq)
{
	struct body_walk walk = {.arena = e->arena, .why = e->why};
	struct pr_spec *s = e->spec;
	struct body_slots f = {{NULL}};
	struct pr_str name;

	if (body_walk(&walk, BODY_NETWORK, rq->json, "", &f) < 0 ||
	    body_walk(&walk, BODY_NETIPAM, f.f[F_NW_IPAM], "IPAM", &f) < 0)
		return -1;
	s->body = PR_SPEC_NETWORK;
	s->unknown_field = walk.unknown_field;
	s->must_default = walk.must_default;
	s->labels = body_map(e->arena, f.f[F_NW_LABELS]);
	s->net_driver = body_str(f.f[F_NW_DRIVER]);
	/* compose 1 sets it always; it says something about swarm's alone */
	if (s->must_default == NULL && body_bool(f.f[F_NW_ATTACHABLE]) &&
	    s->net_driver.n > 0 && !pr_str_is(s->net_driver, "bridge"))
		s->must_default = "Attachable";
	s->net_options = body_map(e->arena, f.f[F_NW_OPTIONS]);
	s->ipam_driver = body_str(f.f[F_NI_DRIVER]);
	s->ipam_options = body_map(e->arena, f.f[F_NI_OPTIONS]);
	name = body_str(f.f[F_NW_NAME]);
	if (name.n == 0)
		return body_refuse(
		    e->why, PR_REASON_AMBIGUOUS, "Name is not set");
	extract_ref(e, PR_KIND_NETWORK, PR_REF_NEW_NAME, name, "Name");
	return 0;
}
