#!/bin/sh
# Install the Debian packages that are missing for one purpose: build, check, interop or bench.
# Says what it installs, asks nothing, and does nothing when all is there.
set -eu

build="gcc libc6-dev make pkg-config libavro-dev libzstd-dev libsnappy-dev zlib1g-dev
	liblz4-dev libbrotli-dev libroaring-dev libxxhash-dev libarchive-dev"
check="$build bats libcmocka-dev libjansson-dev sqlite3 libsqlite3-dev jq mandoc clang clang-format llvm
	libclang-rt-14-dev libasan8 libubsan1 python3 strace cppcheck libarchive-tools
	librdkafka-dev libcurl4-openssl-dev mariadb-server tzdata"
interop="$check python3-venv maven default-jdk-headless kcat openssl curl npm"
bench="$build libjansson-dev python3 python3-venv avro-bin jq"

case ${1:-build} in
build) want=$build ;;
check) want=$check ;;
interop) want=$interop ;;
bench) want=$bench ;;
*)
	echo "usage: $0 build|check|interop|bench" >&2
	exit 2
	;;
esac

missing=
for p in $want; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)
	[ "$status" = installed ] && continue
	# What is on the machine from elsewhere serves as well.
	case $p in
	maven) command -v mvn >/dev/null 2>&1 && continue ;;
	npm) command -v npm >/dev/null 2>&1 && continue ;;
	default-jdk-headless) command -v java >/dev/null 2>&1 && continue ;;
	esac
	missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "setup: this is no Debian system; install by hand what stands for:$missing" >&2
	exit 1
fi
root=
[ "$(id -u)" = 0 ] || root=sudo
echo "setup: installing$missing"
# Lists may be old or absent: try what is there first, then refresh.
export DEBIAN_FRONTEND=noninteractive
install="apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0"
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive $install $missing >/dev/null 2>&1 || {
	$root apt-get update -qq >/dev/null
	# shellcheck disable=SC2086
	$root env DEBIAN_FRONTEND=noninteractive $install $missing >/dev/null
}
