#!/usr/bin/env bats
# Proves which rows a merge writes: those that differ from what is stored and no others, those that
# --sequence-by lets win, and in tables with a change data feed what became of each.

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
	"$bin/cdc-merge" "$@"
}
# table DDL [OPTIONS]: an empty table by id
table() {
	merge -q --create --schema "$1" -k id "${@:2}" "$t" </dev/null
}
# Give the table a property, and the protocol that it needs, as another program would.
feed() {
	sed -i -e 's/"configuration":{/"configuration":{"delta.enableChangeDataFeed":"true",/' \
		-e 's/"minWriterVersion":2/"minWriterVersion":4/' \
		-e 's/"writerFeatures":\[/"writerFeatures":["changeDataFeed",/' "$t/_delta_log/00000000000000000000.json"
}
version() {
	"$bin/cdc-snapshot" --describe "$t" | jq .version
}
commit() { # commit VERSION FILTER
	jq -c "$2" "$t/_delta_log/$(printf %020d "$1").json"
}
rows() { # rows EXPECTED: the table, sorted
	diff -u <(printf '%s' "${1:+$1$'\n'}") <("$bin/cdc-snapshot" "$t" | sort)
}
# changes VERSION EXPECTED: the rows of the change data files of a commit, sorted.
changes() {
	for f in $(commit "$1" 'select(.cdc).cdc.path' | jq -r .); do
		"$bin/cdc-snapshot" "$t/$(printf '%b' "${f//%/\\x}")"
	done | jq -c '[._change_type, del(._change_type)]' | sort >have
	diff -u <(printf '%s' "${2:+$2$'\n'}") have
}

@test "an update that changes nothing is not written and not counted" {
	for mode in cow dv; do
		rm -rf "$t"
		table 'id BIGINT NOT NULL, a STRING, b DOUBLE, c DECIMAL(7,2), d TIMESTAMP, e BINARY' --mode $mode
		row='{"id":"1","a":"x","b":"0.5","c":"1.50","d":"2020-01-01T00:00:00Z","e":"AAE="}'
		ins 1 "$row" | merge -q "$t"
		for i in 2 3 4; do ins $i "{\"id\":\"$i\",\"a\":\"x\"}"; done | merge -q "$t"
		# Spelled otherwise, but the same values; an insert again; a partial update.
		{
			record 5 UPDATE '{"id":"1"}' "${row/1.50/1.5}"
			ins 6 '{"id":"2","a":"x","b":null}'
			record 7 UPDATE '{"id":"3"}' '{"id":"3","a":"x"}'
			record 8 UPDATE '{"id":"4"}' '{"id":"4","a":"y"}'
			record 9 UPDATE '{"id":"4"}' '{"id":"4","a":"x"}'
		} | merge --mode $mode "$t" 2>err
		[ ! -s err ]
		[ "$(version)" -eq 2 ]
		record 10 UPDATE '{"id":"4"}' '{"id":"4","a":"z"}' >in
		record 11 UPDATE '{"id":"3"}' '{"id":"3","a":"x"}' >>in
		merge --mode $mode "$t" in 2>err
		grep -q ' 0 inserted, 1 updated, 0 deleted' err
		[ "$(commit 3 'select(.commitInfo).commitInfo.operationMetrics | [.numTargetRowsUpdated, .numTargetRowsInserted]')" = '["1","0"]' ]
	done
}

@test "zeros of two signs are two values, and a batch without effect commits its position alone" {
	table 'id BIGINT NOT NULL, b DOUBLE'
	ins 1 '{"id":"1","b":"0.0"}' | merge -q "$t"
	ins 2 '{"id":"1","b":"-0.0"}' | merge -q "$t"
	rows '{"id":1,"b":-0.0}'
	ins 3 '{"id":"1","b":"-0.0"}' | sed 's/}$/,"position":{"topic":"x","partition":0,"offset":7}}/' | merge -q "$t"
	[ "$(commit 3 'keys[0]' | sort | xargs)" = 'commitInfo txn' ]
}

@test "a row that is deleted and inserted again as it was stays" {
	table 'id BIGINT NOT NULL, a STRING'
	ins 1 '{"id":"1","a":"x"}' | merge -q "$t"
	{ record 2 DELETE '{"id":"1"}' '{}'; ins 3 '{"id":"1","a":"x"}'; } | merge -q "$t"
	[ "$(version)" -eq 1 ]
}

@test "a key change whose old key comes back is an insert and an update" {
	table 'id BIGINT NOT NULL, a STRING'
	ins 1 '{"id":"1","a":"x"}' | merge -q "$t"
	{ record 2 UPDATE '{"id":"1"}' '{"id":"2"}'; ins 3 '{"id":"1","a":"y"}'; } | merge "$t" 2>err
	grep -q ' 1 inserted, 1 updated, 0 deleted' err
	rows '{"id":1,"a":"y"}
{"id":2,"a":"x"}'
}

@test "--sequence-by: the newer row wins, across batches and within one" {
	table 'id BIGINT NOT NULL, a STRING, at TIMESTAMP'
	stamp() { echo "{\"id\":\"$1\",\"a\":\"$2\",\"at\":\"2024-01-01T00:00:0$3Z\"}"; }
	s='--sequence-by at'
	{ ins 1 "$(stamp 1 a 5)"; ins 2 "$(stamp 2 a 5)"; ins 3 "$(stamp 3 a 5)"; } | merge -q $s "$t"
	{
		record 1 UPDATE '{"id":"1"}' "$(stamp 1 late 4)"
		record 2 UPDATE '{"id":"2"}' "$(stamp 2 c 7)"
		record 3 UPDATE '{"id":"2"}' "$(stamp 2 b 6)"
		record 4 DELETE "$(stamp 3 late 4)" '{}'
		ins 5 "$(stamp 4 new 1)"
	} | merge $s "$t" 2>err
	grep -q '2 keys kept a newer row' err
	rows '{"id":1,"a":"a","at":"2024-01-01T00:00:05Z"}
{"id":2,"a":"c","at":"2024-01-01T00:00:07Z"}
{"id":3,"a":"a","at":"2024-01-01T00:00:05Z"}
{"id":4,"a":"new","at":"2024-01-01T00:00:01Z"}'
	# As old as what is stored applies; a deletion that is newer does too.
	{ record 6 UPDATE '{"id":"1"}' "$(stamp 1 again 5)"; record 7 DELETE "$(stamp 3 a 5)" '{}'; } | merge -q $s "$t"
	rows '{"id":1,"a":"again","at":"2024-01-01T00:00:05Z"}
{"id":2,"a":"c","at":"2024-01-01T00:00:07Z"}
{"id":4,"a":"new","at":"2024-01-01T00:00:01Z"}'
	# A key change that is late moves nothing.
	record 8 UPDATE "$(stamp 2 c 7)" "$(stamp 9 moved 6)" | merge -q $s "$t"
	[ "$("$bin/cdc-snapshot" --where 'id = 9' "$t")" = '' ]
	run merge -q $s "$t" <<<"$(record 9 DELETE '{"id":"1"}' '{}')"
	[ "$status" -eq 3 ]
	grep -q 'of --sequence-by is missing' <<<"$output"
	run merge -q --sequence-by a "$t" <<<"$(ins 1 "$(stamp 1 a 5)")"
	[ "$status" -eq 2 ]
	run merge -q --sequence-by zz "$t" <<<"$(ins 1 "$(stamp 1 a 5)")"
	[ "$status" -eq 2 ]
}

@test "the change data feed has every row that changed, in both modes" {
	for mode in cow dv; do
		rm -rf "$t"
		table 'id BIGINT NOT NULL, a STRING' --property delta.enableDeletionVectors=true
		feed
		for i in 1 2 3 4 5 6; do ins $i "{\"id\":\"$i\",\"a\":\"a\"}"; done | merge -q --mode $mode "$t"
		# Rows that only come need no files.
		changes 1 ''
		{
			record 11 UPDATE '{"id":"1"}' '{"id":"1","a":"b"}'
			record 12 UPDATE '{"id":"2"}' '{"id":"2","a":"a"}'
			record 13 DELETE '{"id":"3"}' '{}'
			record 14 UPDATE '{"id":"4"}' '{"id":"7"}'
			ins 15 '{"id":"8","a":"n"}'
		} | merge -q --mode $mode "$t"
		changes 2 '["delete",{"id":3,"a":"a"}]
["insert",{"id":8,"a":"n"}]
["update_postimage",{"id":1,"a":"b"}]
["update_postimage",{"id":7,"a":"a"}]
["update_preimage",{"id":1,"a":"a"}]
["update_preimage",{"id":4,"a":"a"}]'
		[ "$(commit 2 'select(.cdc).cdc.dataChange' | sort -u)" = false ]
		[ "$(commit 2 'select(.commitInfo).commitInfo.operationMetrics.numTargetChangeFilesAdded')" = '"1"' ]
		record 16 UPDATE '{"id":"2"}' '{"id":"2","a":"a"}' | merge -q --mode $mode "$t"
		[ "$(version)" -eq 2 ]
		# What is told of the commit is what its files say.
		"$bin/cdc-snapshot" --changes 2 "$t" | jq -r .recordType | sort | uniq -c | xargs >types
		[ "$(cat types)" = '1 CHECKPOINT 2 DELETE 2 INSERT 1 SCHEMA 1 UPDATE' ] || { cat types; false; }
	done
}

@test "the change data feed of a row that moves between partitions" {
	table 'id BIGINT NOT NULL, p STRING, a STRING' -p p
	feed
	{ ins 1 '{"id":"1","p":"x y","a":"a"}'; ins 2 '{"id":"2","p":"x y","a":"a"}'; } | merge -q "$t"
	record 3 UPDATE '{"id":"1"}' '{"id":"1","p":null}' | merge -q "$t"
	changes 2 '["update_postimage",{"id":1,"a":"a"}]
["update_preimage",{"id":1,"a":"a"}]'
	[ "$(commit 2 'select(.cdc).cdc | [.path[:25], .partitionValues.p]' | sort)" = '["_change_data/p=__HIVE_DEF",null]
["_change_data/p=x%20y/cdc-","x y"]' ]
	"$bin/cdc-snapshot" --changes 2 "$t" | jq -c 'select(.recordType == "UPDATE") | [.beforeImages.p, .afterImages.p]' >have
	[ "$(cat have)" = '["x y",null]' ]
}

@test "--compact-every packs files while the merge goes on" {
	table 'id BIGINT NOT NULL, a STRING' --property delta.enableDeletionVectors=true
	for i in $(seq 60); do
		ins "$i" "{\"id\":\"$((i % 40))\",\"a\":\"v$i\"}"
		echo '{"recordType":"CHECKPOINT","positions":[]}'
	done >in
	merge --compact-every 10 "$t" in 2>err
	grep -c ': compacted, files' err >compactions
	[ "$(cat compactions)" -ge 1 ]
	[ "$(grep -c ' inserted, ' err)" -eq 60 ]
	for i in $(seq 21 60); do echo "{\"id\":$((i % 40)),\"a\":\"v$i\"}"; done | sort >want
	"$bin/cdc-snapshot" "$t" | sort | diff want -
	# A compaction commits while merges do; the version of each is its own.
	[ "$(ls "$t"/_delta_log/*.json | wc -l)" -eq $((61 + $(cat compactions))) ]
	[ "$("$bin/cdc-snapshot" --describe "$t" | jq .files)" -lt 60 ]
}

# Row tracking as Spark turns it on for a new table; on: whether rows keep their ids in files.
track() { # track ON
	sed -i -e "s/\"configuration\":{/\"configuration\":{\"delta.enableRowTracking\":\"$1\",\"delta.rowTracking.materializedRowIdColumnName\":\"_row-id-col-1\",\"delta.rowTracking.materializedRowCommitVersionColumnName\":\"_row-commit-version-col-1\",/" \
		-e 's/"writerFeatures":\[/"writerFeatures":["rowTracking","domainMetadata",/' "$t/_delta_log/00000000000000000000.json"
}
# The rows of all files with the ids and versions that a reader gives them, sorted.
tracked() {
	local v=$1 f base default
	while read -r f base default; do
		"$bin/cdc-snapshot" "$t/$f" | jq -c --argjson b "$base" --argjson d "$default" --slurp \
			'to_entries[] | [.value.id, .value.a, (.value["_row-id-col-1"] // (.key + $b)), (.value["_row-commit-version-col-1"] // $d)]'
	done < <(commit "$v" 'select(.add).add | "\(.path) \(.baseRowId) \(.defaultRowCommitVersion)"' | jq -r .) | sort
}

@test "row tracking: new files get ids, and rows keep theirs when they are written again" {
	for mode in cow dv; do
		rm -rf "$t"
		table 'id BIGINT NOT NULL, a STRING' --property delta.enableDeletionVectors=true
		track true
		{ ins 1 '{"id":"1","a":"a"}'; ins 2 '{"id":"2","a":"a"}'; ins 3 '{"id":"3","a":"a"}'; } | merge -q --mode $mode "$t"
		[ "$(tracked 1)" = '[1,"a",0,1]
[2,"a",1,1]
[3,"a",2,1]' ]
		[ "$(commit 1 'select(.domainMetadata).domainMetadata.configuration | fromjson')" = '{"rowIdHighWaterMark":2}' ]
		{ record 4 UPDATE '{"id":"2"}' '{"id":"2","a":"b"}'; ins 5 '{"id":"4","a":"n"}'; } | merge -q --mode $mode "$t"
		tracked 2 >have
		if [ $mode = cow ]; then
			diff -u - have <<-'END'
				[1,"a",0,1]
				[2,"b",1,2]
				[3,"a",2,1]
				[4,"n",6,2]
			END
			mark=6
		else
			# The old file keeps its base, the new one has ids of its own.
			diff -u - have <<-'END'
				[1,"a",0,1]
				[2,"a",1,1]
				[2,"b",1,2]
				[3,"a",2,1]
				[4,"n",4,2]
			END
			mark=4
		fi
		[ "$(commit 2 'select(.domainMetadata).domainMetadata.configuration | fromjson.rowIdHighWaterMark')" = $mark ]
		[ "$(commit 2 'select(.commitInfo).commitInfo.tags["delta.rowTracking.preserved"]')" = '"true"' ]
		[ "$(commit 2 'select(.remove).remove | [.baseRowId, .defaultRowCommitVersion]')" = '[0,1]' ]
		# Statistics tell of the table's columns alone.
		[ "$(commit 2 'select(.add).add.stats | fromjson.nullCount | keys[]' | sort -u | xargs)" = 'a id' ]
		# An id that was taken along goes on.
		record 6 UPDATE '{"id":"2"}' '{"id":"2","a":"c"}' | merge -q --mode cow "$t"
		tracked 3 | grep -qx '\[2,"c",1,3\]'
	done
}

@test "row tracking that is only supported gives files their ids" {
	table 'id BIGINT NOT NULL, a STRING' --property delta.enableDeletionVectors=true
	track false
	for i in 1 2; do ins $i "{\"id\":\"$i\",\"a\":\"a\"}" | merge -q "$t"; done
	[ "$(commit 2 'select(.add).add | [.baseRowId, .defaultRowCommitVersion]')" = '[1,2]' ]
	[ "$("$bin/cdc-snapshot" "$t/$(commit 2 'select(.add).add.path' | jq -r .)" | jq -c keys)" = '["a","id"]' ]
	# A checkpoint keeps what the files and the domain say.
	"$bin/cdc-compact" --checkpoint "$t"
	rm "$t"/_delta_log/0000000000000000000[01].json
	ins 3 '{"id":"3","a":"a"}' | merge -q "$t"
	[ "$(commit 3 'select(.add).add.baseRowId')" = 2 ]
}

@test "row tracking: rows that are packed or sorted keep their ids" {
	for how in '' '--sort-by a' '--zorder-by a,id'; do
		rm -rf "$t"
		table 'id BIGINT NOT NULL, a STRING' --property delta.enableDeletionVectors=true
		track true
		{ ins 1 '{"id":"1","a":"c"}'; ins 2 '{"id":"2","a":"b"}'; ins 3 '{"id":"3","a":"a"}'; } | merge -q "$t"
		{ record 4 UPDATE '{"id":"2"}' '{"id":"2","a":"z"}'; ins 5 '{"id":"4","a":"n"}'; } | merge -q --mode dv "$t"
		"$bin/cdc-compact" -q $how "$t"
		tracked 3 >have
		diff -u - have <<-'END'
			[1,"c",0,1]
			[2,"z",1,2]
			[3,"a",2,1]
			[4,"n",4,2]
		END
		# The ids of the new file's own are those after all that were given.
		[ "$(commit 3 'select(.add).add | [.baseRowId, .defaultRowCommitVersion]')" = '[5,3]' ]
		[ "$(commit 3 'select(.domainMetadata).domainMetadata.configuration | fromjson')" = '{"rowIdHighWaterMark":8}' ]
	done
}

@test "delta.randomizeFilePrefixes puts files into directories of a few letters" {
	table 'id BIGINT NOT NULL, p STRING' -p p --property delta.randomizeFilePrefixes=true --property delta.randomPrefixLength=5
	{ ins 1 '{"id":"1","p":"a"}'; ins 2 '{"id":"2","p":"b"}'; } | merge -q "$t"
	[ "$(commit 1 'select(.add).add | [(.path | test("^[0-9a-z]{5}/part-")), .partitionValues.p]' | sort)" = '[true,"a"]
[true,"b"]' ]
	rows '{"id":1,"p":"a"}
{"id":2,"p":"b"}'
}
