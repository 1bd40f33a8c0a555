#!/usr/bin/env bats
# What a user sees of cdc-dedup: what comes out, in which order, when, and how failures look.
# Outputs are worked out by hand, or by jq where that can tell.

bats_require_minimum_version 1.5.0

setup() {
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	D=cdc-dedup
}

# ins ID KEY VALUE, upd ID KEY NEWKEY VALUE, del ID KEY
ins() { printf '{"recordID":%s,"recordType":"INSERT","dbTable":"d.t","afterImages":{"id":"%s","v":"%s"}}\n' "$@"; }
upd() { printf '{"recordID":%s,"recordType":"UPDATE","dbTable":"d.t","beforeImages":{"id":"%s"},"afterImages":{"id":"%s","v":"%s"}}\n' "$@"; }
del() { printf '{"recordID":%s,"recordType":"DELETE","dbTable":"d.t","beforeImages":{"id":"%s"}}\n' "$@"; }
# pos PARTITION OFFSET: the record on standard input with a position
pos() { sed "s/}\$/,\"position\":{\"topic\":\"t\",\"partition\":$1,\"offset\":$2}}/"; }
schema() { printf '{"recordType":"SCHEMA","dbTable":"d.t","columns":[{"name":"id","type":"bigint","nullable":false}],"primaryKey":["%s"]}\n' "${1:-id}"; }
final='{"recordType":"CHECKPOINT","positions":[],"final":true}'

same() { diff -u want got; }

@test "dedup: the last of each key, in the order of the last" {
	{ ins 1 a 1; ins 2 b 1; upd 3 a a 2; } >in
	{ ins 2 b 1; ins 3 a 2 | sed 's/"dbTable":"d.t",/&"beforeImages":{},/'; echo "$final"; } >want
	$D -k id in >got
	same
}

@test "dedup: chain of key changes, and delete before insert" {
	{ upd 1 1 2 x; upd 2 2 3 y; del 3 7; ins 4 7 z; } >in
	{
		del 2 2 | sed 's/}}$/},"afterImages":{}}/'
		upd 2 1 3 y
		ins 4 7 z
		echo "$final"
	} >want
	$D -k id in >got
	jq -cS . want >w2; jq -cS . got >g2
	diff -u w2 g2
}

@test "dedup: disordered input is sorted by recordID, equal ones by line" {
	{ ins 9 a new; ins 3 a old; ins 5 c 1; ins 5 c 2; } >in
	{ ins 5 c 2; ins 9 a new; echo "$final"; } >want
	$D -k id in >got
	same
}

@test "dedup: the key comes from the SCHEMA, which stays in front" {
	{ schema; ins 1 a 1; ins 2 a 2; } >in
	{ schema; ins 2 a 2; echo "$final"; } >want
	$D in >got
	same
	# A SCHEMA in the midst goes before rows that sort before what came ahead of it.
	{ schema; ins 9 a 1; schema | sed s/d.t/d.u/; ins 2 b 2 | sed s/d.t/d.u/; } >in
	{ schema; schema | sed s/d.t/d.u/; ins 2 b 2 | sed s/d.t/d.u/; ins 9 a 1; echo "$final"; } >want
	$D in >got
	same
}

@test "dedup: a new primary key starts afresh" {
	{ schema id; ins 1 a 1; ins 2 b 1; schema v; ins 3 c 1; ins 4 d 1; } >in
	{ schema id; ins 1 a 1; ins 2 b 1; schema v; ins 4 d 1; echo "$final"; } >want
	$D in >got
	same
}

@test "dedup: rows without a key are bad input, or rejects" {
	ins 1 a 1 >in
	run --separate-stderr -3 $D in
	[ -z "$output" ]
	[ "$stderr" = 'cdc-dedup: in:1: error: no SCHEMA record of table "d.t" came yet: name the key columns' ]
	{ ins 1 a 1; echo 'not json'; ins 2 b 1 | sed 's/"id":"b",//'; ins 3 a 2; } >in
	run --separate-stderr -1 $D -k id --reject rej in
	{ ins 3 a 2; echo "$final"; } >want
	printf '%s\n' "$output" >got
	same
	[ "$(jq -r .line rej | tr '\n' ' ')" = "2 3 " ]
	[ "$(jq -r .raw rej | head -1 | base64 -d)" = "not json" ]
	[ "$(jq -r .raw rej | tail -1 | base64 -d)" = "$(sed -n 3p in)" ]
	[ "$(jq -r .reason rej | tail -1)" = 'key column "id" is missing' ]
	run -3 $D -k id --reject rej --max-rejects 1 in
}

@test "dedup: --order by another member, number or text" {
	{ ins 1 a late; ins 2 a early; } | sed 's/"late"}/&,"ts":"20"/; s/"early"}/&,"ts":3/' >in
	$D -k id --order ts in >got
	{ sed -n 1p in; echo "$final"; } >want
	same
	sed 's/"ts":"20"/"ts":"x"/' in >bad
	run --separate-stderr -3 $D -k id --order ts bad
	[ "$stderr" = 'cdc-dedup: bad:1: error: "ts" is no integer' ]
}

@test "dedup: no record has the order field: the order of lines; some have it: rejects" {
	{ ins 1 a 1; ins 1 b 1; ins 1 a 2; } | sed 's/"recordID":1,//' >in
	{ sed -n 2,3p in; echo "$final"; } >want
	$D -k id in >got
	same
	{ ins 1 a 1; ins 2 a 2 | sed 's/"recordID":2,//'; } >in
	run --separate-stderr -3 $D -k id in
	[ "$stderr" = 'cdc-dedup: in:2: error: the record lacks "recordID", but the ones before have it' ]
}

@test "dedup: --window folds N records and tells what they covered" {
	for i in 1 2 3 4 5; do ins $i a $i | pos 0 $((10 + i)); done >in
	cp() { printf '{"recordType":"CHECKPOINT","positions":[{"topic":"t","partition":0,"offset":%s}]%s}\n' "$1" "$2"; }
	{ sed -n 2p in; cp 12; sed -n 4p in; cp 14; sed -n 5p in; cp 15 ',"final":true'; } >want
	$D -k id --window 2 in >got
	same
}

@test "dedup: --window-time prints while the writer waits" {
	mkfifo pipe
	$D -k id --window-time 1 <pipe >got 3>&- &
	pid=$!
	exec 9>pipe
	ins 1 a 1 >&9
	ins 2 a 2 >&9
	for _ in $(seq 100); do [ -s got ] && break; sleep 0.1; done
	{ ins 2 a 2; echo '{"recordType":"CHECKPOINT","positions":[]}'; } >want
	same
	ins 3 a 3 >&9
	exec 9>&-
	wait $pid
	{ ins 3 a 3; echo "$final"; } >>want
	same
}

@test "dedup: folded windows do what one window does" {
	{ schema; for i in $(seq 200); do case $((i * 7 % 5)) in
		0) del $i $((i * 13 % 11)) ;;
		1) ins $i $((i * 13 % 11)) $i ;;
		*) upd $i $((i * 13 % 11)) $((i * 17 % 11)) $i ;;
	esac; done; } >in
	$D in >one
	$D --window 7 in | $D >two
	# The interpreter of the law, in jq: rows by key.
	cat >law.jq <<-'JQ'
		reduce inputs as $r ({};
			if $r.recordType == "DELETE" then del(.[$r.beforeImages.id])
			elif $r.recordType == "INSERT" then .[$r.afterImages.id] = $r.afterImages
			elif $r.recordType == "UPDATE" then .[$r.beforeImages.id] as $old
				| del(.[$r.beforeImages.id]) | .[$r.afterImages.id] = $old + $r.afterImages
			else . end)
	JQ
	jq -nS -f law.jq in >w; jq -nS -f law.jq one >g1; jq -nS -f law.jq two >g2
	diff -u w g1
	diff -u w g2
	[ "$(wc -l <one)" -lt 60 ]
}

@test "dedup: CHECKPOINT, BEGIN and COMMIT of the input are not copied, their positions count" {
	{
		echo '{"recordType":"BEGIN","position":{"topic":"t","partition":1,"offset":7}}'
		ins 1 a 1 | pos 0 3
		echo '{"recordType":"COMMIT","position":{"topic":"t","partition":1,"offset":9}}'
		echo '{"recordType":"CHECKPOINT","positions":[{"topic":"t","partition":0,"offset":40}],"final":true}'
	} >in
	$D -k id --stats stats in >got
	{
		sed -n 2p in
		echo '{"recordType":"CHECKPOINT","positions":[{"topic":"t","partition":1,"offset":9},{"topic":"t","partition":0,"offset":40}],"final":true}'
	} >want
	same
	[ "$(jq -c '[.exit,.records_in,.rows_in,.rows_out]' stats)" = '[0,4,1,1]' ]
}

@test "dedup: input that was cut off does not look complete" {
	{ ins 1 a 1; echo '{"recordType":"CHECKPOINT","positions":[]}'; ins 2 a 2; } >in
	run --separate-stderr -0 $D -k id in
	[ "${lines[1]}" = '{"recordType":"CHECKPOINT","positions":[]}' ]
	[ "$stderr" = 'cdc-dedup: warning: in: the input was cut off: its last CHECKPOINT is not final' ]
	run --separate-stderr -3 $D -k id --require-final in
	[ -z "$output" ]
	[ "$stderr" = 'cdc-dedup: in: error: the input was cut off: it has no final CHECKPOINT' ]
	{ cat in; echo "$final"; } | $D -k id --require-final >got
	{ ins 2 a 2; echo "$final"; } >want
	same
	ins 1 a 1 | sed 's/}}$//' >in
	run -3 $D -k id in
}

@test "dedup: TRUNCATE drops what came before it, of its table" {
	{ ins 1 a 1; ins 2 b 1 | sed s/d.t/d.u/; echo '{"recordID":3,"recordType":"TRUNCATE","dbTable":"d.t"}'; del 4 a; } >in
	{ sed -n 2,3p in; echo "$final"; } >want
	$D -k id in >got
	same
}

@test "dedup: several files, standard input, CR, empty lines, composite keys" {
	ins 1 a 1 >f1
	{ echo; ins 2 a 1 | sed 's/$/\r/'; echo; } >f2
	{ ins 2 a 1; echo "$final"; } >want
	$D -k id f1 - <f2 >got
	same
	{ ins 1 a 1; ins 2 a 2; ins 3 a 2; } >in
	{ ins 1 a 1; ins 3 a 2; echo "$final"; } >want
	$D --key 'v, id' <in >got
	same
}

@test "dedup: spilling gives the same bytes, under the ceiling" {
	jq -nc 'range(150000) | {recordID: (. * 7 % 150000), recordType: "UPDATE", dbTable: "d.t",
		beforeImages: {id: (. % 20000 | tostring)},
		afterImages: {id: (if . % 100 == 0 then . + 1 else . end | . % 20000 | tostring), v: ("x" * 60)}}' >in
	$D -k id --memory 512M in >want
	$D -k id --memory 8M --tmpdir . --stats stats in >got
	cmp want got
	[ "$(jq '.peak_memory_bytes < 10000000' stats)" = true ] || [ -n "${SANITIZED:-}" ]
	[ -z "$(find . -name '*.tmp*')" ]
}

@test "dedup: usage" {
	for bad in --window=-1 --window=x --window-time=x --order= --memory=1k -k, -kid,id --nonsense --win; do
		run --separate-stderr -2 $D $bad </dev/null
		[ -z "$output" ]
		[ -n "$stderr" ]
	done
	run -0 $D --help
	[ "${#lines[@]}" -le 36 ]
	run -0 $D --version
	run --separate-stderr -4 $D -k id nothing-here
	[ "$stderr" = 'cdc-dedup: error: cannot open nothing-here: No such file or directory' ]
}

@test "dedup: a reader that goes away, a full disk, an output file" {
	for i in $(seq 20000); do echo "$i"; done | jq -c '{recordID: ., recordType: "INSERT", afterImages: {id: ., v: "0123456789012345678901234567890123456789"}}' >in
	run -141 bash -c "set -o pipefail; $D -k id in | head -n 1 >/dev/null"
	[ -z "$output" ]
	run -4 $D -k id in -o /dev/full
	run -4 bash -c "$D -k id in >/dev/full"
	$D -k id -o out in
	[ "$(wc -l <out)" = 20001 ]
	echo broken >>in
	run -3 $D -k id -o out2 in
	[ ! -e out2 ]
	[ -z "$(find . -name '*.tmp')" ]
	run -4 $D -k id --memory 8M --tmpdir /nonexistent out out out out out out
}

@test "dedup: interrupted, it prints nothing more and dies of the signal" {
	mkfifo pipe
	$D -k id <pipe >got 3>&- &
	pid=$!
	exec 9>pipe
	ins 1 a 1 >&9
	sleep 0.3
	kill -TERM $pid
	rc=0
	wait $pid || rc=$?
	exec 9>&-
	[ $rc = 143 ]
	[ ! -s got ]
}
