#!/usr/bin/env bats
# Proves what a user sees of cdc-merge, cdc-compact and cdc-snapshot on tables with arrays, maps,
# structs and variants: creation, changes in both modes, rejects, replicas, and that the rewriting of
# files of other writers keeps every value.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	corpus=${CDC_CORPUS:-$BATS_TEST_DIRNAME/../../../shared/corpus}/delta
	dir=$BATS_TEST_TMPDIR
	t=$dir/t
	cd "$dir"
	set -o pipefail
}

merge() { # merge TABLE [OPTIONS...]
	"$bin/cdc-merge" -q "$@"
}
row() { # row TYPE BEFORE AFTER: a record of the next number
	n=$((${n-0} + 1))
	printf '{"recordID":%d,"dbTable":"d.t","recordType":"%s","beforeImages":%s,"afterImages":%s}\n' \
		"$n" "$1" "$2" "$3"
}
exits() { # exits STATUS PATTERN COMMAND...
	local want=$1 pattern=$2
	shift 2
	run "$@"
	[ "$status" -eq "$want" ] || { echo "exit status $status, not $want: $output"; return 1; }
	[[ $output == *"$pattern"* ]] || { echo "no \"$pattern\": $output"; return 1; }
}
rows() { # rows EXPECTED [TABLE]: the rows, sorted
	"$bin/cdc-snapshot" "${2-$t}" >rows.out || return 1
	diff -u <(printf '%s\n' "$1") <(sort rows.out)
}

schema='id BIGINT NOT NULL, s STRUCT<a: INT, b: ARRAY<DECIMAL(5,2)>>, m MAP<STRING, DATE>, l ARRAY<STRUCT<k: STRING NOT NULL, x: DOUBLE>>, v VARIANT'

create() { # create OPTIONS...
	{
		row INSERT '{}' '{"id":"1","s":"{\"a\":1,\"b\":[1.5,null]}","m":"{\"x\":\"2019-11-14\"}","l":"[{\"k\":\"q\",\"x\":0.5}]","v":"{\"b\":1,\"a\":[true,null]}"}'
		row INSERT '{}' '{"id":"2","s":{"b":[]},"m":{},"l":[],"v":7}'
		row INSERT '{}' '{"id":"3"}'
	} | merge --create --schema "$schema" -k id "$@" "$t"
}
one='{"id":1,"s":{"a":1,"b":[1.50,null]},"m":{"x":"2019-11-14"},"l":[{"k":"q","x":0.5}],"v":{"a":[true,null],"b":1}}'
two='{"id":2,"s":{"a":null,"b":[]},"m":{},"l":[],"v":7}'
three='{"id":3,"s":null,"m":null,"l":null,"v":null}'

@test "a table of nested columns is created from --schema, with the features that they need" {
	create
	rows "$one"$'\n'"$two"$'\n'"$three"
	diff -u - <("$bin/cdc-snapshot" --describe "$t" | jq -c '.schema.fields[1:][].type, (.protocol | [.readerFeatures, .writerFeatures])') <<'END'
{"type":"struct","fields":[{"name":"a","type":"integer","nullable":true,"metadata":{}},{"name":"b","type":{"type":"array","elementType":"decimal(5,2)","containsNull":true},"nullable":true,"metadata":{}}]}
{"type":"map","keyType":"string","valueType":"date","valueContainsNull":true}
{"type":"array","elementType":{"type":"struct","fields":[{"name":"k","type":"string","nullable":false,"metadata":{}},{"name":"x","type":"double","nullable":true,"metadata":{}}]},"containsNull":true}
"variant"
[["variantType"],["appendOnly","invariants","variantType"]]
END
	# Of variants the statistics tell how many are null.
	jq -ce 'select(.add) | .add.stats | fromjson | .nullCount == {id: 0, s: {a: 2, b: 1}, m: 1, l: 1, v: 1}' "$t"/_delta_log/*1.json
	merge --create --schema 'id INT NOT NULL, a ARRAY<STRUCT<t: TIMESTAMP_NTZ>>' -k id u </dev/null
	[ "$("$bin/cdc-snapshot" --describe u | jq -c .protocol.readerFeatures)" = '["timestampNtz"]' ]
}

@test "nested columns are neither key nor partition" {
	for c in s m l v; do
		exits 2 "column \"$c\" cannot be a key" merge --create --schema "$schema" -k "$c" u </dev/null
		exits 2 "--partition-by $c: a column of type" merge --create --schema "$schema" -k id -p "$c" u </dev/null
	done
	[ ! -e u ]
}

@test "columns of type void are null, and in no file" {
	row INSERT '{}' '{"id":"1","n":null,"s":{"a":1,"n":null}}' |
		merge --create --schema 'id BIGINT NOT NULL, n VOID, s STRUCT<a: INT, n: VOID>' -k id "$t"
	row UPDATE '{}' '{"id":"1","s":{"a":2}}' | merge --mode cow "$t"
	rows '{"id":1,"n":null,"s":{"a":2,"n":null}}'
	row INSERT '{}' '{"id":"2","n":"x"}' >in
	exits 3 'column "n": "x" is not possible for type void' merge "$t" in
	"$bin/cdc-snapshot" -f parquet -o rows.parquet "$t"
	rows '{"id":1,"s":{"a":2}}' rows.parquet
	exits 2 'column "element": type void cannot be written' merge --create --schema 'id INT, a ARRAY<VOID>' -k id u </dev/null
	[ ! -e u ]
}

@test "inserts, updates, partial updates, key changes and deletes, in both modes" {
	for mode in dv cow; do
		rm -rf "$t"
		create --property delta.enableDeletionVectors=true
		{
			row UPDATE '{"id":"1"}' '{"id":"1","l":"[{\"k\":\"new\"},null]"}'
			row UPDATE '{"id":"2"}' '{"id":"20","v":"{\"z\":{\"y\":[1.0,1e0,\"1\"]}}"}'
			row UPDATE '{"id":"3"}' '{"id":"3","s":{"a":"-7"},"m":{"":null},"l":null,"v":"null"}'
			row INSERT '{}' '{"id":"4","v":"[]"}'
			row UPDATE '{"id":"5"}' '{"id":"5","m":"{}"}'
		} | merge --mode $mode "$t"
		rows '{"id":1,"s":{"a":1,"b":[1.50,null]},"m":{"x":"2019-11-14"},"l":[{"k":"new","x":null},null],"v":{"a":[true,null],"b":1}}
{"id":20,"s":{"a":null,"b":[]},"m":{},"l":[],"v":{"z":{"y":[1.0,1.0,"1"]}}}
{"id":3,"s":{"a":-7,"b":null},"m":{"":null},"l":null,"v":null}
{"id":4,"s":null,"m":null,"l":null,"v":[]}
{"id":5,"s":null,"m":{},"l":null,"v":null}'
		row DELETE '{"id":"4"}' '{}' | merge --mode $mode "$t"
		row INSERT '{}' "$(jq -c . <<<"$one")" | merge --mode $mode "$t"
		rows "$one
"'{"id":20,"s":{"a":null,"b":[]},"m":{},"l":[],"v":{"z":{"y":[1.0,1.0,"1"]}}}
{"id":3,"s":{"a":-7,"b":null},"m":{"":null},"l":null,"v":null}
{"id":5,"s":null,"m":{},"l":null,"v":null}'
		# A variant's own null is a value, and of a column without one there is none.
		[ "$("$bin/cdc-snapshot" --where 'v IS NULL' -c id "$t")" = '{"id":5}' ]
	done
}

@test "arrays and objects in images stay whole on the way through cdc-dedup, and as text" {
	merge --create --schema 'id BIGINT NOT NULL, t STRING, l ARRAY<INT>, v VARIANT' -k id "$t" </dev/null
	{
		row INSERT '{}' '{"id":"1","t":{"a" : [1, "}"]},"l":[1,[]],"v":{"x":{"id":2}}}'
		row UPDATE '{"id":"1"}' '{"id":"1","l":[1,2]}'
		row UPDATE '{"id":"1"}' '{"v":[{"id":"9"}],"id":"2"}'
		row INSERT '{}' '{"v":{"id":"3"},"l":"[]","id":"3"}'
		row DELETE '{"l":[[[1]]],"id":"3"}' '{}'
	} >in
	"$bin/cdc-dedup" -q -k id in | merge "$t"
	rows '{"id":2,"t":"{\"a\" : [1, \"}\"]}","l":[1,2],"v":[{"id":"9"}]}'
}

@test "what does not fit is rejected with the place inside the value" {
	create
	{
		row INSERT '{}' '{"id":"4","s":"{\"a\":1"}'
		row INSERT '{}' '{"id":"4","s":"{\"a\":1,\"c\":2}"}'
		row INSERT '{}' '{"id":"4","s":{"b":[1,1.234]}}'
		row INSERT '{}' '{"id":"4","m":{"x":"2019-02-30"}}'
		row INSERT '{}' '{"id":"4","l":[{"k":"a"},{"x":1}]}'
		row INSERT '{}' '{"id":"4","l":"{}"}'
		row INSERT '{}' '{"id":"4","v":"x"}'
		row INSERT '{}' '{"id":"4","v":{"a":1,"a":1}}'
	} >in
	exits 1 '' merge --reject rejects "$t" in
	diff -u - <(jq -r .reason rejects) <<'END'
column "s": the value is no JSON text: expected ',' or the end of the array or object
column "s": it has no field c
column "s.b[1]": "1.234" is too precise for type decimal(5,2)
column "m[0]": "2019-02-30" is out of range for type date
column "l[1].k": it is NOT NULL and the value is null or missing
column "l": the value is no array
column "v": the value is no JSON text: expected a value
column "v": an object has two members of one name
END
	rows "$one"$'\n'"$two"$'\n'"$three"
}

@test "a late reject has the nested values of its record, and can be applied again" {
	merge --create --schema "$schema, must STRING NOT NULL" -k id "$t" </dev/null
	row UPDATE '{}' '{"id":"9","s":{"a":1,"b":[2]},"m":{"k":"2019-11-14"},"v":{"b":[1.50],"a":"x"}}' >in
	exits 1 '' merge --reject rejects "$t" in
	jq -r .raw rejects | base64 -d >again
	diff -u - <(jq -c .afterImages again) <<'END'
{"id":"9","s":"{\"a\":1,\"b\":[2.00]}","m":"{\"k\":\"2019-11-14\"}","v":"{\"a\":\"x\",\"b\":[1.50]}"}
END
	row INSERT '{}' '{"id":"9","must":"m"}' | merge "$t"
	merge "$t" again
	rows '{"id":9,"s":{"a":1,"b":[2.00]},"m":{"k":"2019-11-14"},"l":null,"v":{"a":"x","b":[1.50]},"must":"m"}'
}

@test "a replica that is fed by --changes equals the table, version by version" {
	create
	{
		row UPDATE '{"id":"1"}' '{"id":"1","v":"{\"d\":1e300,\"i\":9223372036854775808}"}'
		row DELETE '{"id":"2"}' '{}'
	} | merge --mode cow "$t"
	row INSERT '{}' '{"id":"6","s":{"b":[null]},"m":{"\"":"0001-01-01"},"l":[null],"v":"\"text\""}' | merge --mode cow "$t"
	for v in 1 2 3; do
		"$bin/cdc-snapshot" --changes "$v..$v" "$t" | merge r
		"$bin/cdc-snapshot" --version-as-of "$v" "$t" | sort >want
		rows "$(cat want)" r
	done
	for table in "$t" r; do
		"$bin/cdc-snapshot" --describe "$table" | jq -c '[.schema, .protocol]' >"$(basename "$table").schema"
	done
	cmp t.schema r.schema
}

@test "compaction and Parquet output keep variants" {
	create
	row INSERT '{}' '{"id":"4","v":{"k":[0.1,{"z":null}]}}' | merge "$t"
	"$bin/cdc-snapshot" "$t" | sort >before
	"$bin/cdc-snapshot" -f parquet -o rows.parquet "$t"
	"$bin/cdc-snapshot" rows.parquet | sort | cmp before -
	"$bin/cdc-compact" -q "$t"
	[ "$("$bin/cdc-snapshot" --describe "$t" | jq .files)" -eq 1 ]
	rows "$(cat before)"
}

# The number of a row and a column that tells it from all others.
telling_column() { # telling_column TABLE
	"$bin/cdc-snapshot" "$1" | jq -rs '. as $r | first(range(length) as $i | $r[$i] | to_entries[] | . as $e |
		select(.value | type == "number" or type == "string") |
		select([$r[] | select(.[$e.key] == $e.value)] | length == 1) | "\($i + 1) \(.key)")'
}

@test "a file of another writer that loses a row keeps the others as they were" {
	[ -d "$corpus" ] || skip "no corpus"
	cases=0
	for from in dat/nested_types/delta golden/data-reader-{array-primitives,array-complex-objects,map,nested-struct}/delta \
		golden/parquet-all-types{,-legacy-format}/delta golden/table-with-columnmapping-mode-{id,name}/delta; do
		rm -rf "$t"
		cp -r "$corpus/$from" "$t"
		chmod -R u+w "$t"
		"$bin/cdc-snapshot" "$t" >before
		read -r line key < <(telling_column "$t") || continue
		value=$(sed -n "${line}p" before | jq -c --arg k "$key" '{($k): (.[$k] | tostring)}')
		row DELETE "$value" '{}' >in
		merge --mode cow -k "$key" "$t" in 2>error || {
			grep -q 'cannot honour' error
			continue
		}
		"$bin/cdc-snapshot" "$t" | sort | diff -u <(sed "${line}d" before | sort) - || { echo "$from"; return 1; }
		cases=$((cases + 1))
	done
	echo "# $cases tables" >&3
	[ "$cases" -ge 6 ]
}

@test "rows with nested and variant columns are sorted, values and all" {
	create
	"$bin/cdc-snapshot" "$t" | sort >before
	"$bin/cdc-compact" -q --sort-by id "$t"
	"$bin/cdc-snapshot" "$t" | diff before -
	row DELETE '{"id":"2"}' '{}' | merge "$t"
	"$bin/cdc-compact" -q --zorder-by id "$t"
	rows "$one"$'\n'"$three"
}
