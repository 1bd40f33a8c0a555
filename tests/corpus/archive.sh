#!/bin/bash
# Proves, over every table of the corpus, that an archive of it unpacks to a table with the same rows,
# or that nothing is written where the table cannot be copied. Speaks TAP. See tables.bash.
set -u
# shellcheck source=tests/corpus/tables.bash
. "$(dirname "$0")/tables.bash"

check() { # check TABLE: what is wrong, on standard output
	local status
	"$bin/cdc-snapshot" --archive copy.tar "$1" 2>error
	status=$?
	if [ $status -ne 0 ]; then
		[ $status -eq 6 ] || echo "exit status $status: $(cat error)"
		[ ! -e copy.tar ] || echo "an archive was left"
		return
	fi
	echo . >>done
	tar xf copy.tar || echo "tar cannot unpack it"
	"$bin/cdc-snapshot" "$1" >rows.source 2>error.source
	status=$?
	"$bin/cdc-snapshot" copy >rows.copy 2>error.copy ||
		[ $? -eq $status ] || echo "exit status of the copy is not $status: $(cat error.copy)"
	sort rows.source | diff -q - <(sort rows.copy) >/dev/null || echo "the rows differ"
	"$bin/cdc-snapshot" --describe copy >describe 2>error ||
		[ $status -ne 0 ] || echo "the copy has no description: $(cat error)"
}

each_table copied
