/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof.  Segments come in the order of their names; each header says
 * which file was before it, how many bytes of that count, and what is behind
 * them.  Every line of what counts must fit to the one before it.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <portreeve/audit_read.h>

#include "checkpoint.h"
#include "local.h"

#define ALL_BYTES UINT64_MAX

/* A checkpoint of the second sink. */
struct copy {
	uint64_t seq;
	char hash[PR_SHA256_HEX];
	char chain[PR_UUID_LEN];
};

/* What the header of a segment says. */
struct header {
	bool read;
	struct line_head head;
	char chain[PR_UUID_LEN];
	char file[SEGMENT_NAME]; /* "": the chain begins here */
	char state[16];
	uint64_t bytes, tail;
	char tail_hash[PR_SHA256_HEX];
	bool alone; /* no line after it */
};

struct proof {
	const char *dir;
	struct pr_log_report *r;
	const char *door;
	const struct pr_log_demand *demand;
	struct copy *copies; /* of this door, by number */
	size_t n_copies;
	bool text; /* look at what lines say, not only at the chain */
	char chain[PR_UUID_LEN];
	/* of the line before */
	bool any;
	uint64_t seq, offset;
	char hash[PR_SHA256_HEX];
	char file[SEGMENT_NAME];
};

static int broken(struct proof *p, const char *file, uint64_t seq,
    uint64_t offset, const char *fmt, ...) PR_PRINTF(5, 6);

/* Notes the first place where it breaks; returns -1. */
static int
broken(struct proof *p, const char *file, uint64_t seq, uint64_t offset,
    const char *fmt, ...)
{
	va_list ap;

	if (!p->r->intact)
		return -1;
	p->r->intact = false;
	(void)snprintf(p->r->file, sizeof p->r->file, "%s", file);
	p->r->seq = seq;
	p->r->offset = offset;
	va_start(ap, fmt);
	(void)vsnprintf(p->r->what, sizeof p->r->what, fmt, ap);
	va_end(ap);
	return -1;
}

static struct pr_log_stream *
open_segment(const struct proof *p, const char *name, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf path = PR_BUF_INIT;

	pr_buf_printf(&path, "%s/%s", p->dir, name);
	return pr_log_stream_open(path.p, err);
}

/* --- headers ------------------------------------------------------------- */

static bool
copy(char *to, size_t cap, const json_t *from)
{
	const char *s = json_string_value(from);

	if (s == NULL || strlen(s) >= cap)
		return false;
	memcpy(to, s, strlen(s) + 1);
	return true;
}

static bool
copy_u64(uint64_t *to, const json_t *from)
{
	if (!json_is_integer(from) || json_integer_value(from) < 0)
		return false;
	*to = (uint64_t)json_integer_value(from);
	return true;
}

static bool
read_previous(const json_t *v, struct header *h)
{
	const json_t *tail = json_object_get(v, "tail");

	if (json_is_null(v))
		return true;
	if (!copy(h->file, sizeof h->file, json_object_get(v, "file")) ||
	    !pr_log_is_segment(h->file, NULL) ||
	    !copy(h->state, sizeof h->state, json_object_get(v, "state")) ||
	    !copy_u64(&h->bytes, json_object_get(v, "bytes")))
		return false;
	return tail == NULL ||
	    (copy_u64(&h->tail, tail) &&
		copy(h->tail_hash, sizeof h->tail_hash,
		    json_object_get(v, "tail_sha256")));
}

static void
read_header(struct pr_str line, struct header *h)
{
	json_t *v;
	char format[32];

	if (!pr_line_read(line, &h->head) || h->head.type != LINE_SEGMENT ||
	    pr_log_line_fault(line) != NULL)
		return;
	v = json_loadb(
	    line.p, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	h->read = v != NULL &&
	    copy(format, sizeof format, json_object_get(v, "format")) &&
	    strcmp(format, "portreeve.decision/1") == 0 &&
	    copy(h->chain, sizeof h->chain, json_object_get(v, "chain")) &&
	    read_previous(json_object_get(v, "previous"), h);
	json_decref(v);
}

static int
load_header(const struct proof *p, const char *name, struct header *h,
    struct pr_err **err)
{
	struct pr_log_stream *s = open_segment(p, name, err);
	struct pr_str line;
	uint64_t offset;
	enum pr_log_got got;

	if (s == NULL)
		return -1;
	got = pr_log_stream_next(s, &line, &offset, err);
	if (got == PR_LOG_GOT_LINE) {
		read_header(line, h);
		got = pr_log_stream_next(s, &line, &offset, err);
		h->alone = got == PR_LOG_GOT_END;
	}
	pr_log_stream_free(s);
	return got == PR_LOG_GOT_ERROR ? -1 : 0;
}

/* --- lines --------------------------------------------------------------- */

static int
check_order(struct proof *p, const char *name, const struct line_head *h,
    uint64_t offset)
{
	if (h->seq != p->seq + 1)
		return broken(p, name, h->seq, offset,
		    "record %llu stands where %llu belongs: records were "
		    "removed, added or moved",
		    (unsigned long long)h->seq, (unsigned long long)p->seq + 1);
	if (strcmp(h->prev, p->hash) != 0)
		return broken(p, p->file, p->seq, p->offset,
		    "record %llu and the digest of it in record %llu differ: "
		    "one of the two was changed",
		    (unsigned long long)p->seq, (unsigned long long)h->seq);
	return 0;
}

/* ---- checkpoints ---- */

static bool
is_known_key(const struct proof *p, const char *text)
{
	char known[PR_PUBLIC_KEY_TEXT];

	for (size_t i = 0; i < p->demand->n_keys; i++) {
		pr_public_key_print(&p->demand->keys[i], known);
		if (strcmp(known, text) == 0)
			return true;
	}
	return p->demand->n_keys == 0;
}

/* Its digest is in p->hash already. */
static int
check_checkpoint(struct proof *p, const char *name, const struct line_head *h,
    struct pr_str line, uint64_t offset)
{
	struct checkpoint c = {.chain = ""};
	const char *fault = pr_checkpoint_read(line, &c);

	if (fault == NULL && strcmp(c.chain, p->chain) != 0)
		fault = "this checkpoint is of another chain";
	if (fault == NULL && !is_known_key(p, c.key))
		fault = "this checkpoint was signed by a key that is not among "
			"those that were given";
	if (fault != NULL)
		return broken(p, name, h->seq, offset, "%s", fault);
	p->r->checkpoints++;
	p->r->sealed.seq = h->seq;
	memcpy(p->r->sealed.hash, p->hash, sizeof p->hash);
	memcpy(p->r->sealed_key, c.key, sizeof c.key);
	return 0;
}

/* The second sink has seen a line of this number: is it this one? */
static int
check_copies(struct proof *p, const char *name, const struct line_head *h,
    uint64_t offset)
{
	for (size_t i = 0; i < p->n_copies; i++) {
		const struct copy *c = &p->copies[i];

		if (c->seq != h->seq || strcmp(c->chain, p->chain) != 0)
			continue;
		if (strcmp(c->hash, p->hash) != 0)
			return broken(p, name, h->seq, offset,
			    "record %llu is not the checkpoint that the second "
			    "sink has",
			    (unsigned long long)h->seq);
		p->r->copies++;
		return 0;
	}
	return 0;
}

/* Every copy is in the chain, but of what was moved away. */
static void
check_copies_seen(struct proof *p)
{
	uint64_t must = 0;
	const struct copy *last = NULL;

	for (size_t i = 0; i < p->n_copies; i++) {
		const struct copy *c = &p->copies[i];

		if (p->demand->partial && strcmp(c->chain, p->chain) == 0 &&
		    c->seq < p->r->first_seq)
			continue;
		must++;
		last = c;
	}
	if (must > p->r->copies)
		broken(p, p->file, p->seq, p->offset,
		    "the second sink has %llu checkpoints up to record %llu, "
		    "of which %llu are here: records were cut off or replaced",
		    (unsigned long long)must, (unsigned long long)last->seq,
		    (unsigned long long)p->r->copies);
}

static int
by_seq(const void *a, const void *b)
{
	const struct copy *x = a, *y = b;
	int c = strcmp(x->chain, y->chain);

	return c != 0 ? c : (x->seq > y->seq) - (x->seq < y->seq);
}

static bool
is_same(const struct copy *a, const struct copy *b)
{
	return a->seq == b->seq && strcmp(a->hash, b->hash) == 0 &&
	    strcmp(a->chain, b->chain) == 0;
}

/* Lines of the sink; what a syslog has put before them does not matter. */
static int
read_copies(struct proof *p, struct pr_err **err)
{
	struct pr_str rest = p->demand->copies;
	size_t cap = 0, n = 0;

	while (rest.p != NULL && rest.n > 0) {
		struct pr_str line = pr_str_cut(&rest, '\n');
		struct checkpoint c = {.chain = ""};
		uint8_t hash[PR_SHA256_LEN];
		struct line_head h;

		line = pr_str_sub(line, pr_str_find(line, '{'), line.n);
		if (line.n == 0)
			continue;
		if (!pr_line_read(line, &h) || h.type != LINE_CHECKPOINT ||
		    pr_checkpoint_read(line, &c) != NULL ||
		    !is_known_key(p, c.key))
			return pr_err_set(err, PR_ERR_INVALID, 0,
			    "the second sink has a line that is no good "
			    "checkpoint: %.*s",
			    PR_STRF(pr_str_sub(line, 0, 60)));
		if (strcmp(c.door, p->door) != 0)
			continue;
		p->copies = pr_grow(p->copies, n, &cap, sizeof *p->copies);
		pr_sha256(line.p, line.n, hash);
		p->copies[n].seq = h.seq;
		pr_hex(hash, sizeof hash, p->copies[n].hash);
		memcpy(p->copies[n++].chain, c.chain, sizeof c.chain);
	}
	if (n > 1)
		qsort(p->copies, n, sizeof *p->copies, by_seq);
	/* a copy that was sent twice is one */
	for (size_t i = 0; i < n; i++) {
		if (p->n_copies == 0 ||
		    !is_same(&p->copies[p->n_copies - 1], &p->copies[i]))
			p->copies[p->n_copies++] = p->copies[i];
	}
	return 0;
}

/* The line counts: it is what the next one must follow. */
static int
accept(struct proof *p, const char *name, const struct line_head *h,
    struct pr_str line, uint64_t offset)
{
	uint8_t hash[PR_SHA256_LEN];
	struct pr_log_report *r = p->r;
	const struct pr_log_head *head = p->demand->head;

	pr_sha256(line.p, line.n, hash);
	pr_hex(hash, sizeof hash, p->hash);
	p->any = true;
	p->seq = h->seq;
	p->offset = offset;
	(void)snprintf(p->file, sizeof p->file, "%s", name);
	r->lines++;
	r->decisions += h->type == LINE_DECISION;
	r->outcomes += h->type == LINE_OUTCOME;
	if (h->type == LINE_LOSS)
		pr_buf_printf(&r->notes,
		    "%s: offset %llu: record %llu tells of a loss: %.*s\n",
		    name, (unsigned long long)offset,
		    (unsigned long long)h->seq,
		    PR_STRF(pr_str_sub(line, h->len, line.n)));
	r->last.seq = h->seq;
	memcpy(r->last.hash, p->hash, sizeof r->last.hash);
	(void)snprintf(r->last_file, sizeof r->last_file, "%s", name);
	r->last_offset = offset;
	if (h->type == LINE_CHECKPOINT &&
	    (check_checkpoint(p, name, h, line, offset) != 0 ||
		check_copies(p, name, h, offset) != 0))
		return -1;
	if (head == NULL || head->seq != h->seq)
		return 0;
	if (strcmp(head->hash, p->hash) != 0)
		return broken(p, name, h->seq, offset,
		    "record %llu is not the one with the digest that was asked "
		    "for",
		    (unsigned long long)h->seq);
	r->head_seen = true;
	return 0;
}

static int
check_line(
    struct proof *p, const char *name, struct pr_str line, uint64_t offset)
{
	const char *fault = p->text ? pr_log_line_fault(line) : NULL;
	struct line_head h;

	if (fault != NULL || !pr_line_read(line, &h))
		return broken(p, name, p->seq + 1, offset, "%s",
		    fault != NULL ? fault : "this is no line of the log");
	if ((h.type == LINE_SEGMENT) != (offset == 0))
		return broken(p, name, h.seq, offset,
		    "a segment's header must be its first line, and only that");
	if (p->any && check_order(p, name, &h, offset) != 0)
		return -1;
	return accept(p, name, &h, line, offset);
}

/* --- what is behind the bytes that count ---------------------------------- */

static int
check_tail(struct proof *p, const char *name, const struct header *next,
    struct pr_str tail)
{
	uint8_t hash[PR_SHA256_LEN];
	char hex[PR_SHA256_HEX];

	if (strcmp(next->state, "closed") == 0 && tail.n == 0)
		return 0;
	if (strcmp(next->state, "abandoned") == 0) {
		if (tail.n > 0)
			pr_buf_printf(&p->r->notes,
			    "%s: offset %llu: %zu bytes do not count: the "
			    "writer gave the segment up after an error\n",
			    name, (unsigned long long)next->bytes, tail.n);
		return 0;
	}
	if (strcmp(next->state, "torn") == 0) {
		pr_sha256(tail.p, tail.n, hash);
		pr_hex(hash, sizeof hash, hex);
		if (tail.n == next->tail && strcmp(hex, next->tail_hash) == 0) {
			pr_buf_printf(&p->r->notes,
			    "%s: offset %llu: %zu bytes do not count: a crash "
			    "tore them\n",
			    name, (unsigned long long)next->bytes, tail.n);
			return 0;
		}
	}
	return broken(p, name, p->seq + 1, next->bytes,
	    "%s: the header of the next segment says otherwise",
	    strcmp(next->state, "damaged") == 0
		? "this segment was found damaged when the writer started"
		: "the bytes from here on were added or changed");
}

/* Reads the rest of a file into b: torn tails are short. */
static int
read_rest(struct proof *p, const char *name, uint64_t from, struct pr_buf *b,
    struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf path = PR_BUF_INIT;
	FILE *f;
	size_t n;

	pr_buf_printf(&path, "%s/%s", p->dir, name);
	f = fopen(path.p, "re");
	if (f == NULL || fseeko(f, (off_t)from, SEEK_SET) != 0) {
		if (f != NULL)
			fclose(f);
		return pr_err_set(
		    err, PR_ERR_IO, errno, "%s: %s", path.p, strerror(errno));
	}
	do {
		n = fread(pr_buf_reserve(b, 65536), 1, 65536, f);
		pr_buf_grew(b, n);
	} while (n > 0 && b->n < (size_t)1 << 30);
	fclose(f);
	return 0;
}

/* --- segments ------------------------------------------------------------ */

static uint64_t
file_size(const struct proof *p, const char *name)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf path = PR_BUF_INIT;
	struct stat st;

	pr_buf_printf(&path, "%s/%s", p->dir, name);
	return stat(path.p, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* The lines of [0, limit); 1: all of them fit, 0: broken, -1: unreadable. */
static int
check_lines(
    struct proof *p, const char *name, uint64_t limit, struct pr_err **err)
{
	struct pr_log_stream *s = open_segment(p, name, err);
	struct pr_str line;
	uint64_t offset = 0;
	enum pr_log_got got = PR_LOG_GOT_END;

	if (s == NULL)
		return -1;
	while (offset < limit &&
	    (got = pr_log_stream_next(s, &line, &offset, err)) ==
		PR_LOG_GOT_LINE &&
	    offset < limit) {
		if (check_line(p, name, line, offset) != 0)
			break;
		offset += line.n + 1;
	}
	if (p->r->intact && got == PR_LOG_GOT_TAIL && offset < limit) {
		if (limit != ALL_BYTES || line.n > PR_CAP_LOG_LINE ||
		    offset == 0)
			broken(p, name, p->seq + 1, offset,
			    "the rest of the segment is no line");
		else
			pr_buf_printf(&p->r->notes,
			    "%s: offset %llu: unsealed tail: %zu bytes that "
			    "are "
			    "no whole line (the writer died or is writing)\n",
			    name, (unsigned long long)offset, line.n);
	}
	pr_log_stream_free(s);
	if (got == PR_LOG_GOT_ERROR)
		return -1;
	if (p->r->intact && limit != ALL_BYTES && offset != limit)
		broken(p, name, p->seq + 1, offset,
		    "the segment ends here; %llu bytes of it were written",
		    (unsigned long long)limit);
	return p->r->intact;
}

static int
check_segment(struct proof *p, const char *name, const struct header *h,
    const struct header *next, struct pr_err **err)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf tail = PR_BUF_INIT;
	int rc;

	if (!h->read)
		return broken(p, name, p->seq + 1, 0,
			   "the first line is no header of a segment") +
		    1;
	if (strcmp(h->chain, p->chain) != 0)
		return broken(p, name, h->head.seq, 0,
			   "this segment is of another chain") +
		    1;
	p->r->segments++;
	rc = check_lines(p, name, next != NULL ? next->bytes : ALL_BYTES, err);
	if (rc != 1 || next == NULL)
		return rc;
	if (file_size(p, name) > next->bytes &&
	    read_rest(p, name, next->bytes, &tail, err) != 0)
		return -1;
	return check_tail(p, name, next, pr_buf_view(&tail)) == 0;
}

/*
 * A header without a line after it that nothing was chained to: its writer
 * could not make its name durable, nor remove it.
 */
static bool
orphan(const struct header *h, const struct header *next, const char *name)
{
	return h->read && next->read && h->alone &&
	    h->head.seq == next->head.seq && strcmp(next->file, name) != 0 &&
	    strcmp(next->file, h->file) == 0;
}

/* The place where the chain begins. */
static int
check_beginning(
    struct proof *p, const char *name, const struct header *h, bool partial)
{
	if (!h->read)
		return broken(
		    p, name, 1, 0, "the first line is no header of a segment");
	memcpy(p->chain, h->chain, sizeof p->chain);
	p->r->first_seq = h->head.seq;
	if (h->file[0] == '\0') {
		if (h->head.seq != 1 || strcmp(h->head.prev, CHAIN_ZERO) != 0)
			return broken(p, name, h->head.seq, 0,
			    "a chain begins with record 1");
		return 0;
	}
	if (!partial)
		return broken(p, name, h->head.seq, 0,
		    "the segment before it, %s, is not here", h->file);
	pr_buf_printf(&p->r->notes,
	    "%s: begins at record %llu; the segment before it, %s, is not "
	    "here\n",
	    name, (unsigned long long)h->head.seq, h->file);
	return 0;
}

static int
check_files(struct proof *p, const struct pr_log_files *f,
    const struct header *headers, bool partial, struct pr_err **err)
{
	for (size_t i = 0; i < f->n && p->r->intact; i++) {
		/* behind the last stands one that was not read */
		const struct header *next = headers + i + 1;

		if (orphan(headers + i, next, f->names[i])) {
			pr_buf_printf(&p->r->notes,
			    "%s: a header only; nothing was written after it\n",
			    f->names[i]);
			continue;
		}
		if (!p->any &&
		    check_beginning(p, f->names[i], headers + i, partial) != 0)
			return 0;
		if (next->read && strcmp(next->file, f->names[i]) != 0 &&
		    !(i + 2 < f->n &&
			orphan(next, headers + i + 2, f->names[i + 1])))
			return broken(p, f->names[i + 1], next->head.seq, 0,
				   "the segment before it is %s, which is not "
				   "here",
				   next->file[0] != '\0' ? next->file
							 : "none") +
			    1;
		/* an orphan's header tells the same of the file before it */
		if (check_segment(p, f->names[i], headers + i,
			next->read ? next : NULL, err) < 0)
			return -1;
	}
	return 0;
}

static int
prove(struct proof *p, const struct pr_log_files *f,
    const struct header *headers, struct pr_err **err)
{
	const struct pr_log_head *head = p->demand->head;
	int rc;

	*p->r = (struct pr_log_report){.intact = true};
	rc = check_files(p, f, headers, p->demand->partial, err);
	if (rc != 0 || !p->r->intact)
		return rc;
	if (head != NULL && !p->r->head_seen)
		broken(p, p->file, p->seq, p->offset,
		    "the log ends before record %llu, which was asked for",
		    (unsigned long long)head->seq);
	if (p->demand->n_keys > 0 && p->r->checkpoints == 0)
		broken(p, p->file, p->seq, p->offset,
		    "no record is a checkpoint of the key: whose log this is, "
		    "nothing proves");
	check_copies_seen(p);
	return 0;
}

int
pr_log_verify(const char *dir, const char *door, bool partial,
    const struct pr_log_head *head, struct pr_log_report *out,
    struct pr_err **err)
{
	const struct pr_log_demand demand = {.partial = partial, .head = head};

	return pr_log_prove(dir, door, &demand, out, err);
}

int
pr_log_prove(const char *dir, const char *door,
    const struct pr_log_demand *demand, struct pr_log_report *out,
    struct pr_err **err)
{
	PR_CLEANUP(pr_log_files_free) struct pr_log_files f = {0};
	struct proof p = {.dir = dir, .door = door, .r = out, .demand = demand};
	struct header *headers;
	int rc = 0;

	*out = (struct pr_log_report){.intact = true};
	if (pr_log_files(dir, door, &f, err) != 0)
		return -1;
	headers = pr_xcalloc(f.n + 1, sizeof *headers);
	for (size_t i = 0; i < f.n && rc == 0; i++)
		rc = load_header(&p, f.names[i], headers + i, err);
	if (rc == 0)
		rc = read_copies(&p, err);
	if (rc == 0)
		rc = prove(&p, &f, headers, err);
	if (rc == 0 && out->intact) {
		/* the chain holds: what is left is what its lines say */
		pr_log_report_fini(out);
		p = (struct proof){.dir = dir,
		    .door = door,
		    .r = out,
		    .demand = demand,
		    .copies = p.copies,
		    .n_copies = p.n_copies,
		    .text = true};
		rc = prove(&p, &f, headers, err);
	}
	free(p.copies);
	free(headers);
	return rc;
}

int
pr_log_limits(const char *dir, const struct pr_log_files *f, uint64_t *limits,
    struct pr_err **err)
{
	const struct proof p = {.dir = dir};
	struct header now = {0}, next;

	if (f->n > 0 && load_header(&p, f->names[0], &now, err) != 0)
		return -1;
	for (size_t i = 0; i < f->n; i++) {
		limits[i] = ALL_BYTES;
		if (i + 1 == f->n)
			break;
		next = (struct header){0};
		if (load_header(&p, f->names[i + 1], &next, err) != 0)
			return -1;
		if (next.read && strcmp(next.file, f->names[i]) == 0)
			limits[i] = next.bytes;
		else if (orphan(&now, &next, f->names[i]))
			limits[i] = 0;
		now = next;
	}
	return 0;
}

void
pr_log_report_fini(struct pr_log_report *r)
{
	pr_buf_fini(&r->notes);
}
