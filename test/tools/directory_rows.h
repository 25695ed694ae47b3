/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One suite for every kind of directory: the people, and what is to be known
 * about them.  test_directory.c reads them from LDIF; directory_suite.c asks
 * a real slapd that holds the same file.
 */
#ifndef DIRECTORY_ROWS_H
#define DIRECTORY_ROWS_H

#include <stdio.h>
#include <string.h>

#include <portreeve/buf.h>
#include <portreeve/clock.h>
#include <portreeve/directory.h>

#define PEOPLE "ou=people,dc=acme,dc=com"
#define GROUPS "ou=groups,dc=acme,dc=com"

#define PERSON(uid, sn)                \
	"dn: uid=" uid "," PEOPLE "\n" \
	"objectClass: inetOrgPerson\ncn: " uid "\nsn: " sn "\n\n"
#define GROUP(cn, members) \
	"dn: cn=" cn "," GROUPS "\nobjectClass: groupOfNames\n" members "\n"
#define MEMBER(dn)      "member: " dn "\n"
#define LEVEL(n, below) GROUP("level" #n, MEMBER("cn=level" #below "," GROUPS))

static const char people_ldif[] =
    "version: 1\n"
    "# what ldapadd would take\n"
    "dn: dc=acme,dc=com\nobjectClass: dcObject\nobjectClass: organization\n"
    "o: Acme\n\n"
    "dn: " PEOPLE "\nobjectClass: organizationalUnit\n\n"
    "dn: " GROUPS "\nchangetype: add\nobjectClass: organizationalUnit\n\n"
    "dn: ou=elsewhere,dc=acme,dc=com\nobjectClass: organizationalUnit\n\n"
    "dn: ou=more," PEOPLE "\nobjectClass: organizationalUnit\n\n"
    "dn: cn=portreeve,dc=acme,dc=com\nobjectClass: organizationalRole\n"
    "objectClass: simpleSecurityObject\nuserPassword: sesame\n\n"
    /* folded, in base64, with a comment that is folded, too */
    "dn: uid=alice,ou=peo\n ple,dc=acme,\n dc=com\n"
    "objectClass: inetOrgPerson\n"
    "cn:: QWxpY2U=\n"
    "# this comment goes on\n and on\n"
    "sn:   A\nmail: alice@acme.com\nmail: alice@example.com\n\n"
    "dn: UID=Bob,OU=People,DC=Acme,DC=Com\r\n"
    "objectClass: inetOrgPerson\r\ncn: Bob\r\nsn: B\r\n"
    "mail: bob@acme.com\r\n\r\n" PERSON("carol",
	"C") "dn: cn=Smith\\, John," PEOPLE "\nobjectClass: inetOrgPerson\n"
	     "cn: Smith, John\nsn: Smith\nuid: jsmith\n\n"
	     "dn: cn=star," PEOPLE "\nobjectClass: inetOrgPerson\n"
	     "cn: star\nsn: S\nuid: a*b\n\n"
	     "dn: cn=paren," PEOPLE "\nobjectClass: inetOrgPerson\n"
	     "cn: paren\nsn: P\nuid: p(a)ren\\\n\n"
	     "dn:: dWlkPWrDvHJnZW4sb3U9cGVvcGxlLGRjPWFjbWUsZGM9Y29t\n"
	     "objectClass: inetOrgPerson\ncn: juergen\nsn: J\n\n"
	     "dn: cn=two names," PEOPLE "\nobjectClass: inetOrgPerson\n"
	     "cn: two names\nsn: T\nuid: eve\nuid: eva\nmail: "
	     "eve@acme.com\n\n" PERSON("twin",
		 "1") "dn: uid=twin,ou=more," PEOPLE "\n"
		      "objectClass: inetOrgPerson\ncn: twin\nsn: 2\n"
		      "mail: twin2@acme.com\n\n" PERSON("triplet",
			  "1") "dn: cn=t2,ou=more," PEOPLE
			       "\nobjectClass: inetOrgPerson\n"
			       "cn: t2\nsn: 2\nuid: TRIPLET\n\n"
			       "dn: cn=t3,ou=more," PEOPLE
			       "\nobjectClass: inetOrgPerson\n"
			       "cn: t3\nsn: 3\nuid: Triplet\n\n"
			       "dn: uid=outside,ou=elsewhere,dc=acme,dc=com\n"
			       "objectClass: inetOrgPerson\ncn: outside\nsn: "
			       "O\n\n"
			       "dn: uid=robot," PEOPLE
			       "\nobjectClass: account\n\n" /* no person */
    PERSON("deep", "D") PERSON("round", "R") GROUP(
	"payments", MEMBER("uid=alice," PEOPLE)) GROUP("oncall",
	MEMBER("UID=ALICE , OU=People, DC=acme,DC=com")
	    MEMBER("cn=Smith\\2C John," PEOPLE)
		MEMBER("cn=two names," PEOPLE)) GROUP("platform",
	MEMBER(
	    "uid=bob," PEOPLE)) "dn: cn=Ops\\, Night," GROUPS
				"\nobjectClass: groupOfNames\n"
				"cn: Ops, Night\nmember: "
				"uid=j\\C3\\BCrgen," PEOPLE "\n"
				"member: cn=star," PEOPLE
				"\n\n" GROUP("all-dev",
				    MEMBER("cn=payments," GROUPS)) GROUP("every"
									 "one",
				    MEMBER("cn=all-dev," GROUPS) MEMBER(
					"cn=platform," GROUPS)) "dn: "
								"cn=shadow,ou="
								"elsewhere,dc="
								"acme,dc=com\n"
								"objectClass: "
								"groupOfNames\n"
								"member: "
								"uid="
								"alice," PEOPLE
								"\n\n" GROUP(
								    "loop1",
								    MEMBER(
									"uid="
									"round"
									"," PEOPLE)
									MEMBER(
									    "cn"
									    "=l"
									    "oo"
									    "p3"
									    "," GROUPS)) GROUP("loop2",
								    MEMBER(
									"cn="
									"loop1"
									"," GROUPS)
									MEMBER(
									    "cn"
									    "=l"
									    "oo"
									    "p2"
									    "," GROUPS)) GROUP("loop3",
								    MEMBER(
									"cn="
									"loop2"
									"," GROUPS)) GROUP("level1",
								    MEMBER(
									"uid="
									"deep"
									"," PEOPLE)) LEVEL(2,
								    1) LEVEL(3,
								    2) LEVEL(4,
								    3) LEVEL(5,
								    4) LEVEL(6,
								    5) LEVEL(7,
								    6) LEVEL(8,
								    7) "dn: "
								       "cn="
								       "unique"
								       "," GROUPS
								       "\nobjec"
								       "tClass:"
								       " groupO"
								       "fUnique"
								       "Names\n"
								       "uniqueM"
								       "ember: "
								       "uid="
								       "alice"
								       "," PEOPLE
								       "\n\n"
								       "dn: "
								       "cn="
								       "posix"
								       "," GROUPS
								       "\nobjec"
								       "tClass:"
								       " posixG"
								       "roup\ng"
								       "idNumbe"
								       "r: 1\n"
								       "memberU"
								       "id: "
								       "alice\n"
								       "memberU"
								       "id: "
								       "jsmith"
								       "\n\n"
								       "dn: "
								       "cn="
								       "capital"
								       "s"
								       "," GROUPS
								       "\nobjec"
								       "tClass:"
								       " posixG"
								       "roup\n"
								       "gidNumb"
								       "er: "
								       "2\nmemb"
								       "erUid: "
								       "ALICE\n"
								       "memberU"
								       "id: "
								       "Bob\n"
								       "\n";

enum variant {
	DIRECT,
	MEMBEROF,
	EXPAND,
	FLAT,
	POSIX,
	UNIQUE,
	VARIANTS
};

static const struct {
	const char *name, *member, *filter;
	enum pr_directory_nested nested;
	unsigned depth;
} variants[VARIANTS] = {
    {"direct", "member", "(objectClass=groupOfNames)", PR_NESTED_NONE, 1},
    {"memberof", "member", "(objectClass=groupOfNames)", PR_NESTED_MEMBEROF, 1},
    {"expand", "member", "(objectClass=groupOfNames)", PR_NESTED_EXPAND, 5},
    {"flat", "member", "(&(objectClass=groupOfNames)(!(cn=oncall)))",
	PR_NESTED_EXPAND, 1},
    {"posix", "memberUid", "(objectClass=posixGroup)", PR_NESTED_NONE, 1},
    {"unique", "uniqueMember", "(objectClass=groupOfUniqueNames)",
	PR_NESTED_NONE, 1},
};

/*
 * want: the groups' names by order of DN, each followed by '|'; "?" several
 * entries; "-" no such user; "!" an error.
 */
static const struct row {
	enum variant variant;
	const char *name, *filter, *want;
} rows[] = {
    {DIRECT, "alice", "", "oncall|payments|"},
    {DIRECT, "ALICE", "", "oncall|payments|"},
    {DIRECT, "bob", "", "platform|"},
    {DIRECT, "carol", "", ""},
    {DIRECT, "jsmith", "", "oncall|"},
    {DIRECT, "j\303\274rgen", "", "Ops, Night|"},
    {DIRECT, "J\303\234RGEN", "", "Ops, Night|"},
    {DIRECT, "jurgen", "", "-"},
    {DIRECT, "a*b", "", "Ops, Night|"},
    {DIRECT, "axb", "", "-"},
    {DIRECT, "a*", "", "-"},
    {DIRECT, "*", "", "-"},
    {DIRECT, "p(a)ren\\", "", ""},
    {DIRECT, "p(a)ren", "", "-"},
    {DIRECT, "alice)(uid=*", "", "-"},
    {DIRECT, "*)(|(uid=alice", "", "-"},
    {DIRECT, "alice ", "", "-"},
    {DIRECT, " alice", "", "-"},
    {DIRECT, "al\302\255ice", "", "-"},    /* a soft hyphen, which maps away */
    {DIRECT, "\357\275\201lice", "", "-"}, /* a wide a */
    {DIRECT, "", "", "-"},
    {DIRECT, "\n", "", "-"},
    {DIRECT, "\377", "", "-"},
    {DIRECT, "nobody", "", "-"},
    {DIRECT, "robot", "", "-"},
    {DIRECT, "outside", "", "-"},
    {DIRECT, "twin", "", "?"},
    {DIRECT, "triplet", "", "?"},
    {DIRECT, "eve", "", "oncall|"},
    {DIRECT, "eva", "", "oncall|"},
    {DIRECT, "whoever", "(mail=alice@acme.com)", "oncall|payments|"},
    {DIRECT, "whoever", "(mail=ALICE@example.com)", "oncall|payments|"},
    {DIRECT, "whoever", "(mail=*@acme.com)", "?"},
    {DIRECT, "whoever", "(mail=nobody@acme.com)", "-"},
    {DIRECT, "whoever", "(mail=twin2@acme.com)", ""},
    {DIRECT, "whoever", "(mail=eve@acme.com)", "?"}, /* eve or eva? */
    {DIRECT, "whoever", "(&(mail=bob@*)(!(cn=carol)))", "platform|"},
    {DIRECT, "whoever", "(|(cn=alice)(cn=nobody))", "oncall|payments|"},
    {DIRECT, "whoever", "(cn=smith\\2c john)", "oncall|"},
    {DIRECT, "whoever", "(objectClass=account)", "-"},
    {DIRECT, "whoever", "(&(objectClass=person)(uid=bob))", "platform|"},
    {DIRECT, "whoever", "(mail=alice@acme.com", "!"},
    {DIRECT, "whoever", "(mail=alice@acme.com))(uid=*", "!"},
    {DIRECT, "whoever", "mail=alice@acme.com", "!"},
    {DIRECT, "round", "", "loop1|"},
    {MEMBEROF, "alice", "", "oncall|payments|"},
    {MEMBEROF, "jsmith", "", "oncall|"},
    {MEMBEROF, "carol", "", ""},
    {MEMBEROF, "a*b", "", "Ops, Night|"},
    {MEMBEROF, "deep", "", "level1|"},
    {MEMBEROF, "twin", "", "?"},
    {MEMBEROF, "whoever", "(mail=alice@acme.com)", "oncall|payments|"},
    {EXPAND, "alice", "", "all-dev|everyone|oncall|payments|"},
    {EXPAND, "bob", "", "everyone|platform|"},
    {EXPAND, "carol", "", ""},
    {EXPAND, "round", "", "loop1|loop2|loop3|"},
    {EXPAND, "deep", "", "level1|level2|level3|level4|level5|level6|"},
    {FLAT, "alice", "", "all-dev|payments|"},
    {FLAT, "deep", "", "level1|level2|"},
    {POSIX, "alice", "", "posix|"},
    {POSIX, "ALICE", "", "posix|"}, /* the entry's own name counts */
    {POSIX, "jsmith", "", "posix|"},
    {POSIX, "bob", "", "capitals|"},
    {POSIX, "carol", "", ""},
    {UNIQUE, "alice", "", "unique|"},
    {UNIQUE, "bob", "", ""},
};

/* Fills in what all variants share; the caller says where the data is. */
static inline void
variant_config(struct pr_directory_config *c, enum variant v)
{
	c->user.base.s = PEOPLE;
	c->user.filter.s = "(objectClass=inetOrgPerson)";
	c->group.base.s = GROUPS;
	c->group.filter.s = variants[v].filter;
	c->group.member.s = variants[v].member;
	c->group.nested = variants[v].nested;
	c->group.depth = variants[v].depth;
}

/* An answer as a row's `want`. */
static inline void
show_answer(struct pr_buf *b, int rc, const struct pr_membership *m)
{
	if (rc < 0)
		pr_buf_cstr(b, "!");
	else if (!m->found)
		pr_buf_cstr(b, m->ambiguous ? "?" : "-");
	for (size_t i = 0; rc == 0 && i < m->n_groups; i++) {
		pr_buf_str(b, m->groups[i].name);
		pr_buf_char(b, '|');
	}
	if (b->n == 0)
		pr_buf_cstr(b, "");
}

static inline bool
run_row(struct pr_directory *d, const struct row *r, struct pr_buf *got)
{
	struct pr_directory_answer a;
	struct pr_err *err = NULL;
	int rc = pr_directory_lookup(d, pr_str_of(r->name),
	    pr_str_of(r->filter), 0, pr_clock_now() + 10 * PR_SEC, &a, &err);
	bool ok;

	show_answer(got, rc, a.m);
	ok = strcmp(got->p, r->want) == 0;
	if (!ok && rc < 0)
		pr_buf_printf(got, " (%s)", pr_err_text(err));
	pr_membership_unref(a.m);
	pr_err_free(err);
	return ok;
}

/*
 * Names with every byte in every place: whatever is found is the one user
 * whose name was spelt out.  Returns how many were not so.
 */
static inline unsigned
try_all_bytes(struct pr_directory *d, unsigned *tried)
{
	static const char *const shapes[] = {"%", "ali%ce", "alice%", "%alice",
	    "%)(uid=*", "alice%)(cn=*", "a%b", "alice)%"};
	unsigned wrong = 0;

	*tried = 0;
	for (unsigned c = 0; c < 256; c++) {
		for (size_t i = 0; i < PR_COUNT(shapes); i++) {
			char name[40];
			size_t n = strlen(shapes[i]);
			struct pr_directory_answer a;
			struct pr_err *err = NULL;

			memcpy(name, shapes[i], n);
			*(char *)memchr(name, '%', n) = (char)c;
			if (pr_directory_lookup(d, (struct pr_str){name, n},
				PR_STR(""), 0, pr_clock_now() + 10 * PR_SEC, &a,
				&err) < 0)
				wrong++;
			else if (a.m->ambiguous ||
			    (a.m->found &&
				!pr_str_eq_nocase(
				    (struct pr_str){name, n}, a.m->user_name)))
				wrong++;
			(*tried)++;
			pr_membership_unref(a.m);
			pr_err_free(err);
		}
	}
	return wrong;
}

#endif /* DIRECTORY_ROWS_H */
