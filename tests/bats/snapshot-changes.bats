#!/usr/bin/env bats
# Proves what a user sees of cdc-snapshot --changes: the records of each kind of commit, that a
# replica made from them equals the table at every version, also when ranges come in pieces or
# twice, and that change data feeds of other writers give the rows that their projects expect.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	corpus=${CDC_CORPUS:-$BATS_TEST_DIRNAME/../../../shared/corpus}/delta/cdf
	dir=$BATS_TEST_TMPDIR
	t=$dir/shop
	cd "$dir"
	set -o pipefail
}

merge() { # merge TABLE [OPTIONS...]
	"$bin/cdc-merge" -q "$@"
}
changes() { # changes RANGE TABLE [OPTIONS...]
	"$bin/cdc-snapshot" --changes "$@"
}
row() { # row TYPE BEFORE AFTER: a record of the next number
	n=$((${n-0} + 1))
	printf '{"recordID":%d,"dbTable":"d.shop","recordType":"%s","beforeImages":%s,"afterImages":%s}\n' \
		"$n" "$1" "$2" "$3"
}
newest() { # newest TABLE
	"$bin/cdc-snapshot" --describe "$1" | jq .version
}

is() { # is EXPECTED: standard input is that text
	diff -u <(printf '%s' "${1:+$1$'\n'}") -
}
refuses() { # refuses STATUS PATTERN COMMAND...
	local want=$1 pattern=$2
	shift 2
	run "$@"
	[ "$status" -eq "$want" ] || { echo "exit status $status, not $want: $output"; return 1; }
	[[ $output == *"$pattern"* ]] || { echo "$output"; return 1; }
}

# The records of one range, short: kind, before image, after image.
short() { # short RANGE TABLE [OPTIONS...]
	changes "$@" >short.out || return 1
	jq -r 'select(.fields) | .recordType + " " + (.beforeImages | tojson) + " " + (.afterImages | tojson)' \
		short.out
}

three_rows() { # three_rows MODE: a table of ids 1, 2, 3, then an update, a delete, a new key and a key change
	{
		row INSERT '{}' '{"id":"1","v":"a"}'
		row INSERT '{}' '{"id":"2","v":"b"}'
		row INSERT '{}' '{"id":"3","v":null}'
	} | merge --mode "$1" --schema 'id BIGINT NOT NULL, v STRING' -k id --create "$t"
	first=$(newest "$t")
	{
		row UPDATE '{"id":"1","v":"a"}' '{"id":"1","v":"A"}'
		row DELETE '{"id":"2"}' '{}'
		row INSERT '{}' '{"id":"4","v":"d"}'
		row UPDATE '{"id":"3"}' '{"id":"5"}'
	} | merge --mode "$1" "$t"
}

second_commit='DELETE {"id":"2","v":"b"} {}
DELETE {"id":"3","v":null} {}
INSERT {} {"id":"4","v":"d"}
INSERT {} {"id":"5","v":null}
UPDATE {"id":"1","v":"a"} {"id":"1","v":"A"}'

@test "a commit that rewrote a file shows what it changed, not what it copied" {
	three_rows cow
	short $((first + 1)) "$t" | sort | is "$second_commit"
}

@test "a commit of deletion vectors shows the same" {
	three_rows dv
	short $((first + 1)) "$t" | sort | is "$second_commit"
	short "$first" "$t" >out
	sed -n 1,3p out | sort | is 'INSERT {} {"id":"1","v":"a"}
INSERT {} {"id":"2","v":"b"}
INSERT {} {"id":"3","v":null}'
}

@test "DELETEs of a commit come before what may have their key" {
	three_rows dv
	short $((first + 1)) "$t" | cut -d' ' -f1 | sed -n 1,2p | is 'DELETE
DELETE'
}

@test "without a key there are DELETEs, then INSERTs" {
	three_rows cow
	for f in "$t"/_delta_log/*.json; do
		jq -c 'if .metaData then del(.metaData.configuration["cdc.key"]) else . end' "$f" >"$f.new"
		mv "$f.new" "$f"
	done
	short $((first + 1)) "$t" >out
	cut -d' ' -f1 out | is 'DELETE
DELETE
DELETE
INSERT
INSERT
INSERT'
	sort out | is 'DELETE {"id":"1","v":"a"} {}
DELETE {"id":"2","v":"b"} {}
DELETE {"id":"3","v":null} {}
INSERT {} {"id":"1","v":"A"}
INSERT {} {"id":"4","v":"d"}
INSERT {} {"id":"5","v":null}'
	jq -c 'select(.columns) | has("primaryKey")' short.out | is false
	# --key makes up for it.
	short $((first + 1)) "$t" --key id | sort | is "$second_commit"
	jq -c 'select(.columns) | .primaryKey' short.out | is '["id"]'
}

@test "a record says where it comes from, and a checkpoint ends each commit" {
	three_rows cow
	id=$("$bin/cdc-snapshot" --describe "$t" | jq -r .id)
	v=$((first + 1))
	changes "$v" "$t" --limit 4 >out
	jq -c 'select(.recordType == "UPDATE" or .columns) | if .recordTimestamp then
		.recordTimestamp |= test("^[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z$") else . end' out >some
	diff -u - some <<EOF || return 1
{"recordType":"SCHEMA","source":{"sourceType":"Delta"},"dbTable":"default.shop","columns":[{"name":"id","type":"long","sourceType":"long","nullable":false},{"name":"v","type":"string","sourceType":"string","nullable":true}],"primaryKey":["id"]}
$(jq -c 'select(.recordType == "UPDATE") | .recordTimestamp = true' <<<"{\"recordID\":$((v << 32 | 2)),\"source\":{\"sourceType\":\"Delta\"},\"dbTable\":\"default.shop\",\"recordType\":\"UPDATE\",\"recordTimestamp\":\"\",\"extraTags\":{\"deltaVersion\":\"$v\",\"operation\":\"MERGE\"},\"fields\":[\"id\",\"v\"],\"beforeImages\":{\"id\":\"1\",\"v\":\"a\"},\"afterImages\":{\"id\":\"1\",\"v\":\"A\"},\"position\":{\"topic\":\"delta:$id\",\"partition\":0,\"offset\":$((v << 32 | 2))}}")
EOF
	changes "$first" "$t" >out
	jq -c 'select(.positions)' out | is '{"recordType":"CHECKPOINT","positions":[{"topic":"delta:'"$id"'","partition":0,"offset":'$(((first + 1 << 32) - 1))'}]}
{"recordType":"CHECKPOINT","positions":[{"topic":"delta:'"$id"'","partition":0,"offset":'$(((first + 2 << 32) - 1))'}],"final":true}'
	[ "$(jq -s 'map(select(.recordID)) | map(.recordID) | . == sort and . == unique' out)" = true ]
}

@test "the name of the source table is passed on, else that of the table counts" {
	{
		echo '{"recordType":"SCHEMA","dbTable":"sales.\"q\"","columns":[{"name":"id","type":"bigint","sourceType":"bigint(20)"}],"primaryKey":["id"]}'
		echo '{"recordID":1,"dbTable":"sales.\"q\"","recordType":"INSERT","afterImages":{"id":"1"}}'
	} | merge "$t"
	changes 0 "$t" | jq -r '.dbTable | select(.)' | is 'sales."q"
sales."q"'
	changes 0 "$t" | merge r
	changes 0 r | jq -r .dbTable | sed -n 1p | is 'sales."q"'
	jq -c 'if .metaData then .metaData |= (del(.configuration["cdc.source"]) + {name: "orders"}) else . end' \
		"$t"/_delta_log/00000000000000000000.json >new
	mv new "$t"/_delta_log/00000000000000000000.json
	changes 0 "$t" | jq -r .dbTable | sed -n 1p | is default.orders
}

@test "the limit counts changes, and leaves out the final checkpoint" {
	three_rows dv
	changes 0 "$t" --limit 4 >out
	[ "$(jq -c 'select(.fields)' out | wc -l)" -eq 4 ]
	[ "$(grep -c final out)" -eq 0 ]
	changes 0 "$t" --limit 8 >out
	[ "$(grep -c final out)" -eq 1 ]
	changes 0 "$t" --limit 0 >out
	[ "$(wc -l <out)" -eq 1 ]
}

@test "compaction changes nothing" {
	three_rows dv
	row INSERT '{}' '{"id":"8"}' | merge "$t"
	v=$(newest "$t")
	"$bin/cdc-compact" -q "$t"
	[ "$(newest "$t")" -gt "$v" ]
	changes $((v + 1)) "$t" | jq -r .recordType | is 'SCHEMA
CHECKPOINT'
}

@test "a replica has the same columns and types" {
	ddl='k DECIMAL(20,0) NOT NULL, b BOOLEAN, t1 TINYINT, t2 SMALLINT, t3 INT, t4 BIGINT, f FLOAT,
		d DOUBLE, n DECIMAL(38,9), s STRING, x BINARY, day DATE, at TIMESTAMP, local TIMESTAMP_NTZ'
	row INSERT '{}' '{"k":"18446744073709551615","b":"true","t1":"-128","t2":"32767","t3":"-2147483648",
		"t4":"9223372036854775807","f":"3.4028235E38","d":"-Infinity","n":"-0.000000001","s":"q\"\\\n\u0001é",
		"x":"AP8=","day":"0001-01-01","at":"2019-11-14T03:11:05.12Z","local":"9999-12-31 23:59:59.999999"}' |
		tr -d '\n' | merge --create --schema "$ddl" -k k "$t"
	row INSERT '{}' '{"k":"1"}' | merge "$t"
	changes 0 "$t" >out
	merge --require-final r <out
	"$bin/cdc-snapshot" "$t" >want
	"$bin/cdc-snapshot" r | diff want -
	"$bin/cdc-snapshot" --describe "$t" | jq .schema >want
	"$bin/cdc-snapshot" --describe r | jq .schema | diff want -
}

# A stream of random changes to a hundred keys; $1: how many.
random_changes() { # random_changes COUNT SEED
	awk -v count="$1" -v seed="$2" 'BEGIN {
		srand(seed)
		for (i = 1; i <= count; i++) {
			k = int(rand() * 100)
			image = sprintf("{\"k\":\"%d\",\"p\":\"%d\",\"v\":%s}", k, rand() * 3,
				rand() < .2 ? "null" : "\"" int(rand() * 1000) "\"")
			x = rand()
			if (x < .3)
				printf "{\"recordID\":%d,\"dbTable\":\"d.t\",\"recordType\":\"DELETE\",\"beforeImages\":{\"k\":\"%d\"},\"afterImages\":{}}\n", i, k
			else if (x < .45)
				printf "{\"recordID\":%d,\"dbTable\":\"d.t\",\"recordType\":\"UPDATE\",\"beforeImages\":{\"k\":\"%d\"},\"afterImages\":%s}\n", i, rand() * 100, image
			else
				printf "{\"recordID\":%d,\"dbTable\":\"d.t\",\"recordType\":\"INSERT\",\"beforeImages\":{},\"afterImages\":%s}\n", i, image
		}
	}'
}

same_rows() { # same_rows TABLE VERSION REPLICA
	"$bin/cdc-snapshot" --version-as-of "$2" "$1" | sort >want
	"$bin/cdc-snapshot" "$3" | sort | diff want -
}

# A history of merges in every mode with key changes and swaps, and compactions between them.
history() { # history TABLE SEED OPTIONS...
	local table=$1 seed=$2 i mode
	shift 2
	random_changes 150 "$seed" | merge --create --schema 'k BIGINT NOT NULL, p INT, v STRING' -k k \
		--property delta.enableDeletionVectors=true "$@" "$table"
	for ((i = 1; i <= 8; i++)); do
		case $((i % 3)) in 0) mode=cow ;; 1) mode=dv ;; *) mode=auto ;; esac
		random_changes $((i * 5)) $((seed * 100 + i)) | merge --mode "$mode" "$table"
		if [ $((i % 4)) -eq 0 ]; then "$bin/cdc-compact" -q "$table"; fi
	done
	# Keys that rows exchange within one commit.
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"%s","beforeImages":%s,"afterImages":%s}\n' \
		1 INSERT '{}' '{"k":"1001","v":"x"}' 2 INSERT '{}' '{"k":"1002","v":"y"}' | merge "$table"
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"UPDATE","beforeImages":{"k":"%d"},"afterImages":{"k":"%d"}}\n' \
		1 1001 1003 2 1002 1001 3 1003 1002 | merge "$table"
	"$bin/cdc-snapshot" "$table" | grep -F 1001 | is '{"k":1001,"p":null,"v":"y"}'
}

replicate() { # replicate SEED OPTIONS...: in one go, and version by version, each twice
	history "$t" "$@"
	last=$(newest "$t")
	grep -q '"operation":"OPTIMIZE"' "$t"/_delta_log/*.json
	grep -q '"deletionVector"' "$t"/_delta_log/*.json
	changes 0 "$t" >all
	merge --require-final whole <all
	same_rows "$t" "$last" whole
	for ((v = 0; v <= last; v++)); do
		changes "$v..$v" "$t" >piece
		merge step <piece
		same_rows "$t" "$v" step
	done
	# What is applied again, or overlaps, is skipped.
	before=$(newest step)
	merge step <all
	merge step <piece
	same_rows "$t" "$last" step
	[ "$(newest step)" -eq "$before" ]
	changes "0..$((last / 2))" "$t" | merge --require-final half
	same_rows "$t" $((last / 2)) half
	changes "$((last / 3))" "$t" | merge --require-final half
	same_rows "$t" "$last" half
}

@test "a replica equals the table at every version" {
	replicate 1
}

@test "so it does for a partitioned table" {
	replicate 2 -p p
}

@test "a replica that stopped within a commit goes on there" {
	history "$t" 5
	last=$(newest "$t")
	for limit in 10 90 160 200; do
		changes 0 "$t" --limit "$limit" | merge r
	done
	refuses 3 'final CHECKPOINT' merge --require-final r <(changes 0 "$t" --limit 10)
	changes 0 "$t" | merge --require-final r
	same_rows "$t" "$last" r
}

@test "recordIDs serve as positions as well" {
	history "$t" 3
	last=$(newest "$t")
	changes 0 "$t" >all
	changes "$((last / 2))" "$t" >late
	merge --position recordID r <all
	before=$(newest r)
	merge --position recordID r <late
	[ "$(newest r)" -eq "$before" ]
	same_rows "$t" "$last" r
}

# A commit by hand: its actions are the arguments.
commit() { # commit ACTION...
	printf '%s\n' '{"commitInfo":{"timestamp":0,"operation":"by hand"}}' "$@" \
		>"$(printf '%s/_delta_log/%020d.json' "$t" $(($(newest "$t") + 1)))"
}
adds() { # adds: the live files
	"$bin/cdc-snapshot" "$t" >/dev/null
	jq -c 'select(.add) | .add' "$(ls "$t"/_delta_log/*.json | tail -n 1)"
}

@test "a removed file is deleted rows, one that comes back inserted ones, whatever is not a data change nothing" {
	row INSERT '{}' '{"id":"7","v":"x"}' | merge --create --schema 'id INT, v STRING' -k id -p v "$t"
	add=$(adds)
	commit "$(jq -c '{remove: {path, deletionTimestamp: 1, dataChange: false}}' <<<"$add")" \
		"$(jq -c '{add: (. + {dataChange: false})}' <<<"$add")"
	short "$(newest "$t")" "$t" | is ''
	# A remove that does not tell the values of the partition columns.
	commit "$(jq -c '{remove: {path, deletionTimestamp: 1, dataChange: true}}' <<<"$add")"
	short "$(newest "$t")" "$t" | is 'DELETE {"id":"7","v":"x"} {}'
	commit "$(jq -c '{add: .}' <<<"$add")"
	short "$(newest "$t")" "$t" | is 'INSERT {} {"id":"7","v":"x"}'
	jq -c 'select(.fields) | .extraTags' short.out | is '{"deltaVersion":"'"$(newest "$t")"'","operation":"by hand"}'
	# Values that are null may be missing.
	commit "$(jq -c '{remove: {path, deletionTimestamp: 1, dataChange: true, extendedFileMetadata: true,
		partitionValues: {}, size: 1}}' <<<"$add")"
	short "$(newest "$t")" "$t" | is 'DELETE {"id":"7","v":null} {}'
}

@test "one path in two spellings is one file" {
	row INSERT '{}' '{"id":"7","v":"x"}' | merge --create --schema 'id INT, v STRING' -k id "$t"
	add=$(adds)
	commit "$(jq -c '{remove: {path: ("%70" + .path[1:]), deletionTimestamp: 1, dataChange: true}}' <<<"$add")" \
		"$(jq -c '{add: .}' <<<"$add")"
	short "$(newest "$t")" "$t" | is ''
}

@test "columns that are replaced: old rows as they were, a SCHEMA, new rows as they are" {
	row INSERT '{}' '{"id":"1","v":"x"}' | merge --create --schema 'id INT, v STRING' -k id "$t"
	old=$(adds)
	row INSERT '{}' '{"id":"1","w":"2019-11-14"}' | merge --create --schema 'id INT, w DATE' -k id other
	t=$dir/other
	new=$(adds)
	meta=$(jq -c 'select(.metaData)' other/_delta_log/00000000000000000000.json)
	t=$dir/shop
	cp other/*.parquet "$t"
	commit "$meta" "$(jq -c '{remove: {path, deletionTimestamp: 1, dataChange: true}}' <<<"$old")" \
		"$(jq -c '{add: .}' <<<"$new")"
	for from in 0 "$(newest "$t")"; do
		changes "$from" "$t" >out
		tail -n 4 out | jq -c '.recordType, .beforeImages, .afterImages, [.columns[]?.name]' | is '"DELETE"
{"id":"1","v":"x"}
{}
[]
"SCHEMA"
null
null
["id","w"]
"INSERT"
{}
{"id":"1","w":"2019-11-14"}
[]
"CHECKPOINT"
null
null
[]'
	done
	head -n 1 out | jq -c '[.columns[].name]' | is '["id","v"]'
}

@test "so it is where a table is partitioned otherwise" {
	row INSERT '{}' '{"id":"7"}' | merge --create --schema 'id INT, v STRING' -k id -p v "$t"
	add=$(adds)
	commit "$(jq -c 'select(.metaData) | .metaData.partitionColumns = []' "$t"/_delta_log/00000000000000000000.json)" \
		"$(jq -c '{remove: {path, deletionTimestamp: 1, dataChange: true, extendedFileMetadata: true,
			partitionValues: {}, size: 1}}' <<<"$add")"
	short "$(newest "$t")" "$t" | is 'DELETE {"id":"7","v":null} {}'
}

@test "rows from before a new column pair with those after it" {
	row INSERT '{}' '{"id":"1","v":"x"}' | merge --create --schema 'id INT, v STRING' -k id "$t"
	row INSERT '{}' '{"id":"2","v":"y"}' | merge "$t"
	old=$(jq -c 'select(.add) | .add' "$t"/_delta_log/*.json)
	{
		row INSERT '{}' '{"id":"1","v":"x","w":null}'
		row INSERT '{}' '{"id":"2","v":"y","w":"5"}'
	} | merge --create --schema 'id INT, v STRING, w INT' -k id other
	meta=$(jq -c 'select(.metaData)' other/_delta_log/00000000000000000000.json)
	cp other/*.parquet "$t"
	t=$dir/other
	new=$(adds)
	t=$dir/shop
	commit "$meta" $(jq -c '{remove: {path, deletionTimestamp: 1, dataChange: true}}' <<<"$old") \
		"$(jq -c '{add: .}' <<<"$new")"
	short "$(newest "$t")" "$t" | is 'UPDATE {"id":"2","v":"y","w":null} {"id":"2","v":"y","w":"5"}'
}

# The blocks of a file of expected rows that read a table of the corpus: "TABLE FROM TO", then the
# rows as "type|version|value|value…".
expected() {
	awk -v corpus="$corpus" -F'|' '
		/^## / {
			name = ""
			while (match($0, /read_cdf_for_table\("[^"]*", [0-9]+, [^,)]*/)) {
				call = substr($0, RSTART, RLENGTH)
				$0 = substr($0, RSTART + RLENGTH)
				split(call, part, /"/)
				split(part[3], arg, /, /)
				name = part[2] " " arg[2] ".." arg[3]
			}
			sub(/\.\.None$/, "", name)
			sub(/\.\.Some\(/, "..", name)
			head = 1
			if (name != "")
				print "> " name
		}
		/^\|/ && name != "" {
			if (head) { head = 0; next }
			for (i = 2; i < NF; i++)
				gsub(/^ +| +$/, "", $i)
			line = $(NF - 2) "|" $(NF - 1)
			for (i = 2; i < NF - 2; i++)
				line = line "|" $i
			print line
		}' "$corpus/_expected/kernel-rs-cdf.txt"
}

# Records as such rows.
as_rows() {
	jq -r 'select(.fields) | . as $r | (if .recordType == "UPDATE" then
			["update_preimage", .beforeImages], ["update_postimage", .afterImages]
		elif .recordType == "DELETE" then ["delete", .beforeImages]
		else ["insert", .afterImages] end) |
		[.[0], $r.extraTags.deltaVersion] + [.[1][$r.fields[]] // ""] | join("|")'
}

@test "change data feeds give what their projects expect" {
	[ -d "$corpus" ] || skip "no corpus"
	expected >want
	cases=0
	while read -r _ name range; do
		[ -d "$corpus/$name" ] || continue
		grep -qF '"name\":\"id\"' "$corpus/$name"/_delta_log/*0.json && key=(-k id) || key=()
		changes "$range" "$corpus/$name" "${key[@]}" >out
		awk -v h="> $name $range" '/^>/ { here = $0 == h; next } here' want | sort >rows
		[ -s rows ]
		as_rows <out | sort | diff -u rows -
		cases=$((cases + 1))
	done < <(grep '^>' want)
	echo "# $cases feeds" >&3
	[ "$cases" -ge 9 ]
}

@test "nested values are their JSON text, and a replica has them in the same types" {
	[ -d "$corpus" ] || skip "no corpus"
	nested=$corpus/../dat/nested_types
	changes 0 "$nested/delta" -k pk >out
	jq -cS 'select(.afterImages) | .afterImages | {pk: (.pk | tonumber), struct: (.struct | fromjson),
		array: (.array | fromjson), map: (.map | fromjson | to_entries)}' out | sort >rows
	[ "$(wc -l <rows)" -eq 5 ]
	sed 1d "$nested/expected/latest.ndjson" | jq -cS . | sort | diff - rows
	merge --require-final r <out
	"$bin/cdc-snapshot" r | jq -cS '.map |= to_entries' | sort | diff rows -
	for table in "$nested/delta" r; do
		"$bin/cdc-snapshot" --describe "$table" | jq -c '.schema.fields | map({name, type})' >"types.${#table}"
	done
	cmp types.*
}

@test "what cannot be is refused" {
	three_rows cow
	last=$(newest "$t")
	refuses 2 'first is later' changes 2..1 "$t"
	refuses 2 "versions 0 to $last are there" changes $((last + 1)) "$t"
	refuses 2 "versions 0 to $last are there" changes 0..99 "$t"
	refuses 2 'FROM or FROM..TO' changes x "$t"
	refuses 2 'FROM or FROM..TO' "$bin/cdc-snapshot" --changes=-1 "$t"
	refuses 2 'FROM or FROM..TO' changes 1.. "$t"
	refuses 2 'FROM or FROM..TO' changes 1..2..3 "$t"
	refuses 2 '--columns does not go with --changes' changes 0 -c id "$t"
	refuses 2 'csv or tsv does not go with --changes' changes 0 -f csv "$t"
	refuses 2 'exclude each other' changes 0 --history "$t"
	refuses 2 'does not go with' changes 0 --version-as-of 0 "$t"
	refuses 2 '--key does not go with the printing of rows' "$bin/cdc-snapshot" -k id "$t"
	refuses 2 '"nope" is not in the table' changes 0 -k nope "$t"
	refuses 2 'list of columns' changes 0 -k , "$t"
	refuses 2 'not a Delta table' changes 0 "$dir"
}

@test "a log that begins later says where" {
	history "$t" 4
	"$bin/cdc-compact" -q --checkpoint "$t"
	v=$(newest "$t")
	random_changes 5 9 | merge "$t"
	random_changes 5 10 | merge "$t"
	rm "$t"/_delta_log/0000000000000000000[0-3].json
	# Of the versions 4 to 9 the commits are there, but nothing tells the columns.
	refuses 2 "versions 10 to $((v + 2)) are there" changes 0 "$t"
	refuses 2 "versions 10 to $((v + 2)) are there" changes 9 "$t"
	changes $((v + 1)) "$t" | jq -r .recordType | sed -n 1p | is SCHEMA
	rm "$(printf '%s/_delta_log/%020d.json' "$t" $((v + 1)))"
	refuses 6 'is missing' changes "$v" "$t"
}

@test "files that are gone are named" {
	three_rows cow
	rm "$t"/*.parquet
	refuses 6 'is not there' changes 0 "$t"
	refuses 6 'changes of version' changes 0 "$t"
}
