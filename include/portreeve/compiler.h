/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PR_COMPILER_H
#define PR_COMPILER_H

#define PR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define PR_NODISCARD         __attribute__((warn_unused_result))
#define PR_NORETURN          __attribute__((noreturn))
#define PR_CLEANUP(fn)       __attribute__((cleanup(fn)))
#define PR_UNUSED            __attribute__((unused))

/* Not zeroed by -ftrivial-auto-var-init; for what is written before read. */
#if __has_attribute(uninitialized)
#define PR_UNINITIALIZED __attribute__((uninitialized))
#else
#define PR_UNINITIALIZED
#endif

#define PR_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif /* PR_COMPILER_H */
