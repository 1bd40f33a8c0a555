#!/bin/bash
# Proves, over every table of the corpus, that compaction leaves the rows as they are, nested columns
# and deletion vectors included, or refuses the table and leaves it alone. Speaks TAP. See tables.bash.
set -u
# shellcheck source=tests/corpus/tables.bash
. "$(dirname "$0")/tables.bash"

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
	grep -q 'files +' error && echo . >>done
	"$bin/cdc-snapshot" copy >after 2>error || echo "it cannot be read: $(cat error)"
	diff -q <(sort before) <(sort after) >/dev/null || echo "the rows differ"
}

each_table compacted
