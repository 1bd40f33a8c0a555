# What the tests over all tables of the corpus share; sourced by them. Sets bin and work (a scratch
# directory, and the current one), or reports that there is no corpus and exits.
#
# The corpus is looked for in $CDC_CORPUS, else in ../shared/corpus beside the project.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "${BUILD:-build}" && pwd)
corpus=${CDC_CORPUS:-$here/../../../shared/corpus}/delta
if ! [ -d "$corpus" ]; then
	echo "1..1"
	echo "ok 1 - tables of the corpus # skip no corpus: 0 cases ran"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# each_table WAS: a TAP point for each table, on which `check TABLE` prints what is wrong, and one
# that some were done: check adds a line to the file `done` for each. WAS says what they were.
each_table() {
	local n=0 log table bad count
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
	count=$(grep -c . done 2>/dev/null)
	n=$((n + 1))
	[ "${count:-0}" -gt 0 ] || printf 'not '
	echo "ok $n - ${count:-0} tables were $1"
	echo "1..$n"
}
