#!/usr/bin/env bats
# Proves what a user sees of cdc-snapshot --where: which rows are printed, that messages tell the
# place in the predicate, that the exit status is right, and that --stats tells what was skipped.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	corpus=${CDC_CORPUS:-$BATS_TEST_DIRNAME/../../../shared/corpus}
	dir=$BATS_TEST_TMPDIR
	table=$dir/sales
	"$bin/cdc-merge" -q --create --partition-by region --property delta.enableDeletionVectors=true \
		--schema 'id BIGINT NOT NULL, region STRING, name STRING, sales DECIMAL(7,2), at TIMESTAMP' \
		-k id "$table" - <<'EOD'
{"recordType":"INSERT","afterImages":{"id":"1","region":"EMEA","name":"Zoë","sales":"323","at":"2019-11-14T03:11:05.120Z"}}
{"recordType":"INSERT","afterImages":{"id":"2","region":"EMEA","name":"a'b","sales":"-0.5","at":null}}
{"recordType":"INSERT","afterImages":{"id":"3","region":"APAC","name":null,"sales":null,"at":"2019-11-15T00:00:00Z"}}
{"recordType":"INSERT","afterImages":{"id":"4","region":null,"name":"100%","sales":"99.99","at":"1969-12-31T23:59:59Z"}}
EOD
}

ids() { # ids EXPECTED PREDICATE: the ids of the rows, in a line
	"$bin/cdc-snapshot" -f tsv -c id --where "$2" "$table" >"$dir/out" || return 1
	got=$(tail -n +2 "$dir/out" | sort -n | tr '\n' ' ')
	[ "${got% }" = "$1" ] || { echo "$2: ${got% }, not $1"; return 1; }
}

@test "comparisons, and three-valued logic" {
	ids '1' "id = 1"
	ids '2 3 4' "id <> 1"
	ids '1 4' "sales > 0"
	ids '2' "NOT sales > 0"
	ids '3' "sales IS NULL"
	ids '1 2 4' "sales IS NOT NULL"
	ids '1' "sales >= 322.999"
	ids '' "sales = 323.001"
	ids '4' "sales = 99.990"
	ids '1 2 3 4' "id < 99999999999999999999"
	ids '1 3' "at BETWEEN '2019-11-14' AND TIMESTAMP '2019-11-15 00:00:00'"
	ids '4' "at < DATE '1970-01-01'"
	ids '2 3' "id IN (2, 3, NULL)"
	ids '' "id NOT IN (2, 3, NULL)"
	ids '1 2' "(region = 'EMEA' OR region = 'APAC') AND name IS NOT NULL"
	ids '4' "region IS NULL"
	ids '3 4' "NOT region <=> 'EMEA'"
}

@test "strings and patterns" {
	ids '1' "name LIKE 'Zo_'"
	ids '4' "name LIKE '%\\%'"
	ids '4' "name LIKE '%#%' ESCAPE '#'"
	ids '2' "name = 'a''b'"
	ids '2' 'name = "a'"'"'b"'
	ids '1 2' '`NAME` < '"'b' AND name NOT LIKE '1%'"
}

@test "columns of the predicate need not be printed, and limit counts what is printed" {
	run "$bin/cdc-snapshot" -c name --where 'id >= 2 and sales is not null' --limit 1 "$table"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "no row is no error" {
	run "$bin/cdc-snapshot" -f csv -c id --where 'id > 100' "$table"
	[ "$status" -eq 0 ]
	[ "$output" = id ]
}

@test "deleted rows stay deleted" {
	"$bin/cdc-merge" -q --mode dv "$table" - <<'EOD'
{"recordType":"DELETE","beforeImages":{"id":"2"}}
EOD
	ids '1' "region = 'EMEA'"
	ids '1 3 4' "id > 0"
}

stat() { jq -r ".$1" "$dir/stats"; }

@test "stats tell what was skipped" {
	"$bin/cdc-snapshot" --stats "$dir/stats" --where "region = 'APAC'" "$table" >"$dir/out"
	[ "$(stat filesSkipped)" -eq 2 ]
	[ "$(stat rowsTested)" -eq 1 ]
	"$bin/cdc-snapshot" --stats "$dir/stats" --where "id = 2 AND region <> 'APAC'" "$table" >"$dir/out"
	[ "$(stat filesSkipped)" -eq 2 ]
	[ "$(stat rowsTested)" -eq 2 ]
	"$bin/cdc-snapshot" --stats "$dir/stats" "$table" >"$dir/out"
	[ "$(stat filesSkipped)" = null ]
}

@test "a lost file is no loss where it cannot match" {
	rm "$table"/region=APAC/*.parquet
	ids '1 2' "region = 'EMEA'"
	ids '1 2' "id < 3"
	run "$bin/cdc-snapshot" --where "id = 3" "$table"
	[ "$status" -eq 6 ]
}

# A table whose only file is one of another writer, with a Bloom filter on its only column.
@test "row groups are skipped by Bloom filters" {
	file=$corpus/parquet/apache/data/data_index_bloom_encoding_stats.parquet
	[ -r "$file" ] || skip "no corpus"
	mkdir -p "$dir/bloom/_delta_log"
	cp "$file" "$dir/bloom/f.parquet"
	cat >"$dir/bloom/_delta_log/00000000000000000000.json" <<-'EOD'
	{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
	{"metaData":{"id":"5fba94ed-9794-4965-ba6e-6ee3c0d22af9","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"String\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{},"createdTime":0}}
	{"add":{"path":"f.parquet","partitionValues":{},"size":1643,"modificationTime":0,"dataChange":true}}
	EOD
	table=$dir/bloom
	run "$bin/cdc-snapshot" --stats "$dir/stats" --where "string IN ('Hello', 'This is')" "$table"
	[ "$output" = '{"String":"Hello"}
{"String":"This is"}' ]
	[ "$(stat rowGroupsSkipped)" -eq 0 ]
	# Between the least and the greatest string, but not there.
	run "$bin/cdc-snapshot" --stats "$dir/stats" --where "string = 'Hellp'" "$table"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	[ "$(stat rowGroupsSkipped)" -eq 1 ]
	[ "$(stat rowsTested)" -eq 0 ]
	run "$bin/cdc-snapshot" --stats "$dir/stats" --where "string <> 'Hellp'" "$table"
	[ "${#lines[@]}" -eq 14 ]
	[ "$(stat rowGroupsSkipped)" -eq 0 ]
}

# Its writer made no statistics, and says in the page index that each page is all null.
@test "an index without statistics hides no rows" {
	file=$corpus/parquet/apache/data/datapage_v1-uncompressed-checksum.parquet
	[ -r "$file" ] || skip "no corpus"
	[ "$("$bin/cdc-snapshot" -c a --where "a IS NOT NULL" "$file" | wc -l)" -eq 5120 ]
	[ "$("$bin/cdc-snapshot" -c a --where "a = -741158448" "$file" | sort -u)" = '{"a":-741158448}' ]
}

refuses() { # refuses PREDICATE PATTERN
	run "$bin/cdc-snapshot" --where "$1" "$table"
	[ "$status" -eq 2 ] || { echo "$1: exit status $status: $output"; return 1; }
	[[ $output == *"$2"* ]] || { echo "$1: $output"; return 1; }
}

@test "a wrong predicate is 2 and the place is told" {
	refuses "id = 'abc'" "'abc' is no value of column \"id\", which is of type long at character 6"
	refuses "name = 'Zoë' AND id = " "a value is missing at character 23"
	refuses "id = 1 id" "AND, OR or the end is wanted instead of id at character 8"
	refuses "nome = 1" 'there is no column "nome" at character 1'
	refuses "name" '"name" of type string is no condition'
	refuses "" "missing at character 1"
	refuses "name = 5" "5 is no value of column"
	run "$bin/cdc-snapshot" --where "id = 1" --history "$table"
	[ "$status" -eq 2 ]
	run "$bin/cdc-snapshot" --where "id = 1" --describe "$table"
	[ "$status" -eq 2 ]
}
