#!/bin/bash
# Proves, over every table of the corpus, that --fsck has nothing to say against tables that other
# programs wrote, but for what is really wrong with them, and that it agrees with the reader on which
# cannot be loaded. Speaks TAP. See tables.bash.
set -u
# shellcheck source=tests/corpus/tables.bash
. "$(dirname "$0")/tables.bash"

# Defects that the tables have: gaps in logs that were made by hand, a maximum that no row has, a
# checkpoint that was edited after Hadoop summed it, commits without what version 0 must have.
known='broken/table_[bcghi] log-gap
delta-rs/delta-0.8.0 stats-exact
golden/checkpoint/delta hadoop-checksum
golden/data-reader-absolute-paths-escaped-chars/delta commit-actions
golden/deltalog-state-reconstruction-without-(metadata|protocol)/delta commit-actions
golden/versions-not-contiguous/delta log-gap'

check() { # check TABLE: what is wrong, on standard output
	local status read table=${1#"$corpus/"}
	"$bin/cdc-snapshot" --limit 0 "$1" >/dev/null 2>error
	read=$?
	"$bin/cdc-compact" -q --fsck "$1" >found 2>error
	status=$?
	if [ $read -eq 6 ] || [ $status -gt 1 ]; then
		[ $status -eq $read ] || echo "exit status $status, reading $read: $(cat error)"
	else
		[ "$(jq -r .check found | tail -1)" = summary ] || echo "no summary"
		echo . >>done
	fi
	# Of some tables the corpus has the log alone.
	jq -r --arg t "$table" 'select(.level == "error" and .check != "file") | $t + " " + .check' found |
		sort -u | grep -vxE "$known"
}

each_table checked
