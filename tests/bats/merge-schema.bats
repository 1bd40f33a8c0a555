#!/usr/bin/env bats
# Proves what a user sees when a table is created with settings and unusual names, and when its
# properties change.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	t=$BATS_TEST_TMPDIR/t
	cd "$BATS_TEST_TMPDIR"
}

ins() { # ins ID IMAGE [OFFSET]
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"INSERT","beforeImages":{},"afterImages":%s%s}\n' \
		"$1" "$2" "${3:+,\"position\":{\"topic\":\"x\",\"partition\":0,\"offset\":$3\}}"
}
upd() { # upd ID BEFORE AFTER
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"UPDATE","beforeImages":%s,"afterImages":%s}\n' "$@"
}
schema() { # schema COLUMN... : a SCHEMA record; a column is NAME:TYPE[:NULLABLE]
	jq -cn '{recordType: "SCHEMA", dbTable: "d.t", primaryKey: ["id"], columns: [$ARGS.positional[] |
		split(":") | {name: .[0], type: (.[1] | split(" ")[0]), sourceType: .[1]} +
		(if .[2] then {nullable: (.[2] == "true")} else {} end)]}' --args "$@"
}

merge() {
	"$bin/cdc-merge" -q "$@"
}
create() { # create SCHEMA OPTIONS... : an empty table with the key id
	merge --create --schema "$1" -k id "${@:2}" "$t" </dev/null
}
rows() { # rows EXPECTED [OPTIONS]: the rows, sorted
	diff -u <(printf '%s' "${1:+$1$'\n'}") <("$bin/cdc-snapshot" "${@:2}" "$t" | sort)
}
exits() { # exits STATUS PATTERN COMMAND... : exit status, and one line of error with the pattern
	local want=$1 pattern=$2
	shift 2
	run "$@"
	[ "$status" -eq "$want" ] || { echo "exit status $status, not $want: $output"; return 1; }
	[ "$(grep -c 'error: ' <<<"$output")" -eq 1 ] || { echo "not one error: $output"; return 1; }
	grep -qF -- "$pattern" <<<"$output" || { echo "no \"$pattern\": $output"; return 1; }
}
describe() { # describe FILTER
	"$bin/cdc-snapshot" --describe "$t" | jq -c "$1"
}
is() { # is EXPECTED ACTUAL
	diff -u <(printf '%s\n' "$1") <(printf '%s\n' "$2")
}
commit() { # commit VERSION FILTER: its actions
	jq -c "$2" "$t/_delta_log/$(printf '%020d' "$1").json"
}
operations() { # one an entry of the log
	jq -rs '[.[] | select(.commitInfo) | .commitInfo.operation] | join(", ")' "$t"/_delta_log/*.json
}
mapping() { # name, id and the beginning of the physical name of each column
	describe '[.schema.fields[] | [.name, .metadata["delta.columnMapping.id"],
		(.metadata["delta.columnMapping.physicalName"] // "" | sub("^col-[0-9a-f-]{36}$"; "col-UUID"))]]'
}

@test "names that Delta cannot have as they are make a table with column mapping" {
	create '`id` BIGINT NOT NULL, `a b` STRING, `x.y` STRING, `q;(){}=,` DATE'
	is '{"minReaderVersion":2,"minWriterVersion":5,"readerFeatures":[],"writerFeatures":[]}' "$(describe .protocol)"
	is '["name","4"]' "$(describe '.properties | [.["delta.columnMapping.mode"], .["delta.columnMapping.maxColumnId"]]')"
	is '[["id",1,"col-UUID"],["a b",2,"col-UUID"],["x.y",3,"col-UUID"],["q;(){}=,",4,"col-UUID"]]' "$(mapping)"
	merge "$t" <(ins 1 '{"id":"1","a b":"v","x.y":"w","q;(){}=,":"2020-02-29"}')
	rows '{"id":1,"a b":"v","x.y":"w","q;(){}=,":"2020-02-29"}'
	# The file knows the columns by the names and ids of the mapping alone.
	is "$(describe '[.schema.fields[].metadata | [.["delta.columnMapping.physicalName"], .["delta.columnMapping.id"]]]')" \
		"$("$bin/cdc-snapshot" --describe "$t"/*.parquet | jq -c '[.schema[] | [.name, .fieldId]]')"
	is "$(describe '[.schema.fields[].metadata["delta.columnMapping.physicalName"]] | sort')" \
		"$(commit 1 'select(.add).add.stats | fromjson.nullCount | keys')"
}

@test "the mapping can be asked for, and cannot be done without where a name needs it" {
	create 'id BIGINT, v STRING' --property delta.columnMapping.mode=id
	is '[["id",1,"col-UUID"],["v",2,"col-UUID"]]' "$(mapping)"
	merge "$t" <(ins 1 '{"id":"1","v":"a"}')
	rows '{"id":1,"v":"a"}'
	t=$t.2
	create 'id BIGINT, `a.b` STRING' --property delta.columnMapping.mode=none
	is '[["id",null,""],["a.b",null,""]]' "$(mapping)"
	t=$t.3
	exits 2 'column "a b" needs delta.columnMapping.mode=name' "$bin/cdc-merge" --create -k id \
		--schema 'id BIGINT, `a b` STRING' --property delta.columnMapping.mode=none "$t" /dev/null
	exits 2 'column name ""' "$bin/cdc-merge" --create -k id --schema 'id BIGINT, `` STRING' "$t" /dev/null
	exits 2 'is there twice' "$bin/cdc-merge" --create -k id --schema 'id BIGINT, ID STRING' "$t" /dev/null
	[ ! -e "$t" ]
}

@test "a table with column mapping is merged, compacted and read like any other" {
	for mode in name id; do
		for how in cow dv; do
			t=$BATS_TEST_TMPDIR/$mode.$how
			create 'id BIGINT, `p q` STRING, `v w` STRING' --mode $how -p 'p q' \
				--property delta.columnMapping.mode=$mode --property delta.checkpointInterval=2
			for i in 1 2 3 4 5 6 7 8; do ins $i "{\"id\":\"$i\",\"p q\":\"p$((i % 2))\",\"v w\":\"a\"}"; done >in
			merge --mode $how "$t" in
			merge --mode $how "$t" <(upd 9 '{"id":"2"}' '{"v w":"b"}'; upd 10 '{"id":"3"}' '{"p q":null}')
			merge --mode $how "$t" <(upd 11 '{"id":"2"}' '{"id":"9"}')
			want='{"id":1,"p q":"p1","v w":"a"}
{"id":3,"p q":null,"v w":"a"}
{"id":4,"p q":"p0","v w":"a"}
{"id":5,"p q":"p1","v w":"a"}
{"id":6,"p q":"p0","v w":"a"}
{"id":7,"p q":"p1","v w":"a"}
{"id":8,"p q":"p0","v w":"a"}
{"id":9,"p q":"p0","v w":"b"}'
			rows "$want"
			rows '{"id":9,"p q":"p0","v w":"b"}' --where "\`v w\` = 'b' AND \`p q\` = 'p0'"
			"$bin/cdc-compact" -q "$t"
			"$bin/cdc-compact" -q --checkpoint "$t"
			rows "$want"
			is '["p q"]' "$(describe .partitionColumns)"
		done
	done
}

@test "partition values with characters that paths cannot hold, and null, come back" {
	for name in p 'p/q r'; do
		t=$BATS_TEST_TMPDIR/t$((++n))
		create "id BIGINT, \`$name\` STRING" -p "$name"
		merge "$t" <(ins 1 "{\"id\":\"1\",\"$name\":\"a/b=c d%é\"}"; ins 2 "{\"id\":\"2\",\"$name\":null}"
			ins 3 "{\"id\":\"3\",\"$name\":\"%41\"}")
		merge "$t" <(upd 4 '{"id":"1"}' '{"id":"4"}'; ins 5 "{\"id\":\"5\",\"$name\":\"a/b=c d%é\"}"
			upd 6 '{"id":"2"}' '{"id":"6"}')
		rows "{\"id\":3,\"$name\":\"%41\"}
{\"id\":4,\"$name\":\"a/b=c d%é\"}
{\"id\":5,\"$name\":\"a/b=c d%é\"}
{\"id\":6,\"$name\":null}"
		rows "{\"id\":6,\"$name\":null}" --where "\`$name\` IS NULL"
		is '[null,"%41","a/b=c d%é"]' "$(jq -cs '[.[] | select(.add) | .add.partitionValues[]] | unique' "$t"/_delta_log/*.json)"
	done
}

@test "the protocol of a new table is the least that its settings need" {
	protocol() { describe '.protocol | [.minReaderVersion, .minWriterVersion, .readerFeatures, .writerFeatures]'; }
	create 'id BIGINT NOT NULL' --property delta.appendOnly=true --property delta.checkpointInterval=5
	is '[1,2,[],[]]' "$(protocol)"
	t=$t.2
	create 'id BIGINT' --property delta.enableInCommitTimestamps=true
	is '[1,7,[],["appendOnly","inCommitTimestamp","invariants"]]' "$(describe '.protocol | [.minReaderVersion, .minWriterVersion, .readerFeatures, (.writerFeatures | sort)]')"
	merge "$t" <(ins 1 '{"id":"1"}')
	is true "$(jq -s '[.[] | select(.commitInfo) | .commitInfo.inCommitTimestamp] | .[0] < .[1]' "$t"/_delta_log/*.json)"
	t=$t.3
	create 'id BIGINT, t TIMESTAMP_NTZ' --property delta.enableDeletionVectors=true \
		--property delta.columnMapping.mode=name --property delta.checkpointPolicy=v2 --property delta.enableTypeWidening=true
	is '[3,7,["columnMapping","deletionVectors","timestampNtz","typeWidening","v2Checkpoint"],["appendOnly","columnMapping","deletionVectors","invariants","timestampNtz","typeWidening","v2Checkpoint"]]' \
		"$(describe '.protocol | [.minReaderVersion, .minWriterVersion, (.readerFeatures | sort), (.writerFeatures | sort)]')"
}

@test "a property that is not known, or whose value makes no sense, makes no table" {
	while IFS='|' read -r property message; do
		exits 2 "$message" "$bin/cdc-merge" --create --schema 'id BIGINT' -k id --property "$property" "$t" /dev/null
	done <<-'END'
		delta.flyingCarpets=true|--property delta.flyingCarpets is not supported
		delta.appendOnly=perhaps|"perhaps" is not true or false
		delta.logRetentionDuration=1 month|"1 month" is not an interval
		delta.targetFileSize=big|"big" is not a size
		delta.minWriterVersion=7|is not stored
		cdc.key=["v"]|kept by this program
		x|not of the form KEY=VALUE
	END
	exits 2 'a is given twice' "$bin/cdc-merge" --create --schema 'id BIGINT' -k id --property a=1 --property a=2 "$t" /dev/null
	[ ! -e "$t" ]
	create 'id BIGINT' --property 'my.own=a=b' --property delta.targetFileSize=64mb
	is '["a=b","64mb"]' "$(describe '.properties | [.["my.own"], .["delta.targetFileSize"]]')"
}

@test "--property sets what differs in a commit of its own, before the rows" {
	create 'id BIGINT, v STRING' --property delta.checkpointInterval=7
	run "$bin/cdc-merge" --property delta.checkpointInterval=7 --property delta.appendOnly=true \
		--property own=1 "$t" <(ins 1 '{"id":"1","v":"a"}')
	[ "$status" -eq 0 ]
	is 'cdc-merge: info: version 1: properties delta.appendOnly=true, own=1' "${lines[0]}"
	is 'CREATE TABLE, SET TBLPROPERTIES, MERGE' "$(operations)"
	is '{"properties":"{\"delta.appendOnly\":\"true\",\"own\":\"1\"}"}' "$(commit 1 'select(.commitInfo).commitInfo.operationParameters')"
	is '["commitInfo","metaData"]' "$(jq -sc '[.[] | keys[]]' "$t/_delta_log/00000000000000000001.json")"
	is '{"delta.checkpointInterval":"7","cdc.key":"[\"id\"]","delta.appendOnly":"true","own":"1"}' "$(describe .properties)"
	rows '{"id":1,"v":"a"}'
	# What is there as asked is no change.
	merge --property own=1 --property delta.appendOnly=true "$t" </dev/null
	is 2 "$(describe .version)"
	merge --property delta.appendOnly=false "$t" </dev/null
	is '[3,"false"]' "$(describe '[.version, .properties["delta.appendOnly"]]')"
}

@test "--property with --dry-run tells and writes nothing" {
	create 'id BIGINT, v STRING'
	run "$bin/cdc-merge" --dry-run --property delta.enableDeletionVectors=true "$t" <(ins 1 '{"id":"1","v":"a"}')
	[ "$status" -eq 0 ]
	is 'cdc-merge: info: dry run: properties delta.enableDeletionVectors=true' "${lines[0]}"
	is '{"version":0,"reader":1}' "$(describe '{version, reader: .protocol.minReaderVersion}')"
	exits 2 'columnMapping.mode=id' "$bin/cdc-merge" --dry-run --property delta.columnMapping.mode=id "$t" /dev/null
}

@test "a property that needs a newer protocol brings it, and all that the old one meant" {
	create 'id BIGINT NOT NULL, v STRING'
	merge --property delta.columnMapping.mode=name "$t" </dev/null
	is '{"minReaderVersion":2,"minWriterVersion":5}' "$(commit 1 'select(.protocol).protocol')"
	merge --property delta.enableDeletionVectors=true "$t" </dev/null
	is '[3,7,["columnMapping","deletionVectors"],["appendOnly","changeDataFeed","checkConstraints","columnMapping","deletionVectors","generatedColumns","invariants"]]' \
		"$(describe '.protocol | [.minReaderVersion, .minWriterVersion, (.readerFeatures | sort), (.writerFeatures | sort)]')"
	merge --property delta.checkpointInterval=3 "$t" </dev/null
	is '' "$(commit 3 'select(.protocol)')"
}

@test "column mapping turned on keeps the names that the files have" {
	create 'id BIGINT NOT NULL, v STRING, p DATE' -p p
	merge "$t" <(ins 1 '{"id":"1","v":"a","p":"2020-01-01"}'; ins 2 '{"id":"2","v":"b","p":null}')
	merge --property delta.columnMapping.mode=name "$t" <(upd 3 '{"id":"2"}' '{"v":"c"}')
	is '[["id",1,"id"],["v",2,"v"],["p",3,"p"]]' "$(mapping)"
	is '"3"' "$(describe '.properties["delta.columnMapping.maxColumnId"]')"
	rows '{"id":1,"v":"a","p":"2020-01-01"}
{"id":2,"v":"c","p":null}'
	exits 2 'may go from none to name' "$bin/cdc-merge" --property delta.columnMapping.mode=none "$t" /dev/null
}

@test "in-commit timestamps turned on say since when" {
	create 'id BIGINT, v STRING'
	touch -d '2040-01-01T00:00:00Z' "$t/_delta_log/00000000000000000000.json"
	merge --property delta.enableInCommitTimestamps=true "$t" <(ins 1 '{"id":"1","v":"a"}')
	# It is later than the commit before, whatever the clock says, and each exceeds the last.
	is '[1,2208988800001,2208988800001,2208988800002]' "$(jq -sc '
		(.[1] | .metaData.configuration) as $c | [
		($c["delta.inCommitTimestampEnablementVersion"], $c["delta.inCommitTimestampEnablementTimestamp"] | tonumber),
		(.[] | select(.commitInfo) | .commitInfo.inCommitTimestamp)]' "$t"/_delta_log/*1.json "$t"/_delta_log/*2.json)"
	merge --property delta.enableInCommitTimestamps=false "$t" </dev/null
	is '["cdc.key","delta.enableInCommitTimestamps"]' "$(describe '.properties | keys')"
	is null "$(commit 3 'select(.commitInfo).commitInfo.inCommitTimestamp')"
}

@test "what a table that is there cannot get is refused with the reason, and nothing is written" {
	create 'id BIGINT, v STRING'
	merge "$t" <(ins 1 '{"id":"1","v":"a"}')
	while IFS='|' read -r property message; do
		exits 2 "$message" "$bin/cdc-merge" --property own=1 --property "$property" "$t" /dev/null
	done <<-'END'
		delta.flyingCarpets=true|is not supported
		delta.checkpointInterval=0|is not a number from 1
		delta.columnMapping.mode=id|may go from none to name
		delta.enableRowTracking=true|have no ids
		delta.constraints.c=id > 0|whether the rows that the table holds meet it is not known
		cdc.source=x|kept by this program
	END
	is 1 "$(describe .version)"
	exits 2 'is no table' "$bin/cdc-merge" --property own=1 "$t.no" /dev/null
}
