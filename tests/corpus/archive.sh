#!/bin/bash
# Proves, over every table of the corpus, that an archive of it unpacks to a table with the same rows,
# or that nothing is written where the table cannot be copied. Speaks TAP. The corpus is looked for in
# $CDC_CORPUS, else in ../shared/corpus beside the project.
set -u
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${BUILD:-build}" && pwd)
corpus=${CDC_CORPUS:-$here/../../../shared/corpus}/delta
if ! [ -d "$corpus" ]; then
	echo "1..1"
	echo "ok 1 - archives of tables # skip no corpus: 0 cases ran"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
n=0

check() { # check TABLE: what is wrong, on standard output
	local status
	"$bin/cdc-snapshot" --archive copy.tar "$1" 2>error
	status=$?
	if [ $status -ne 0 ]; then
		[ $status -eq 6 ] || echo "exit status $status: $(cat error)"
		[ ! -e copy.tar ] || echo "an archive was left"
		return
	fi
	echo . >>copied
	tar xf copy.tar || echo "tar cannot unpack it"
	"$bin/cdc-snapshot" "$1" >rows.source 2>error.source
	status=$?
	"$bin/cdc-snapshot" copy >rows.copy 2>error.copy ||
		[ $? -eq $status ] || echo "exit status of the copy is not $status: $(cat error.copy)"
	sort rows.source | diff -q - <(sort rows.copy) >/dev/null || echo "the rows differ"
	"$bin/cdc-snapshot" --describe copy >describe 2>error ||
		[ $status -ne 0 ] || echo "the copy has no description: $(cat error)"
}

while read -r log; do
	table=${log%/_delta_log}
	n=$((n + 1))
	bad=$(check "$table")
	rm -rf copy copy.tar
	if [ -n "$bad" ]; then
		echo "not ok $n - ${table#"$corpus/"}"
		printf '# %s\n' "$bad"
	else
		echo "ok $n - ${table#"$corpus/"}"
	fi
done < <(find "$corpus" -name _delta_log -type d | sort)
copied=$(grep -c . copied 2>/dev/null)
n=$((n + 1))
[ "${copied:-0}" -gt 0 ] || printf 'not '
echo "ok $n - ${copied:-0} tables were copied"
echo "1..$n"
