#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `portreeve cert` as a user runs it, judged by the openssl command: what is
# issued verifies for its purpose and no other, what is revoked is refused,
# and every mistake is told with the right exit status.
set -u
build=${PORTREEVE_BUILD:-build}
pr=$build/portreeve
passed=0 failed=0
room=$(mktemp -d "${TMPDIR:-/tmp}/portreeve-cert.XXXXXX") || exit 1
trap 'rm -rf -- "$room"' EXIT
lab=$room/lab

ok() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	echo "FAIL $1"
	sed 's/^/  | /' "$room/out" "$room/err"
}

# wants STATUS TITLE COMMAND...
wants() {
	local status=$1 title=$2 got
	shift 2
	"$@" >"$room/out" 2>"$room/err"
	got=$?
	if [ $got -eq "$status" ]; then ok; else fail "$title: exit $got, not $status"; fi
}

# says FILE TEXT: the last command wrote it there
says() {
	if grep -qF -- "$2" "$room/$1"; then ok; else fail "\"$2\" is not in $1"; fi
}

cert() {
	local verb=$1
	shift
	"$pr" cert "$verb" --dir "$lab" "$@"
}

verify() {
	openssl verify -CAfile "$lab/ca.pem" "$@"
}

wants 1 "no authority yet" cert client --cn alice
says err "no authority here; make one with portreeve cert ca"
wants 0 "an authority" cert ca --cn "Lab CA" --org Acme
says out "wrote $lab/ca.pem and $lab/ca.key (mode 0600)"
wants 1 "a second authority" cert ca --cn "Lab CA"
says err "--force"
wants 0 "mode of ca.key" test "$(stat -c %a "$lab/ca.key")" = 600

wants 0 "a server" cert server --cn d --dns localhost --ip 127.0.0.1
wants 0 "a client" cert client --cn alice --org Acme --ou R+D \
	--email alice@acme.com --upn alice@corp --uri spiffe://acme.com/u/alice
wants 0 "an RSA client" cert client --cn bob --key rsa-2048
wants 0 "an expired one" cert client --cn old --not-before -10d --days 5
wants 0 "an early one" cert client --cn early --not-before +5d
wants 0 "a wrong use" cert client --cn wrong --eku server

wants 0 "client verifies as client" verify -purpose sslclient "$lab/alice.pem"
wants 2 "client fails as server" verify -purpose sslserver "$lab/alice.pem"
wants 0 "server verifies as server" verify -purpose sslserver \
	-verify_hostname localhost "$lab/d.pem"
wants 0 "... by address" verify -purpose sslserver -verify_ip 127.0.0.1 \
	"$lab/d.pem"
wants 2 "... not by another name" verify -purpose sslserver \
	-verify_hostname evil.test "$lab/d.pem"
wants 2 "server fails as client" verify -purpose sslclient "$lab/d.pem"
wants 0 "RSA verifies" verify -purpose sslclient "$lab/bob.pem"
wants 2 "expired fails" verify -purpose sslclient "$lab/old.pem"
says err "certificate has expired"
wants 2 "early fails" verify -purpose sslclient "$lab/early.pem"
says err "not yet valid"
wants 2 "wrong use fails" verify -purpose sslclient "$lab/wrong.pem"
wants 0 "strict checks" verify -x509_strict -purpose sslclient "$lab/alice.pem"

wants 0 "SAN as openssl reads it" openssl x509 -in "$lab/alice.pem" -noout \
	-ext subjectAltName
says out "email:alice@acme.com, URI:spiffe://acme.com/u/alice, othername: UPN::alice@corp"
wants 0 "subject as openssl reads it" openssl x509 -in "$lab/alice.pem" \
	-noout -subject -nameopt RFC2253
says out 'CN=alice,OU=R\+D,O=Acme'
wants 0 "the key belongs to it" openssl x509 -in "$lab/alice.pem" -noout -pubkey
cp "$room/out" "$room/pub1"
wants 0 "... and is a plain PKCS 8" openssl pkey -in "$lab/alice.key" -pubout
if cmp -s "$room/out" "$room/pub1"; then ok; else fail "key and certificate"; fi

wants 0 "fingerprint" openssl x509 -in "$lab/alice.pem" -noout -fingerprint -sha256
sum=$(sed 's/.*=//; s/://g' "$room/out" | tr A-F a-f)
wants 0 "inspect" "$pr" cert inspect "$lab/alice.pem"
says out "$sum"
says out "issuer      CN=Lab CA,O=Acme"
wants 0 "inspect as JSON" "$pr" cert inspect -o json "$lab/alice.pem" "$lab/old.pem"
says out "\"sha256\": \"$sum\""
says out '"status": "expired"'
cp "$room/out" "$room/json"
wants 0 "... is JSON" python3 -c \
	'import json, sys; assert len(json.load(open(sys.argv[1]))) == 2' "$room/json"
wants 1 "inspect of no certificate" "$pr" cert inspect "$lab/index"
says err "no certificate in PEM"
wants 1 "inspect of nothing" "$pr" cert inspect "$room/nothing"
says err "No such file"

wants 0 "an empty list" cert crl
wants 0 "nobody is revoked" verify -crl_check -CRLfile "$lab/crl.pem" "$lab/alice.pem"
wants 0 "revoke by file" cert revoke "$lab/alice.pem" --reason key-compromise
serial=$(openssl x509 -in "$lab/bob.pem" -noout -serial | sed 's/.*=//')
wants 0 "revoke by serial" cert revoke "$serial"
wants 1 "revoke twice" cert revoke "$serial"
says err "revoked already"
wants 1 "revoke a stranger" cert revoke 00
says err "neither a serial in the index nor a file"
wants 0 "the list" cert crl --days 2
says out "2 revoked, next one due in 2 days"
wants 2 "alice is revoked" verify -crl_check -CRLfile "$lab/crl.pem" "$lab/alice.pem"
says err "certificate revoked"
wants 0 "the server is not" verify -crl_check -CRLfile "$lab/crl.pem" "$lab/d.pem"
wants 0 "the list as openssl reads it" openssl crl -in "$lab/crl.pem" -noout \
	-text -CAfile "$lab/ca.pem"
says out "Key Compromise"
says out "Next Update"
says err "verify OK"

wants 0 "a bundle" cert bundle d
wants 0 "... verifies" openssl verify -CAfile "$lab/d.docker/ca.pem" \
	"$lab/d.docker/cert.pem"
wants 0 "mode of key.pem" test "$(stat -c %a "$lab/d.docker/key.pem")" = 600
wants 1 "a bundle over a bundle" cert bundle d
wants 1 "a bundle of nobody" cert bundle nobody

# mistakes: 64 and a word about it
wants 64 "no name" cert client
says err "wants --cn NAME"
wants 64 "no days" cert client --cn x --days 0
says err "--days wants"
wants 64 "odd time" cert client --cn x --not-before tomorrow
says err "--not-before wants"
wants 64 "odd key" cert client --cn x --key rsa-2049
says err 'did you mean "rsa-2048"?'
wants 64 "odd use" cert client --cn x --eku clinet
says err 'did you mean "client"?'
wants 64 "a server without names" cert server --cn x
says err "wants --dns HOST or --ip ADDRESS"
wants 64 "a way out of the folder" cert client --cn x --out ../x
wants 1 "an address that is none" cert client --cn x --ip 300.1.1.1
says err '"300.1.1.1"'
wants 64 "an option that is none" cert client --cnn x
wants 64 "a verb that is none" "$pr" cert clinet
says err 'did you mean "cert client"?'
wants 64 "revoke what" cert revoke
chmod 0640 "$lab/ca.key"
wants 1 "a key that others may read" cert client --cn carol
says err "chmod 0600"
wants 1 "nothing is left behind" test -e "$lab/x.pem" -o -e "$lab/carol.pem"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
