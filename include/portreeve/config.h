/* SPDX-License-Identifier: Apache-2.0 */
/*
 * portreeve.yaml: the configuration of all three programs (DESIGN 12), read
 * and checked like the policy.  Every mistake is reported with its place; an
 * unknown key is an error.  Relative paths are taken from the folder that
 * the file lies in.  Nothing is opened but the file itself: what is named in
 * it is read by whoever uses it.
 */
#ifndef PR_CONFIG_H
#define PR_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <portreeve/arena.h>
#include <portreeve/audit.h>
#include <portreeve/confine.h>
#include <portreeve/diag.h>
#include <portreeve/directory.h>
#include <portreeve/identity.h>
#include <portreeve/policy_signature.h>

#define PR_CONFIG_PATH "/etc/portreeve/portreeve.yaml"

/* A place where the proxy listens; NULL is a key that is not there. */
struct pr_config_listen {
	struct pr_loc loc;
	const char *name;    /* the source of the subjects that come this way */
	const char *address; /* "0.0.0.0:2376", or NULL */
	const char *unix_path; /* or NULL: exactly one of the two is there */
	unsigned mode;         /* of the unix socket; 0660 unless given */
	const struct pr_str *phases; /* that may come in here; none: all */
	size_t n_phases;
	struct {
		struct pr_loc loc;
		const char *cert, *key, *client_ca; /* always with address */
		const char *crl;                    /* or NULL */
	} tls;
};

/* Strings live in the arena; paths are absolute if the file's was. */
struct pr_config {
	const char *file; /* as it was named */

	struct {
		const char *name;   /* default: the short host name */
		const char *socket; /* default: /var/run/docker.sock */
	} daemon;

	const char *policy; /* default: /etc/portreeve/policy.d */
	struct pr_loc policy_loc;

	/* for pr_identity_compile, pr_identity_deny_file */
	const struct pr_identity_rule *identity;
	size_t n_identity;
	const char *identity_deny; /* a deny list of fingerprints, or NULL */
	struct pr_loc identity_deny_loc;

	/* type UNSET: no directory is configured */
	struct pr_directory_config directory;

	/* door is left NULL for the program to fill; daemon is daemon.name */
	struct pr_audit_config audit;

	const char *ledger;     /* default: /var/lib/portreeve/ledger.db */
	const char *promotions; /* file or folder, or NULL */

	struct {
		struct pr_loc loc;
		const char
		    *socket; /* default: /run/docker/plugins/portreeve.sock */
		uint64_t deadline;         /* ns; default 2 s; 100 ms to 60 s */
		const uint32_t *peer_uids; /* who may call; default: 0 alone */
		size_t n_peer_uids;
		bool accept_plain_tcp;   /* semantics 1.2 */
		bool accept_grpc_bypass; /* DESIGN 2 */
		unsigned workers;        /* 0: as many as fit the machine */
	} plugin;

	/* read and checked for the proxy */
	struct {
		const struct pr_config_listen *listen;
		size_t n_listen;
		const char *assertion_key;  /* or NULL */
		const char *admin;          /* its admin socket, or NULL */
		uint64_t deadline;          /* ns; of a decision; default 2 s */
		unsigned workers;           /* 0: as many as fit the machine */
		unsigned threads;           /* event loops; default 1 */
		struct {                    /* ns; 0: none */
			uint64_t handshake; /* default 10 s */
			uint64_t head;      /* first byte to last; 10 s */
			uint64_t body;      /* of a judged body; 60 s */
			uint64_t idle;      /* between requests; 5 min */
			uint64_t stall; /* nothing moves, answer due; 60 s */
			uint64_t total; /* of a request; 0 */
		} timeouts;
		unsigned max_connections;  /* default 20000 */
		unsigned max_per_subject;  /* connections; default 1000 */
		unsigned rate_per_subject; /* requests a second; 0: any */
	} proxy;

	const char *admin_socket; /* default: /run/portreeve/admin.sock */
	const char *break_glass;  /* default: /etc/portreeve/break-glass */

	struct pr_policy_signers policy_signature;
};

/*
 * Reads the file.  Returns 0 with *out filled (defaults where a key is not
 * given), or -1 if there was an error, reported into ds.  What a module
 * checks itself (pr_directory_check, pr_identity_compile) is left to it.
 */
int pr_config_load(const char *path, struct pr_arena *a, struct pr_config *out,
    struct pr_diags *ds) PR_NODISCARD;
/* The same from a text (tests, fuzzers); `path` stands for the file. */
int pr_config_parse(const char *path, struct pr_str text, struct pr_arena *a,
    struct pr_config *out, struct pr_diags *ds) PR_NODISCARD;

enum pr_config_use {
	PR_CONFIG_READ = 1, /* a file, or a folder of files */
	PR_CONFIG_MADE,     /* read; made if it is not there */
	PR_CONFIG_WRITE,    /* a file, with others made beside it */
	PR_CONFIG_FOLDER,   /* a folder of ours to write in */
	PR_CONFIG_SOCKET,
};

struct pr_config_file {
	const char *path;
	unsigned processes; /* enum pr_process: who uses it */
	enum pr_config_use use;
	unsigned forbidden; /* mode bits, as of pr_file_trusted */
};

/*
 * Every file and folder that the configuration names, itself too: what nobody
 * may mount, and what a confined process may reach.  *n of them; the list
 * lives in the arena.
 */
const struct pr_config_file *pr_config_files(
    const struct pr_config *c, struct pr_arena *a, size_t *n);

/*
 * Every key of the file, for manuals and tests: its path ("directory.tls.ca",
 * "proxy.listen[].name"), a word for its type, the words it takes ("a|b", or
 * NULL), and what it is.  In the order of the tables.
 */
void pr_config_keys(void (*row)(void *arg, const char *path, const char *type,
			const char *words, const char *text),
    void *arg);

#endif /* PR_CONFIG_H */
