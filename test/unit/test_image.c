/* SPDX-License-Identifier: Apache-2.0 */
/* Image references and the patterns of images.* (semantics 5.5, 5.9, 9.12). */
#include <string.h>

#include <portreeve/image.h>

#include "unit.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA "sha256:" HEX
#define X63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

static const struct {
	const char *text;
	enum pr_image_form form;
	const char *name, *tag, *digest;
} reads[] = {
    /* what is not said is docker.io/library */
    {"alpine", PR_IMAGE_NAME, "docker.io/library/alpine", "", ""},
    {"alpine:3.18", PR_IMAGE_NAME, "docker.io/library/alpine", "3.18", ""},
    {"acme/app", PR_IMAGE_NAME, "docker.io/acme/app", "", ""},
    {"docker.io/alpine", PR_IMAGE_NAME, "docker.io/library/alpine", "", ""},
    {"index.docker.io/library/alpine", PR_IMAGE_NAME,
	"docker.io/library/alpine", "", ""},
    {"index.docker.io/alpine", PR_IMAGE_NAME, "docker.io/library/alpine", "",
	""},
    {"library/alpine", PR_IMAGE_NAME, "docker.io/library/alpine", "", ""},
    /* a first part is a registry if it cannot be anything else */
    {"registry.acme.com/a/b:1", PR_IMAGE_NAME, "registry.acme.com/a/b", "1",
	""},
    {"localhost/a", PR_IMAGE_NAME, "localhost/a", "", ""},
    {"localhost:5000/a:x", PR_IMAGE_NAME, "localhost:5000/a", "x", ""},
    {"localhost:5000", PR_IMAGE_NAME, "docker.io/library/localhost", "5000",
	""},
    {"Acme/app", PR_IMAGE_NAME, "Acme/app", "", ""},
    {"Docker.io/alpine", PR_IMAGE_NAME, "Docker.io/alpine", "", ""},
    {"docker.io/library/x@" SHA, PR_IMAGE_NAME, "docker.io/library/x", "", SHA},
    {"x:1@" SHA, PR_IMAGE_NAME, "docker.io/library/x", "1", SHA},
    {"a__b/c-d--e/f.g", PR_IMAGE_NAME, "docker.io/a__b/c-d--e/f.g", "", ""},
    /* hex digits: a name, or the beginning of an id */
    {"cafe", PR_IMAGE_EITHER, "docker.io/library/cafe", "", ""},
    {"0123456789ab", PR_IMAGE_EITHER, "docker.io/library/0123456789ab", "", ""},
    {"cafe:latest", PR_IMAGE_NAME, "docker.io/library/cafe", "latest", ""},
    {"cafe/x", PR_IMAGE_NAME, "docker.io/cafe/x", "", ""},
    {HEX, PR_IMAGE_ID, "", "", ""},
    {SHA, PR_IMAGE_ID, "", "", ""},
    {"sha256:cafe", PR_IMAGE_ID, "", "", ""},
    {"sha512:" HEX HEX, PR_IMAGE_ID, "", "", ""},
    {"sha512:tag", PR_IMAGE_NAME, "docker.io/library/sha512", "tag", ""},
    {HEX "0", PR_IMAGE_EITHER, "docker.io/library/" HEX "0", "", ""},
    {X63 "/a", PR_IMAGE_NAME, "docker.io/" X63 "/a", "", ""},
    /* no references */
    {"", PR_IMAGE_INVALID, "", "", ""},
    {"Alpine", PR_IMAGE_INVALID, "", "", ""},
    {"a/B", PR_IMAGE_INVALID, "", "", ""},
    {"a//b", PR_IMAGE_INVALID, "", "", ""},
    {"/a", PR_IMAGE_INVALID, "", "", ""},
    {"a/", PR_IMAGE_INVALID, "", "", ""},
    {"a:", PR_IMAGE_INVALID, "", "", ""},
    {":tag", PR_IMAGE_INVALID, "", "", ""},
    {"a:-x", PR_IMAGE_INVALID, "", "", ""},
    {"a:b:c", PR_IMAGE_INVALID, "", "", ""},
    {"a@sha256:cafe", PR_IMAGE_INVALID, "", "", ""},
    {"a@sha512:" HEX HEX, PR_IMAGE_INVALID, "", "", ""},
    {"a@" SHA "@" SHA, PR_IMAGE_INVALID, "", "", ""},
    {"a b", PR_IMAGE_INVALID, "", "", ""},
    {"a\n", PR_IMAGE_INVALID, "", "", ""},
    {"caf\xc3\xa9", PR_IMAGE_INVALID, "", "", ""},
    {"../a", PR_IMAGE_INVALID, "", "", ""},
    {"a/../b", PR_IMAGE_INVALID, "", "", ""},
    {"a..b", PR_IMAGE_INVALID, "", "", ""},
    {"a___b", PR_IMAGE_INVALID, "", "", ""},
    {"-a", PR_IMAGE_INVALID, "", "", ""},
    {"a-", PR_IMAGE_INVALID, "", "", ""},
    {"https://acme.com/a", PR_IMAGE_INVALID, "", "", ""},
    {"[::1]:5000/a", PR_IMAGE_INVALID, "", "", ""},
    {"acme.com:/a", PR_IMAGE_INVALID, "", "", ""},
    {"acme.com:5x/a", PR_IMAGE_INVALID, "", "", ""},
    {"-acme.com/a", PR_IMAGE_INVALID, "", "", ""},
    {"*", PR_IMAGE_INVALID, "", "", ""},
};

START_TEST(reference)
{
	struct pr_arena *a = pr_arena_new(4096);
	struct pr_image i = pr_image_read(a, pr_str_of(reads[_i].text));

	ck_assert_msg(
	    i.form == reads[_i].form, "%s: form %d", reads[_i].text, i.form);
	ck_assert_msg(pr_str_is(i.name, reads[_i].name), "%s: name %.*s",
	    reads[_i].text, PR_STRF(i.name));
	ck_assert_msg(pr_str_is(i.tag, reads[_i].tag), "%s: tag %.*s",
	    reads[_i].text, PR_STRF(i.tag));
	ck_assert_msg(pr_str_is(i.digest, reads[_i].digest), "%s: digest %.*s",
	    reads[_i].text, PR_STRF(i.digest));
	pr_arena_free(a);
}
END_TEST

START_TEST(a_reference_with_a_nul_is_none)
{
	struct pr_arena *a = pr_arena_new(4096);

	ck_assert_int_eq(pr_image_read(a, (struct pr_str){"alpine\0x", 8}).form,
	    PR_IMAGE_INVALID);
	pr_arena_free(a);
}
END_TEST

START_TEST(a_reference_that_is_too_long_is_none)
{
	struct pr_arena *a = pr_arena_new(4096);
	char text[5000];

	memset(text, 'a', sizeof text);
	ck_assert_int_eq(
	    pr_image_read(a, (struct pr_str){text, 200}).form, PR_IMAGE_EITHER);
	ck_assert_int_eq(pr_image_read(a, (struct pr_str){text, 250}).form,
	    PR_IMAGE_INVALID);
	ck_assert_int_eq(pr_image_read(a, (struct pr_str){text, 5000}).form,
	    PR_IMAGE_INVALID);
	pr_arena_free(a);
}
END_TEST

static const struct {
	const char *pattern, *text;
	bool matches;
} patterns[] = {
    {"docker.io/library/alpine", "alpine", true},
    {"docker.io/library/alpine", "alpine:3", true},
    {"docker.io/library/alpine", "alpine@" SHA, true},
    {"docker.io/library/alpine", "index.docker.io/alpine", true},
    {"docker.io/library/alpine", "acme/alpine", false},
    {"docker.io/library/alpine", "docker.io.evil.com/library/alpine", false},
    /* both sides are spelt out */
    {"alpine", "alpine", false},
    /* '*' stays within a part, "**" does not */
    {"docker.io/library/*", "alpine", true},
    {"docker.io/library/*", "acme/alpine", false},
    {"docker.io/*", "alpine", false},
    {"docker.io/**", "alpine", true},
    {"registry.acme.com/**", "registry.acme.com/a/b/c", true},
    {"registry.acme.com/**", "registry.acme.com.evil/a", false},
    {"registry.acme.com/**", "evil/registry.acme.com/a", false},
    {"registry.acme.com/**", "registry.acme.com:5000/a", false},
    {"**", "acme/alpine:1", true},
    /* a tag in the pattern wants that tag and no digest */
    {"docker.io/library/alpine:3", "alpine:3", true},
    {"docker.io/library/alpine:3", "alpine", false},
    {"docker.io/library/alpine:3", "alpine:3@" SHA, false},
    {"docker.io/library/alpine:latest", "alpine", true},
    {"docker.io/library/alpine:3.*", "alpine:3.18", true},
    {"docker.io/library/alpine:*", "alpine:x", true},
    {"docker.io/library/alpine:*", "alpine:x@" SHA, false},
    /* a digest wants that digest, whatever the tag says */
    {"docker.io/library/alpine@" SHA, "alpine@" SHA, true},
    {"docker.io/library/alpine@" SHA, "alpine:3@" SHA, true},
    {"docker.io/library/alpine@" SHA, "alpine:3", false},
    {"docker.io/library/alpine@sha256:*", "alpine@" SHA, true},
    {"docker.io/library/alpine@sha256:*", "alpine", false},
    /* an id has no name to match; case counts */
    {"**", SHA, false},
    {"docker.io/library/*", "Acme/x", false},
};

START_TEST(pattern)
{
	struct pr_arena *a = pr_arena_new(4096);
	struct pr_image i = pr_image_read(a, pr_str_of(patterns[_i].text));

	ck_assert_msg(pr_image_match(pr_str_of(patterns[_i].pattern), &i) ==
		patterns[_i].matches,
	    "%s %s %s", patterns[_i].pattern,
	    patterns[_i].matches ? "should match" : "should not match",
	    patterns[_i].text);
	pr_arena_free(a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("image");
	TCase *t = tcase_create("image");

	tcase_add_loop_test(t, reference, 0, PR_COUNT(reads));
	tcase_add_loop_test(t, pattern, 0, PR_COUNT(patterns));
	tcase_add_test(t, a_reference_with_a_nul_is_none);
	tcase_add_test(t, a_reference_that_is_too_long_is_none);
	suite_add_tcase(s, t);
	return unit_run(s);
}
