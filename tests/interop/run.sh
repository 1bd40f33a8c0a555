#!/bin/bash
# Other engines read the tables that we write, and we merge into theirs: sets up delta-rs, DuckDB
# and Spark in a directory of their own, then runs interop.py, which prints a TAP line a pair.
#
# The engines are kept in ${XDG_CACHE_HOME:-~/.cache}/cdc-tools, by the hash of their versions, so
# that later runs are fast. An engine that cannot be installed leaves its reason there instead.
set -u
build=$(realpath "${BUILD:-build}")
cd "$(dirname "$0")" || exit 1

hash=$( (python3 --version; cat requirements.txt pom.xml) | sha256sum | cut -c1-12)
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
	while read -r package && [ ! -e "$home/venv.reason" ]; do
		"$python" -m pip install -q --disable-pip-version-check "$package" \
			>"$home/log" 2>&1 || why "$home/log" >"$home/${package%%==*}.reason"
	done <requirements.txt
	mvn -q -B -f pom.xml dependency:copy-dependencies -DoutputDirectory="$home/jars" \
		>"$home/log" 2>&1 || why "$home/log" >"$home/jars.reason"
	ls "$home"/*.reason >/dev/null 2>&1 || touch "$home/done"
fi
flock -u 9

[ -x "$python" ] || python=python3
work=$(mktemp -d "${TMPDIR:-/tmp}/cdc-interop.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
PYTHONDONTWRITEBYTECODE=1 "$python" interop.py --programs "$build" --engines "$home" --work "$work" "$@"
