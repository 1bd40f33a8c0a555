#!/bin/bash
# Proves that binlogs of MySQL 5.1 and 5.7 give the rows that MariaDB's own reader finds in them: how
# many of each kind, of which table, at which place. Speaks TAP; the logs are looked for in
# $CDC_CORPUS (else ../shared/corpus beside the project), and without them the tests are skipped.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
decode=$(cd "${BUILD:-build}" && pwd)/cdc-decode
data=${CDC_CORPUS:-$root/../shared/corpus}/cdc/binlog
if [ ! -d "$data" ]; then
	echo "1..1"
	echo "ok 1 - binlogs of MySQL # skip no corpus: 0 cases ran"
	exit 0
fi
n=0
for log in "$data"/*; do
	n=$((n + 1))
	# "OFFSET KIND DB.TABLE" a row.
	mariadb-binlog --base64-output=decode-rows -v "$log" 2>/dev/null | awk '
		/^# at / { at = $3 }
		/^### (INSERT INTO|UPDATE|DELETE FROM) / {
			gsub(/`/, ""); print at, $2, $NF }' >"${TMPDIR:-/tmp}/theirs.$$"
	"$decode" "$log" | jq -r 'select(.fields) | "\(.position.offset) \(.recordType) \(.dbTable)"' \
		>"${TMPDIR:-/tmp}/ours.$$"
	if [ -s "${TMPDIR:-/tmp}/ours.$$" ] &&
		bad=$(diff "${TMPDIR:-/tmp}/theirs.$$" "${TMPDIR:-/tmp}/ours.$$" | head -20); then
		echo "ok $n - ${log##*/}: $(wc -l <"${TMPDIR:-/tmp}/ours.$$") rows"
	else
		echo "not ok $n - ${log##*/}"
		printf '# %s\n' "${bad:-nothing decoded}"
	fi
	rm -f "${TMPDIR:-/tmp}/theirs.$$" "${TMPDIR:-/tmp}/ours.$$"
done
echo "1..$n"
