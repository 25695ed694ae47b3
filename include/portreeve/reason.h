/* SPDX-License-Identifier: Apache-2.0 */
/* The closed list of reason codes (docs/semantics.md 4) and the verdicts. */
#ifndef PR_REASON_H
#define PR_REASON_H

/* X(id, code): denials first, then what allows */
#define PR_REASONS(X)                                 \
	X(NONE, "none") /* not decided yet: denies */ \
	X(BAD_CALL, "bad-call")                       \
	X(AMBIGUOUS, "ambiguous-request")             \
	X(BODY_NOT_VISIBLE, "body-not-visible")       \
	X(UNKNOWN_OPERATION, "unknown-operation")     \
	X(UNSUPPORTED_VERSION, "unsupported-version") \
	X(UNMAPPED_IDENTITY, "unmapped-identity")     \
	X(DIRECTORY, "directory-unavailable")         \
	X(AUDIT, "audit-unavailable")                 \
	X(DEADLINE, "deadline")                       \
	X(BUSY, "busy")                               \
	X(GUARD, "guard")                             \
	X(ROLE_DENY, "role-deny")                     \
	X(FREEZE, "freeze")                           \
	X(PHASE_NOT_SERVED, "phase-not-served")       \
	X(NO_GRANT, "no-grant")                       \
	X(ROLE, "role")                               \
	X(PHASE, "phase")                             \
	X(OWNER, "owner")                             \
	X(PHASE_MISMATCH, "phase-mismatch")           \
	X(NO_SUCH_OBJECT, "no-such-object")           \
	X(NO_PROFILE, "no-profile")                   \
	X(QUOTA, "quota")                             \
	X(PROFILE, "profile")                         \
	X(STORED_SPEC, "stored-spec")                 \
	X(MUST_DEFAULT, "must-default")               \
	X(CANNOT_TELL, "cannot-tell")                 \
	X(GRANT, "grant")                             \
	X(PING, "builtin.ping")

enum pr_reason {
#define X(id, code) PR_REASON_##id,
	PR_REASONS(X)
#undef X
	PR_REASON_COUNT
};

/* The code as it stands in logs and messages; static. */
const char *pr_reason_code(enum pr_reason r);

/*
 * PR_DENY is 0, so zeroed memory denies.  PR_ALLOW is no small number, so
 * that a flipped bit or a stray 1 is not an allow; it is set in one place
 * (eval/decide.c) and tested with == only.
 */
enum pr_verdict {
	PR_DENY = 0,
	PR_ALLOW = 0x5a17c0de,
};

/* Three-valued answers; a zero is "no". */
enum pr_tri {
	PR_NO = 0,
	PR_YES = 1,
	PR_CANNOT_TELL = 2,
};

#endif /* PR_REASON_H */
