#!/bin/sh
# Installs by apt what is missing: `install.sh product`, `demo` or `tests`.
# The postgresql package is kept from creating or starting a cluster of its own.
set -eu

missing=
need() { # program or file, package
	command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || missing="$missing $2"
}
find_postgres() { ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | grep -qE '/(1[5-9]|[2-9][0-9])/' || command -v initdb >/dev/null 2>&1; }

product() {
	need gcc gcc
	echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1 || missing="$missing libc6-dev"
	find_postgres || missing="$missing postgresql"
	ls /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so >/dev/null 2>&1 || missing="$missing softhsm2"
	need openssl openssl
}

demo() {
	product
	need certtool gnutls-bin
	need certutil libnss3-tools
}

tests() {
	demo
	need mount mount
	need chromium chromium
	need node nodejs
	need npm npm
	ls /usr/lib/*/pkcs11-spy.so /usr/lib/*/pkcs11/pkcs11-spy.so >/dev/null 2>&1 || missing="$missing opensc opensc-pkcs11"
}

"${1:?product, demo or tests}"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "Missing on this machine:$missing. Install them with your system's package program (the names are Debian's), then run this again." >&2
	exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null 2>&1 || {
		echo "Missing on this machine:$missing. Run as root: apt-get install$missing" >&2
		exit 1
	}
	sudo=sudo
fi
echo "Installing:$missing" >&2
$sudo mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] ||
	echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.conf >/dev/null
$sudo apt-get update -qq
# shellcheck disable=SC2086 # a list of names
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
