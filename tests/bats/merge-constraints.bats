#!/usr/bin/env bats
# Proves that a merge honours what a table demands of its rows: CHECK constraints, invariants,
# generated columns, defaults and identity columns.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	dir=$BATS_TEST_TMPDIR
	t=$dir/t
	cd "$dir"
}

record() { # record ID TYPE BEFORE AFTER
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"%s","beforeImages":%s,"afterImages":%s}\n' "$@"
}
ins() { # ins ID IMAGE
	record "$1" INSERT '{}' "$2"
}
merge() {
	"$bin/cdc-merge" -q "$@"
}
# table DDL [OPTIONS]: an empty table by id
table() {
	rm -rf "$t"
	merge --create --schema "$1" -k id "${@:2}" "$t" </dev/null
}
# column NAME JSON FEATURE: metadata of a column, and the feature, as another program would put them.
column() {
	local log=$t/_delta_log/00000000000000000000.json
	jq -c --arg c "$1" --argjson m "$2" --arg f "$3" '
		if .metaData then .metaData.schemaString |= (fromjson | (.fields[] | select(.name == $c).metadata) += $m | tojson)
		elif .protocol then .protocol = {minReaderVersion: 1, minWriterVersion: 7,
			writerFeatures: ((.protocol.writerFeatures // ["appendOnly", "invariants"]) + [$f] | unique)}
		else . end' "$log" >log && cp log "$log"
}
rows() { # rows EXPECTED: the table, sorted
	diff -u <(printf '%s' "${1:+$1$'\n'}") <("$bin/cdc-snapshot" "$t" | sort)
}
reasons() { # reasons EXPECTED: of the rejects
	diff -u <(printf '%s' "${1:+$1$'\n'}") <(jq -r .reason rejects)
}

@test "a CHECK constraint rejects the rows that break it, whole or partial" {
	for mode in cow dv; do
		table 'id BIGINT NOT NULL, n INT, s STRING' --property "delta.constraints.small=n < 10 AND s <> 'no'" --mode $mode
		[ "$(jq -c 'select(.protocol).protocol.minWriterVersion' "$t"/_delta_log/*0.json)" -ge 3 ]
		{ ins 1 '{"id":"1","n":"1","s":"a"}'; ins 2 '{"id":"2","n":"2","s":"a"}'; } | merge "$t"
		{
			ins 3 '{"id":"3","n":"11","s":"a"}'
			ins 4 '{"id":"4","n":null,"s":"a"}'
			record 5 UPDATE '{"id":"1"}' '{"n":"12"}'
			record 6 UPDATE '{"id":"2"}' '{"id":"5","s":"no"}'
			ins 7 '{"id":"6","n":"3","s":"b"}'
		} >in
		run merge --mode $mode --reject rejects "$t" in
		[ "$status" -eq 1 ]
		[ "$(jq -r .reason rejects | grep -c 'constraint small')" -eq 4 ] || { cat rejects; false; }
		# What was rejected left everything as it was, the old row of a key change too.
		rows '{"id":1,"n":1,"s":"a"}
{"id":2,"n":2,"s":"a"}
{"id":6,"n":3,"s":"b"}'
		# The reject can be applied again once it fits.
		jq -r .raw rejects | base64 -d | jq -c .afterImages | head -n 1 | grep -q '"n":"11"'
		run merge "$t" <(ins 8 '{"id":"9","n":"99","s":"a"}')
		[ "$status" -eq 3 ]
		grep -qF "n < 10 AND s <> 'no'" <<<"$output"
	done
}

@test "an expression that cannot be evaluated refuses the table, and is quoted" {
	table 'id BIGINT NOT NULL, s STRING'
	sed -i -e 's/"configuration":{/"configuration":{"delta.constraints.odd":"s RLIKE '"'a+'"'",/' -e 's/"minWriterVersion":2/"minWriterVersion":3/' \
		"$t/_delta_log/00000000000000000000.json"
	run merge "$t" <(ins 1 '{"id":"1","s":"a"}')
	[ "$status" -eq 6 ]
	grep -qF "RLIKE" <<<"$output"
	[ "$(ls "$t"/_delta_log/*.json | wc -l)" -eq 1 ]
}

@test "an invariant of a column" {
	table 'id BIGINT NOT NULL, n INT'
	column n '{"delta.invariants":"{\"expression\":{\"expression\":\"n > 3\"}}"}' invariants
	{ ins 1 '{"id":"1","n":"4"}'; ins 2 '{"id":"2","n":"3"}'; } >in
	run merge --reject rejects "$t" in
	[ "$status" -eq 1 ]
	[ "$(jq -r .reason rejects | grep -c 'n > 3')" -eq 1 ]
	rows '{"id":1,"n":4}'
}

@test "generated columns are computed, checked, and computed again" {
	table 'id BIGINT NOT NULL, at TIMESTAMP, day DATE NOT NULL' -p day
	column day '{"delta.generationExpression":"CAST(at AS DATE)"}' generatedColumns
	{
		ins 1 '{"id":"1","at":"2024-03-01T23:00:00Z"}'
		ins 2 '{"id":"2","at":"2024-03-02T01:00:00Z","day":"2024-03-02"}'
		ins 3 '{"id":"3","at":"2024-03-02T01:00:00Z","day":"2024-03-03"}'
	} >in
	run merge --reject rejects "$t" in
	[ "$status" -eq 1 ]
	[ "$(wc -l <rejects)" -eq 1 ]
	rows '{"id":1,"at":"2024-03-01T23:00:00Z","day":"2024-03-01"}
{"id":2,"at":"2024-03-02T01:00:00Z","day":"2024-03-02"}'
	record 4 UPDATE '{"id":"1"}' '{"at":"2024-05-05T00:00:00Z"}' | merge "$t"
	rows '{"id":1,"at":"2024-05-05T00:00:00Z","day":"2024-05-05"}
{"id":2,"at":"2024-03-02T01:00:00Z","day":"2024-03-02"}'
	# As it was: nothing to write.
	record 5 UPDATE '{"id":"1"}' '{"at":"2024-05-05T00:00:00Z"}' | merge "$t"
	[ "$("$bin/cdc-snapshot" --describe "$t" | jq .version)" -eq 2 ]
}

@test "defaults are for new rows that do not tell the column" {
	table 'id BIGINT NOT NULL, a STRING NOT NULL, n INT'
	column a "{\"CURRENT_DEFAULT\":\"'none'\"}" allowColumnDefaults
	column n '{"CURRENT_DEFAULT":"7"}' allowColumnDefaults
	{
		ins 1 '{"id":"1"}'
		ins 2 '{"id":"2","a":"x","n":null}'
		record 3 UPDATE '{"id":"3"}' '{"id":"3","a":"y"}'
	} | merge "$t"
	rows '{"id":1,"a":"none","n":7}
{"id":2,"a":"x","n":null}
{"id":3,"a":"y","n":7}'
	record 4 UPDATE '{"id":"2"}' '{"a":"z"}' | merge "$t"
	rows '{"id":1,"a":"none","n":7}
{"id":2,"a":"z","n":null}
{"id":3,"a":"y","n":7}'
}

@test "identity columns take what the source gives where they may, and else nothing" {
	identity='{"delta.identity.start":1,"delta.identity.step":1,"delta.identity.highWaterMark":5,"delta.identity.allowExplicitInsert":true}'
	table 'id BIGINT NOT NULL, seq BIGINT'
	column seq "$identity" identityColumns
	{ ins 1 '{"id":"1","seq":"17"}'; ins 2 '{"id":"2"}'; } >in
	run merge --reject rejects "$t" in
	[ "$status" -eq 1 ]
	rows '{"id":1,"seq":17}'
	table 'id BIGINT NOT NULL, seq BIGINT'
	column seq "${identity/true/false}" identityColumns
	run merge "$t" <(ins 1 '{"id":"1","seq":"17"}')
	[ "$status" -eq 6 ]
	grep -q 'seq' <<<"$output"
}
