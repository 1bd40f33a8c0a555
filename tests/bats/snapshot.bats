#!/usr/bin/env bats
# Proves what a user sees of cdc-snapshot: formats, columns, versions, history, description, limits,
# messages and exit status.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	dir=$BATS_TEST_TMPDIR
	table=$dir/sales
	"$bin/cdc-merge" -q --create --schema 'id BIGINT NOT NULL, name STRING, sales DECIMAL(7,2), at TIMESTAMP' \
		-k id "$table" - <<'EOF'
{"recordID":1,"dbTable":"d.sales","recordType":"INSERT","fields":["id","name","sales","at"],"beforeImages":{},"afterImages":{"id":"1","name":"a,\"b\"","sales":"323","at":"2019-11-14T03:11:05.120Z"}}
{"recordID":2,"dbTable":"d.sales","recordType":"INSERT","fields":["id","name","sales","at"],"beforeImages":{},"afterImages":{"id":"2","name":"","sales":"-0.5","at":null}}
{"recordID":3,"dbTable":"d.sales","recordType":"INSERT","fields":["id","name","sales","at"],"beforeImages":{},"afterImages":{"id":"3","name":null,"sales":null,"at":"2019-11-14T03:11:05Z"}}
EOF
	"$bin/cdc-merge" -q "$table" - <<'EOF'
{"recordID":4,"dbTable":"d.sales","recordType":"DELETE","fields":["id"],"beforeImages":{"id":"2"},"afterImages":{}}
EOF
}

is() { # is EXPECTED: the output of the last run, exactly
	[ "$status" -eq 0 ] || { echo "exit status $status: $output"; return 1; }
	diff -u <(printf '%s\n' "$1") <(printf '%s\n' "$output")
}

# The newest version: creating the table may take a commit of its own.
newest() {
	"$bin/cdc-snapshot" --describe "$table" | jq .version
}

@test "rows are NDJSON by default, with exact numbers" {
	run "$bin/cdc-snapshot" "$table"
	is '{"id":1,"name":"a,\"b\"","sales":323.00,"at":"2019-11-14T03:11:05.12Z"}
{"id":3,"name":null,"sales":null,"at":"2019-11-14T03:11:05Z"}'
}

@test "an older version has the deleted row" {
	v=$(newest)
	run "$bin/cdc-snapshot" --version-as-of $((v - 1)) -c id,sales "$table"
	is '{"id":1,"sales":323.00}
{"id":2,"sales":-0.50}
{"id":3,"sales":null}'
}

@test "csv tells null from empty" {
	v=$(newest)
	run "$bin/cdc-snapshot" -f csv --version-as-of $((v - 1)) "$table"
	is 'id,name,sales,at
1,"a,""b""",323.00,2019-11-14T03:11:05.12Z
2,"",-0.50,
3,,,2019-11-14T03:11:05Z'
}

@test "tsv writes null as \\N" {
	run "$bin/cdc-snapshot" -f tsv -c name,id "$table"
	is 'name	id
a,"b"	1
\N	3'
}

@test "table is a box" {
	run "$bin/cdc-snapshot" --format=table -c id,NAME,sales "$table"
	is '+---+-----+------+
| id| name| sales|
+---+-----+------+
|  1|a,"b"|323.00|
|  3| null|  null|
+---+-----+------+'
}

@test "limit stops, and 0 is allowed" {
	run "$bin/cdc-snapshot" --limit 1 -c id "$table"
	is '{"id":1}'
	run "$bin/cdc-snapshot" --limit 0 -f csv -c id "$table"
	is 'id'
}

@test "history is newest first, one object a commit" {
	"$bin/cdc-snapshot" --history "$table" >"$dir/history"
	v=$(newest)
	run jq -r .version "$dir/history"
	is "$(seq "$v" -1 0)"
	run jq -r 'select(.version == '"$v"') | .operation, (.operationParameters | type),
		(.operationMetrics | type), (.timestamp | test("^[0-9-]{10}T[0-9:.]{12}Z$"))' "$dir/history"
	is 'MERGE
object
object
true'
	run "$bin/cdc-snapshot" --history --limit 1 -f csv "$table"
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[0]}" = version,timestamp,operation,engineInfo,userName,readVersion,isBlindAppend,filesAdded,filesRemoved,operationParameters,operationMetrics ]
	run "$bin/cdc-snapshot" --history --version-as-of 0 -f tsv "$table"
	[ "${#lines[@]}" -eq 2 ]
}

@test "describe counts the live rows" {
	"$bin/cdc-snapshot" --describe "$table" >"$dir/describe"
	[ "$(wc -l <"$dir/describe")" -eq 1 ]
	run jq -c '[.rows, .table == "'"$table"'", [.schema.fields[].name], .partitionColumns,
		(.protocol.minReaderVersion >= 1), (.properties | type), .bytes > 0, .files > 0]' \
		"$dir/describe"
	is '[2,true,["id","name","sales","at"],[],true,"object",true,true]'
}

@test "output goes to a file as a whole" {
	run "$bin/cdc-snapshot" -o "$dir/out.csv" -f csv -c id "$table"
	[ "$status" -eq 0 ]
	diff -u <(printf 'id\n1\n3\n') "$dir/out.csv"
}

@test "stats tell version and rows" {
	run "$bin/cdc-snapshot" --stats "$dir/stats" "$table"
	[ "$(jq -c '[.rows, .version]' "$dir/stats")" = "[2,$(newest)]" ]
}

refuses() { # refuses STATUS PATTERN COMMAND...
	want=$1 pattern=$2
	shift 2
	run "$@"
	[ "$status" -eq "$want" ] || { echo "exit status $status, not $want: $output"; return 1; }
	[[ $output == *"$pattern"* ]] || { echo "$output"; return 1; }
}

@test "usage errors are 2" {
	refuses 2 'no TABLE' "$bin/cdc-snapshot"
	refuses 2 'more than one' "$bin/cdc-snapshot" a b
	refuses 2 'no column "x"' "$bin/cdc-snapshot" -c id,x "$table"
	refuses 2 'empty name' "$bin/cdc-snapshot" -c id, "$table"
	refuses 2 'negative' "$bin/cdc-snapshot" --limit -1 "$table"
	refuses 2 'negative' "$bin/cdc-snapshot" --version-as-of -1 "$table"
	refuses 2 'does not exist' "$bin/cdc-snapshot" --version-as-of 99 "$table"
	refuses 2 'not a Delta table' "$bin/cdc-snapshot" "$dir/nothing"
	refuses 2 'exclude' "$bin/cdc-snapshot" --history --describe "$table"
	refuses 2 'does not go with' "$bin/cdc-snapshot" --describe -f csv "$table"
	refuses 2 '--columns does not go with --history' "$bin/cdc-snapshot" --history -c id "$table"
	refuses 2 'xml' "$bin/cdc-snapshot" -f xml "$table"
}

@test "a lost or damaged data file is 6 and is named" {
	for file in "$table"/*.parquet; do
		printf 'not parquet, but long enough to be looked at' >"$file"
	done
	refuses 6 '.parquet' "$bin/cdc-snapshot" "$table"
	rm "$table"/*.parquet
	refuses 6 'is not there' "$bin/cdc-snapshot" "$table"
}

@test "a reader that leaves ends the program quietly" {
	run bash -c "'$bin/cdc-snapshot' '$table' | head -n 0; echo \${PIPESTATUS[0]}"
	[ "$status" -eq 0 ]
	[[ $output == 0 || $output == 141 ]]
}

@test "a full disk is 4" {
	[ -w /dev/full ] || skip "no /dev/full"
	run bash -c "'$bin/cdc-snapshot' '$table' >/dev/full"
	[ "$status" -eq 4 ]
}
