#!/bin/bash
# Proves, over every table of the corpus, that compaction leaves the rows as they are, nested columns
# and deletion vectors included, or refuses the table and leaves it alone. Speaks TAP. The corpus is
# looked for in $CDC_CORPUS, else in ../shared/corpus beside the project.
set -u
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${BUILD:-build}" && pwd)
corpus=${CDC_CORPUS:-$here/../../../shared/corpus}/delta
if ! [ -d "$corpus" ]; then
	echo "1..1"
	echo "ok 1 - compaction of tables # skip no corpus: 0 cases ran"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
n=0

check() { # check TABLE: what is wrong, on standard output
	local status
	"$bin/cdc-snapshot" "$1" >before 2>error || return
	cp -r "$1" copy
	"$bin/cdc-compact" copy 2>error
	status=$?
	if [ $status -ne 0 ]; then
		[ $status -eq 6 ] || echo "exit status $status: $(cat error)"
		diff -rq "$1" copy
		return
	fi
	grep -q 'files +' error && echo . >>compacted
	"$bin/cdc-snapshot" copy >after 2>error || echo "it cannot be read: $(cat error)"
	diff -q <(sort before) <(sort after) >/dev/null || echo "the rows differ"
}

while read -r log; do
	table=${log%/_delta_log}
	n=$((n + 1))
	bad=$(check "$table")
	rm -rf copy
	if [ -n "$bad" ]; then
		echo "not ok $n - ${table#"$corpus/"}"
		printf '# %s\n' "$bad"
	else
		echo "ok $n - ${table#"$corpus/"}"
	fi
done < <(find "$corpus" -name _delta_log -type d | sort)
compacted=$(grep -c . compacted 2>/dev/null)
n=$((n + 1))
[ "${compacted:-0}" -gt 0 ] || printf 'not '
echo "ok $n - ${compacted:-0} tables were compacted"
echo "1..$n"
