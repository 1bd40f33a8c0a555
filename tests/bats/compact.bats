#!/usr/bin/env bats
# Proves what a user sees of cdc-compact: what is packed and what is left alone, that no row
# changes, and that --vacuum removes what nothing refers to and never anything else.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	dir=$BATS_TEST_TMPDIR
	cd "$dir"
	t=$dir/t
}

ins() { # ins ID IMAGE
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"INSERT","beforeImages":{},"afterImages":%s}\n' "$1" "$2"
}
del() {
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"DELETE","beforeImages":%s,"afterImages":{}}\n' "$1" "$2"
}
merge() {
	"$bin/cdc-merge" -q "$@"
}
# table FILES ROWS OPTIONS...: each file has so many rows.
table() {
	local files=$1 rows=$2 f i
	shift 2
	merge --create --schema 'id INT NOT NULL, p STRING, v STRING' -k id "$@" "$t" </dev/null
	for f in $(seq 0 $((files - 1))); do
		for i in $(seq $((f * rows)) $((f * rows + rows - 1))); do
			ins "$i" "{\"id\":\"$i\",\"p\":\"p$((i % 2))\",\"v\":\"value $i\"}"
		done >in
		merge "$t" in
	done
}
describe() { # describe JQ
	"$bin/cdc-snapshot" --describe "$t" | jq -c "$1"
}
snapshot() {
	"$bin/cdc-snapshot" "$t"
}
exits() { # exits STATUS PATTERN COMMAND...: status, and one error with the pattern
	local want=$1 pattern=$2
	shift 2
	run "$@"
	[ "$status" -eq "$want" ] || { echo "exit status $status, not $want: $output"; return 1; }
	[ "$(grep -c 'error: ' <<<"$output")" -eq 1 ] || { echo "not one error: $output"; return 1; }
	grep -qF -- "$pattern" <<<"$output" || { echo "no \"$pattern\": $output"; return 1; }
}
old() { # old FILE...: last changed 30 days ago
	touch -h -d '30 days ago' "$@"
}
# All removes in the log are 30 days old, and all files.
age_table() {
	sed -i 's/"deletionTimestamp":[0-9]*/"deletionTimestamp":1000/' "$t"/_delta_log/*.json
	find "$t" ! -path "$t/_delta_log*" -exec touch -h -d '30 days ago' {} +
}
data_files() {
	(cd "$t" && find . -type f ! -path './_delta_log/*' -printf '%P\n' | sort)
}

# ------------------------------------------------------------------ packing

@test "small files become one, rows and their order stay" {
	table 5 10
	snapshot >before
	run "$bin/cdc-compact" "$t"
	[ "$status" -eq 0 ]
	[[ $output =~ ^'cdc-compact: info: version 6: files +1 -5, deletion vectors -0, 50 rows, '[0-9]+' to '[0-9]+' bytes; '[0-9]+' ms'$ ]]
	snapshot >after
	diff -u before after
	[ "$(describe '[.files, .rows, .version]')" = '[1,50,6]' ]
	diff -u <(printf '%s\n' '["OPTIMIZE","5","1"]' false) \
		<(jq -c '(.commitInfo // empty | [.operation, .operationMetrics.numRemovedFiles, .operationMetrics.numAddedFiles]), (.add // empty | .dataChange)' \
			"$t/_delta_log/00000000000000000006.json")
	jq 'select(.remove) | .remove.dataChange == false' "$t/_delta_log/00000000000000000006.json" >out
	[ "$(sort -u out)" = true ]
	run "$bin/cdc-compact" "$t"
	[ "$status" -eq 0 ]
	[ "$output" = 'cdc-compact: info: nothing to compact' ]
	[ "$(describe .version)" -eq 6 ]
}

@test "each partition is packed by itself" {
	table 3 10 -p p
	snapshot | sort >before
	run "$bin/cdc-compact" -q "$t"
	[ "$status" -eq 0 ]
	diff -u before <(snapshot | sort)
	[ "$(describe .files)" -eq 2 ]
	diff -u <(printf '%s\n' '{"p":"p0"}' '{"p":"p1"}') \
		<(jq -c '.add // empty | .partitionValues' "$t/_delta_log/00000000000000000004.json")
}

@test "files of three quarters of the target size are left alone" {
	table 2 200
	size=$(jq -s '[.[] | .add // empty | .size] | max' "$t"/_delta_log/*.json)
	run "$bin/cdc-compact" --target-size "$size" "$t"
	[ "$output" = 'cdc-compact: info: nothing to compact' ]
	run "$bin/cdc-compact" -q --target-size $((size * 3)) "$t"
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	[ "$(describe .files)" -eq 1 ] || { echo "$size"; describe .files; return 1; }
}

@test "a deletion vector goes when it marks more than 5 %" {
	table 1 100 --mode dv
	for i in 1 2 3 4 5; do del $((1000 + i)) "{\"id\":\"$i\"}"; done >in
	merge --mode dv "$t" in
	[ "$(describe '[.deletionVectors, .deletedRows]')" = '[1,5]' ]
	run "$bin/cdc-compact" "$t"
	[ "$output" = 'cdc-compact: info: nothing to compact' ]
	del 2000 '{"id":"6"}' >in
	merge --mode dv "$t" in
	snapshot >before
	run "$bin/cdc-compact" -q "$t"
	[ "$status" -eq 0 ]
	[ "$(describe '[.deletionVectors, .deletedRows, .rows]')" = '[0,0,94]' ]
	diff -u before <(snapshot)
}

@test "--dry-run prints what would be done and does nothing" {
	table 3 5
	find "$t" | sort >before
	run "$bin/cdc-compact" --dry-run "$t"
	[ "$status" -eq 0 ]
	bytes=$(jq -s '[.[] | .add // empty | .size] | add' "$t"/_delta_log/*.json)
	paths=$(jq -c -s '[.[] | .add // empty | .path]' "$t"/_delta_log/*.json)
	diff -u - <(echo "$output") <<-END
		{"operation":"compact","partitionValues":{},"files":$paths,"filesRemoved":3,"bytesRemoved":$bytes,"rows":15,"deletionVectorsRemoved":0,"copied":false}
		{"operation":"total","bins":1,"filesRemoved":3,"bytesRemoved":$bytes,"rows":15,"deletionVectorsRemoved":0}
	END
	diff -u before <(find "$t" | sort)
}

@test "--checkpoint writes one, and packs nothing by itself" {
	table 3 5
	run "$bin/cdc-compact" --checkpoint "$t"
	[ "$status" -eq 0 ]
	[ "$output" = 'cdc-compact: info: checkpoint of version 3: 3 files' ]
	[ -f "$t/_delta_log/00000000000000000003.checkpoint.parquet" ]
	[ "$(jq .version "$t/_delta_log/_last_checkpoint")" -eq 3 ]
	snapshot >before
	# The state is read from it: the commits before are not needed.
	rm "$t"/_delta_log/0000000000000000000[012].json
	diff -u before <(snapshot)
	run "$bin/cdc-compact" --checkpoint --target-size 1M "$t"
	[ "$status" -eq 0 ]
	[ -f "$t/_delta_log/00000000000000000004.checkpoint.parquet" ]
	[ "$(describe .files)" -eq 1 ]
}

@test "a compaction writes the checkpoint that its version is due" {
	table 9 2
	run "$bin/cdc-compact" -q "$t"
	[ "$(describe .version)" -eq 10 ]
	[ -f "$t/_delta_log/00000000000000000010.checkpoint.parquet" ]
}

@test "an append-only table is packed: no row changes" {
	table 2 5 --property delta.appendOnly=true
	run "$bin/cdc-compact" -q "$t"
	[ "$status" -eq 0 ]
	[ "$(describe '[.files, .rows]')" = '[1,10]' ]
}

@test "SOURCE_DATE_EPOCH gives the same bytes" {
	export SOURCE_DATE_EPOCH=1700000000
	table 3 5
	cp -r "$t" u
	"$bin/cdc-compact" -q "$t"
	"$bin/cdc-compact" -q "$dir/u"
	diff -r "$t" u
}

# ------------------------------------------------------------------ partitions and orders

@test "--where chooses partitions, and names no other columns" {
	table 3 10 -p p
	snapshot | sort >before
	run "$bin/cdc-compact" -q --where "p = 'p1'" "$t"
	[ "$status" -eq 0 ]
	[ "$(describe .files)" -eq 4 ]
	jq -c '.commitInfo // empty | .operationParameters.predicate' "$t/_delta_log/00000000000000000004.json" >out
	diff -u out - <<<'"[\"p = '"'p1'"'\"]"'
	diff -u before <(snapshot | sort)
	run "$bin/cdc-compact" --where "p = 'p7'" "$t"
	[ "$output" = 'cdc-compact: info: nothing to compact' ]
	exits 2 '"id" is no partition column' "$bin/cdc-compact" --where "p = 'p1' AND id > 3" "$t"
	exits 2 'at character' "$bin/cdc-compact" --where 'p = ' "$t"
	exits 2 'nothing' "$bin/cdc-compact" --where 'nothing = 1' "$t"
}

@test "--sort-by orders the rows of each partition" {
	table 3 10 -p p
	snapshot | jq -c -s 'sort_by(.p, -.id) | .[]' >want
	run "$bin/cdc-compact" -q --sort-by v "$t"
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	snapshot | jq -c -s 'group_by(.p)[] | .[]' >have
	# "value 10" comes before "value 2".
	diff -u <(jq -c -s 'sort_by(.p, .v) | .[]' want) have
	[ "$(describe .files)" -eq 2 ]
	diff -u <(echo '"[\"v\"]"') \
		<(jq -c '.commitInfo // empty | .operationParameters.sortBy' "$t/_delta_log/00000000000000000004.json")
}

@test "--zorder-by is told to the log as Spark tells it" {
	table 3 10
	snapshot | sort >before
	run "$bin/cdc-compact" -q --zorder-by id,v --memory 1M --tmpdir "$dir" "$t"
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	diff -u <(echo '"[\"id\",\"v\"]"') \
		<(jq -c '.commitInfo // empty | .operationParameters.zOrderBy' "$t/_delta_log/00000000000000000004.json")
	diff -u before <(snapshot | sort)
}

@test "orders that cannot be are refused" {
	table 2 5 -p p
	exits 2 'exclude each other' "$bin/cdc-compact" --sort-by id --zorder-by v "$t"
	exits 2 'no column "x"' "$bin/cdc-compact" --sort-by id,x "$t"
	exits 2 'partition column' "$bin/cdc-compact" --zorder-by p "$t"
	exits 2 'wants names' "$bin/cdc-compact" --sort-by 'id,,v' "$t"
	exits 2 'retries' "$bin/cdc-compact" --retries=-1 "$t"
	[ "$(describe .version)" -eq 2 ]
}

@test "--dry-run tells each bin" {
	table 2 6 -p p
	"$bin/cdc-compact" --dry-run --zorder-by id --where "p = 'p0'" "$t" >out
	diff -u <(printf '%s\n' '["zorder",{"p":"p0"},2,6,false]' '["total",null,2,6,null]') \
		<(jq -c '[.operation, .partitionValues, .filesRemoved, .rows, .copied]' out)
	"$bin/cdc-compact" --dry-run "$t" >out
	diff -u <(printf '%s\n' '["compact",{"p":"p0"}]' '["compact",{"p":"p1"}]' '["total",null]') \
		<(jq -c '[.operation, .partitionValues]' out)
	jq -r '.files // empty | .[]' out | sort >files
	diff -u <(jq -r '.add // empty | .path' "$t"/_delta_log/*.json | sort) files
	[ "$(describe .version)" -eq 2 ]
}

@test "a compaction and a merge that race both succeed" {
	table 4 50 --mode dv --property delta.enableDeletionVectors=true
	for i in $(seq 20); do
		for k in 1 2 3; do del $((1000 + i * 10 + k)) "{\"id\":\"$((i * 7 + k))\"}"; done >in
		"$bin/cdc-merge" -q --mode dv "$t" in & merging=$!
		"$bin/cdc-compact" -q --target-size $((20000 + i)) --sort-by v "$t" || return 1
		wait $merging || return 1
	done
	# Ids 8 to 143: i * 7 + 1, 2, 3 for i to 20.
	diff -u <(comm -23 <(seq 0 199 | sort) <(for i in $(seq 20); do seq $((i * 7 + 1)) $((i * 7 + 3)); done | sort)) \
		<(snapshot | jq .id | sort)
}

# ------------------------------------------------------------------ vacuum

@test "--vacuum removes what has been out of use, and nothing else" {
	table 4 5
	"$bin/cdc-compact" -q "$t"
	snapshot >before
	live=$(jq -r '.add // empty | .path' "$t/_delta_log/00000000000000000005.json")
	mkdir -p "$t/sub" "$t/_mine" "$t/.git" "$t/_delta_log/deep" "$t/empty" "$t/_change_data_of_mine" outside
	touch "$t/stray.parquet" "$t/sub/stray" "$t/_mine/x" "$t/.git/x" "$t/.hidden" "$t/_SUCCESS" \
		"$t/_delta_log/deep/x" "$t/_change_data_of_mine/x" outside/precious
	ln -s "$dir/outside" "$t/linkdir"
	ln -s "$dir/outside/precious" "$t/link"
	age_table
	old outside/precious outside
	touch "$t/young.parquet"
	run "$bin/cdc-compact" --vacuum --dry-run "$t"
	[ "$status" -eq 0 ]
	printf '%s\n' "$output" | jq -r 'select(.path) | .path' 2>/dev/null | sort >would || true
	run "$bin/cdc-compact" --vacuum "$t"
	[ "$status" -eq 0 ]
	[[ $output =~ ^'cdc-compact: info: removed 6 files, '[0-9]+' bytes'$ ]]
	data_files >have
	diff -u <(printf '%s\n' .git/x .hidden _SUCCESS _change_data_of_mine/x _mine/x "$live" young.parquet | sort) have
	[ -e outside/precious ]
	[ -L "$t/link" ]
	[ -e "$t/_delta_log/deep/x" ]
	[ ! -d "$t/empty" ]
	diff -u before <(snapshot)
	diff -u <(printf '%s\n' 'VACUUM END' 'VACUUM START' OPTIMIZE) \
		<("$bin/cdc-snapshot" --history --limit 3 "$t" | jq -r .operation)
	run "$bin/cdc-compact" --vacuum "$t"
	[ "$output" = 'cdc-compact: info: removed 0 files, 0 bytes' ]
}

@test "--vacuum --dry-run names each file and removes none" {
	table 2 5
	"$bin/cdc-compact" -q "$t"
	age_table
	find "$t" | sort >before
	"$bin/cdc-compact" -q --vacuum --dry-run "$t" >out
	diff -u before <(find "$t" | sort)
	jq -s '[.[] | .add // empty | .path]' "$t"/_delta_log/0000000000000000000[12].json | jq -r '.[]' | sort >gone
	diff -u gone <(jq -r '.path // empty' out | sort)
	[ "$(jq -r .operation out | sort -u)" = vacuum ]
}

@test "files that a version within the retention refers to stay" {
	table 3 5
	"$bin/cdc-compact" -q "$t"
	# Old files, but they went out of use today.
	find "$t" -name '*.parquet' -exec touch -d '30 days ago' {} +
	run "$bin/cdc-compact" --vacuum "$t"
	[ "$output" = 'cdc-compact: info: removed 0 files, 0 bytes' ]
	"$bin/cdc-snapshot" --version-as-of 3 "$t" >out
	[ "$(wc -l <out)" -eq 15 ]
}

@test "--retain below the table's retention needs --force" {
	table 2 5
	"$bin/cdc-compact" -q "$t"
	exits 2 '--force' "$bin/cdc-compact" --vacuum --retain 6d "$t"
	exits 2 '--force' "$bin/cdc-compact" --vacuum --retain 0s "$t"
	[ "$(data_files | wc -l)" -eq 3 ]
	sleep 0.1
	run "$bin/cdc-compact" --vacuum --retain 0s --force "$t"
	[ "$status" -eq 0 ]
	[ "$(data_files | wc -l)" -eq 1 ]
	[ "$(snapshot | wc -l)" -eq 10 ]
	exits 2 'go with --vacuum' "$bin/cdc-compact" --retain 9d "$t"
	exits 2 'go with --vacuum' "$bin/cdc-compact" --force "$t"
}

@test "the property sets the retention" {
	table 2 5 --property 'delta.deletedFileRetentionDuration=interval 60 days'
	"$bin/cdc-compact" -q "$t"
	age_table
	run "$bin/cdc-compact" --vacuum "$t"
	[ "$output" = 'cdc-compact: info: removed 0 files, 0 bytes' ]
	exits 2 'less than 1440 hours' "$bin/cdc-compact" --vacuum --retain 59d "$t"
	run "$bin/cdc-compact" -q --vacuum --retain 10d --force "$t"
	[ "$(data_files | wc -l)" -eq 1 ]
}

@test "deletion vectors in use stay, others go" {
	table 1 50 --mode dv
	for i in 1 2 3; do
		del $((100 + i)) "{\"id\":\"$i\"}" >in
		merge --mode dv "$t" in
	done
	touch "$t/deletion_vector_00000000-0000-4000-8000-000000000000.bin"
	age_table
	snapshot >before
	run "$bin/cdc-compact" -q --vacuum "$t"
	[ "$status" -eq 0 ]
	[ "$(data_files | wc -l)" -eq 2 ]
	diff -u before <(snapshot)
}

@test "partition directories whose names begin with _ are not hidden" {
	merge --create --schema 'id INT NOT NULL, _p STRING, v STRING' -k id -p _p "$t" </dev/null
	ins 1 '{"id":"1","_p":"a","v":"x"}' >in
	merge "$t" in
	ins 2 '{"id":"1","_p":"a","v":"y"}' >in
	merge "$t" in
	age_table
	[ "$(data_files | wc -l)" -eq 2 ]
	run "$bin/cdc-compact" -q --vacuum "$t"
	[ "$(data_files | wc -l)" -eq 1 ]
	[ "$(snapshot)" = '{"id":1,"_p":"a","v":"y"}' ]
}

@test "live files with escapes, absolute paths and odd spellings stay" {
	merge --create --schema 'id INT NOT NULL, p STRING' -k id -p p "$t" </dev/null
	ins 1 '{"id":"1","p":"a b%c/d"}' >in
	merge "$t" in
	ins 2 '{"id":"2","p":"x"}' >in
	merge "$t" in
	ins 3 '{"id":"3","p":"y"}' >in
	merge "$t" in
	ins 4 '{"id":"4","p":"z"}' >in
	merge "$t" in
	log=$t/_delta_log
	path=$(jq -r '.add // empty | .path' "$log/00000000000000000002.json")
	sed -i "s|\"path\":\"$path\"|\"path\":\"file://$t/$path\"|" "$log/00000000000000000002.json"
	path=$(jq -r '.add // empty | .path' "$log/00000000000000000003.json")
	sed -i "s|\"path\":\"$path\"|\"path\":\"p=y//./${path#*/}\"|" "$log/00000000000000000003.json"
	path=$(jq -r '.add // empty | .path' "$log/00000000000000000004.json")
	sed -i "s|\"path\":\"$path\"|\"path\":\"$t/$path\"|" "$log/00000000000000000004.json"
	touch "$t/p=x/stray"
	age_table
	snapshot | sort >before
	[ "$(wc -l <before)" -eq 4 ]
	ln -s "$t" "$dir/alias"
	for spelling in "$t" "$t/" ./t alias t//; do
		touch "$t/p=x/stray"
		old "$t/p=x/stray"
		run "$bin/cdc-compact" -q --vacuum "$spelling"
		[ "$status" -eq 0 ] || { echo "$spelling: $output"; return 1; }
		[ ! -e "$t/p=x/stray" ]
		diff -u before <(snapshot | sort)
	done
}

# ------------------------------------------------------------------ exit status

@test "usage errors are 2" {
	exits 2 'no TABLE' "$bin/cdc-compact"
	exits 2 'more than one TABLE' "$bin/cdc-compact" a b
	exits 2 'not a Delta table' "$bin/cdc-compact" "$dir/nothing"
	exits 2 'target-size' "$bin/cdc-compact" --target-size big "$t"
}

@test "errors of the system are 4" {
	table 2 5
	exits 4 'No space left' "$bin/cdc-compact" -q --stats /dev/full "$t"
	run bash -c '"$1" --dry-run "$2" >/dev/full' - "$bin/cdc-compact" "$t"
	[ "$status" -eq 4 ]
}

@test "a damaged table is 6, and nothing goes" {
	table 3 5
	file=$(jq -r '.add // empty | .path' "$t/_delta_log/00000000000000000002.json")
	cp -r "$t" whole
	rm "$t/$file"
	exits 6 "$file" "$bin/cdc-compact" "$t"
	[ "$(describe .version 2>/dev/null || echo 3)" -eq 3 ]
	[ "$(data_files | wc -l)" -eq 2 ]
	rm -r "$t"; cp -r whole "$t"
	rm "$t/_delta_log/00000000000000000001.json"
	age_table
	exits 6 'version 1 is missing' "$bin/cdc-compact" --vacuum "$t"
	[ "$(data_files | wc -l)" -eq 3 ]
}
