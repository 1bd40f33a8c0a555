#!/bin/bash
# Run test programs that speak TAP, count their points, and end with "N passed, N failed".
#
#	tests/run.sh [-t FILE] NAME=COMMAND...
#
# A COMMAND is run by bash. Its output goes to $BUILD/log/NAME.log and is shown when it fails. A
# program that exits non-zero without a "not ok" line counts as one failure, one that prints no
# point at all too. With -t the totals are added to FILE, for a run of several calls.
set -u
build=${BUILD:-build}
tally=
[ "${1:-}" = -t ] && { tally=$2; shift 2; }
mkdir -p "$build/log"
passed=0 failed=0 skipped=0

for arg in "$@"; do
	name=${arg%%=*}
	log=$build/log/${name//\//_}.log
	start=$SECONDS
	bash -c "${arg#*=}" >"$log" 2>&1 </dev/null
	rc=$?
	ok=$(grep -c '^ok ' "$log")
	bad=$(grep -c '^not ok ' "$log")
	# cmocka calls a test that was skipped "not ok"; "1..0 # skip" stands for a whole program.
	skip=$(grep -ciE '^ok .*# skip' "$log")
	none=$(grep -ciE '^1\.\.0 # skip' "$log")
	not_run=$(grep -ciE '^not ok .*# skip' "$log")
	ok=$((ok - skip)) bad=$((bad - not_run)) skip=$((skip + not_run + none))
	if [ $rc -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	elif [ $((ok + bad + skip)) -eq 0 ]; then
		bad=1
		echo "(no test ran)" >>"$log"
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	printf '%-44s %5d passed %3d failed %3d skipped %4d s\n' \
		"$name" "$ok" "$bad" "$skip" $((SECONDS - start))
	if [ "$bad" -ne 0 ]; then
		grep -vE '^(ok|1\.\.)' "$log" | tail -n 40 | sed 's/^/    /'
	fi
	[ "$skip" -eq 0 ] || grep -iE '^((not )?ok .*|1\.\.0 )# skip' "$log" | sed 's/^/    /'
done
if [ -n "$tally" ]; then
	read -r p f s <"$tally" 2>/dev/null || { p=0 f=0 s=0; }
	echo "$((p + passed)) $((f + failed)) $((s + skipped))" >"$tally"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
