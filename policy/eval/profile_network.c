/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces, links and published ports (docs/semantics.md 5.7, 5.8). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "profile.h"

static enum pr_tri
word_allowed(struct judging *j, const struct pr_ns *ns, const char *word)
{
	char name[SHOWN + 4];

	if (list_has(j->leaf, word))
		return PR_YES;
	if (ns->kind == PR_NS_NAMED && !pr_str_is(ns->text, word))
		return judge_no(
		    j, "%s is %s (%s)", ns->field, shown(ns->text, name), word);
	return judge_no(j, "%s is %s", ns->field,
	    ns->text.n > 0 ? shown(ns->text, name) : word);
}

/* What "unset" is called in the list of the key. */
static const char *
private_word(enum pr_profile_key key)
{
	return key == PR_KEY_NS_USER || key == PR_KEY_BUILD_NETWORK ? "default"
								    : "private";
}

/* A network by name or id: host, none and bridge are what they are. */
static enum pr_tri
named_network(struct judging *j, const struct pr_ns *ns)
{
	const struct pr_object *o = ref_object(j, ns->ref);
	char name[SHOWN + 4];

	if (o == NULL)
		return judge_cannot_tell(j, "%s: network %s is not known",
		    ns->field, shown(ns->text, name));
	/* a connect to an id that is not there is a certain 404 */
	if (o->presence == PR_ABSENT && j->spec->body != PR_SPEC_CONNECT)
		return judge_no(j, "%s: there is no network %s", ns->field,
		    shown(ns->text, name));
	if (o->presence == PR_ABSENT || !o->builtin)
		return word_allowed(j, ns, "own");
	if (pr_str_is(o->name, "host"))
		return word_allowed(j, ns, "host");
	if (pr_str_is(o->name, "none"))
		return word_allowed(j, ns, "none");
	if (pr_str_is(o->name, "bridge"))
		return word_allowed(j, ns, private_word(j->key));
	return judge_cannot_tell(
	    j, "%s: network %s is not known", ns->field, shown(ns->text, name));
}

static const struct pr_json *
member(const struct pr_json *object, const char *key)
{
	return object != NULL && object->type == PR_JSON_OBJECT
	    ? pr_json_get(object, pr_str_of(key))
	    : NULL;
}

/* Which field of the container that is joined says what its own is. */
static const char *
mode_field(enum pr_profile_key key)
{
	return key == PR_KEY_NS_PID ? "PidMode"
	    : key == PR_KEY_NS_IPC  ? "IpcMode"
				    : "NetworkMode";
}

/*
 * "container:x": what x has there, the new container has, and x may be made by
 * somebody with more power (semantics 9.26).
 */
static enum pr_tri
joined(struct judging *j, const struct pr_ns *ns)
{
	const struct pr_object *o = ref_object(j, ns->ref);
	const struct pr_json *mode, *networks;
	enum pr_tri answer = word_allowed(j, ns, "container:own");

	if (answer != PR_YES || o == NULL || o->presence == PR_ABSENT)
		return answer; /* the scope says what is wrong with it */
	mode = member(member(o->inspect, "HostConfig"), mode_field(j->key));
	networks = member(member(o->inspect, "NetworkSettings"), "Networks");
	if (o->inspect == NULL ||
	    (mode != NULL && mode->type != PR_JSON_STRING))
		return judge_cannot_tell(j,
		    "%s: what that container has itself is not known",
		    ns->field);
	if (mode != NULL && pr_str_starts(mode->str, "container:"))
		return judge_no(j,
		    "%s is of a container that has it from another", ns->field);
	if (((mode != NULL && pr_str_is(mode->str, "host")) ||
		(j->key != PR_KEY_NS_PID && j->key != PR_KEY_NS_IPC &&
		    member(networks, "host") != NULL)) &&
	    !list_has(j->leaf, "host"))
		return judge_no(
		    j, "%s is of a container that has the host's", ns->field);
	return PR_YES;
}

static enum pr_tri
judge_ns(struct judging *j, const struct pr_ns *ns)
{
	char name[SHOWN + 4];

	switch (ns->kind) {
	case PR_NS_PRIVATE:
		return word_allowed(j, ns, private_word(j->key));
	case PR_NS_NONE:
		return word_allowed(j, ns, "none");
	case PR_NS_HOST:
		return word_allowed(j, ns, "host");
	case PR_NS_SHAREABLE:
		return word_allowed(j, ns, "shareable");
	case PR_NS_CONTAINER:
		return joined(j, ns);
	case PR_NS_NAMED:
		return named_network(j, ns);
	case PR_NS_INVALID:
		break;
	}
	return judge_no(
	    j, "%s is %s, which is no mode", ns->field, shown(ns->text, name));
}

enum pr_tri
judge_endpoints(struct judging *j)
{
	enum pr_tri all = PR_YES;

	for (size_t i = 0; i < j->spec->n_endpoints && all != PR_NO; i++) {
		const struct pr_ns *ns = &j->spec->endpoints[i].network;
		enum pr_tri t;

		/* "container:x" is no network: no engine takes it here */
		t = ns->kind == PR_NS_CONTAINER
		    ? judge_no(j, "%s is no network", ns->field)
		    : judge_ns(j, ns);
		all = t == PR_YES ? all : t;
	}
	return all;
}

enum pr_tri
judge_network(struct judging *j)
{
	enum pr_tri mode = judge_ns(j, &j->spec->network), t;

	if (mode == PR_NO)
		return PR_NO;
	t = judge_endpoints(j);
	return t == PR_YES ? mode : t;
}

/* A build has its network as a container has one. */
enum pr_tri
judge_build_network(struct judging *j)
{
	return judge_ns(j, &j->spec->network);
}

/*
 * Only networks of the whole swarm can be a service's.  This host's answer
 * for a name may be about a network of its own, which hides the swarm's.
 */
static enum pr_tri
of_the_swarm(struct judging *j, const struct pr_ns *ns)
{
	const struct pr_object *o = ref_object(j, ns->ref);
	const struct pr_json *scope;

	/* the engine takes the name of such a network for a mode */
	if (ns->kind == PR_NS_NAMED && o != NULL && !o->builtin &&
	    member(o->labels, "com.docker.swarm.predefined") != NULL)
		return judge_no(j, "%s says that it is predefined", ns->field);
	if (ns->kind != PR_NS_NAMED || o == NULL || o->presence != PR_PRESENT ||
	    o->builtin)
		return PR_YES; /* or judged by judge_endpoints */
	scope = member(o->inspect, "Scope");
	if (scope == NULL || scope->type != PR_JSON_STRING)
		return judge_cannot_tell(
		    j, "%s: the network's scope is not known", ns->field);
	return pr_str_is(scope->str, "swarm")
	    ? PR_YES
	    : judge_no(j, "%s is no network of the swarm", ns->field);
}

/* A service without networks is on the bridge of the node. */
enum pr_tri
judge_service_network(struct judging *j)
{
	enum pr_tri all = PR_YES;

	if (j->spec->n_endpoints == 0)
		return list_has(j->leaf, "private")
		    ? PR_YES
		    : judge_no(j, "TaskTemplate.Networks is empty");
	for (size_t i = 0; i < j->spec->n_endpoints && all != PR_NO; i++) {
		enum pr_tri t = of_the_swarm(j, &j->spec->endpoints[i].network);

		all = t == PR_YES ? all : t;
	}
	if (all == PR_NO)
		return PR_NO;
	if (all == PR_CANNOT_TELL) {
		char text[200];

		memcpy(text, j->text, j->len < 200 ? j->len : 200);
		if (judge_endpoints(j) == PR_NO)
			return PR_NO;
		memcpy(j->text, text, j->len < 200 ? j->len : 200);
		return PR_CANNOT_TELL;
	}
	return judge_endpoints(j);
}

/* A network that is made: its driver, and what the driver is told. */
enum pr_tri
judge_net_drivers(struct judging *j)
{
	return default_or_listed(
	    j, j->spec->net_driver, PR_STR("bridge"), "Driver");
}

enum pr_tri
judge_ipam_drivers(struct judging *j)
{
	return default_or_listed(
	    j, j->spec->ipam_driver, PR_STR("default"), "IPAM.Driver");
}

enum pr_tri
judge_net_options(struct judging *j)
{
	const struct pr_kvs maps[] = {
	    j->spec->net_options, j->spec->ipam_options};
	char name[SHOWN + 4];

	for (size_t m = 0; m < PR_COUNT(maps); m++) {
		for (size_t i = 0; i < maps[m].n; i++) {
			const struct pr_kv *o = &maps[m].v[i];

			if (!option_allowed(j, o->key, o->value))
				return judge_no(j, "%s has %s",
				    m == 0 ? "Options" : "IPAM.Options",
				    shown(o->key, name));
		}
	}
	return PR_YES;
}

enum pr_tri
judge_pid(struct judging *j)
{
	return judge_ns(j, &j->spec->pid);
}

enum pr_tri
judge_ipc(struct judging *j)
{
	return judge_ns(j, &j->spec->ipc);
}

enum pr_tri
judge_uts(struct judging *j)
{
	return judge_ns(j, &j->spec->uts);
}

enum pr_tri
judge_userns(struct judging *j)
{
	return judge_ns(j, &j->spec->userns);
}

enum pr_tri
judge_cgroupns(struct judging *j)
{
	/* a stored spec shows what the daemon filled in (semantics 5.6) */
	if (!j->spec->stored || j->spec->privileged ||
	    !list_has(j->leaf, "private"))
		return judge_ns(j, &j->spec->cgroupns);
	if (j->env->default_cgroupns.n > 0 &&
	    pr_str_eq(j->spec->cgroupns.text, j->env->default_cgroupns))
		return PR_YES;
	if (j->env->daemon_unknown &&
	    pr_str_is(j->spec->cgroupns.text, "host") &&
	    !list_has(j->leaf, "host"))
		return judge_cannot_tell(j,
		    "HostConfig.CgroupnsMode: the daemon has not told its "
		    "default yet");
	return judge_ns(j, &j->spec->cgroupns);
}

enum pr_tri
judge_links(struct judging *j)
{
	if (!j->spec->links || !pr_str_is(j->leaf->word, "none"))
		return PR_YES;
	return judge_no(j, "links to other containers are set");
}

enum pr_tri
judge_static_ip(struct judging *j)
{
	bool fixed = j->spec->static_mac && !j->spec->stored;

	for (size_t i = 0; i < j->spec->n_endpoints; i++)
		fixed = fixed || j->spec->endpoints[i].static_ip;
	if (!fixed || j->leaf->b)
		return PR_YES;
	return judge_no(j, "an address is fixed");
}

enum pr_tri
judge_driver_opts(struct judging *j)
{
	for (size_t i = 0; i < j->spec->n_endpoints; i++) {
		if (keys_allowed(j, j->spec->endpoints[i].driver_opts,
			"DriverOpts of an endpoint") == PR_NO)
			return PR_NO;
	}
	return PR_YES;
}

struct address {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	bool v4;
};

/* net.ParseIP of Go: no zone, no leading zeros, mapped IPv4 is IPv4. */
static bool
parse_ip(struct pr_str s, struct address *out)
{
	static const uint8_t mapped[12] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	char text[INET6_ADDRSTRLEN + 1];
	struct in_addr v4;

	if (s.n == 0 || s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (strlen(text) != s.n)
		return false;
	if (inet_pton(AF_INET, text, &v4) == 1) {
		memcpy(out->bytes, mapped, sizeof mapped);
		memcpy(out->bytes + 12, &v4, 4);
		out->v4 = true;
		return true;
	}
	if (inet_pton(AF_INET6, text, out->bytes) != 1)
		return false;
	out->v4 = memcmp(out->bytes, mapped, sizeof mapped) == 0;
	return true;
}

static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* An entry of ports.bind: an address or a CIDR. */
static bool
entry_covers(struct pr_str entry, const struct address *ip)
{
	struct pr_str prefix = entry, text = pr_str_cut(&prefix, '/');
	struct address net;
	uint64_t bits = 128;

	if (!parse_ip(text, &net) || net.v4 != ip->v4)
		return false;
	if (prefix.p != NULL) {
		if (!pr_str_u64(prefix, &bits) || bits > (net.v4 ? 32 : 128))
			return false;
		bits += net.v4 ? 96 : 0;
	}
	return same_bits(net.bytes, ip->bytes, (unsigned)bits);
}

static bool
ip_allowed(const struct judging *j, const char *text)
{
	struct address ip;

	if (!parse_ip(pr_str_of(text), &ip))
		return false;
	for (size_t i = 0; i < j->leaf->list.n; i++) {
		if (entry_covers(j->leaf->list.v[i], &ip))
			return true;
	}
	return false;
}

static bool
host_ip_allowed(const struct judging *j, struct pr_str s)
{
	struct address ip;

	/* what dockerd cannot parse it takes for "" */
	if (s.n == 0 || !parse_ip(s, &ip))
		return ip_allowed(j, "0.0.0.0") && ip_allowed(j, "::");
	for (size_t i = 0; i < j->leaf->list.n; i++) {
		if (entry_covers(j->leaf->list.v[i], &ip))
			return true;
	}
	return false;
}

enum pr_tri
judge_ports_bind(struct judging *j)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->n_ports; i++) {
		const struct pr_port *p = &j->spec->ports[i];

		if (!host_ip_allowed(j, p->ip))
			return judge_no(j, "%s publishes on %s", p->field,
			    p->ip.n > 0 ? shown(p->ip, name) : "all addresses");
	}
	return PR_YES;
}

/* strconv.ParseUint: digits only; leading zeros are nothing special. */
static bool
parse_port(struct pr_str s, int64_t *out)
{
	int64_t v = 0;

	if (s.n == 0 || s.n > 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
		if (v > 65535)
			return false;
	}
	*out = v;
	return true;
}

static bool
port_in_range(const struct pr_leaf *leaf, struct pr_str s)
{
	const struct pr_range *r;
	struct pr_str last = s, first;
	int64_t lo, hi;

	if (!leaf->made || leaf->n_ranges == 0)
		return false;
	r = &leaf->ranges[0];
	if (s.n == 0) /* an ephemeral port, if any may be published */
		return r->lo <= r->hi;
	first = pr_str_cut(&last, '-');
	if (!parse_port(first, &lo))
		return false;
	hi = lo;
	if (last.p != NULL && !parse_port(last, &hi))
		return false;
	return lo > 0 && lo <= hi && lo >= r->lo && hi <= r->hi;
}

enum pr_tri
judge_ports_range(struct judging *j)
{
	char name[SHOWN + 4];

	for (size_t i = 0; i < j->spec->n_ports; i++) {
		const struct pr_port *p = &j->spec->ports[i];

		if (port_in_range(j->leaf, p->port))
			continue;
		if (!j->leaf->made)
			return judge_no(j,
			    "%s publishes a port, no range is given", p->field);
		return judge_no(j, "%s publishes port %s", p->field,
		    p->port.n > 0 ? shown(p->port, name) : "(any)");
	}
	return PR_YES;
}

/* "22/tcp": what is behind the port, whatever it is outside. */
enum pr_tri
judge_ports_container(struct judging *j)
{
	for (size_t i = 0; i < j->spec->n_ports; i++) {
		const struct pr_port *p = &j->spec->ports[i];
		struct pr_str rest = p->inside, port = pr_str_cut(&rest, '/');

		if (port.n == 0 || !port_in_range(j->leaf, port))
			return judge_no(j, "%s is published", p->field);
	}
	return PR_YES;
}

enum pr_tri
judge_publish_all(struct judging *j)
{
	if (!j->spec->publish_all || j->leaf->b)
		return PR_YES;
	return judge_no(j, "HostConfig.PublishAllPorts is true");
}
