#!/usr/bin/env bats
# Proves what a user sees of cdc-snapshot --describe and --history: tables and single Parquet files,
# for programs and for people, logs of other writers, and what is refused.

bats_require_minimum_version 1.5.0

setup() {
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	cat >in.ndjson <<-'EOF'
		{"recordType":"INSERT","afterImages":{"id":"1","name":"a","at":"2019-11-14"},"position":{"topic":"t","partition":0,"offset":7}}
		{"recordType":"INSERT","afterImages":{"id":"2","name":null,"at":"2019-11-15"},"position":{"topic":"t","partition":0,"offset":8}}
	EOF
	cdc-merge -q --create --schema 'id BIGINT NOT NULL, name STRING, at DATE' -k id sales in.ndjson
}

# is EXPECTED FILE
is() { diff -u <(printf '%s\n' "$1") "$2"; }

refuses() { # refuses STATUS PATTERN COMMAND...
	local want=$1 pattern=$2
	shift 2
	run -"$want" --separate-stderr "$@"
	[ -z "$output" ]
	[[ $stderr == *"$pattern"* ]] || { echo "$stderr"; return 1; }
}

# A log by hand: each argument is the text of one commit, from version 0 on.
log_of() {
	local v=0
	mkdir -p "$1/_delta_log"
	for text in "${@:2}"; do
		printf '%s\n' "$text" >"$1/_delta_log/$(printf %020d $v).json"
		v=$((v + 1))
	done
}

protocol='{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}'
metadata='{"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}'

@test "describe: what a pipeline asks of its table" {
	cdc-snapshot --describe sales >out
	[ "$(wc -l <out)" -eq 1 ]
	jq -c '[.key, .rows, .deletedShare, .checkpointVersion, .writeRefusal, .rowIdHighWaterMark]' out >got
	is '[["id"],2,0,null,null,null]' got
	jq -c '.appTransactions[] | [(.appId | contains("t")), .version, (.lastUpdated | test("^20.*Z$"))]' out >got
	is '[true,8,true]' got
	jq -c '[.fileSizes[].files] | add' out >got
	is "$(jq .files out)" got
	jq -c '[.fileSizes[].bytes] | add' out >got
	is "$(jq .bytes out)" got
}

@test "describe: a short form for people" {
	cdc-snapshot --describe -f table sales >out
	grep -qE '^\| +rows\| +2\|$' out
	grep -qE '^\| +column\| +id long not null\|$' out
	grep -qE '^\| +writable\| +yes\|$' out
}

@test "describe: a table that only others may write" {
	log_of t "$metadata
{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"moonPhases\"]}}"
	cdc-snapshot --describe t | jq -r .writeRefusal >got
	is 'table needs writer feature moonPhases, which this program does not know' got
	cdc-snapshot --describe -f table t | grep -q moonPhases
}

@test "describe: a Parquet file" {
	cp sales/*.parquet one.parquet
	cdc-snapshot --describe one.parquet >out
	[ "$(wc -l <out)" -eq 1 ]
	jq -c '[.file, .size, .rows, .version, [.schema[].name], [.schema[].logicalType]]' out >got
	is "[\"one.parquet\",$(stat -c %s one.parquet),2,1,[\"id\",\"name\",\"at\"],[null,\"STRING\",\"DATE\"]]" got
	jq -c '.rowGroups[0].columns[] | [.column, .values, .nulls, .min, .max]' out >got
	is '["id",2,0,"1","2"]
["name",2,1,"a","a"]
["at",2,0,"2019-11-14","2019-11-15"]' got
	cdc-snapshot --describe -f table one.parquet >out
	grep -qE '^\| +at\| +DATE\|.*\| +0\|2019-11-14\|2019-11-15\|' out
}

@test "describe: what is no Parquet file, and other formats" {
	refuses 6 'in.ndjson: error: not a Parquet file' cdc-snapshot --describe in.ndjson
	cp sales/*.parquet one.parquet
	truncate -s -1 one.parquet
	refuses 6 'one.parquet: error: not a Parquet file' cdc-snapshot --describe one.parquet
	refuses 2 'does not go with' cdc-snapshot --describe -f csv one.parquet
	refuses 2 'not a Delta table' cdc-snapshot --describe nothing.parquet
}

@test "history: commits as every writer makes them" {
	# Spark, with values of any type; delta-rs, with numbers and at the end; none at all; one over
	# several lines; one that is no object.
	log_of t "$(printf '%s\n' '{"commitInfo":{"operation":"WRITE","operationParameters":{"mode":"Append","a":true,"b":null,"c":{"d":[1.50]}},"userName":"me","readVersion":-1,"isBlindAppend":true,"operationMetrics":{"numFiles":"1"},"engineInfo":"Apache-Spark/3.5"}}' "$protocol" "$metadata" '{"add":{"path":"a","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}')" \
		'{"remove":{"path":"a","dataChange":true}}
{"add":{"path":"b","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true,"stats":"{\"add\":{}}"}}
{"add":{"path":"c","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}
{"commitInfo":{"timestamp":5,"operation":"MERGE","operationMetrics":{"num_copied_rows":12345678901234567890}}}' \
		'{"add":null,"remove":{"path":"b","dataChange":true}}' \
		'{
  "commitInfo": {
    "operation": ["odd", "type"],
    "operationParameters": "text",
    "engineInfo": "a \"b\""
  }
}' '{"commitInfo":"text"}'
	cdc-snapshot --history t | jq -c 'del(.timestamp)' >got
	cat >want <<-'EOF'
		{"version":4,"operation":null,"engineInfo":null,"userName":null,"readVersion":null,"isBlindAppend":null,"filesAdded":0,"filesRemoved":0,"operationParameters":null,"operationMetrics":null}
		{"version":3,"operation":["odd","type"],"engineInfo":"a \"b\"","userName":null,"readVersion":null,"isBlindAppend":null,"filesAdded":0,"filesRemoved":0,"operationParameters":"text","operationMetrics":null}
		{"version":2,"operation":null,"engineInfo":null,"userName":null,"readVersion":null,"isBlindAppend":null,"filesAdded":0,"filesRemoved":1,"operationParameters":null,"operationMetrics":null}
	EOF
	head -n 3 got | diff want -
	cdc-snapshot --history t | sed -n '4p' | grep -q '"operationMetrics":{"num_copied_rows":12345678901234567890}'
	sed -n '4p' got | jq -c '[.operation, .filesAdded, .filesRemoved]' | diff <(echo '["MERGE",2,1]') -
	cdc-snapshot --history t | sed -n '5p' | sed 's/"timestamp":"[^"]*",//' >got
	is '{"version":0,"operation":"WRITE","engineInfo":"Apache-Spark/3.5","userName":"me","readVersion":-1,"isBlindAppend":true,"filesAdded":1,"filesRemoved":0,"operationParameters":{"mode":"Append","a":true,"b":null,"c":{"d":[1.50]}},"operationMetrics":{"numFiles":"1"}}' got
	cdc-snapshot --history -f csv --limit 2 t | sed 's/,20[^,]*Z,/,TIME,/' >got
	is 'version,timestamp,operation,engineInfo,userName,readVersion,isBlindAppend,filesAdded,filesRemoved,operationParameters,operationMetrics
4,TIME,,,,,,0,0,,
3,TIME,"[""odd"",""type""]","a ""b""",,,,0,0,text,' got
}

@test "history: times ascend whatever the files say, and in-commit timestamps count" {
	log_of t "$protocol
$metadata" '{"commitInfo":{}}' '{"commitInfo":{}}'
	touch -d 2020-01-01T00:00:05Z t/_delta_log/*0.json t/_delta_log/*2.json
	touch -d 2020-01-01T00:00:01Z t/_delta_log/*1.json
	cdc-snapshot --history t | jq -r .timestamp >got
	is '2020-01-01T00:00:05.002Z
2020-01-01T00:00:05.001Z
2020-01-01T00:00:05.000Z' got
	log_of u "{\"commitInfo\":{\"inCommitTimestamp\":7}}
{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"inCommitTimestamp\"]}}
${metadata/'"configuration":{}'/'"configuration":{"delta.enableInCommitTimestamps":"true"}'}"
	cdc-snapshot --history u | jq -r .timestamp >got
	is '1970-01-01T00:00:00.007Z' got
}

@test "history: a table that cannot be read still has one" {
	log_of t '{"protocol":{"minReaderVersion":99,"minWriterVersion":99}}
{"metaData":{"id":"x"}}' '{"commitInfo":{"operation":"WRITE"}}'
	run -0 --separate-stderr cdc-snapshot --history t
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[0]} == '{"version":1,'*'"operation":"WRITE"'* ]]
	[[ $stderr == *warning*"the times are those of the commits' files"* ]]
	# But one that is no JSON is damage, and no log is no table.
	echo '{"commitInfo":{' >t/_delta_log/00000000000000000001.json
	refuses 6 '00000000000000000001.json' cdc-snapshot --history t
	refuses 2 'not a Delta table' cdc-snapshot --history nothing
}
