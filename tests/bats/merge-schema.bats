#!/usr/bin/env bats
# Proves what a user sees when a table is created with settings and unusual names, when its
# properties change, and when its columns follow the source's.

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
	merge --evolve add "$t" <(schema id:bigint 'new;one:date'; upd 4 '{"id":"1"}' '{"new;one":"2021-12-31"}')
	is '[["id",1,"id"],["v",2,"v"],["p",3,"p"],["new;one",4,"col-UUID"]]' "$(mapping)"
	rows '{"id":1,"v":"a","p":"2020-01-01","new;one":"2021-12-31"}
{"id":2,"v":"c","p":null,"new;one":null}'
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

@test "--evolve add adds the columns of a SCHEMA record in the commit of the rows" {
	create 'id BIGINT NOT NULL, v STRING'
	merge "$t" <(ins 1 '{"id":"1","v":"a"}')
	schema id:bigint:false 'n:decimal(7,2):false' v:varchar 'w:tinyint unsigned' >in
	ins 2 '{"id":"2","v":"b","n":"1.50","w":"255"}' >>in
	run "$bin/cdc-merge" --evolve add "$t" in
	[ "$status" -eq 0 ]
	[[ $output == 'cdc-merge: info: version 2: columns added: 2; 1 inserted, 0 updated, 0 deleted; '* ]]
	is '["MERGE","metaData","add"]' "$(jq -sc '[.[] | .commitInfo.operation // keys[]]' "$t/_delta_log/00000000000000000002.json")"
	# At the end, and nullable whatever the source says: the rows that are there have none.
	is '[["id","long",false],["v","string",true],["n","decimal(7,2)",true],["w","short",true]]' "$(describe '[.schema.fields[] | [.name, .type, .nullable]]')"
	rows '{"id":1,"v":"a","n":null,"w":null}
{"id":2,"v":"b","n":1.50,"w":255}'
	# The same record again changes nothing.
	merge --evolve add "$t" <(head -1 in; ins 3 '{"id":"3"}')
	is '' "$(commit 3 'select(.metaData)')"
	"$bin/cdc-snapshot" --version-as-of 1 "$t" | diff -u <(echo '{"id":1,"v":"a"}') -
	"$bin/cdc-compact" -q "$t"
	rows '{"id":1,"v":"a","n":null,"w":null}
{"id":2,"v":"b","n":1.50,"w":255}
{"id":3,"v":null,"n":null,"w":null}'
}

@test "a SCHEMA record amid the stream ends the batch of the old columns" {
	{ schema id:bigint v:varchar; ins 1 '{"id":"1","v":"a"}' 1; ins 2 '{"id":"2","v":"b"}' 2
		schema id:bigint v:varchar w:date; ins 3 '{"id":"3","w":"2020-01-01"}' 3
		upd 4 '{"id":"1"}' '{"w":"2020-01-02"}'; } >in
	merge --evolve add "$t" in
	is 'CREATE TABLE, MERGE, MERGE' "$(operations)"
	rows '{"id":1,"v":"a","w":"2020-01-02"}
{"id":2,"v":"b","w":null}
{"id":3,"v":null,"w":"2020-01-01"}'
	is '["cdc:x:0",1] ["cdc:x:0",3]' "$(jq -c 'select(.txn) | [.txn.appId, .txn.version]' "$t"/_delta_log/*.json | paste -sd' ')"
	run "$bin/cdc-merge" --evolve add "$t" in
	[[ $output == *'3 records skipped'* ]]
	rows '{"id":1,"v":"a","w":"2020-01-02"}
{"id":2,"v":"b","w":null}
{"id":3,"v":null,"w":"2020-01-01"}'
}

@test "what no SCHEMA record and no --schema explains stays a reject" {
	create 'id BIGINT, v STRING'
	exits 3 'column "w" is not in the table' "$bin/cdc-merge" --evolve add "$t" <(ins 1 '{"id":"1","w":"x"}')
	exits 3 'column "w" is not in the table' "$bin/cdc-merge" "$t" <(schema id:bigint w:varchar; ins 1 '{"id":"1","w":"x"}')
	merge --evolve ignore "$t" <(schema id:bigint w:varchar; ins 1 '{"id":"1","w":"x"}')
	rows '{"id":1,"v":null}'
	merge --evolve add --schema 'w DECIMAL(3,1), id BIGINT NOT NULL' "$t" <(upd 2 '{"id":"1"}' '{"w":"1.5"}')
	is '[["id","long",true],["v","string",true],["w","decimal(3,1)",true]]' "$(describe '[.schema.fields[] | [.name, .type, .nullable]]')"
	rows '{"id":1,"v":null,"w":1.5}'
	# The source does not tell the digits of either: that of a column that is there is left alone.
	exits 2 "--schema 'z TYPE'" "$bin/cdc-merge" --evolve add "$t" <(schema id:bigint w:decimal z:decimal; ins 3 '{"id":"1"}')
	merge --evolve add --schema 'z DECIMAL(5,0)' "$t" <(schema id:bigint w:decimal z:decimal; upd 4 '{"id":"1"}' '{"z":"7"}')
	rows '{"id":1,"v":null,"w":1.5,"z":7}'
	exits 2 'without column mapping' "$bin/cdc-merge" --evolve add "$t" <(schema id:bigint 'a b:date'; ins 5 '{"id":"5"}')
}

@test "--evolve widen widens types, and the files that are there keep theirs" {
	create 'id INT NOT NULL, b TINYINT, d DATE, f FLOAT, n DECIMAL(5,2), i INT' \
		--property delta.checkpointInterval=2 --property delta.enableDeletionVectors=true
	merge "$t" <(ins 1 '{"id":"1","b":"127","d":"2020-01-02","f":"0.1","n":"123.45","i":"7"}'
		ins 2 '{"id":"2","b":"-128","d":"1999-12-31","f":"-3.5","n":"-0.01","i":"2147483647"}')
	{ schema 'id:bigint(20)' 'b:int(11)' d:datetime f:double 'n:decimal(12,4)' i:double
		ins 3 '{"id":"5000000000","b":"2147483647","d":"2020-01-02 03:04:05","f":"0.1","n":"12345678.1234","i":"0.5"}'; } >in
	run "$bin/cdc-merge" --evolve widen "$t" in
	[ "$status" -eq 0 ]
	[[ $output == *'version 2: columns widened: 6; 1 inserted, '*'files +1 -0'* ]]
	is '["id=long","b=integer","d=timestamp_ntz","f=double","n=decimal(12,4)","i=double"]' \
		"$(describe '[.schema.fields[] | "\(.name)=\(.type)"]')"
	is '[{"fromType":"byte","toType":"integer"}]' "$(describe '.schema.fields[1].metadata["delta.typeChanges"]')"
	is '[3,7,["deletionVectors","timestampNtz","typeWidening"],"true"]' \
		"$(describe '[.protocol.minReaderVersion, .protocol.minWriterVersion, (.protocol.readerFeatures | sort), .properties["delta.enableTypeWidening"]]')"
	one='{"id":1,"b":127,"d":"2020-01-02 00:00:00","f":0.10000000149011612,"n":123.4500,"i":7.0}'
	two='{"id":2,"b":-128,"d":"1999-12-31 00:00:00","f":-3.5,"n":-0.0100,"i":2.147483647E9}'
	three='{"id":5000000000,"b":2147483647,"d":"2020-01-02 03:04:05","f":0.1,"n":12345678.1234,"i":0.5}'
	rows "$one
$two
$three"
	# Statistics and pages of the old file, from the commit and from the checkpoint.
	for again in 1 2; do
		rows "$one" --where "id = 1"
		rows "$one" --where "b = 127"
		rows "$one
$three" --where "d >= '2020-01-02 00:00:00'"
		rows "$two" --where "d < '2000-01-01 00:00:00'"
		rows "$one" --where "f > 0.1"
		rows "$one" --where "n = 123.45"
		rows "$two" --where "i > 2147483646.5"
		"$bin/cdc-compact" -q --checkpoint "$t"
	done
	# Keys of the old file are found by the new type, whichever way the file is written.
	merge --mode dv "$t" <(upd 4 '{"id":"1"}' '{"b":"1000"}')
	merge --mode cow "$t" <(upd 5 '{"id":"2"}' '{"i":"0.25"}'; upd 6 '{"id":"5000000000"}' '{"f":"9.5"}')
	one=${one/:127/:1000} two=${two/2.147483647E9/0.25} three=${three/'"f":0.1'/'"f":9.5'}
	rows "$one
$two
$three"
	# A second step is noted after the first.
	merge --evolve widen --schema 'b BIGINT' "$t" <(ins 7 '{"id":"7","b":"9000000000"}')
	is '[{"fromType":"byte","toType":"integer"},{"fromType":"integer","toType":"long"}]' "$(describe '.schema.fields[1].metadata["delta.typeChanges"]')"
	"$bin/cdc-compact" -q "$t"
	rows "$one
$two
$three
"'{"id":7,"b":9000000000,"d":null,"f":null,"n":null,"i":null}'
}

@test "what is no widening is left to the values, and a partition column is not widened" {
	create 'id INT, v STRING, n DECIMAL(5,2), p INT' -p p
	exits 3 '"x" is malformed' "$bin/cdc-merge" --evolve widen "$t" <(schema id:varchar v:date 'n:decimal(5,1)'; ins 1 '{"id":"x"}')
	merge --evolve widen "$t" <(schema id:varchar v:date 'n:decimal(5,1)'; ins 1 '{"id":"1","v":"2020-01-01","n":"1.5"}')
	is '["id=integer","v=string","n=decimal(5,2)","p=integer"]' "$(describe '[.schema.fields[] | "\(.name)=\(.type)"]')"
	exits 2 'a partition column cannot be widened' "$bin/cdc-merge" --evolve widen "$t" <(schema 'id:int(11)' 'p:bigint(20)'; ins 2 '{"id":"2"}')
	# Wider types are not for --evolve add.
	exits 3 'out of range' "$bin/cdc-merge" --evolve add "$t" <(schema 'id:bigint(20)'; ins 2 '{"id":"5000000000"}')
}

@test "a column that the source made nullable is, but never one of the key" {
	create 'id BIGINT NOT NULL, v STRING NOT NULL, w STRING NOT NULL, d DECIMAL(5,2) NOT NULL'
	schema id:bigint:true v:varchar:true w:varchar d:decimal:true >in
	ins 1 '{"id":"1","v":null,"w":"b","d":null}' >>in
	exits 3 'NOT NULL' "$bin/cdc-merge" "$t" in
	# The source does not tell the digits of d, but it tells that it may be null.
	run "$bin/cdc-merge" --evolve add "$t" in
	[[ $output == *'columns made nullable: 2; 1 inserted'* ]]
	is '[false,true,false,true]' "$(describe '[.schema.fields[].nullable]')"
	rows '{"id":1,"v":null,"w":"b","d":null}'
}

@test "columns without rows are committed alone" {
	create 'id BIGINT, v STRING'
	merge --evolve add "$t" <(schema id:bigint w:date)
	is 'CREATE TABLE, ADD COLUMNS' "$(operations)"
	merge --evolve widen "$t" <(schema id:bigint w:datetime)
	is 'CREATE TABLE, ADD COLUMNS, CHANGE COLUMN' "$(operations)"
	is '["id=long","v=string","w=timestamp_ntz"]' "$(describe '[.schema.fields[] | "\(.name)=\(.type)"]')"
}

@test "--dry-run tells of columns and leaves the table alone" {
	create 'id BIGINT, v STRING'
	run "$bin/cdc-merge" --dry-run --evolve widen "$t" <(schema id:bigint w:date; ins 1 '{"id":"1","w":"2020-01-01"}')
	[ "$status" -eq 0 ]
	[[ $output == 'cdc-merge: info: dry run: columns added: 1; 1 inserted, '* ]]
	is '[0,2]' "$(describe '[.version, (.schema.fields | length)]')"
}

@test "a replica follows the changes of a table whose columns change" {
	merge "$t" <(schema id:int v:varchar; ins 1 '{"id":"1","v":"a"}'; ins 2 '{"id":"2","v":"b"}') --schema 'id INT'
	merge --evolve widen "$t" <(schema 'id:bigint(20)' 'n:decimal(5,2)'; upd 3 '{"id":"1"}' '{"n":"1.50"}'
		ins 4 '{"id":"5000000000","n":"2"}')
	merge --evolve widen "$t" <(schema id:bigint 'n:decimal(7,3)'; upd 5 '{"id":"2"}' '{"n":"1000.125"}')
	"$bin/cdc-snapshot" --changes 0 "$t" >changes
	"$bin/cdc-snapshot" "$t" | sort >want
	merge --evolve widen "$t.replica" changes
	diff -u want <("$bin/cdc-snapshot" "$t.replica" | sort)
	is "$(describe '[.schema.fields[] | [.name, .type]]')" "$("$bin/cdc-snapshot" --describe "$t.replica" | jq -c '[.schema.fields[] | [.name, .type]]')"
}

@test "a column mapping that the protocol does not have stays out of force" {
	create 'id BIGINT, v STRING'
	sed -i 's/"cdc.key"/"delta.columnMapping.mode":"id","cdc.key"/' "$t/_delta_log/00000000000000000000.json"
	merge "$t" <(ins 1 '{"id":"1","v":"a"}')
	merge --evolve widen "$t" <(schema id:bigint t:datetime; ins 2 '{"id":"2","t":"2020-01-02 03:04:05"}')
	is '[["id",null,""],["v",null,""],["t",null,""]]' "$(mapping)"
	is '["timestampNtz"]' "$(describe .protocol.readerFeatures)"
	want='{"id":1,"v":"a","t":null}
{"id":2,"v":null,"t":"2020-01-02 03:04:05"}'
	rows "$want"
	merge --property delta.columnMapping.mode=name "$t" </dev/null
	is '[["id",1,"id"],["v",2,"v"],["t",3,"t"]]' "$(mapping)"
	rows "$want"
}
