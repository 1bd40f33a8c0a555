#!/usr/bin/env bats
# Proves what a user sees of cdc-merge: creation, keys, rejects, positions, batches, options,
# messages and exit status, and that a failed run leaves a whole table.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	dir=$BATS_TEST_TMPDIR
	t=$dir/t
	cd "$dir"
}

ins() { # ins ID IMAGE [OFFSET]
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"INSERT","beforeImages":{},"afterImages":%s%s}\n' \
		"$1" "$2" "${3:+,\"position\":{\"topic\":\"x\",\"partition\":0,\"offset\":$3\}}"
}
upd() { # upd ID BEFORE AFTER [OFFSET]
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"UPDATE","beforeImages":%s,"afterImages":%s%s}\n' \
		"$1" "$2" "$3" "${4:+,\"position\":{\"topic\":\"x\",\"partition\":0,\"offset\":$4\}}"
}
del() { # del ID BEFORE [OFFSET]
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"DELETE","beforeImages":%s,"afterImages":{}%s}\n' \
		"$1" "$2" "${3:+,\"position\":{\"topic\":\"x\",\"partition\":0,\"offset\":$3\}}"
}
checkpoint() { # checkpoint OFFSET [,"final":true]
	printf '{"recordType":"CHECKPOINT","positions":[{"topic":"x","partition":0,"offset":%d}]%s}\n' "$1" "${2-}"
}

merge() {
	"$bin/cdc-merge" -q "$@"
}
create() { # create OPTIONS... : an empty table of id and v
	merge --create --schema 'id BIGINT NOT NULL, v STRING' -k id "$@" "$t" </dev/null
}

rows() { # rows EXPECTED: the table, sorted
	"$bin/cdc-snapshot" "$t" >rows.out || return 1
	diff -u <(printf '%s' "${1:+$1$'\n'}") <(sort rows.out)
}

exits() { # exits STATUS PATTERN COMMAND... : exit status, and one line of error with the pattern
	local want=$1 pattern=$2
	shift 2
	run "$@"
	[ "$status" -eq "$want" ] || { echo "exit status $status, not $want: $output"; return 1; }
	[ "$(grep -c 'error: ' <<<"$output")" -eq 1 ] || { echo "not one error: $output"; return 1; }
	grep -qF -- "$pattern" <<<"$output" || { echo "no \"$pattern\": $output"; return 1; }
}

version() {
	"$bin/cdc-snapshot" --describe "$t" | jq .version
}
positions() { # what the latest commits say about the streams
	jq -c 'select(.txn) | [.txn.appId, .txn.version]' "$t"/_delta_log/*.json
}
# Every file of the table is one that its log names, and none is a temporary one.
tidy() {
	(cd "$t" && find . -type f ! -path './_delta_log/*' -printf '%P\n' | sort) >files
	jq -r '(.add // .remove // empty) | .path, (.deletionVector | select(. != null) |
		select(.storageType == "u") | "dv")' "$t"/_delta_log/*.json |
		python3 -c 'import sys, urllib.parse
for l in sys.stdin: print(urllib.parse.unquote(l.strip()))' | sort -u >named
	grep -v '^deletion_vector_' files | comm -23 - named >stray
	find "$t" -name '*.tmp' >>stray
	[ ! -s stray ] || { echo "stray files:"; cat stray; return 1; }
}

# ------------------------------------------------------------------ creation

@test "a SCHEMA record gives each column the type of cdc-table(5)" {
	cat >in <<'END'
{"recordType":"SCHEMA","dbTable":"d.t","columns":[{"name":"a","type":"tinyint","nullable":false,"sourceType":"tinyint(4)"},{"name":"b","type":"smallint","sourceType":"smallint(6)"},{"name":"c","type":"mediumint","sourceType":"mediumint(9)"},{"name":"d","type":"int","sourceType":"int(11)"},{"name":"e","type":"bigint","sourceType":"bigint(20)"},{"name":"ua","type":"tinyint","sourceType":"tinyint(3) unsigned"},{"name":"ub","type":"smallint","sourceType":"smallint(5) unsigned"},{"name":"uc","type":"mediumint","sourceType":"mediumint(8) unsigned"},{"name":"ud","type":"int","sourceType":"int(10) unsigned"},{"name":"ue","type":"bigint","sourceType":"bigint(20) unsigned"},{"name":"dec","type":"decimal","sourceType":"decimal(10,2)"},{"name":"dec40","type":"decimal","sourceType":"decimal(40,2)"},{"name":"f","type":"float","sourceType":"float"},{"name":"g","type":"double","sourceType":"double"},{"name":"h","type":"boolean","sourceType":"boolean"},{"name":"i","type":"date","sourceType":"date"},{"name":"j","type":"datetime","sourceType":"datetime(6)"},{"name":"k","type":"timestamp","sourceType":"timestamp"},{"name":"l","type":"time","sourceType":"time"},{"name":"m","type":"year","sourceType":"year(4)"},{"name":"n","type":"char","sourceType":"char(3)"},{"name":"o","type":"text","sourceType":"text"},{"name":"p","type":"enum","sourceType":"enum('a','b')"},{"name":"q","type":"set","sourceType":"set('a')"},{"name":"r","type":"json","sourceType":"json"},{"name":"s","type":"geometry","sourceType":"point"},{"name":"t","type":"binary","sourceType":"binary(3)"},{"name":"u","type":"blob","sourceType":"blob"},{"name":"v","type":"bit","sourceType":"bit(1)"},{"name":"w","type":"bit","sourceType":"bit(7)"},{"name":"x","type":"bit","sourceType":"bit(64)"}],"primaryKey":["a"]}
END
	merge "$t" in
	"$bin/cdc-snapshot" --describe "$t" >d
	jq -r '.schema.fields[] | "\(.name) \(.type)\(if .nullable then "" else " not null" end)"' d >types
	diff -u - types <<'END'
a byte not null
b short
c integer
d integer
e long
ua short
ub integer
uc integer
ud long
ue decimal(20,0)
dec decimal(10,2)
dec40 string
f float
g double
h boolean
i date
j timestamp_ntz
k timestamp
l string
m integer
n string
o string
p string
q string
r string
s string
t binary
u binary
v boolean
w long
x decimal(20,0)
END
	diff -u <(printf '%s\n' '["a"]' '{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timestampNtz"],"writerFeatures":["appendOnly","invariants","timestampNtz"]}') \
		<(jq -cr '.properties["cdc.key"], .protocol' d)
}

@test "what the source does not tell is asked for, not guessed" {
	schema() {
		printf '{"recordType":"SCHEMA","dbTable":"d.t","columns":[{"name":"a","type":"%s"}],"primaryKey":["a"]}\n' "$1"
	}
	for type in int decimal bit frob; do
		schema $type >in
		exits 2 "--schema 'a TYPE'" "$bin/cdc-merge" "$t" in
		[ ! -e "$t" ]
	done
	schema decimal >in
	merge --schema 'a DECIMAL(12,3)' "$t" in
	[ "$("$bin/cdc-snapshot" --describe "$t" | jq -r '.schema.fields[0].type')" = 'decimal(12,3)' ]
}

@test "--schema overrides the columns that it names, in the source's order, and adds others" {
	printf '%s\n' '{"recordType":"SCHEMA","dbTable":"d.t","columns":[{"name":"a","type":"int","sourceType":"int"},{"name":"b","type":"text"}],"primaryKey":["a"]}' >in
	merge --schema 'z DATE, a BIGINT NOT NULL' "$t" in
	diff -u <(printf '%s\n' 'a long false' 'b string true' 'z date true') \
		<("$bin/cdc-snapshot" --describe "$t" | jq -r '.schema.fields[] | "\(.name) \(.type) \(.nullable)"')
}

@test "--create with --schema and --key makes a table of the lowest protocol" {
	create
	[ "$("$bin/cdc-snapshot" --describe "$t" | jq -c '[.version, .rows, .partitionColumns]')" = '[0,0,[]]' ]
	diff -u <(echo '{"minReaderVersion":1,"minWriterVersion":2}') \
		<(jq -c 'select(.protocol).protocol' "$t/_delta_log/00000000000000000000.json")
	rm -r "$t"
	create --mode dv --property delta.appendOnly=true --property my.own=x=y
	diff -u <(echo '[["deletionVectors"],["appendOnly","invariants","deletionVectors"],{"delta.appendOnly":"true","my.own":"x=y","delta.enableDeletionVectors":"true","cdc.key":"[\"id\"]"}]') \
		<("$bin/cdc-snapshot" --describe "$t" | jq -c '[.protocol.readerFeatures, .protocol.writerFeatures, .properties]')
}

@test "what does not make a table is said, and makes none" {
	exits 2 'use --create' "$bin/cdc-merge" "$t" <(ins 1 '{"id":"1"}')
	exits 2 'use --key' "$bin/cdc-merge" --create --schema 'id BIGINT' "$t" /dev/null
	exits 2 'use --schema' "$bin/cdc-merge" --create -k id "$t" /dev/null
	exits 2 'is not in the table' "$bin/cdc-merge" --create --schema 'id BIGINT' -k no "$t" /dev/null
	exits 2 'near' "$bin/cdc-merge" --create --schema 'id BIGIN' -k id "$t" /dev/null
	exits 2 'no such column' "$bin/cdc-merge" --create --schema 'id BIGINT' -k id -p x "$t" /dev/null
	exits 2 'every column' "$bin/cdc-merge" --create --schema 'id BIGINT' -k id -p id "$t" /dev/null
	exits 2 'is not supported' "$bin/cdc-merge" --create --schema 'id BIGINT' -k id --property delta.enableIcebergCompatV2=true "$t" /dev/null
	exits 2 'KEY=VALUE' "$bin/cdc-merge" --create --schema 'id BIGINT' -k id --property x "$t" /dev/null
	[ ! -e "$t" ]
}

# ------------------------------------------------------------------ keys

@test "a composite key needs all its columns" {
	merge --create --schema 'a INT, b STRING, v INT' -k a,b "$t" </dev/null
	{
		ins 1 '{"a":"1","b":"x","v":"1"}'
		ins 2 '{"a":"1","b":"y","v":"2"}'
		upd 3 '{"a":"1","b":"x"}' '{"a":"2","b":"x","v":"3"}'
		del 4 '{"a":"1","b":"y"}'
		ins 5 '{"a":"1","b":"x","v":"5"}'
	} >in
	merge "$t" in
	rows '{"a":1,"b":"x","v":5}
{"a":2,"b":"x","v":3}'
	exits 3 'key column "b" is missing' "$bin/cdc-merge" "$t" <(del 6 '{"a":"1"}')
	exits 3 'key column "b" is null' "$bin/cdc-merge" "$t" <(ins 7 '{"a":"1","b":null}')
}

@test "the table's key is not to be changed by --key" {
	create
	exits 2 'the key of' "$bin/cdc-merge" -k v "$t" <(ins 1 '{"id":"1","v":"x"}')
	exits 2 'the key of' "$bin/cdc-merge" -k id,v "$t" <(ins 1 '{"id":"1","v":"x"}')
	merge -k ID "$t" <(ins 1 '{"id":"1","v":"x"}')
	rows '{"id":1,"v":"x"}'
	rm -r "$t"
	merge --create --schema 'a INT, b INT' -k a,b "$t" </dev/null
	merge -k b,a "$t" <(ins 1 '{"a":"1","b":"2"}')
	exits 2 'the key of' "$bin/cdc-merge" -k a "$t" <(ins 1 '{"a":"1","b":"3"}')
}

@test "column names match whatever their case, and none may come twice" {
	create
	merge "$t" <(ins 1 '{"ID":"1","V":"a"}'; upd 2 '{"Id":"1"}' '{"v":"b"}'; ins 3 '{"\u0069d":"2","v":"c"}')
	rows '{"id":1,"v":"b"}
{"id":2,"v":"c"}'
	exits 3 'columns "id" and "ID" are the same one' "$bin/cdc-merge" "$t" <(ins 4 '{"id":"1","ID":"2"}')
	exits 3 '"id" occurs twice' "$bin/cdc-merge" "$t" <(ins 4 '{"id":"1","id":"2"}')
}

# ------------------------------------------------------------------ rejects

@test "rejects tell reason, place and the bytes, and the rest is applied" {
	create
	{
		ins 1 '{"id":"1","v":"x"}'
		echo garbage
		ins 2 '{"id":"abc","v":"x"}'
		ins 3 '{"id":null,"v":"x"}'
		ins 4 '{"id":"9223372036854775808","v":"x"}'
		ins 5 '{"id":"5","z":"x"}'
		ins 6 '{"v":"x"}'
		ins 7 '{"id":"7","v":"ok"}'
	} >in
	run "$bin/cdc-merge" -q --reject rejects "$t" in
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	rows '{"id":1,"v":"x"}
{"id":7,"v":"ok"}'
	jq -r '"\(.file):\(.line) \(.reason)"' rejects >reasons
	diff -u - reasons <<'END'
in:2 expected a value
in:3 column "id": "abc" is malformed for type long
in:4 column "id" is NOT NULL and the value is null or missing
in:5 column "id": "9223372036854775808" is out of range for type long
in:6 column "z" is not in the table (--evolve ignore drops it)
in:7 column "id" is NOT NULL and the value is null or missing
END
	jq -r .raw rejects | while read -r raw; do base64 -d <<<"$raw"; echo; done >raw
	diff -u <(sed -n 2,7p in) raw
}

@test "without --reject the first one ends the run, with nothing committed" {
	create
	{ ins 1 '{"id":"1"}'; ins 2 '{"id":"x"}'; } >in
	exits 3 'in:2: error: column "id": "x" is malformed for type long' "$bin/cdc-merge" "$t" in
	[ "$(version)" -eq 0 ]
	tidy
}

@test "--max-rejects stops" {
	create
	{ echo a; echo b; ins 1 '{"id":"1"}'; echo c; } >in
	exits 3 'more than 2 rejects' "$bin/cdc-merge" --reject r --max-rejects 2 "$t" in
	[ "$(version)" -eq 0 ]
	run "$bin/cdc-merge" -q --reject r --max-rejects 3 "$t" in
	[ "$status" -eq 1 ]
	rows '{"id":1,"v":null}'
}

@test "values that do not fit are rejected, never rounded or cut" {
	merge --create --schema 'id INT, d DECIMAL(7,2), t TINYINT, day DATE, ts TIMESTAMP_NTZ, b BINARY, f FLOAT' -k id "$t" </dev/null
	n=0
	while read -r image; do
		n=$((n + 1))
		ins $n "$image"
	done >in <<'END'
{"id":"1","d":"99999.99","t":"-128","day":"2020-02-29","ts":"2020-01-01 00:00:00.000001","b":"AAEC","f":"1.5"}
{"id":"2","d":"100000.00"}
{"id":"3","d":"1.005"}
{"id":"4","t":"128"}
{"id":"5","day":"2019-02-29"}
{"id":"6","ts":"2020-01-01T00:00:00Z"}
{"id":"7","b":"A*=="}
{"id":"8","f":"1e50"}
{"id":"2147483648"}
END
	run "$bin/cdc-merge" -q --reject r "$t" in
	[ "$status" -eq 1 ]
	rows '{"id":1,"d":99999.99,"t":-128,"day":"2020-02-29","ts":"2020-01-01 00:00:00.000001","b":"AAEC","f":1.5}'
	[ "$(jq -r .line r | xargs)" = '2 3 4 5 6 7 8 9' ]
}

@test "a partial update of a key without a row is rejected when a NOT NULL column is open" {
	merge --create --schema 'id INT, v STRING NOT NULL, w STRING' -k id "$t" <(ins 1 '{"id":"1","v":"a"}')
	{ upd 2 '{"id":"1"}' '{"w":"b"}'; upd 3 '{"id":"2"}' '{"w":"c"}'; } >in
	run "$bin/cdc-merge" -q --reject r "$t" in
	[ "$status" -eq 1 ]
	rows '{"id":1,"v":"a","w":"b"}'
	diff -u <(echo '2 column "v" is NOT NULL, and the key of this partial update has no row') \
		<(jq -r '"\(.line) \(.reason)"' r)
	ins 5 '{"id":"5","v":"y"}' >second
	run "$bin/cdc-merge" -q --reject two "$t" in second
	[ "$(jq -c '[.file, .line]' two)" = '["in",2]' ]
	merge "$t" <(del 6 '{"id":"5"}')
	# The line is folded away by then; what it adds up to can be applied once the row is there.
	jq -r .raw r | base64 -d >again
	diff -u <(printf '%s' '{"dbTable":"d.t","recordType":"UPDATE","beforeImages":{},"afterImages":{"id":"2","w":"c"}}') again
	merge "$t" <(ins 4 '{"id":"2","v":"x"}'; cat again)
	rows '{"id":1,"v":"a","w":"b"}
{"id":2,"v":"x","w":"c"}'
}

# ------------------------------------------------------------------ positions, batches

@test "a stream that is replayed is skipped and writes nothing" {
	create
	{ ins 1 '{"id":"1","v":"a"}' 10; upd 2 '{"id":"1"}' '{"id":"1","v":"b"}' 11; } >in
	merge "$t" in
	[ "$(positions)" = '["cdc:x:0",11]' ]
	run "$bin/cdc-merge" "$t" in
	[ "$status" -eq 0 ]
	[ "$output" = 'cdc-merge: info: 2 records skipped: the table has their positions already' ]
	[ "$(version)" -eq 1 ]
	# Another stream is another position.
	run "$bin/cdc-merge" -q --app-id other "$t" in
	[ "$status" -eq 0 ]
	[ "$(version)" -eq 2 ]
	diff -u <(printf '%s\n' '["cdc:x:0",11]' '["other:x:0",11]') <(positions)
}

@test "--position recordID counts the source's numbers" {
	create
	{ ins 5 '{"id":"1","v":"a"}'; ins 6 '{"id":"2","v":"b"}'; } >in
	merge --position recordID "$t" in
	[ "$(positions)" = '["cdc:recordID",6]' ]
	{ upd 6 '{"id":"2"}' '{"id":"2","v":"seen"}'; upd 7 '{"id":"1"}' '{"id":"1","v":"new"}'; } >in
	merge --position recordID "$t" in
	rows '{"id":1,"v":"new"}
{"id":2,"v":"b"}'
	# Numbers that went backwards prove nothing until the stream has closed.
	{ ins 20 '{"id":"3"}'; ins 12 '{"id":"4"}'; } >in
	merge --position recordID "$t" in
	[ "$(positions | tail -n 1)" = '["cdc:recordID",7]' ]
	{ ins 20 '{"id":"3"}'; ins 12 '{"id":"4"}'; checkpoint 1 ',"final":true'; } >in
	merge --position recordID "$t" in
	[ "$(positions | tail -n 1)" = '["cdc:recordID",20]' ]
}

@test "--position none applies everything again" {
	create
	ins 1 '{"id":"1","v":"a"}' 3 >in
	merge --position none "$t" in
	merge --position none "$t" <(ins 2 '{"id":"1","v":"b"}')
	merge --position none "$t" in
	[ "$(version)" -eq 3 ]
	rows '{"id":1,"v":"a"}'
	[ -z "$(positions)" ]
}

@test "offsets that went backwards wait for a CHECKPOINT" {
	create
	{ ins 1 '{"id":"1","v":"a"}' 7; ins 2 '{"id":"2","v":"b"}' 5; } >in
	merge "$t" in
	[ -z "$(positions)" ]
	checkpoint 8 >>in
	merge "$t" in
	[ "$(positions)" = '["cdc:x:0",8]' ]
	rows '{"id":1,"v":"a"}
{"id":2,"v":"b"}'
}

@test "a CHECKPOINT moves positions past records that were folded away" {
	create
	{ ins 1 '{"id":"1","v":"a"}' 3; checkpoint 9; } >in
	merge "$t" in
	[ "$(positions)" = '["cdc:x:0",9]' ]
	# One without records commits the position alone.
	merge "$t" <(checkpoint 15)
	[ "$(positions | tail -n 1)" = '["cdc:x:0",15]' ]
	rows '{"id":1,"v":"a"}'
}

@test "--batch-records cuts, but never between records of one position" {
	create
	{
		ins 1 '{"id":"1"}' 1
		ins 2 '{"id":"2"}' 2
		ins 3 '{"id":"3"}' 2
		ins 4 '{"id":"4"}' 2
		ins 5 '{"id":"5"}' 3
	} >in
	merge --batch-records 2 "$t" in
	diff -u <(printf '%s\n' 4 1) <(jq -r 'select(.commitInfo.operation == "MERGE") | .commitInfo.operationMetrics.numSourceRows' "$t"/_delta_log/*.json)
	diff -u <(printf '%s\n' '["cdc:x:0",2]' '["cdc:x:0",3]') <(positions)
}

@test "--batch-bytes cuts" {
	create
	for i in 1 2 3 4; do ins $i "{\"id\":\"$i\"}" $i; done >in
	merge --batch-bytes 200 "$t" in
	[ "$(version)" -eq 2 ]
	rows '{"id":1,"v":null}
{"id":2,"v":null}
{"id":3,"v":null}
{"id":4,"v":null}'
}

@test "--batch-time commits while the input pauses, and the rest of the position is not lost" {
	create
	mkfifo pipe
	"$bin/cdc-merge" -q --batch-time 1s "$t" pipe &
	pid=$!
	exec 7>pipe
	ins 1 '{"id":"1","v":"a"}' 5 >&7
	for _ in $(seq 100); do
		[ -e "$t/_delta_log/00000000000000000001.json" ] && break
		sleep 0.1
	done
	rows '{"id":1,"v":"a"}'
	[ "$(positions)" = '["cdc:x:0",4]' ]
	# The same position goes on: one message can hold several records.
	ins 2 '{"id":"2","v":"b"}' 5 >&7
	exec 7>&-
	wait $pid
	rows '{"id":1,"v":"a"}
{"id":2,"v":"b"}'
	[ "$(positions | tail -n 1)" = '["cdc:x:0",5]' ]
}

@test "--require-final commits nothing of a stream that was cut off" {
	create
	{ ins 1 '{"id":"1"}' 1; checkpoint 1; ins 2 '{"id":"2"}' 2; } >in
	exits 3 'did not finish' "$bin/cdc-merge" --require-final "$t" in
	rows '{"id":1,"v":null}'
	checkpoint 2 ',"final":true' >>in
	merge --require-final "$t" in
	rows '{"id":1,"v":null}
{"id":2,"v":null}'
	exits 3 'did not finish' "$bin/cdc-merge" --require-final "$t" /dev/null
}

# ------------------------------------------------------------------ options

@test "--on-truncate apply, ignore, fail" {
	create
	truncate='{"dbTable":"d.t","recordType":"TRUNCATE","recordID":2}'
	{ ins 1 '{"id":"1","v":"a"}'; echo "$truncate"; ins 3 '{"id":"2","v":"b"}'; } >in
	exits 3 'TRUNCATE in the stream' "$bin/cdc-merge" --on-truncate fail "$t" in
	rows ''
	merge --on-truncate ignore "$t" in
	rows '{"id":1,"v":"a"}
{"id":2,"v":"b"}'
	merge "$t" in
	rows '{"id":2,"v":"b"}'
	merge "$t" <(echo "$truncate")
	rows ''
	tidy
}

@test "--evolve ignore drops columns that the table lacks" {
	create
	merge --evolve ignore "$t" <(ins 1 '{"id":"1","v":"a","new":"x"}')
	rows '{"id":1,"v":"a"}'
}

@test "--insert-only adds keys and changes nothing" {
	create
	merge "$t" <(ins 1 '{"id":"1","v":"a"}')
	{
		ins 2 '{"id":"1","v":"other"}'
		del 3 '{"id":"1"}'
		ins 4 '{"id":"2","v":"b"}'
		echo '{"dbTable":"d.t","recordType":"TRUNCATE","recordID":5}'
		ins 6 '{"id":"3","v":"c"}'
	} >in
	merge --insert-only "$t" in
	"$bin/cdc-snapshot" "$t" >out
	diff -u <(printf '%s\n' '{"id":1,"v":"a"}' '{"id":3,"v":"c"}') <(sort out)
}

@test "--dry-run tells and writes nothing" {
	create
	merge "$t" <(ins 1 '{"id":"1","v":"a"}')
	find "$t" | sort | xargs stat -c '%n %Y %s' >before
	{ ins 2 '{"id":"2"}'; upd 3 '{"id":"1"}' '{"id":"1","v":"b"}'; } >in
	run "$bin/cdc-merge" --dry-run "$t" in
	[ "$status" -eq 0 ]
	[[ $output == 'cdc-merge: info: dry run: 1 inserted, 1 updated, 0 deleted; '* ]]
	diff -u before <(find "$t" | sort | xargs stat -c '%n %Y %s')
	run "$bin/cdc-merge" --dry-run --create --schema 'id INT, v STRING' -k id "$dir/none" in
	[ "$status" -eq 0 ]
	[[ $output == 'cdc-merge: info: dry run: 2 inserted, 0 updated, 0 deleted; '* ]]
	[ ! -e "$dir/none" ]
}

@test "--partition-by with null, empty and special characters" {
	merge --create --schema 'id INT, p STRING, d DATE' -k id -p p,d "$t" </dev/null
	{
		ins 1 '{"id":"1","p":"a/b=c%d e","d":"2020-01-01"}'
		ins 2 '{"id":"2","p":null,"d":null}'
		ins 3 '{"id":"3","p":"Zo\u00eb \"x\" #?","d":"1969-12-31"}'
		ins 4 '{"id":"4","p":"..","d":null}'
		ins 5 '{"id":"5","p":"__HIVE_DEFAULT_PARTITION__x","d":null}'
	} >in
	merge "$t" in
	want='{"id":1,"p":"a/b=c%d e","d":"2020-01-01"}
{"id":2,"p":null,"d":null}
{"id":3,"p":"Zoë \"x\" #?","d":"1969-12-31"}
{"id":4,"p":"..","d":null}
{"id":5,"p":"__HIVE_DEFAULT_PARTITION__x","d":null}'
	rows "$want"
	[ -d "$t/p=a%2Fb%3Dc%25d e/d=2020-01-01" ]
	[ -d "$t/p=__HIVE_DEFAULT_PARTITION__/d=__HIVE_DEFAULT_PARTITION__" ]
	tidy
	# A row that moves to another partition leaves its old one.
	{ upd 6 '{"id":"1"}' '{"p":"x"}'; upd 7 '{"id":"2"}' '{"p":".."}'; } >in
	merge "$t" in
	rows '{"id":1,"p":"x","d":"2020-01-01"}
{"id":2,"p":"..","d":null}
{"id":3,"p":"Zoë \"x\" #?","d":"1969-12-31"}
{"id":4,"p":"..","d":null}
{"id":5,"p":"__HIVE_DEFAULT_PARTITION__x","d":null}'
}

@test "--mode dv marks rows, and asks for a table that allows it" {
	create
	exits 2 'delta.enableDeletionVectors' "$bin/cdc-merge" --mode dv "$t" <(ins 1 '{"id":"1"}')
	rm -r "$t"
	create --mode dv
	for i in 1 2 3; do ins $i "{\"id\":\"$i\",\"v\":\"a\"}"; done >in
	merge --mode dv "$t" in
	merge --mode dv "$t" <(del 4 '{"id":"2"}')
	rows '{"id":1,"v":"a"}
{"id":3,"v":"a"}'
	[ "$("$bin/cdc-snapshot" --describe "$t" | jq -c '[.files, .deletionVectors, .deletedRows]')" = '[1,1,1]' ]
	tidy
}

@test "an append-only table takes new keys and refuses the rest" {
	create --property delta.appendOnly=true
	merge "$t" <(ins 1 '{"id":"1","v":"a"}')
	merge "$t" <(ins 2 '{"id":"2","v":"b"}')
	for bad in "$(ins 3 '{"id":"1","v":"x"}')" "$(del 3 '{"id":"1"}')" \
		"$(upd 3 '{"id":"2"}' '{"id":"2","v":"x"}')" '{"dbTable":"d.t","recordType":"TRUNCATE"}'; do
		exits 3 'delta.appendOnly' "$bin/cdc-merge" "$t" <(echo "$bad")
		exits 3 'delta.appendOnly' "$bin/cdc-merge" --dry-run "$t" <(echo "$bad")
	done
	merge "$t" <(del 4 '{"id":"77"}')
	merge --insert-only "$t" <(ins 5 '{"id":"1","v":"x"}'; ins 6 '{"id":"3","v":"c"}')
	rows '{"id":1,"v":"a"}
{"id":2,"v":"b"}
{"id":3,"v":"c"}'
	tidy
}

@test "records of a second table are rejected" {
	create
	{ ins 1 '{"id":"1"}'; ins 2 '{"id":"2"}' | sed 's/d\.t/d.u/'; } >in
	exits 3 'record of table "d.u" in a stream of "d.t"' "$bin/cdc-merge" "$t" in
}

@test "a commit prints one line, stats are one object" {
	create
	run "$bin/cdc-merge" --stats s "$t" <(ins 1 '{"id":"1"}')
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output =~ ^'cdc-merge: info: version 1: 1 inserted, 0 updated, 0 deleted; files +1 -0, deletion vectors +0; '[0-9]+' ms'$ ]]
	[ "$(jq -c '[.program, .exit, .records, .commits, .inserted, .updated, .deleted, .skipped, .rejects]' s)" = '["cdc-merge",0,1,1,1,0,0,0,0]' ]
}

@test "SOURCE_DATE_EPOCH gives the same bytes, and a second merge works" {
	export SOURCE_DATE_EPOCH=1700000000
	for i in $(seq 20); do ins "$i" "{\"id\":\"$i\",\"v\":\"v$i\"}" "$i"; done >in
	{ upd 21 '{"id":"3"}' '{"id":"3","v":"x"}' 21; del 22 '{"id":"4"}' 22; } >in2
	for d in a b; do
		merge --mode dv --create --schema 'id BIGINT NOT NULL, v STRING' -k id "$dir/$d" in
		merge --mode dv "$dir/$d" in2
		merge --mode cow "$dir/$d" <(del 23 '{"id":"5"}' 23)
	done
	diff -r a b
	t=$dir/a
	[ "$(version)" -eq 3 ]
	"$bin/cdc-snapshot" a >out
	[ "$(wc -l <out)" -eq 18 ]
}

# ------------------------------------------------------------------ exit status

@test "usage errors are 2" {
	exits 2 'no TABLE' "$bin/cdc-merge"
	exits 2 'mode' "$bin/cdc-merge" --mode fast "$t"
	exits 2 'negative' "$bin/cdc-merge" --batch-records=-1 "$t" /dev/null
	exits 2 'not a list' "$bin/cdc-merge" -k a,,b "$t" /dev/null
}

@test "I/O errors are 4" {
	create
	exits 4 'No such file' "$bin/cdc-merge" "$t" missing
	ins 1 '{"id":"1"}' >in
	exits 4 'No space left' "$bin/cdc-merge" -q --stats /dev/full "$t" in
	exits 4 'No space left' "$bin/cdc-merge" -q --reject /dev/full "$t" <(echo x)
}

@test "a directory that cannot be written to is 4, and nothing changes" {
	create
	ins 1 '{"id":"1"}' >in
	as=()
	if [ "$(id -u)" -eq 0 ]; then
		# For root nothing is read-only: let nobody try, who may look at the files.
		as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
		for d in . .. ../.. ../../..; do [ "$(realpath $d)" = /tmp ] || chmod a+rx $d; done
		"${as[@]}" test -x "$bin/cdc-merge" -a -r "$t" || skip "root, and nobody may not look"
	else
		chmod a-w "$t" "$t/_delta_log"
	fi
	run "${as[@]}" "$bin/cdc-merge" -q "$t" in
	chmod u+w "$t" "$t/_delta_log"
	[ "$status" -eq 4 ] || { echo "$status $output"; return 1; }
	[ "$(version)" -eq 0 ]
	tidy
}

@test "a file where the table should be is refused" {
	echo hello >"$t"
	run "$bin/cdc-merge" --create --schema 'id INT' -k id "$t" /dev/null
	[ "$status" -eq 4 ]
	[ "$(cat "$t")" = hello ]
}

@test "another process that applies the same stream is 5" {
	create
	mkfifo pipe
	"$bin/cdc-merge" -q --batch-records 1 --app-id a "$t" pipe 2>messages &
	pid=$!
	exec 7>pipe
	{ ins 1 '{"id":"1"}' 1; ins 2 '{"id":"2"}' 2; } >&7
	for _ in $(seq 200); do
		[ -e "$t/_delta_log/00000000000000000001.json" ] && break
		sleep 0.05
	done
	sleep 0.5
	# It holds the second record. Another process under the same name is faster with it.
	merge --app-id a "$t" <(ins 2 '{"id":"2","v":"a"}' 2)
	exec 7>&-
	status=0
	wait $pid || status=$?
	[ "$status" -eq 5 ] || { echo "$status"; cat messages; return 1; }
	diff -u <(echo 'cdc-merge: error: another process applied topic x partition 0 up to 2') messages
	rows '{"id":1,"v":null}
{"id":2,"v":"a"}'
	tidy
}

@test "a damaged table is 6 and the message is one line" {
	create
	for i in 1 2 3; do merge "$t" <(ins $i "{\"id\":\"$i\",\"v\":\"a\"}"); done
	cp -r "$t" whole
	ins 9 '{"id":"2","v":"b"}' >in

	rm "$t/_delta_log/00000000000000000001.json"
	exits 6 'version 1 is missing' "$bin/cdc-merge" "$t" in
	rm -r "$t"; cp -r whole "$t"

	echo '{"add":' >>"$t/_delta_log/00000000000000000002.json"
	exits 6 '00000000000000000002.json' "$bin/cdc-merge" "$t" in
	rm -r "$t"; cp -r whole "$t"

	file=$(jq -r 'select(.add).add.path' "$t/_delta_log/00000000000000000002.json")
	rm "$t/$file"
	exits 6 "$file" "$bin/cdc-merge" "$t" in
	printf 'PAR1 this is no Parquet file PAR1' >"$t/$file"
	exits 6 "$file" "$bin/cdc-merge" "$t" in
	cp "whole/$file" "$t/$file"
	size=$(stat -c %s "$t/$file")
	head -c 40 /dev/urandom | dd of="$t/$file" bs=1 seek=4 conv=notrunc status=none
	run "$bin/cdc-merge" "$t" in
	[ "$status" -eq 6 ] || { echo "$status $output"; return 1; }
	[ "$(stat -c %s "$t/$file")" -eq "$size" ]
	[ "$(version)" -eq 3 ]
	tidy
}

@test "a table with a feature that is not known is 6, and the feature is named" {
	create
	sed -i 's/"minReaderVersion":1,"minWriterVersion":2/"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["flyingCarpets"],"writerFeatures":["flyingCarpets"]/' \
		"$t/_delta_log/00000000000000000000.json"
	exits 6 'flyingCarpets' "$bin/cdc-merge" "$t" <(ins 1 '{"id":"1"}')
}

@test "SIGINT and SIGTERM leave a whole table and no temporary files" {
	create
	for i in $(seq 2000); do ins "$i" "{\"id\":\"$i\",\"v\":\"a\"}" "$i"; done >in
	for signal in INT TERM; do
		mkfifo pipe
		# A job of its own, so that SIGINT is not ignored.
		(set -m; "$bin/cdc-merge" -q --batch-records 700 "$t" pipe & echo $! >pid; wait $!) &
		job=$!
		exec 7>pipe
		cat in >&7
		sleep 0.3
		kill -$signal "$(cat pid)"
		status=0
		wait $job || status=$?
		exec 7>&-
		rm pipe
		[ $status -gt 128 ] || { echo "$signal: $status"; return 1; }
		tidy
		"$bin/cdc-snapshot" "$t" >out
		[ $(($(wc -l <out) % 700)) -eq 0 ]
		sed -i 's/"a"/"b"/' in
	done
	merge "$t" in
	"$bin/cdc-snapshot" "$t" >out
	[ "$(wc -l <out)" -eq 2000 ]
}
