/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request heads that some reader takes for something else than another, each
 * with the status that refuses it; 0: a good one.  From the smuggling
 * literature, the parsers of FACTS H, and RFC 9112.
 */
/* clang-format off */
#define L        "GET /_ping HTTP/1.1\r\n"
#define P        "POST /v1.41/containers/create HTTP/1.1\r\n"
#define H        "Host: docker\r\n"
#define CL       "Content-Length: 5\r\n"
#define TE       "Transfer-Encoding: chunked\r\n"
#define E        "\r\n"
#define HEAD(s)  s, sizeof(s) - 1

static const struct {
	const char *p;
	size_t n;
	int status;
} heads[] = {
    /* good ones */
    {HEAD(L H E), 0},
    {HEAD(P H CL E), 0},
    {HEAD(P H TE E), 0},
    {HEAD(P H "Transfer-Encoding: CHUNKED\r\n" E), 0},
    {HEAD(L "Host: 127.0.0.1:2376\r\n" E), 0},
    {HEAD(L "Host: [::1]:2376\r\n" E), 0},
    {HEAD(L "Host: %2Fvar%2Frun%2Fdocker.sock\r\n" E), 0},
    {HEAD(L H "Accept:\r\n" E), 0},
    {HEAD(L H "X:a\tb\r\n" E), 0},
    {HEAD(L H "X:\t a \t\r\n" E), 0},
    {HEAD(L H "Connection: keep-alive\r\n" E), 0},
    {HEAD(L H "Connection: close\r\n" E), 0},
    {HEAD(L H "Connection: Upgrade\r\nUpgrade: tcp\r\n" E), 0},
    {HEAD(L H "Connection: keep-alive, upgrade\r\nUpgrade: h2c\r\n" E), 0},
    {HEAD(P H CL "Expect: 100-Continue\r\n" E), 0},
    {HEAD("GET /a?b=%00 HTTP/1.1\r\n" H E), 0},
    {HEAD(L H "A: 1\r\nA: 2\r\n" E), 0},

    /* line ends */
    {HEAD("GET /_ping HTTP/1.1\n" H E), 400},
    {HEAD(L "Host: docker\n" E), 400},
    {HEAD(L H "\n"), 400},
    {HEAD("GET /_ping HTTP/1.1\r" H E), 400},
    {HEAD(L "Host: docker\r" E), 400},
    {HEAD(L "Host: docker\r\r\n" E), 400},
    {HEAD(L H "X: a\rb\r\n" E), 400},
    {HEAD(L H "X: a\rTransfer-Encoding: chunked\r\n" E), 400},
    {HEAD(L H "X: a\nTransfer-Encoding: chunked\r\n" E), 400},
    {HEAD("\r\n" L H E), 400},
    {HEAD("\n" L H E), 400},
    {HEAD("\r\n\r\n" L H E), 400},
    {HEAD(" " L H E), 400},
    {HEAD("\t" L H E), 400},
    {HEAD(L H "\r\r\n"), 400},
    {HEAD(L H "\n\r\n"), 400},

    /* folded lines */
    {HEAD(L H "X: a\r\n b\r\n" E), 400},
    {HEAD(L H "X: a\r\n\tb\r\n" E), 400},
    {HEAD(L " Host: docker\r\n" E), 400},
    {HEAD(L "\tHost: docker\r\n" E), 400},
    {HEAD(L " \r\n" H E), 400},
    {HEAD(P H "Transfer-Encoding:\r\n chunked\r\n" E), 400},
    {HEAD(P H "Content-Length:\r\n 5\r\n" E), 400},
    {HEAD(P H CL "\r\n Transfer-Encoding: chunked\r\n" E), 0 /* ends before */},
    {HEAD(L H " Transfer-Encoding: chunked\r\n" E), 400},
    {HEAD(L H "\tContent-Length: 5\r\n" E), 400},

    /* first lines */
    {HEAD("GET  /_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET /_ping  HTTP/1.1\r\n" H E), 400},
    {HEAD("GET\t/_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET /_ping\tHTTP/1.1\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/1.1 \r\n" H E), 400},
    {HEAD("GET /_ping HTTP/1.1\t\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/1.1 x\r\n" H E), 400},
    {HEAD("GET /_ping\r\n" H E), 400},
    {HEAD("GET /_ping \r\n" H E), 400},
    {HEAD("GET\r\n" H E), 400},
    {HEAD("GET \r\n" H E), 400},
    {HEAD("/_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("get /_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("Get /_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("G-T /_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET1 /_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GETGETGETGETGETGET /_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET: /_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("\"GET\" /_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/1.0\r\n" H E), 505},
    {HEAD("GET /_ping HTTP/1.2\r\n" H E), 505},
    {HEAD("GET /_ping HTTP/1.9\r\n" H E), 505},
    {HEAD("GET /_ping HTTP/2.0\r\n" H E), 505},
    {HEAD("GET /_ping HTTP/0.9\r\n" H E), 505},
    {HEAD("GET /_ping HTTP/9.9\r\n" H E), 505},
    {HEAD("GET /_ping HTTP/2\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/1.10\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/11\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/1,1\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/ 1.1\r\n" H E), 400},
    {HEAD("GET /_ping HTTP /1.1\r\n" H E), 400},
    {HEAD("GET /_ping http/1.1\r\n" H E), 400},
    {HEAD("GET /_ping Http/1.1\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/1.1.\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/+1.1\r\n" H E), 400},
    {HEAD("GET /_ping XTTP/1.1\r\n" H E), 400},
    {HEAD("GET /_ping HTTP/1.1HTTP/1.1\r\n" H E), 400},
    {HEAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505},

    /* targets */
    {HEAD("GET http://docker/_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET HTTP://docker/_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET x://y/_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET http:/_ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET _ping HTTP/1.1\r\n" H E), 400},
    {HEAD("GET * HTTP/1.1\r\n" H E), 400},
    {HEAD("OPTIONS * HTTP/1.1\r\n" H E), 400},
    {HEAD("CONNECT docker:80 HTTP/1.1\r\n" H E), 400},
    {HEAD("GET ?all=1 HTTP/1.1\r\n" H E), 400},
    {HEAD("GET #x HTTP/1.1\r\n" H E), 400},
    {HEAD("GET /_ping#x HTTP/1.1\r\n" H E), 400},
    {HEAD("GET /a?#%zz HTTP/1.1\r\n" H E), 400},
    {HEAD("GET /_ping\x7f HTTP/1.1\r\n" H E), 400},
    {HEAD("GET /\xc3\xa9 HTTP/1.1\r\n" H E), 400},
    {HEAD("GET /\xff HTTP/1.1\r\n" H E), 400},
    {HEAD("GET /\0 HTTP/1.1\r\n" H E), 400},
    {HEAD("GET \\_ping HTTP/1.1\r\n" H E), 400},

    /* names */
    {HEAD(L H ": x\r\n" E), 400},
    {HEAD(L H "X : a\r\n" E), 400},
    {HEAD(L H "X\t: a\r\n" E), 400},
    {HEAD(L "Host : docker\r\n" E), 400},
    {HEAD(P H "Content-Length : 5\r\n" E), 400},
    {HEAD(P H "Transfer-Encoding : chunked\r\n" E), 400},
    {HEAD(P H "Transfer Encoding: chunked\r\n" E), 400},
    {HEAD(L H "X\r\n" E), 400},
    {HEAD(L H "X a\r\n" E), 400},
    {HEAD(L H "X\0: a\r\n" E), 400},
    {HEAD(P H "Content-Length\0: 5\r\n" E), 400},
    {HEAD(P H "Transfer-Encoding\xa0: chunked\r\n" E), 400},
    {HEAD(P H "\xefTransfer-Encoding: chunked\r\n" E), 400},
    {HEAD(P H "Transfer-Encoding\x0b: chunked\r\n" E), 400},
    {HEAD(P H "Transfer-Encoding\x0c: chunked\r\n" E), 400},
    {HEAD(L H "(X): a\r\n" E), 400},
    {HEAD(L H "X,Y: a\r\n" E), 400},
    {HEAD(L H "X/Y: a\r\n" E), 400},
    {HEAD(L H "X;Y: a\r\n" E), 400},
    {HEAD(L H "X=Y: a\r\n" E), 400},
    {HEAD(L H "X@Y: a\r\n" E), 400},
    {HEAD(L H "[X]: a\r\n" E), 400},
    {HEAD(L H "{X}: a\r\n" E), 400},
    {HEAD(L H "\"X\": a\r\n" E), 400},
    {HEAD(L H "X\\Y: a\r\n" E), 400},
    {HEAD(L H "X?: a\r\n" E), 400},
    {HEAD(L H "<X>: a\r\n" E), 400},

    /* values */
    {HEAD(L H "X: a\0b\r\n" E), 400},
    {HEAD(L H "X: \x01\r\n" E), 400},
    {HEAD(L H "X: \x1b[2J\r\n" E), 400},
    {HEAD(L H "X: \x7f\r\n" E), 400},
    {HEAD(L H "X: \x80\r\n" E), 400},
    {HEAD(L H "X: \xc3\xa9\r\n" E), 400},
    {HEAD(L H "X: \xff\r\n" E), 400},
    {HEAD(L H "X: \x0b\r\n" E), 400},
    {HEAD(L H "X: \x08\r\n" E), 400},

    /* lengths */
    {HEAD(P H CL CL E), 400},
    {HEAD(P H CL "Content-Length: 6\r\n" E), 400},
    {HEAD(P H CL "content-length: 5\r\n" E), 400},
    {HEAD(P H "Content-Length: 5, 5\r\n" E), 400},
    {HEAD(P H "Content-Length: 5,6\r\n" E), 400},
    {HEAD(P H "Content-Length: +5\r\n" E), 400},
    {HEAD(P H "Content-Length: -5\r\n" E), 400},
    {HEAD(P H "Content-Length: 0x5\r\n" E), 400},
    {HEAD(P H "Content-Length: 05\r\n" E), 400},
    {HEAD(P H "Content-Length: 00\r\n" E), 400},
    {HEAD(P H "Content-Length: 5 5\r\n" E), 400},
    {HEAD(P H "Content-Length: 5;\r\n" E), 400},
    {HEAD(P H "Content-Length: 5.0\r\n" E), 400},
    {HEAD(P H "Content-Length: 5e0\r\n" E), 400},
    {HEAD(P H "Content-Length: 1_0\r\n" E), 400},
    {HEAD(P H "Content-Length: \"5\"\r\n" E), 400},
    {HEAD(P H "Content-Length:\r\n" E), 400},
    {HEAD(P H "Content-Length: \r\n" E), 400},
    {HEAD(P H "Content-Length: five\r\n" E), 400},
    {HEAD(P H "Content-Length: 9223372036854775807\r\n" E), 400},
    {HEAD(P H "Content-Length: 18446744073709551621\r\n" E), 400},
    {HEAD(P H "Content-Length: 1000000000000000\r\n" E), 400},
    {HEAD(P H "Content-Length: 0\r\nContent-Length: 5\r\n" E), 400},

    /* codings */
    {HEAD(P H CL TE E), 400},
    {HEAD(P H TE CL E), 400},
    {HEAD(P H TE "Content-Length: 0\r\n" E), 400},
    {HEAD(P H TE TE E), 400},
    {HEAD(P H TE "Transfer-Encoding: identity\r\n" E), 400},
    {HEAD(P H "Transfer-Encoding: chunked, chunked\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: identity\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: gzip, chunked\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: chunked, gzip\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: chunked, identity\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: xchunked\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: chunkedx\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: chunked;q=1\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: \"chunked\"\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: 'chunked'\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: ,chunked\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: chunked,\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding:\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: ch\tunked\r\n" E), 501},
    {HEAD(P H "Transfer-Encoding: \x0b" "chunked\r\n" E), 400},
    {HEAD(P H "Transfer-Encoding: chunked\x0c\r\n" E), 400},
    {HEAD(P H "Transfer-Encoding: chunked\0\r\n" E), 400},
    {HEAD(P H "transfer-encoding: chunked\r\nTransfer-Encoding: x\r\n" E), 400},

    /* Host */
    {HEAD(L E), 400},
    {HEAD(L H H E), 400},
    {HEAD(L H "host: other\r\n" E), 400},
    {HEAD(L "Host:\r\n" E), 0}, /* clients send it with /session */
    {HEAD(L "Host: a b\r\n" E), 400},
    {HEAD(L "Host: a/b\r\n" E), 400},
    {HEAD(L "Host: a@b\r\n" E), 400},
    {HEAD(L "Host: a?b\r\n" E), 400},
    {HEAD(L "Host: a#b\r\n" E), 400},
    {HEAD(L "Host: <a>\r\n" E), 400},

    /* what may come once */
    {HEAD(P H CL "Content-Type: a\r\nContent-Type: b\r\n" E), 400},
    {HEAD(L H "Connection: close\r\nConnection: close\r\n" E), 400},
    {HEAD(L H "Expect: a\r\nExpect: b\r\n" E), 400},
    {HEAD(L H "X-Registry-Auth: a\r\nX-Registry-Auth: b\r\n" E), 400},
    {HEAD(L H "X-Portreeve-Team: a\r\nX-Portreeve-Team: b\r\n" E), 400},
    {HEAD(L H "Upgrade: tcp\r\nUpgrade: tcp\r\n" E), 400},
    {HEAD(L H "Authorization: a\r\nauthorization: b\r\n" E), 400},

    /* Connection, Upgrade, Expect */
    {HEAD(L H "Connection: Host\r\n" E), 400},
    {HEAD(P H CL "Connection: Content-Length\r\n" E), 400},
    {HEAD(L H "Connection: X-Portreeve-Assertion\r\n" E), 400},
    {HEAD(L H "Connection: close, x\r\n" E), 400},
    {HEAD(L H "Connection:\r\n" E), 400},
    {HEAD(L H "Connection: close,\r\n" E), 400},
    {HEAD(L H "Connection: TE\r\nTE: trailers\r\n" E), 400},
    {HEAD(L H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n" E), 400},
    {HEAD(L H "Connection: Upgrade\r\n" E), 400},
    {HEAD(L H "Upgrade: tcp\r\n" E), 400},
    {HEAD(L H "Connection: Upgrade\r\nUpgrade: tcp, h2c\r\n" E), 400},
    {HEAD(L H "Connection: Upgrade\r\nUpgrade: h2\r\n" E), 400},
    {HEAD(L H "Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n" E), 400},
    {HEAD(L H "Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n" E), 400},
    {HEAD(L H "Connection: Upgrade\r\nUpgrade:\r\n" E), 400},
    {HEAD(P H CL "Expect: 100-continue, x\r\n" E), 417},
    {HEAD(P H CL "Expect: 200-ok\r\n" E), 417},
    {HEAD(P H CL "Expect:\r\n" E), 417},
    {HEAD(P H CL "Expect: 100-continue;a=b\r\n" E), 417},
};
#undef L
#undef P
#undef H
#undef CL
#undef TE
#undef E
#undef HEAD
/* clang-format on */
