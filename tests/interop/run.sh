#!/bin/bash
# Other engines read the tables that we write, and we merge into theirs: sets up delta-rs, DuckDB
# and Spark in a directory of their own, then runs interop.py, which prints a TAP line a pair.
#
# The engines are kept in ${XDG_CACHE_HOME:-~/.cache}/cdc-tools, by the hash of their versions, so
# that later runs are fast. An engine that cannot be installed leaves its reason there instead.
#
#	run.sh [--newer] [ARGUMENTS OF interop.py]
#
# With --newer: a later Spark alone, for what the one that most people have cannot write.
set -u
build=$(realpath "${BUILD:-build}")
cd "$(dirname "$0")" || exit 1

packages=$(cat requirements.txt)
versions=()
if [ "${1:-}" = --newer ]; then
	shift
	packages=$(sed 's/^pyspark==.*/pyspark==4.0.1/' requirements.txt)
	versions=(-Ddelta=4.0.1 -Dscala=2.13)
	set -- --part matrix --part features "$@"
fi

hash=$( (python3 --version; echo "$packages" "${versions[*]}"; cat pom.xml) | sha256sum | cut -c1-12)
home=${XDG_CACHE_HOME:-$HOME/.cache}/cdc-tools/interop-$hash
python=$home/venv/bin/python
mkdir -p "$home"
exec 9>"$home/lock"
flock 9

# why FILE: the last line that says something.
why() {
	grep -vE '^\s*$|^\[notice\]' "$1" | tail -n 1
}

if [ ! -e "$home/done" ]; then
	rm -f "$home"/*.reason
	if ! python3 -m venv --clear "$home/venv" >"$home/log" 2>&1; then
		why "$home/log" >"$home/venv.reason"
	fi
	for package in $packages; do
		[ ! -e "$home/venv.reason" ] || break
		"$python" -m pip install -q --disable-pip-version-check "$package" \
			>"$home/log" 2>&1 || why "$home/log" >"$home/${package%%==*}.reason"
	done
	mvn -q -B "${versions[@]}" -f pom.xml dependency:copy-dependencies -DoutputDirectory="$home/jars" \
		>"$home/log" 2>&1 || why "$home/log" >"$home/jars.reason"
	ls "$home"/*.reason >/dev/null 2>&1 || touch "$home/done"
fi
flock -u 9

[ -x "$python" ] || python=python3
work=$(mktemp -d "${TMPDIR:-/tmp}/cdc-interop.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
PYTHONDONTWRITEBYTECODE=1 "$python" interop.py --programs "$build" --engines "$home" --work "$work" "$@"
