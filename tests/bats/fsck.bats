#!/usr/bin/env bats
# Proves that cdc-compact --fsck finds each kind of damage, and nothing else: tables that are sound
# but for one thing, damaged by hand in the log or in a file.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	dir=$BATS_TEST_TMPDIR
	cd "$dir"
	t=$dir/t
	log=$t/_delta_log
}

ins() { # ins ID IMAGE
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"INSERT","beforeImages":{},"afterImages":%s}\n' "$1" "$2"
}
del() { # del NUMBER ID
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"DELETE","beforeImages":{"id":"%s"},"afterImages":{}}\n' "$1" "$2"
}
merge() {
	"$bin/cdc-merge" -q "$@"
}
# table FILES OPTIONS...: one commit a file of 10 rows, ids 1 to 10 and so on.
table() {
	local files=$1 f i
	shift
	merge --create --schema 'id INT NOT NULL, p STRING, v STRING, x DOUBLE, at TIMESTAMP, m DECIMAL(20,3)' \
		-k id "$@" "$t" </dev/null
	for f in $(seq 1 "$files"); do
		for i in $(seq $((f * 10 - 9)) $((f * 10))); do
			ins "$i" "{\"id\":\"$i\",\"p\":\"a\",\"v\":\"value $i\",\"x\":\"$i.5\",\"at\":\"2024-01-02T03:04:05.678901Z\",\"m\":\"-1234567890123456.789\"}"
		done >in
		merge "$t" in
	done
}
commit() { # commit VERSION: its file
	printf '%s/%020d.json' "$log" "$1"
}
edit() { # edit VERSION JQ: change the actions of a commit, whose file keeps its time
	local file
	file=$(commit "$1")
	jq -c "$2" "$file" >edited
	touch -r "$file" edited
	cp -p edited "$file"
}
stats() { # stats VERSION JQ: change the statistics of its adds
	edit "$1" "if .add then .add.stats |= (fromjson | $2 | tojson) else . end"
}
schema() { # schema JQ: change the table's schema
	edit 0 "if .metaData then .metaData.schemaString |= (fromjson | $1 | tojson) else . end"
}
added() { # added VERSION: path of the file that it adds
	jq -r '.add // empty | .path' "$(commit "$1")"
}
# finds STATUS CHECK...: exactly these checks have findings, each of them one or more.
finds() {
	local want=$1
	shift
	status=0
	"$bin/cdc-compact" -q --fsck "$t" >found 2>error || status=$?
	[ "$status" -eq "$want" ] || { echo "exit status $status"; cat found error; return 1; }
	diff -u <(printf '%s\n' "$@" | sed '/^$/d' | sort -u) <(jq -r 'select(.level) | .check' found | sort -u)
}
finding() { # finding JQ: of the only finding
	jq -c "select(.level) | $1" found
}
verdicts() {
	jq -r 'select(.check == "verdict") | [.engine, .readable, .writable] | join(" ")' found
}

# ------------------------------------------------------------------ sound tables

@test "a sound table has no findings, and all can use it" {
	table 3
	finds 0 ''
	diff -u found - <<-END
		{"check":"verdict","engine":"Spark","readable":true,"writable":true,"reason":[]}
		{"check":"verdict","engine":"delta-rs","readable":true,"writable":true,"reason":[]}
		{"check":"verdict","engine":"DuckDB","readable":true,"writable":true,"reason":[]}
		{"check":"summary","version":3,"errors":0,"warnings":0,"files":3,"rows":30,"bytes":$(cat "$t"/*.parquet | wc -c),"orphanFiles":0,"orphanBytes":0}
	END
	run "$bin/cdc-compact" --fsck "$t"
	[[ $output == *'cdc-compact: info: version 3: 0 errors, 0 warnings in 3 files, 30 rows'* ]]
}

@test "partitions, deletion vectors, packed files, checkpoints and a cleaned log are sound" {
	table 11 -p p --property delta.enableDeletionVectors=true
	for i in 3 14; do del $((200 + i)) "$i" >in; merge --mode dv "$t" in; done
	finds 0 ''
	"$bin/cdc-compact" -q "$t"
	"$bin/cdc-compact" -q --checkpoint "$t"
	finds 0 ''
	rm "$log"/0000000000000000000[0-9].json
	finds 0 ''
}

@test "nothing is written" {
	table 2
	find "$t" -printf '%P %s %T@\n' | sort >before
	"$bin/cdc-compact" -q --fsck "$t" >out
	diff -u before <(find "$t" -printf '%P %s %T@\n' | sort)
}

@test "--fsck goes alone" {
	table 1
	for o in --vacuum --checkpoint --dry-run '--target-size=1M'; do
		run "$bin/cdc-compact" --fsck "$o" "$t"
		[ "$status" -eq 2 ]
	done
	run "$bin/cdc-compact" --fsck "$dir/nothing"
	[ "$status" -eq 2 ]
}

# ------------------------------------------------------------------ the log

@test "log: a commit that is missing under a checkpoint" {
	table 10
	rm "$(commit 4)"
	finds 1 log-gap
	[ "$(finding .version)" -eq 4 ]
}

@test "log: a table that cannot be loaded is 6, and what is wrong is told" {
	table 3
	rm "$(commit 2)"
	finds 6 log-gap
	grep -qF 'version 2 is missing' error
}

@test "log: a commit under a checkpoint that is no JSON" {
	table 10
	touch -r "$(commit 4)" stamp
	echo '{"add":' >>"$(commit 4)"
	touch -r stamp "$(commit 4)"
	finds 1 commit
	[ "$(finding '[.version, .path]')" = '[4,"00000000000000000004.json"]' ]
}

@test "log: actions that must not come twice in a commit" {
	table 1
	edit 0 'if .metaData then ., . else . end'
	finds 1 commit-actions
	[[ $(finding .message) == *'2 metaData'* ]]
	edit 0 'if .protocol then ., . else . end'
	finds 1 commit-actions
	[ "$(finding .message | wc -l)" -eq 2 ]
}

@test "log: a path that is added twice, or added and removed" {
	table 2
	cp -rp "$t" whole
	edit 2 'if .add then ., . else . end'
	finds 1 commit-actions
	rm -r "$t"; cp -rp whole "$t"
	edit 2 'if .add then ({remove: {path: .add.path, deletionTimestamp: 4102444800000, dataChange: true}}, .) else . end'
	finds 1 commit-actions
	[[ $(finding .message) == *'both removed and added'* ]]
}

@test "log: two txn actions of one application" {
	table 1
	edit 1 'if .add then ., {txn:{appId:"a",version:1}}, {txn:{appId:"a",version:2}} else . end'
	finds 1 commit-actions
}

@test "log: a remove that lacks the deletion vector of the file stays without effect" {
	table 1 --property delta.enableDeletionVectors=true
	for i in 1 2; do del $((100 + i)) "$i" >in; merge --mode dv "$t" in; done
	edit 3 'if .remove then del(.remove.deletionVector) else . end'
	finds 1 commit-actions
	[[ $(finding .message) == *'another deletion vector'* ]]
}

@test "log: in-commit timestamps that do not rise, or are missing" {
	table 2
	edit 0 'if .metaData then .metaData.configuration["delta.enableInCommitTimestamps"] = "true"
		elif .protocol then .protocol = {minReaderVersion:1,minWriterVersion:7,writerFeatures:["inCommitTimestamp"]}
		else . end'
	for v in 0 1 2; do edit "$v" "if .commitInfo then .commitInfo.inCommitTimestamp = 1700000000000 + $v else . end"; done
	finds 0 ''
	edit 2 'if .commitInfo then .commitInfo.inCommitTimestamp = 1700000000001 else . end'
	finds 1 in-commit-timestamp
	edit 2 'if .commitInfo then del(.commitInfo.inCommitTimestamp) else . end'
	finds 1 in-commit-timestamp
	[[ $(finding .message) == *'does not begin'* ]]
}

@test "log: commits whose files are not in the order of time" {
	table 3
	touch -d '1 hour ago' "$(commit 2)"
	finds 0 commit-time
	[ "$(finding '[.level, .version]')" = '["warning",2]' ]
}

# ------------------------------------------------------------------ what is derived from it

@test "checkpoint: one that cannot be read" {
	table 10
	truncate -s -20 "$log/00000000000000000010.checkpoint.parquet"
	rm "$log/_last_checkpoint"
	finds 1 checkpoint
	[ "$(verdicts | head -1)" = 'Spark true true' ]
}

@test "checkpoint: a state that is not the log's" {
	table 10 --property delta.enableDeletionVectors=true
	cp -rp "$t" whole
	edit 3 'if .add then .add.size += 1 else . end'
	finds 1 checkpoint-state
	rm -r "$t"; cp -rp whole "$t"
	edit 3 'if .add then empty else . end'
	finds 1 checkpoint-state
	[[ $(finding .message) == *'which the log does not'* ]]
	rm -r "$t"; cp -rp whole "$t"
	edit 4 'if .add then ., {add: (.add | .path = "other.parquet")} else . end'
	finds 1 checkpoint-state
	[[ $(finding .message) == *'it lacks the file \"other.parquet\"'* ]]
	rm -r "$t"; cp -rp whole "$t"
	stats 5 '.numRecords = 9'
	finds 1 checkpoint-state
	rm -r "$t"; cp -rp whole "$t"
	edit 0 'if .metaData then .metaData.configuration.a = "b" else . end'
	finds 1 checkpoint-state
	rm -r "$t"; cp -rp whole "$t"
	edit 6 'if .add then ., {txn:{appId:"a",version:1}} else . end'
	finds 1 checkpoint-state
	rm -r "$t"; cp -rp whole "$t"
	edit 7 'if .add then ., {remove:{path:"gone.parquet",deletionTimestamp:4102444800000,dataChange:true}} else . end'
	finds 1 checkpoint-state
	[[ $(finding .message) == *'removed file'* ]]
}

@test "checkpoint: an old one is no hindrance to the latest version" {
	table 20
	edit 3 'if .add then .add.size += 1 else . end'
	"$bin/cdc-compact" -q --fsck "$t" >found || true
	[ "$(finding .version | sort -u)" -eq 10 ]
	diff -u <(printf '%s\n' 'Spark true true' 'delta-rs true true' 'DuckDB true true') <(verdicts)
}

@test "hint: one that leads nowhere, is no JSON, or tells wrong numbers" {
	table 10
	good=$(cat "$log/_last_checkpoint")
	finds 0 ''
	jq -c '.version = 11' <<<"$good" >"$log/_last_checkpoint"
	finds 1 last-checkpoint
	echo '{' >"$log/_last_checkpoint"
	finds 1 last-checkpoint
	for member in size numOfAddFiles sizeInBytes; do
		jq -c ".$member += 1" <<<"$good" >"$log/_last_checkpoint"
		finds 1 last-checkpoint
		[[ $(finding .message) == *"$member is"* ]]
	done
}

@test "hint: its checksum" {
	table 10
	# The canonical form by hand; the numbers are those of the file.
	read -r version size bytes adds < <(jq -r '"\(.version) \(.size) \(.sizeInBytes) \(.numOfAddFiles)"' "$log/_last_checkpoint")
	sum=$(printf '"numOfAddFiles"=%d,"size"=%d,"sizeInBytes"=%d,"version"=%d' "$adds" "$size" "$bytes" "$version" | md5sum)
	jq -c ".checksum = \"${sum%% *}\"" "$log/_last_checkpoint" >hint
	cp hint "$log/_last_checkpoint"
	finds 0 ''
	jq -c '.checksum = "0123456789abcdef0123456789abcdef"' hint >"$log/_last_checkpoint"
	finds 1 last-checkpoint
}

@test "hint: an old one is a warning" {
	table 10
	cp "$log/_last_checkpoint" old
	"$bin/cdc-compact" -q --target-size 1M --checkpoint "$t"
	cp old "$log/_last_checkpoint"
	finds 0 last-checkpoint
}

@test "version checksum: each number against the state" {
	table 2
	size=$(cat "$t"/*.parquet | wc -c)
	crc=$log/00000000000000000002.crc
	good="{\"tableSizeBytes\":$size,\"numFiles\":2,\"numMetadata\":1,\"numProtocol\":1,\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}"
	echo "$good" >"$crc"
	finds 0 ''
	for change in '.numFiles = 3' '.tableSizeBytes += 1' '.numDeletedRecordsOpt = 1' '.numDeletionVectorsOpt = 1' \
		'.protocol.minWriterVersion = 7' '.metadata = {id: "x"}' '.allFiles = []' \
		'.setTransactions = [{appId: "a", version: 1}]'; do
		jq -c "$change" <<<"$good" >"$crc"
		finds 1 version-checksum
	done
	echo '[]' >"$crc"
	finds 1 version-checksum
}

@test "Hadoop's checksums: a stale one, of the log and of data" {
	table 2
	for f in "$log/00000000000000000001.json" "$t/$(added 2)"; do
		side=${f%/*}/.${f##*/}.crc
		# One piece of 1 MiB: its sum is what gzip has in its last bytes, in the other order.
		{
			printf 'crc\0\0\020\0\0'
			gzip -c "$f" | tail -c 8 | head -c 4 | xxd -p | fold -w2 | tac | xxd -r -p
		} >"$side"
		finds 0 ''
		printf 'crc\0\0\020\0\0abcd' >"$side"
		finds 1 hadoop-checksum
		[[ $(verdicts | head -1) == 'Spark false false' ]]
		rm "$side"
	done
}

# ------------------------------------------------------------------ files

@test "files: one that is missing" {
	table 3
	rm "$t/$(added 2)"
	finds 1 file
	[ "$(finding .path)" = "\"$(added 2)\"" ]
	diff -u <(printf '%s\n' 'Spark false false' 'delta-rs false false' 'DuckDB false false') <(verdicts)
	[ "$(jq -c 'select(.engine == "Spark") | .reason' found)" = '["file: 1 findings"]' ]
}

@test "files: one of another size" {
	table 2
	edit 2 'if .add then .add.size += 1 else . end'
	finds 1 file-size
}

@test "files: one that is no Parquet" {
	table 2
	f=$t/$(added 2)
	head -c "$(stat -c %s "$f")" /dev/zero >zeros
	cp zeros "$f"
	finds 1 parquet
}

@test "files: a damaged page" {
	table 2
	f=$t/$(added 2)
	printf '\377\377\377\377\377\377\377\377' | dd of="$f" bs=1 seek=12 conv=notrunc 2>/dev/null
	finds 1 column
}

@test "files: a path that leaves the table, one outside, and one elsewhere" {
	table 2
	cp -rp "$t" whole
	edit 2 'if .add then .add.path = "../t/" + .add.path else . end'
	finds 1 path orphan
	rm -r "$t"; cp -rp whole "$t"
	mkdir elsewhere
	mv "$t/$(added 2)" elsewhere
	edit 2 "if .add then .add.path = \"file://$dir/elsewhere/\" + .add.path else . end"
	finds 0 path-outside
	rm -r "$t"; cp -rp whole "$t"
	edit 2 'if .add then .add.path = "s3://bucket/" + .add.path else . end'
	finds 0 path-outside orphan
}

@test "files: what nothing refers to" {
	table 2
	printf 12345 >"$t/stray.parquet"
	mkdir "$t/_private"
	touch "$t/_private/x"
	finds 0 orphan
	[ "$(finding .path)" = '"stray.parquet"' ]
	[ "$(jq -c 'select(.check == "summary") | [.orphanFiles, .orphanBytes]' found)" = '[1,5]' ]
}

@test "files: a removed one that is needed to travel in time" {
	table 2
	old=$(added 1)
	"$bin/cdc-compact" -q "$t"
	finds 0 ''
	rm "$t/$old"
	finds 0 removed-file
	[ "$(finding .path)" = "\"$old\"" ]
}

# ------------------------------------------------------------------ statistics against data

@test "statistics: the number of rows" {
	table 2
	stats 2 '.numRecords = 11'
	finds 1 num-records
}

@test "statistics: bounds that rows pass" {
	table 2
	cp -rp "$t" whole
	for change in '.maxValues.id = 19' '.minValues.id = 12' '.maxValues.v = "value 1"' '.minValues.v = "value 2"' \
		'.maxValues.x = 20.25' '.minValues.m = -1234567890' '.maxValues.at = "2024-01-02T03:04:05.000Z"' \
		'.minValues.at = "2024-01-02T03:04:06.000Z"'; do
		rm -r "$t"; cp -rp whole "$t"
		stats 2 "$change"
		finds 1 stats || { echo "$change"; return 1; }
		[ "$(finding .message | wc -l)" -eq 1 ]
	done
}

@test "statistics: nulls that are not counted, and bounds that are none" {
	table 2
	cp -rp "$t" whole
	for change in '.nullCount.v = 1' '.nullCount.id = 10' '.minValues.id = "eleven"' '.maxValues.v = 3'; do
		rm -r "$t"; cp -rp whole "$t"
		stats 2 "$change"
		finds 1 stats || { echo "$change"; return 1; }
	done
}

@test "statistics: bounds from which Spark would answer wrongly" {
	table 2
	cp -rp "$t" whole
	for change in '.maxValues.id = 21' '.minValues.x = 0.5'; do
		rm -r "$t"; cp -rp whole "$t"
		stats 2 "$change"
		finds 1 stats-exact || { echo "$change"; return 1; }
		diff -u <(printf '%s\n' 'Spark false false' 'delta-rs true true' 'DuckDB true true') <(verdicts)
	done
	# Bounds of strings and times may be wide, and all may be where they are said to be so.
	for change in '.maxValues.v = "value 3"' '.minValues.at = "2024-01-01T00:00:00.000Z"' \
		'.minValues.id = 1 | .tightBounds = false' 'del(.minValues)' '{numRecords}' '{}'; do
		rm -r "$t"; cp -rp whole "$t"
		stats 2 "$change"
		finds 0 '' || { echo "$change"; return 1; }
	done
}

@test "statistics: of rows that a deletion vector marks nothing is asked" {
	table 1 --property delta.enableDeletionVectors=true
	del 100 10 >in
	merge --mode dv "$t" in
	stats 2 '.maxValues.id = 9'
	finds 0 ''
	stats 2 '.maxValues.id = 8'
	finds 1 stats
}

# ------------------------------------------------------------------ partitions

@test "partition values: missing, of another type, null, in another form" {
	table 1 -p id
	one='if .add and .add.partitionValues.id == "3" then'
	cp -rp "$t" whole
	edit 1 "$one .add.partitionValues = {} else . end"
	finds 1 partition-value
	rm -r "$t"; cp -rp whole "$t"
	edit 1 "$one .add.partitionValues.id = \"three\" else . end"
	finds 1 partition-value
	rm -r "$t"; cp -rp whole "$t"
	edit 1 "$one .add.partitionValues.id = null else . end"
	finds 1 partition-value
	rm -r "$t"; cp -rp whole "$t"
	edit 1 "$one .add.partitionValues.id = \"\" else . end"
	finds 1 partition-value
	rm -r "$t"; cp -rp whole "$t"
	edit 1 "$one .add.partitionValues.id = \"03\" else . end"
	finds 0 partition-form
}

@test "partition values: a column that the file has too" {
	table 1
	edit 0 'if .metaData then .metaData.partitionColumns = ["p"] else . end'
	edit 1 'if .add then .add.partitionValues = {p: "a"} else . end'
	finds 0 ''
	edit 1 'if .add then .add.partitionValues = {p: "b"} else . end'
	finds 1 partition-value
	edit 1 'if .add then .add.partitionValues = {p: null} else . end'
	finds 1 partition-value
}

# ------------------------------------------------------------------ deletion vectors

@test "deletion vectors: cardinality, damage, rows that are not there, statistics" {
	table 2 --property delta.enableDeletionVectors=true
	{ del 100 10; del 101 9; del 102 8; } >in
	merge --mode dv "$t" in
	finds 0 ''
	cp -rp "$t" whole
	edit 3 'if .add then .add.deletionVector.cardinality = 2 else . end'
	finds 1 deletion-vector
	rm -r "$t"; cp -rp whole "$t"
	printf X | dd of="$(echo "$t"/deletion_vector_*.bin)" bs=1 seek=30 conv=notrunc 2>/dev/null
	finds 1 deletion-vector
	rm -r "$t"; cp -rp whole "$t"
	rm "$t"/deletion_vector_*.bin
	finds 1 deletion-vector
	rm -r "$t"; cp -rp whole "$t"
	stats 3 '.tightBounds = true'
	finds 1 deletion-vector-stats
	rm -r "$t"; cp -rp whole "$t"
	stats 3 'del(.numRecords)'
	finds 1 deletion-vector-stats
}

@test "deletion vectors: one that marks more rows than there are" {
	table 1 --property delta.enableDeletionVectors=true
	ins 50 '{"id":"50"}' >in
	merge "$t" in
	del 100 10 >in
	merge --mode dv "$t" in
	small=$(added 2)
	# The vector of the file of 10 rows put on that of one row.
	dv=$(jq -c '.add // empty | .deletionVector' "$(commit 3)")
	edit 3 "if .add then empty elif .remove then {remove: (.remove | .path = \"$small\")} else . end"
	jq -c --argjson dv "$dv" '.add // empty | .deletionVector = $dv
		| .stats |= (fromjson | .tightBounds = false | tojson) | {add: .}' "$(commit 2)" >>"$(commit 3)"
	finds 1 deletion-vector
	[[ $(finding .message) == *'marks row 9, and it has 1 rows'* ]]
}

# ------------------------------------------------------------------ data and types

@test "data: nulls where there must be none" {
	table 1
	ins 50 '{"id":"50"}' >in
	merge "$t" in
	finds 0 ''
	schema '.fields[2].nullable = false'
	finds 1 not-null
	[ "$(finding .path)" = "\"$(added 2)\"" ]
	[[ $(finding .message) == *'in 1 rows'* ]]
}

@test "types: what no reader, and what only Spark cannot read" {
	table 1
	cp -rp "$t" whole
	stats 1 '{numRecords}'
	schema '.fields[2].type = "double"'
	finds 1 column spark-type
	rm -r "$t"; cp -rp whole "$t"
	schema '.fields[0].type = "long"'
	finds 1 spark-type
	diff -u <(printf '%s\n' 'Spark false false' 'delta-rs true true' 'DuckDB true true') <(verdicts)
}

@test "verdicts: by the features of the table" {
	table 1
	edit 0 'if .protocol then .protocol = {minReaderVersion:3,minWriterVersion:7,
		readerFeatures:["vacuumProtocolCheck"],writerFeatures:["vacuumProtocolCheck","clustering","domainMetadata"]}
		else . end'
	finds 0 ''
	jq -c 'select(.check == "verdict") | [.engine, .readable, .writable, .reason]' found >out
	diff -u - out <<-'END'
		["Spark",true,true,[]]
		["delta-rs",false,false,["reader feature vacuumProtocolCheck","writer feature clustering","writer feature domainMetadata"]]
		["DuckDB",true,false,["writer feature clustering"]]
	END
}

# ------------------------------------------------------------------ cdc-snapshot --verify

verify() { # verify STATUS OPTIONS...
	local want=$1
	shift
	status=0
	"$bin/cdc-snapshot" -q --verify "$@" "$t" >found 2>error || status=$?
	[ "$status" -eq "$want" ] || { echo "exit status $status"; cat found error; return 1; }
}

@test "--verify looks at the files and data of one version" {
	table 3
	cp "$t/$(added 3)" kept
	rm "$t/$(added 3)"
	touch "$t/stray"
	verify 1
	[ "$(finding '[.check, .path]')" = "[\"file\",\"$(added 3)\"]" ]
	verify 0 --version-as-of 2
	diff -u found - <<-END
		{"check":"summary","version":2,"errors":0,"warnings":0,"files":2,"rows":20,"bytes":$(cat "$t"/*.parquet | wc -c)}
	END
	cp kept "$t/$(added 3)"
	stats 2 '.numRecords = 11'
	verify 1 -o out
	[ "$(jq -r 'select(.level) | .check' out)" = num-records ]
	verify 0 --timestamp-as-of "$(date -u -r "$(commit 1)" +%FT%T.%NZ | sed 's/...Z$/Z/')"
	[ "$(jq .version found)" -eq 1 ]
}

@test "--verify goes with no other view, and not with a file" {
	table 1
	verify 2 --describe
	verify 2 --where 'id = 1'
	verify 2 --version-as-of 7
	t=$t/$(added 1)
	verify 2
}
