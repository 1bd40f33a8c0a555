#!/usr/bin/env bats
# cdc-decode --show and --describe: looks into a dump. Expectations are worked out by hand, or by
# jq, sort and uniq from the records.

bats_require_minimum_version 1.5.0

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	PATH=$bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	unset COLUMNS
}

# One message of kcat -J: OFFSET ID TYPE, of partition 0 of topic shop.
message() {
	printf '{"topic":"shop","partition":0,"offset":%d,"tstype":"create","ts":1700000000000,"broker":0,"key":null,"payload":"%s"}\n' \
		"$1" "{\\\"database\\\":\\\"shop\\\",\\\"table\\\":\\\"sales\\\",\\\"type\\\":\\\"$3\\\",\\\"ts\\\":170000000$2,\\\"data\\\":{\\\"id\\\":$2,\\\"n\\\":null},\\\"primary_key_columns\\\":[\\\"id\\\"]}"
}

@test "show: the columns of the reference's parser" {
	"$bin/tests/dts/make_dump" --sales init >init.kcat
	cdc-decode --show init.kcat >got
	sed 's/-*+//g; s/ *|/|/g' got | sed -n '2p; 4p' | cut -d '|' -f 2,4-6,8- >plain
	cat >want <<-'EOF'
	recordid|dbtable|recordtype|recordtimestamp|fields|beforeimages|afterimages|
	1|delta_cdc.sales|INIT|2019-11-14 02:53:21|["id","date","name","sales"]|{}|{"id":"1","date":"2019-11-11","name":"Robert","sales":"323.0"}|
	EOF
	diff want plain
	grep -q '|{"sourceType":"MySQL","version":"8.0.28"} *|' got
	[ "$(wc -l <got)" -eq 8 ]
	# Every line of a box is as wide as the others.
	[ "$(awk '{ print length }' got | sort -u | wc -l)" -eq 1 ]
}

@test "show: NULL and unknown are told apart, control characters and wide ones are drawn safely" {
	cat >in.ndjson <<-'EOF'
	{"recordID":7,"dbTable":"s.t","recordType":"UPDATE","fields":["id","a","b"],"beforeImages":{"id":"1","a":null},"afterImages":{"id":"1","a":"\u001b[31m\n中","b":null}}
	{"recordID":8,"dbTable":"s.t","recordType":"DDL","extraTags":{},"ddl":"ALTER TABLE t ADD \"x\" INT"}
	EOF
	cdc-decode --from records --show in.ndjson >got
	grep -qF '|{"id":"1","a":null,"b":?}|{"id":"1","a":"\u001b[31m\n中","b":null}|' got
	grep -qF '|DDL ' got
	grep -qF '|ALTER TABLE t ADD "x" INT ' got
	! grep -q $'\x1b' got
	[ "$(LC_ALL=C.UTF-8 awk '!/中/ { print length }' got | sort -u | wc -l)" -eq 1 ]
}

@test "show: fits the terminal" {
	"$bin/tests/dts/make_dump" --sales changes >changes.kcat
	for columns in 200 132 100 80; do
		COLUMNS=$columns cdc-decode --show changes.kcat >got
		[ "$(LC_ALL=C.UTF-8 awk '{ print length }' got | sort -u | tail -n 1)" -le $columns ]
		grep -q '|recordid|' got
		grep -q '|afterimages' got
	done
	grep -q '…' got
	# To a file nothing is cut.
	cdc-decode --show changes.kcat >all
	! grep -q '…' all
	grep -q '|extratags' all
}

@test "show: no record is an empty box; a bad message still shows what came before it" {
	cdc-decode --from maxwell --framing lines --show /dev/null >got
	[ "$(wc -l <got)" -eq 4 ]
	{ message 0 1 insert; echo '{'; } >in
	run -3 --separate-stderr cdc-decode --from maxwell --framing kcat-json --show in
	[[ $output == *'"id":"1"'* ]]
	run -2 cdc-decode --show --describe in
}

@test "describe: positions, gaps, duplicates and inversions" {
	{
		message 3 1 insert
		message 4 2 insert
		message 7 3 insert # 5 and 6 are missing
		message 4 2 insert # again
		message 9 1 update # 8 is missing
	} >in
	cdc-decode --describe in >got.json
	jq -c '.formats, .messages, .records, .firstTime, .lastTime' got.json >got
	cat >want <<-'EOF'
	[{"format":"maxwell","framing":"kcat-json","inputs":1}]
	5
	{"INSERT":4,"UPDATE":1,"SCHEMA":1}
	"2023-11-14T22:13:21Z"
	"2023-11-14T22:13:23Z"
	EOF
	diff want got
	jq -c '.partitions[]' got.json >got
	cat >want <<-'EOF'
	{"topic":"shop","partition":0,"messages":5,"offset":{"first":3,"last":9,"gaps":2,"missing":3,"duplicates":1,"inversions":1},"recordID":{"first":3,"last":9,"duplicates":1,"inversions":1}}
	EOF
	diff want got
	jq -c '.tables[]' got.json >got
	cat >want <<-'EOF'
	{"dbTable":"shop.sales","records":{"INSERT":4,"UPDATE":1,"SCHEMA":1},"firstTime":"2023-11-14T22:13:21Z","lastTime":"2023-11-14T22:13:23Z","fields":["id","n"],"primaryKey":["id"]}
	EOF
	diff want got
	jq -c '.keysChangedMost[]' got.json >got
	cat >want <<-'EOF'
	{"dbTable":"shop.sales","key":{"id":"1"},"changes":2,"over":0}
	{"dbTable":"shop.sales","key":{"id":"2"},"changes":2,"over":0}
	EOF
	diff want got
}

@test "describe: the keys changed most among many" {
	# 30,000 keys that come once or twice, and five that come often, mixed.
	awk 'BEGIN { srand(7); for (i = 0; i < 60000; i++) {
		k = i % 12 == 0 ? "hot" int(rand() * 5) : int(rand() * 30000)
		printf "{\"recordID\":%d,\"dbTable\":\"s.t\",\"recordType\":\"INSERT\",\"fields\":[\"k\"],\"beforeImages\":{},\"afterImages\":{\"k\":\"%s\"}}\n", i, k } }' >rows
	{
		echo '{"recordType":"SCHEMA","dbTable":"s.t","columns":[{"name":"k","type":"varchar(9)","nullable":false}],"primaryKey":["k"]}'
		cat rows
	} | cdc-decode --from records --describe |
		jq -r '.keysChangedMost[:5][] | "\(.key.k) \(.changes - .over <= 0)"' | cut -d ' ' -f 1 | sort >got
	grep -o '"k":"hot[0-9]' rows | sort -u | cut -d '"' -f 4 >want
	diff want got
}

@test "describe: exports, several tables and inputs, rejects" {
	printf 'id,name\n1,a\n2,b\n' >a.csv
	cdc-decode --describe --from csv --header --key id --db-table shop.a a.csv |
		jq -c '[.formats[0].format, .formats[0].framing, .records, .partitions[0].recordID.duplicates, .tables[0].primaryKey]' >got
	cat >want <<-'EOF'
	["csv",null,{"INSERT":2,"SCHEMA":1},0,["id"]]
	EOF
	diff want got
	{ message 0 1 insert; echo '{"topic":"shop","partition":0,"offset":1,"payload":"{"}'; } >in
	run -1 --separate-stderr cdc-decode --describe --from maxwell --framing kcat-json --reject bad in
	[ "$(jq -c '[.messages, .rejected, .records.INSERT]' <<<"$output")" = '[2,1,1]' ]
}
