#!/usr/bin/env bats
# What a user sees of cdc-decode: records, formats, framings, rejects, exit status and messages.
# Expectations are worked out by hand, by the manual, or by Python's csv module.

bats_require_minimum_version 1.5.0

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	PATH=$bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
}

make_dump() { "$bin/tests/dts/make_dump" "$@"; }
final='{"recordType":"CHECKPOINT","positions":[],"final":true}'

# The command lines of the manual's example NUMBER, and what they print.
example() {
	awk -v want="$1" '/^\.Bd -literal/ { n++; on = n == want; next } /^\.Ed/ { on = 0 } on' \
		"$root/man/cdc-decode.1" | sed 's/\\e$/\\/'
}

@test "decode: the sales example, as the reference has it" {
	make_dump --sales init >init.kcat
	make_dump --sales changes >changes.kcat
	cdc-decode --from dts --framing kcat init.kcat >init.ndjson
	cdc-decode changes.kcat >changes.ndjson
	jq -c 'select(.afterImages) | [.recordType, .dbTable, .beforeImages, .afterImages]' \
		init.ndjson changes.ndjson >got
	cat >want <<-'EOF'
	["INIT","delta_cdc.sales",{},{"id":"1","date":"2019-11-11","name":"Robert","sales":"323.0"}]
	["INIT","delta_cdc.sales",{},{"id":"2","date":"2019-11-11","name":"Lee","sales":"500.0"}]
	["INIT","delta_cdc.sales",{},{"id":"3","date":"2019-11-12","name":"Robert","sales":"136.0"}]
	["INIT","delta_cdc.sales",{},{"id":"4","date":"2019-11-13","name":"Lee","sales":"211.0"}]
	["DELETE","delta_cdc.sales",{"id":"1","date":"2019-11-11","name":"Robert","sales":"323.0"},{}]
	["UPDATE","delta_cdc.sales",{"id":"2","date":"2019-11-11","name":"Lee","sales":"500.0"},{"id":"2","date":"2019-11-11","name":"Lee","sales":"150.0"}]
	["UPDATE","delta_cdc.sales",{"id":"2","date":"2019-11-11","name":"Lee","sales":"150.0"},{"id":"2","date":"2019-11-11","name":"Lee","sales":"175.0"}]
	["INSERT","delta_cdc.sales",{},{"id":"5","date":"2019-11-14","name":"Robert","sales":"233.0"}]
	EOF
	diff -u want got
	[ "$(tail -n 1 init.ndjson)" = "$final" ]
	head -n 1 init.ndjson >got
	cat >want <<-'EOF'
	{"recordType":"SCHEMA","dbTable":"delta_cdc.sales","columns":[{"name":"id","type":"bigint","nullable":false},{"name":"date","type":"date","nullable":true,"sourceType":"date"},{"name":"name","type":"varchar","nullable":true,"sourceType":"varchar"},{"name":"sales","type":"double","nullable":true,"sourceType":"double"}],"primaryKey":["id"]}
	EOF
	diff -u want got
}

@test "decode: version 1 and version 2 of the layout give the same records" {
	make_dump --count 500 >v2.kcat
	make_dump --count 500 --v1 >v1.kcat
	! cmp -s v1.kcat v2.kcat
	for v in v1 v2; do
		cdc-decode $v.kcat | jq -c 'del(.position)' >$v
	done
	diff v1 v2
	[ "$(jq -s 'map(select(.fields)) | length' v1)" -eq 500 ]
}

@test "decode: several files are one stream; SCHEMA and CHECKPOINT come once" {
	make_dump --sales init >a
	make_dump --sales changes >b
	cdc-decode a b >got
	[ "$(grep -c '"recordType":"SCHEMA"' got)" -eq 1 ]
	[ "$(grep -c '"recordType":"CHECKPOINT"' got)" -eq 1 ]
	[ "$(wc -l <got)" -eq 10 ]
	cat a b | cdc-decode --from dts - | jq -c 'del(.position)' >piped
	jq -c 'del(.position)' got | diff - piped
}

@test "decode: records come out while the input stays open" {
	make_dump --sales init >init.kcat
	mkfifo in out
	cdc-decode --from dts --framing kcat in >out &
	exec 9<out
	exec 8>in
	cat init.kcat >&8
	for _ in 1 2 3 4 5; do
		read -r -t 10 line <&9
	done
	[ "$(jq -r .recordID <<<"$line")" -eq 4 ]
	exec 8>&-
	read -r -t 10 line <&9
	[ "$line" = "$final" ]
	exec 9<&-
	wait
}

@test "decode: a malformed message is a reject with its place and bytes, and the next is read" {
	make_dump --sales init >init.kcat
	{ head -c 4 init.kcat; } >/dev/null
	{ printf '\0\0\0\5hello'; cat init.kcat; } >bad.kcat
	run --separate-stderr cdc-decode --from dts --framing kcat --reject rejects bad.kcat
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 6 ]
	jq -e '.file == "bad.kcat" and .offset == 4 and (.raw | @base64d) == "hello"' rejects
	[ "$(wc -l <rejects)" -eq 1 ]
	# without --reject it is the end: status 3, no final CHECKPOINT
	run --separate-stderr cdc-decode --from dts --framing kcat bad.kcat
	[ "$status" -eq 3 ]
	[ "$output" = "" ]
	[[ $stderr == "cdc-decode: bad.kcat:offset 4: error: not a DTS event: "* ]]
}

@test "decode: what comes before lost boundaries is printed, and nothing final" {
	make_dump --sales init >init.kcat
	{ cat init.kcat; printf '\x80\0\0\0rest'; } >bad.kcat
	run --separate-stderr cdc-decode --from dts --framing kcat --reject rejects bad.kcat
	[ "$status" -eq 3 ]
	[ "${#lines[@]}" -eq 5 ]
	[[ $output != *'"final"'* ]]
	jq -e '(.raw | @base64d | .[-4:]) == "rest"' rejects
	run cdc-decode --from dts --framing kcat --reject rejects -o out.ndjson bad.kcat
	[ "$status" -eq 3 ]
	[ ! -e out.ndjson ]
	[ -z "$(find . -name '.*tmp')" ]
}

@test "decode: --max-rejects stops" {
	printf '\0\0\0\5hello\0\0\0\5hello\0\0\0\5hello' >bad.kcat
	run cdc-decode --from dts --framing kcat --reject r --max-rejects 1 bad.kcat
	[ "$status" -eq 3 ]
	run cdc-decode --from dts --framing kcat --reject r --max-rejects 3 bad.kcat
	[ "$status" -eq 1 ]
}

@test "decode: --table keeps what matches" {
	make_dump --count 200 >d.kcat
	cdc-decode --stats stats -t 'shop.*_old' d.kcat >got
	[ "$(jq -r 'select(.fields) | .dbTable' got | sort -u)" = shop.orders_old ]
	jq -e '.records + .skipped == 200 and .skipped > 100' stats
}

@test "decode: --topic and --partition name the place without making up an offset" {
	make_dump --sales init >init.kcat
	cdc-decode --topic sales --partition 2 init.kcat | jq -c 'select(.position) | .position' >got
	head -n 1 got | diff <(echo '{"topic":"sales","partition":2,"file":"init.kcat","byte":4}') -
	run cdc-decode --partition=-1 init.kcat
	[ "$status" -eq 2 ]
}

@test "decode: what cannot be told apart is refused" {
	echo '1,2,3' >t.csv
	run cdc-decode t.csv
	[ "$status" -eq 3 ]
	[ "$output" = "cdc-decode: t.csv: error: cannot tell what the input is: give --from and --framing" ]
	gzip t.csv
	run cdc-decode t.csv.gz
	[ "$output" = "cdc-decode: t.csv.gz: error: cannot tell what the input is: give --from and --framing" ]
	run cdc-decode --from oracle t.csv.gz
	[ "$status" -eq 2 ]
	[[ $output == *'"oracle" is not one of auto, dts, '* ]]
	run cdc-decode --from csv t.csv.gz
	[ "$status" -eq 2 ]
	[[ $output == *"--columns or --header"* ]]
	run cdc-decode none
	[ "$status" -eq 4 ]
}

@test "decode: nothing in, a final CHECKPOINT out" {
	run cdc-decode --from dts --framing kcat - </dev/null
	[ "$status" -eq 0 ]
	[ "$output" = "$final" ]
	run cdc-decode - </dev/null
	[ "$output" = "$final" ]
}

@test "decode: -v says what the input was taken for" {
	make_dump --sales init >init.kcat
	run --separate-stderr cdc-decode -v init.kcat
	[ "$stderr" = "cdc-decode: debug: init.kcat: format dts, framing kcat" ]
}

@test "decode: CSV reads back what Python's csv module wrote" {
	cat >make.py <<-'EOF'
	import csv, json, random, sys
	random.seed(20191114)
	pieces = ['a', 'é', '齿', '"', ',', '\r\n', '\n', ' ', '\\', "'", '\t', '0', '']
	rows = []
	for i in range(3000):
	    rows.append([''.join(random.choice(pieces) for _ in range(random.randrange(8))) for _ in range(4)])
	line = 1
	with open('t.csv', 'w', newline='', encoding='utf-8') as f, open('want', 'w') as w:
	    out = csv.writer(f, quoting=csv.QUOTE_ALL)
	    plain = csv.writer(f, lineterminator='\n')
	    for i, r in enumerate(rows):
	        # in plain rows an empty field is null
	        (out if i % 2 else plain).writerow(r)
	        values = [v if v or i % 2 else None for v in r]
	        w.write(json.dumps([line, dict(zip('abcd', values))]) + '\n')
	        line += 1 + sum(v.count('\n') for v in r)
	EOF
	python3 make.py
	cdc-decode --from csv --columns a,b,c,d t.csv >got
	python3 - <<-'EOF'
	import json
	want = [json.loads(l) for l in open('want')]
	got = [json.loads(l) for l in open('got', encoding='utf-8')]
	got = [[r['recordID'], r['afterImages']] for r in got if 'afterImages' in r]
	assert len(want) == len(got) == 3000, len(got)
	for w, g in zip(want, got):
	    assert w == g, (w, g)
	EOF
}

@test "decode: a lone quote in CSV is one reject" {
	printf '1,a\n2,b"b\n3,c\n' >t.csv
	run --separate-stderr cdc-decode --from csv --columns 'id INT, v' --key id --reject r t.csv
	[ "$status" -eq 1 ]
	[ "$(jq -c 'select(.afterImages) | .recordID' <<<"$output" | paste -sd,)" = 1,3 ]
	jq -e '.line == 2 and .offset == 4 and (.raw | @base64d) == "2,b\"b\n"' r
}

@test "decode: records pass through, checked" {
	make_dump --sales changes | cdc-decode >r.ndjson
	cdc-decode --from records r.ndjson | diff r.ndjson -
	cdc-decode r.ndjson | diff r.ndjson -
	echo '{"recordType":"INSERT"}' >>r.ndjson
	run cdc-decode --from records r.ndjson
	[ "$status" -eq 3 ]
	[[ $output == *"cdc-decode: r.ndjson:7: error: "* ]]
}

@test "decode: the example of the manual" {
	sed -n '/^\$ cat full.csv/,/^\$ cdc-decode/p' <<<"$(example 3)" | sed '1d;$d' >full.csv
	example 3 | sed -n '/^\$ cdc-decode/,/full.csv$/p' | sed 's/^\$ //' >cmd
	example 3 | sed -n '/^{/p' >want
	[ "$(wc -l <want)" -eq 4 ]
	bash cmd >got
	diff -u want got
}

@test "decode: a closed pipe ends it without a word" {
	make_dump --count 20000 >d.kcat
	run bash -c "set -o pipefail; cdc-decode d.kcat 2>err | head -n 1 >/dev/null; echo \${PIPESTATUS[0]}"
	[ "$output" = 141 ]
	[ ! -s err ]
}

@test "decode: a reject leaves its table as it was" {
	cat >in <<-'END'
	{"type":"table-create","database":"d","table":"t","def":{"database":"d","charset":"utf8mb4","table":"t","columns":[{"type":"bigint","name":"id","signed":true},{"type":"set","name":"s"}],"primary-key":["id"]},"ts":1,"sql":"create table t"}
	{"database":"d","table":"t","type":"insert","ts":1,"data":{"id":1,"s":["a","b"]}}
	{"database":"d","table":"t","type":"insert","ts":1,"data":{"id":2,"x":1,"x":2}}
	{"database":"d","table":"t","type":"insert","ts":1,"data":{"id":3,"s":["a","b"]}}
	END
	run -1 --separate-stderr cdc-decode --from maxwell --reject rejects in
	diff -u - <(jq -c 'select(.afterImages) | .afterImages' <<<"$output") <<-'END'
	{"id":"1","s":"a,b"}
	{"id":"3","s":"a,b"}
	END
	[ "$(grep -c SCHEMA <<<"$output")" -eq 1 ]
}

@test "decode: change records that were cut off do not become whole" {
	row='{"recordType":"INSERT","dbTable":"d.t","afterImages":{"id":"1"},"position":{"topic":"t","partition":0,"offset":4}}'
	cp='{"recordType":"CHECKPOINT","positions":[{"topic":"t","partition":0,"offset":4}]'
	printf '%s\n' "$row" "$cp}" >open
	printf '%s\n' "$row" "$cp,\"final\":true}" >closed
	printf '%s\n' "$row" "$cp,\"final\":true}" "$row" >more
	printf '%s\n' "$row" >none
	for f in open more; do
		run --separate-stderr cdc-decode --from records "$f" closed
		[ "$status" -eq 0 ]
		[ "$(tail -n 1 <<<"$output")" = "$cp}" ]
		[ "$stderr" = "cdc-decode: warning: $f: the input was cut off: its last CHECKPOINT is not final" ]
	done
	for f in closed none; do
		run --separate-stderr cdc-decode --from records "$f"
		[ "$(tail -n 1 <<<"$output")" = "$cp,\"final\":true}" ]
		[ -z "$stderr" ]
	done
}
