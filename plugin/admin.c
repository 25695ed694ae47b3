/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include <portreeve/buf.h>

#include "metrics.h"
#include "mhd_log.h"
#include "plugin.h"

#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json"

struct admin {
	struct plugin *plugin;
	struct MHD_Daemon *mhd;
};

struct reply {
	struct MHD_Connection *conn;
	struct pr_buf body;
	const char *type;
};

/* Each fills the body and returns the status. */

static unsigned
get_health(struct plugin *p, struct reply *r)
{
	(void)p;
	pr_buf_cstr(&r->body, "ok\n");
	return MHD_HTTP_OK;
}

static unsigned
get_ready(struct plugin *p, struct reply *r)
{
	PR_CLEANUP(pr_buf_fini) struct pr_buf checks = PR_BUF_INIT;
	bool ready = plugin_ready(p, &checks);
	bool verbose =
	    MHD_lookup_connection_value_n(r->conn, MHD_GET_ARGUMENT_KIND,
		"verbose", 7, NULL, NULL) == MHD_YES;

	if (verbose || !ready)
		pr_buf_str(&r->body, pr_buf_view(&checks));
	pr_buf_cstr(&r->body, ready ? "ready\n" : "not ready\n");
	return ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned
get_status(struct plugin *p, struct reply *r)
{
	r->type = JSON;
	plugin_status(p, &r->body);
	return MHD_HTTP_OK;
}

static unsigned
get_metrics(struct plugin *p, struct reply *r)
{
	r->type = METRICS_TYPE;
	metrics_print(p, &r->body);
	return MHD_HTTP_OK;
}

static unsigned
post_reload(struct plugin *p, struct reply *r)
{
	return plugin_reload(p, &r->body) == 0 ? MHD_HTTP_OK : 422;
}

static const struct endpoint {
	const char *method, *path;
	unsigned (*answer)(struct plugin *p, struct reply *r);
} endpoints[] = {
    {"GET", "/healthz", get_health},
    {"GET", "/readyz", get_ready},
    {"GET", "/status", get_status},
    {"GET", "/metrics", get_metrics},
    {"POST", "/reload", post_reload},
};

static unsigned
dispatch(
    struct plugin *p, const char *method, const char *path, struct reply *r)
{
	unsigned status = MHD_HTTP_NOT_FOUND;

	for (size_t i = 0; i < PR_COUNT(endpoints); i++) {
		if (strcmp(path, endpoints[i].path) != 0)
			continue;
		if (strcmp(method, endpoints[i].method) == 0)
			return endpoints[i].answer(p, r);
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	}
	pr_buf_cstr(&r->body, "no such endpoint\n");
	return status;
}

static enum MHD_Result
send_reply(struct reply *r, unsigned status)
{
	struct MHD_Response *response;
	enum MHD_Result rc;

	response = MHD_create_response_from_buffer(
	    r->body.n, r->body.p, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		pr_buf_fini(&r->body);
		return MHD_NO;
	}
	rc = MHD_add_response_header(
	    response, MHD_HTTP_HEADER_CONTENT_TYPE, r->type);
	if (rc == MHD_YES)
		rc = MHD_queue_response(r->conn, status, response);
	MHD_destroy_response(response);
	return rc;
}

/* MHD_AccessHandlerCallback; bodies are read and not looked at. */
static enum MHD_Result
on_call(void *cls, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **state)
{
	static int seen;
	struct admin *a = cls;
	struct reply r = {.conn = c, .body = PR_BUF_INIT, .type = TEXT};

	(void)version;
	(void)data;
	if (*state == NULL) {
		*state = &seen;
		return MHD_YES;
	}
	if (*n > 0) {
		*n = 0;
		return MHD_YES;
	}
	return send_reply(&r, dispatch(a->plugin, method, url, &r));
}

struct admin *
admin_start(struct plugin *p, struct listener *l, struct pr_err **err)
{
	struct admin *a = pr_xcalloc(1, sizeof *a);

	a->plugin = p;
	a->mhd = MHD_start_daemon(
	    MHD_USE_ERROR_LOG | MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0,
	    NULL, NULL, on_call, a, MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL,
	    MHD_OPTION_LISTEN_SOCKET, l->fd, MHD_OPTION_CONNECTION_LIMIT, 16U,
	    MHD_OPTION_CONNECTION_TIMEOUT, 30U, MHD_OPTION_END);
	if (a->mhd != NULL)
		return a;
	free(a);
	pr_err_set(err, PR_ERR_IO, 0, "cannot start the admin server");
	return NULL;
}

void
admin_stop(struct admin *a)
{
	if (a == NULL)
		return;
	/* so that the listener stays its owner's to close */
	(void)MHD_quiesce_daemon(a->mhd);
	MHD_stop_daemon(a->mhd);
	free(a);
}
