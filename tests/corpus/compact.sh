#!/bin/bash
# Proves, over every table of the corpus, that compaction leaves the rows as they are, nested columns
# and deletion vectors included, or refuses the table and leaves it alone; and that sorting by a
# column leaves them, too. Speaks TAP. See tables.bash.
set -u
# shellcheck source=tests/corpus/tables.bash
. "$(dirname "$0")/tables.bash"

check() { # check TABLE: what is wrong, on standard output
	local status column order
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
	column=$("$bin/cdc-snapshot" --describe copy | jq -r '.partitionColumns as $p |
		first(.schema.fields[] | select(.type | type == "string") |
			select(.type != "void" and .type != "variant") |
			.name | select(. as $n | $p | index([$n]) | not)) // empty')
	[[ -z $column || $column == *,* ]] && return
	for order in sort-by zorder-by; do
		"$bin/cdc-compact" -q "--$order" "$column" copy 2>error || echo "--$order $column: $(cat error)"
		"$bin/cdc-snapshot" copy >after 2>error || echo "it cannot be read: $(cat error)"
		diff -q <(sort before) <(sort after) >/dev/null || echo "--$order $column: the rows differ"
	done
}

each_table compacted
