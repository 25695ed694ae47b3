#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs from the distribution what is missing, and says so before it does.
#   test/deps.sh [--check] [build] [run] [test] [bench] [lint] [package] [boot]
# --check: only says what is missing; exit 1 if anything is.
# No service is started by an installation, nothing present is touched.
set -eu

# need package, and a file or command that shows it is there already
build='
build-essential=/usr/share/build-essential/list make=make gcc=gcc
libyaml-dev=/usr/include/yaml.h libldap-dev=/usr/include/ldap.h
libsqlite3-dev=/usr/include/sqlite3.h libjansson-dev=/usr/include/jansson.h
libssl-dev=/usr/include/openssl/evp.h
libmicrohttpd-dev=/usr/include/microhttpd.h
libseccomp-dev=/usr/include/seccomp.h
'
run='
python3=python3 docker.io=dockerd iptables=iptables
busybox-static=/bin/busybox util-linux=unshare iproute2=ip slapd=slapd
ldap-utils=ldapadd
'
test='
check=/usr/include/check.h python3=python3 golang-go=go slapd=slapd
ldap-utils=ldapadd docker.io=dockerd iptables=iptables
busybox-static=/bin/busybox util-linux=unshare iproute2=ip
mmdebstrap=mmdebstrap docker-compose=docker-compose
python3-docker=/usr/lib/python3/dist-packages/docker
openssl=openssl strace=strace python3-yaml=/usr/lib/python3/dist-packages/yaml
prometheus=promtool mandoc=mandoc zsh=zsh
bash-completion=/usr/share/bash-completion/bash_completion
systemd=systemd-analyze podman=podman
'
bench='
valgrind=valgrind nginx-light=nginx haproxy=haproxy
'
package='
debhelper=dh lintian=lintian libseccomp-dev=/usr/include/seccomp.h
check=/usr/include/check.h python3=python3
'
boot='
mmdebstrap=mmdebstrap systemd-container=systemd-nspawn python3=python3
'
lint='
clang=clang clang-format=clang-format clang-tidy=clang-tidy
cppcheck=cppcheck shellcheck=shellcheck python3=python3
check=/usr/include/check.h
'

present() {
	case $1 in
	/*) [ -e "$1" ] ;;
	*) PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ;;
	esac
}

only_check=false
groups=
for arg; do
	case $arg in
	--check) only_check=true ;;
	build | run | test | bench | lint | package | boot) groups="$groups $arg" ;;
	*)
		echo "usage: test/deps.sh [--check] [build] [run] [test] [bench] [lint] [package] [boot]" >&2
		exit 64
		;;
	esac
done

missing=
for group in ${groups:-build run test lint}; do
	case $group in
	build) list=$build ;;
	run) list=$run ;;
	test) list=$test ;;
	bench) list=$bench ;;
	package) list=$package ;;
	boot) list=$boot ;;
	*) list=$lint ;;
	esac
	for row in $list; do
		name=${row%%=*}
		present "${row#*=}" && continue
		case " $missing " in
		*" $name "*) ;;
		*) missing="$missing $name" ;;
		esac
	done
done
# Debian 13 ships the command of docker.io in a package of its own
case " ${groups:-run} " in
*" run "* | *" test "*)
	if ! present docker &&
	    apt-cache show docker-cli >/dev/null 2>&1; then
		missing="$missing docker-cli"
	fi
	;;
esac

[ -n "$missing" ] || exit 0
if $only_check; then
	echo "missing packages:$missing" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "test/deps.sh: these packages are missing:$missing" >&2
	echo "hint: sudo test/deps.sh, or install them as your system does" >&2
	exit 1
fi

echo "test/deps.sh: will install with apt-get:$missing"
guard=/usr/sbin/policy-rc.d
# shellcheck disable=SC2317 # called by the trap
restore() {
	if [ -e "$guard.portreeve" ]; then
		mv "$guard.portreeve" "$guard"
	else
		rm -f "$guard"
	fi
}
[ ! -e "$guard" ] || mv "$guard" "$guard.portreeve"
trap restore EXIT
trap 'exit 1' INT TERM HUP
printf '#!/bin/sh\nexit 101\n' >"$guard"
chmod 755 "$guard"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of package names
apt-get install -y -q --no-install-recommends $missing || {
	apt-get update -q
	apt-get install -y -q --no-install-recommends $missing
}
