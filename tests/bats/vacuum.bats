#!/usr/bin/env bats
# Proves what a user sees of cdc-compact --vacuum beyond the removal itself (compact.bats): what it
# prints and logs, which names and tables it leaves alone, and its exit status.

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
merge() {
	"$bin/cdc-merge" -q "$@"
}
# One live file, and one that it replaced and that has been out of use for 30 days.
table() { # table OPTIONS...
	merge --create --schema 'id INT NOT NULL, _p STRING, v STRING' -k id "$@" "$t" </dev/null
	ins 1 '{"id":"1","_p":"a b","v":"x"}' >in
	merge --mode cow "$t" in
	ins 2 '{"id":"1","_p":"a b","v":"y"}' >in
	merge --mode cow "$t" in
	sed -i 's/"deletionTimestamp":[0-9]*/"deletionTimestamp":1000/' "$log"/*.json
	age
}
age() { # all files but the log's are 30 days old
	find "$t" ! -path "$log*" -exec touch -h -d '30 days ago' {} +
}
data_files() {
	(cd "$t" && find . -type f ! -path './_delta_log/*' -printf '%P\n' | sort)
}
# The first action of the log's first commit that has a protocol, changed by a jq program.
edit() { # edit JQ
	jq -c "$1" "$log/00000000000000000000.json" >new
	cat new >"$log/00000000000000000000.json"
}
features() { # features NAME...: writer features of the table
	local list
	list=$(printf '%s\n' "$@" | jq -R . | jq -sc .)
	edit "if .protocol then .protocol = {minReaderVersion:1, minWriterVersion:7, writerFeatures:$list} else . end"
}

@test "--dry-run ends with a total" {
	table
	mkdir "$t/empty"
	touch -d '30 days ago' "$t/empty"
	gone=$(jq -r '.remove // empty | .path' "$log"/*.json)
	size=$(stat -c %s "$t/$gone")
	"$bin/cdc-compact" -q --vacuum --dry-run "$t" >out
	diff -u - out <<-END
		{"operation":"vacuum","path":"$gone","size":$size}
		{"operation":"vacuum","filesRemoved":1,"bytesRemoved":$size,"directoriesRemoved":1}
	END
	[ -e "$t/$gone" ]
	[ -d "$t/empty" ]
	"$bin/cdc-compact" -q --vacuum "$t"
	"$bin/cdc-compact" -q --vacuum --dry-run "$t" >out
	diff -u - out <<-END
		{"operation":"vacuum","filesRemoved":0,"bytesRemoved":0,"directoriesRemoved":0}
	END
}

@test "the log tells of it as Spark does" {
	table
	gone=$(jq -r '.remove // empty | .path' "$log"/*.json)
	size=$(stat -c %s "$t/$gone")
	"$bin/cdc-compact" -q --vacuum --retain 10d "$t"
	jq -c '.commitInfo | [.operation, .operationParameters, .operationMetrics, .isBlindAppend]' \
		"$log/00000000000000000003.json" "$log/00000000000000000004.json" >out
	diff -u - out <<-END
		["VACUUM START",{"retentionCheckEnabled":"true","defaultRetentionMillis":"604800000","specifiedRetentionMillis":"864000000"},{"numFilesToDelete":"1","sizeOfDataToDelete":"$size"},true]
		["VACUUM END",{"status":"COMPLETED"},{"numDeletedFiles":"1","numVacuumedDirectories":"1"},true]
	END
}

@test "in-commit timestamps go on rising" {
	table
	features inCommitTimestamp
	edit 'if .metaData then .metaData.configuration["delta.enableInCommitTimestamps"] = "true" else . end'
	# A clock that was set back since the last commit.
	jq -c 'if .commitInfo then .commitInfo.inCommitTimestamp = 4102444800000 else . end' \
		"$log/00000000000000000002.json" >new
	cat new >"$log/00000000000000000002.json"
	"$bin/cdc-compact" -q --vacuum "$t"
	jq '.commitInfo.inCommitTimestamp' "$log"/0000000000000000000[34].json >out
	diff -u <(printf '%s\n' 4102444800001 4102444800002) out
}

@test "a table that tracks rows is vacuumed: no row changes" {
	table
	features rowTracking domainMetadata clustering
	run "$bin/cdc-compact" -q --vacuum "$t"
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	[ "$(data_files | wc -l)" -eq 1 ]
}

@test "unknown features are 6, and nothing goes" {
	table
	features vacuumProtocolCheck futureThing
	run "$bin/cdc-compact" --vacuum "$t"
	[ "$status" -eq 6 ]
	[[ $output == *futureThing* ]]
	run "$bin/cdc-compact" --vacuum --dry-run "$t"
	[ "$status" -eq 6 ]
	[ "$(data_files | wc -l)" -eq 2 ]
	[ ! -e "$log/00000000000000000003.json" ]
}

@test "hidden names stay, but for partitions and change data" {
	table -p _p
	mkdir -p "$t/_p=a b" "$t/_q=1" "$t/_change_data/_p=x" "$t/_delta_index" "$t/.cache" "$t/metadata"
	for d in "_p=a b" _q=1 _change_data/_p=x _delta_index .cache metadata; do touch "$t/$d/stray"; done
	age
	live=$(jq -r 'select(.add) | .add.path' "$log/00000000000000000002.json" | sed 's/%20/ /')
	"$bin/cdc-compact" -q --vacuum "$t"
	data_files >have
	diff -u <(printf '%s\n' .cache/stray "$live" _q=1/stray | sort) have
}

@test "Iceberg's metadata stays in tables that have such" {
	table
	mkdir "$t/metadata"
	touch "$t/metadata/v1.metadata.json"
	age
	edit 'if .metaData then .metaData.configuration["delta.universalFormat.enabledFormats"] = "iceberg" else . end'
	"$bin/cdc-compact" -q --vacuum "$t"
	[ -e "$t/metadata/v1.metadata.json" ]
	[ "$(data_files | wc -l)" -eq 2 ]
}

@test "a directory that is a link is not entered" {
	table
	mkdir outside
	touch outside/precious
	touch -d '30 days ago' outside/precious outside
	ln -s "$dir/outside" "$t/sub"
	"$bin/cdc-compact" -q --vacuum "$t"
	[ -e outside/precious ]
	[ -L "$t/sub" ]
}
