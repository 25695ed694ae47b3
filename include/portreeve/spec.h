/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective spec: one normalised model of what a workload would really
 * get, whatever the spelling (DESIGN 7).  Filled from a body by an extractor
 * (policy/api/extract_*.c), from a container's stored spec by
 * pr_spec_of_container; judged by pr_profile_judge.
 *
 * An extractor names every object that the request touches as a reference;
 * whoever drives it resolves them (inventory) before the spec is judged.
 */
#ifndef PR_SPEC_H
#define PR_SPEC_H

#include <portreeve/facts.h>
#include <portreeve/policy.h>
#include <portreeve/request.h>

/* Why a request touches an object. */
enum pr_ref_role {
	PR_REF_TARGET = 0,   /* the object that the path names */
	PR_REF_CONTAINER_OF, /* the container of an exec */
	PR_REF_NETWORK,      /* NetworkMode, EndpointsConfig */
	PR_REF_NAMESPACE,    /* container:x of network, pid, ipc */
	PR_REF_VOLUMES_FROM,
	PR_REF_LINK,
	PR_REF_VOLUME, /* a named volume; absent: the request makes it */
	PR_REF_IMAGE,  /* facts about the image that is run */
	PR_REF_MOUNT_IMAGE,
	PR_REF_NEW_NAME, /* a name that the request gives: reserved, must not be hex (semantics 6.3) */
	PR_REF_ARGUMENT, /* another object named in body or query (secrets, configs, connect's container) */
};

struct pr_ref {
	enum pr_kind kind;
	enum pr_ref_role role;
	struct pr_str name; /* as the request spells it, decoded */
	const char
	    *field; /* "HostConfig.NetworkMode"; static or in the arena */
	const struct pr_object *
	    object; /* filled by who resolves; NULL: not resolved = cannot tell */
	bool lazy; /* facts that only some profiles ask for */
};

struct pr_bind_source {     /* a host path that inventory must look at */
	struct pr_str path; /* absolute, cleaned lexically as dockerd does */
	bool writes;
	bool of_volume; /* in a volume's options: mounts.protected alone */
	const struct pr_path_fact *fact; /* NULL: cannot tell */
};

/* Where a value stands: "HostConfig.Binds[2]"; static or in the arena. */
typedef const char *pr_field;

struct pr_kv {
	struct pr_str key, value;
};
struct pr_kvs {
	const struct pr_kv *v;
	size_t n;
};

enum pr_ns_kind {
	PR_NS_PRIVATE = 0, /* unset, or what unset means */
	PR_NS_NONE,
	PR_NS_HOST,
	PR_NS_SHAREABLE,
	PR_NS_CONTAINER, /* of another container: ref */
	PR_NS_NAMED,     /* a network: ref */
	PR_NS_INVALID,   /* no engine takes it */
};

struct pr_ns {
	enum pr_ns_kind kind;
	pr_field field;
	struct pr_str text; /* as written */
	int ref;            /* index in refs, or -1 */
};

enum pr_mount_type {
	PR_MOUNT_BIND = 0,
	PR_MOUNT_VOLUME,
	PR_MOUNT_TMPFS,
	PR_MOUNT_IMAGE,
	PR_MOUNT_OTHER, /* denied: semantics 5.3 */
};

struct pr_mount {
	enum pr_mount_type type;
	pr_field field;
	struct pr_str
	    source; /* bind: cleaned path; volume: name, empty if anonymous; image: name */
	bool read_only;
	bool shallow;              /* NonRecursive or ReadOnlyNonRecursive */
	bool relabel;              /* z or Z */
	bool has_template;         /* "{{" as written, before it was cleaned */
	struct pr_str propagation; /* empty: unset */
	struct pr_str driver;      /* volume: empty: unset */
	struct pr_kvs options;     /* volume driver options; tmpfs options */
	struct pr_kvs labels;      /* of the volume that the request makes */
	int ref;                   /* volume, image: index in refs, or -1 */
	int bind;                  /* bind: index in binds */
	struct pr_str type_text;   /* OTHER: as written */
};

struct pr_endpoint { /* of NetworkingConfig.EndpointsConfig */
	struct pr_ns network;
	bool static_ip; /* an address or a MAC address is fixed */
	struct pr_kvs driver_opts;
};

struct pr_port {
	pr_field field;
	struct pr_str ip, port; /* as written */
	struct pr_str inside;   /* "80/tcp": what is published */
};

struct pr_ulimit {
	struct pr_str name;
	int64_t soft, hard;
};

struct pr_device {
	struct pr_str host, inside, permissions;
};

struct pr_device_ask { /* HostConfig.DeviceRequests */
	struct pr_str driver;
	int64_t count;
	struct pr_strs capabilities; /* all of them, flattened */
	bool ids;                    /* DeviceIDs or Options are given */
};

enum pr_image_act {
	PR_IMAGE_PULLED = 0, /* images.allow */
	PR_IMAGE_WRITTEN,    /* images.write: given to content */
	PR_IMAGE_PUSHED,     /* images.push */
};

struct pr_image_name {
	enum pr_image_act act;
	pr_field field;
	struct pr_str text; /* spelt out: "docker.io/library/alpine:3" */
	bool all_tags;      /* pull, push: neither tag nor digest is given */
};

/*
 * Bodies that profile keys are asked of: X(id, letter in profile_keys.def,
 * word for people, what).
 */
/* clang-format off */
#define PR_SPEC_BODIES(X) \
	X(CONTAINER, 'c', "container", "a container that is created, and the stored spec of one that is there (start, restart, unpause, exec, attach, copy, commit, update, rename)") \
	X(UPDATE,    'u', "update",    "an update of a container: its limits as they would be") \
	X(EXEC,      'x', "exec",      "exec create and start") \
	X(IMAGE,     'i', "image",     "image pull, tag, push, remove, import, load") \
	X(COMMIT,    'm', "commit",    "commit of a container to an image") \
	X(VOLUME,    'v', "volume",    "a volume that is created") \
	X(NETWORK,   'n', "network",   "a network that is created") \
	X(CONNECT,   'k', "connect",   "a container that is connected to a network") \
	X(BUILD,     'b', "build",     "a build's query") \
	X(SESSION,   'g', "session",   "BuildKit's session and gRPC: nothing of them is seen") \
	X(SERVICE,   's', "service",   "service create, update and rollback") \
	X(PLAIN,     'p', "cluster",   "secrets, configs, swarm, nodes, plugins: no power of its own")
/* clang-format on */
enum pr_spec_body {
	PR_SPEC_NOTHING = 0, /* no body, only references */
#define X(id, letter, word, text) PR_SPEC_##id,
	PR_SPEC_BODIES(X)
#undef X
	PR_SPEC_UNREAD, /* no extractor understands it: cannot tell */
	PR_SPEC_BODY_COUNT,
};

struct pr_spec {
	enum pr_spec_body body;
	const char *unread; /* UNREAD: why, for the user */
	bool stored;
	struct pr_ref *refs;
	size_t n_refs, cap_refs;
	struct pr_bind_source *binds;
	size_t n_binds, cap_binds;

	/* first field that no engine knows, and first that must be default */
	const char *unknown_field;
	const char *must_default;

	struct pr_kvs labels;
	struct pr_kvs task_labels; /* service: of its containers */
	struct pr_str service_name;
	bool installs_plugin; /* service: on the nodes of the swarm */
	/* service: its previous spec comes back (pr_spec_roll_back), if it is
	 * of this version still */
	bool rolls_back;
	uint64_t service_version;
	/* service: tasks may run where nothing can be looked up; put there by
	 * who resolves */
	bool elsewhere;
	struct pr_str user;
	bool user_given; /* exec: false means as the container */
	/* exec: the user of its container, put there by who resolves */
	struct pr_str container_user;
	bool container_user_known;
	struct pr_strs env;
	bool privileged;

	struct pr_str image; /* as written */
	int image_ref;       /* index in refs, or -1 */
	/* stored: 1 + index in refs of the image that the container has, by
	 * its id; 0: not known */
	size_t run_image;
	struct pr_image_name *names;
	size_t n_names, cap_names;
	bool names_unseen;      /* load: they lie in the tar */
	bool removes_image;     /* image: every name of it is taken away */
	struct pr_str from_src; /* import: a URL; empty: the body */
	struct pr_str remote;   /* build: a context that the daemon fetches */
	const char *opaque;     /* build: what takes it out of sight, or NULL */
	struct pr_kvs build_args;
	bool healthcheck, healthcheck_off;

	struct pr_ns network, pid, ipc, uts, userns, cgroupns;
	struct pr_endpoint *endpoints;
	size_t n_endpoints;
	bool static_mac; /* Config.MacAddress */

	/* of a network that is made */
	struct pr_str net_driver, ipam_driver;
	struct pr_kvs net_options, ipam_options;

	struct pr_mount *mounts;
	size_t n_mounts, cap_mounts;
	struct pr_str volume_driver;
	bool volumes_from;

	struct pr_strs cap_add, cap_drop; /* upper case, without CAP_ */
	struct pr_str seccomp, apparmor;  /* empty: unset */
	struct pr_strs selinux;           /* "disable", "type:x" */
	struct pr_strs security_options;  /* the others, as written */
	enum pr_tri no_new_privs;         /* NO: unset or false */
	bool masked_given,
	    readonly_given; /* MaskedPaths, ReadonlyPaths are not null */
	struct pr_strs masked_paths, readonly_paths;

	struct pr_device *devices;
	size_t n_devices;
	struct pr_device_ask *asks;
	size_t n_asks;
	struct pr_strs cgroup_rules;

	struct pr_kvs sysctls, annotations, storage_opt;
	struct pr_str runtime, cgroup_parent;
	bool oom_kill_disable;
	int64_t oom_score;
	struct pr_strs group_add;
	struct pr_str cpuset_cpus, cpuset_mems;
	bool realtime;
	bool blkio_weight, blkio_devices;

	bool links;
	struct pr_strs extra_hosts, dns; /* dns: servers, options, search */

	struct pr_str log_driver;
	struct pr_kvs log_opts;

	int64_t memory, swap, cpus, pids, shm,
	    cpu_shares; /* 0: unset; pids <= 0: unset */
	bool pids_given;
	bool cpus_by_quota; /* cpus is CpuQuota by CpuPeriod, not NanoCpus */
	struct pr_ulimit *ulimits;
	size_t n_ulimits;

	struct pr_port *ports;
	size_t n_ports;
	bool publish_all;

	struct pr_str restart;
	int64_t restart_max;
	bool read_only_rootfs;

	/* update: what the body gives, until pr_spec_update; then what the
	 * container's limits would be */
	const struct body_slots *update;
	bool updated;
};

struct pr_extract {
	struct pr_arena *arena;
	bool plugin; /* door: names cannot be rewritten to ids */
};

/*
 * The effective spec of a request that carries one.  Returns
 *   0  with *spec set (NULL if this operation carries nothing to judge),
 *  -1  refused: *why (AMBIGUOUS, BODY_NOT_VISIBLE, MUST_DEFAULT, ...).
 * For an operation whose body no extractor understands yet, *spec is one for
 * which pr_profile_judge says "cannot tell" for every profile but the
 * unrestricted one.
 */
int pr_spec_read(const struct pr_extract *x, const struct pr_request *rq,
    struct pr_spec **spec, struct pr_refusal *why) PR_NODISCARD;
/*
 * The stored spec of a container, from the daemon's inspect answer, for
 * semantics 3.7.  NULL: the answer is not understood (cannot tell).
 */
struct pr_spec *pr_spec_of_container(
    const struct pr_extract *x, const struct pr_json *inspect) PR_NODISCARD;

/*
 * Adds what `HostConfig.VolumesFrom` of a container brings along: the mounts
 * of the source, from its inspect answer.  Returns 0, or -1 if the answer is
 * not understood (cannot tell).
 */
int pr_spec_add_volumes_from(const struct pr_extract *x, struct pr_spec *s,
    const struct pr_json *inspect) PR_NODISCARD;
/*
 * Fills the spec of a service update that rolls back from the daemon's answer
 * about the service.  Returns 0, or -1: it is of another version, has no
 * previous spec, or is not understood (cannot tell).
 */
int pr_spec_roll_back(const struct pr_extract *x, struct pr_spec *s,
    const struct pr_json *inspect) PR_NODISCARD;
/*
 * Makes of an update's body what the container would have: fields that are
 * not given keep the stored value of `inspect` (semantics 5.4); NULL: there
 * is no container.  Returns 0, or -1 if the answer is not understood (cannot
 * tell).
 */
int pr_spec_update(const struct pr_extract *x, struct pr_spec *s,
    const struct pr_json *inspect) PR_NODISCARD;
/*
 * Adds the host paths in the options of volumes that are there, which the
 * mounts refer to: call when references are resolved.
 */
void pr_spec_add_volume_paths(const struct pr_extract *x, struct pr_spec *s);
/* The value of a label that the body sets: false if it does not set it. */
bool pr_spec_label(
    const struct pr_spec *s, struct pr_str key, struct pr_str *value);

/* What eval tells the judge of a profile about the request. */
struct pr_judge_env {
	struct pr_str team;  /* acting team: ${team} */
	struct pr_str user;  /* ${user} */
	struct pr_str phase; /* ${phase} */
	/* facts of the daemon for `default` (semantics 5.6) */
	struct pr_str default_runtime, default_log_driver;
	struct pr_str default_cgroupns; /* "host" on cgroup v1 */
	bool daemon_unknown; /* nobody has asked it yet: cannot tell */
	bool break_glass;    /* root has lifted the built-in guards */
};

struct pr_shortfall {       /* the first key that fails, or is undecided */
	enum pr_tri answer; /* NO or CANNOT_TELL */
	enum pr_profile_key key;
	bool names_key; /* else it was none of the keys */
	bool all_soft;  /* every key that fails is soft and none is undecided */
	bool stored;    /* it was the stored spec */
	bool
	    must_default; /* it was a field that must be default; key is none */
	char text
	    [200]; /* "HostConfig.Privileged is true, restricted.privileged wants false" */
};

/*
 * Is the key asked of such a body?  What has no body of its own is asked for
 * unknown_fields, for its query.
 */
bool pr_profile_key_asks(enum pr_profile_key key, enum pr_spec_body body);
/* "update"; NULL for NOTHING and UNREAD; static. */
const char *pr_spec_body_name(enum pr_spec_body body);
/* What it is, for people; static. */
const char *pr_spec_body_text(enum pr_spec_body body);
/* "container update": the bodies that a key is asked of, in buf. */
const char *pr_profile_key_bodies(
    enum pr_profile_key key, char *buf, size_t len);

/*
 * Judges a spec by a profile: every key in the table's order.  PR_YES: all
 * satisfied.  Else *why is the first key that fails (a failing key beats an
 * undecided one before it), and whether complain could soften it.
 * Pure: no I/O.  Never says YES for a spec that holds what it does not know.
 */
enum pr_tri pr_profile_judge(const struct pr_profile *profile,
    const struct pr_spec *spec, const struct pr_judge_env *env,
    struct pr_shortfall *why);

#endif /* PR_SPEC_H */
