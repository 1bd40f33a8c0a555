#!/usr/bin/env bats
# Proves that cdc-snapshot -f parquet writes the rows that it prints: to a file and to a pipe, whole and
# in part, by reading them again and from the file's own description.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	dir=$(mktemp -d)
	cd "$dir" || return 1
	seq 1 5000 | awk '{ printf "%d,n%d,%d.%02d,%s\n", $1, $1 % 7, $1, $1 % 100, $1 % 5 ? "2020-01-01" : "" }' >rows.csv
	"$bin/cdc-decode" --from csv --key id \
		--columns 'id BIGINT NOT NULL, name STRING, amount DECIMAL(9,2), day DATE' rows.csv |
		"$bin/cdc-merge" -q -p name ./t
}

teardown() {
	rm -rf "$dir"
}

@test "the file has the rows of the table, in their order" {
	"$bin/cdc-snapshot" ./t >want
	"$bin/cdc-snapshot" -f parquet -o out.parquet ./t
	"$bin/cdc-snapshot" out.parquet >got
	diff -u want got
	[ "$(wc -l <got)" -eq 5000 ]
	"$bin/cdc-snapshot" --describe out.parquet | jq -e '.rows == 5000 and
		[.schema[].name] == ["id", "name", "amount", "day"] and
		(.schema[2] | .precision == 9 and .scale == 2)'
}

@test "through a pipe, and only what was asked for" {
	"$bin/cdc-snapshot" -c amount,id --where 'id > 4990' ./t >want
	"$bin/cdc-snapshot" -f parquet -c amount,id --where 'id > 4990' ./t | cat >out.parquet
	"$bin/cdc-snapshot" out.parquet >got
	diff -u want got
	[ "$(wc -l <got)" -eq 10 ]
}

@test "no rows make a file all the same" {
	"$bin/cdc-snapshot" -f parquet --limit 0 -o out.parquet ./t
	[ -z "$("$bin/cdc-snapshot" out.parquet)" ]
	"$bin/cdc-snapshot" --describe out.parquet | jq -e '.rows == 0 and (.schema | length) == 4'
}

@test "nested columns, from a file of another program" {
	data=${CDC_CORPUS:-$BATS_TEST_DIRNAME/../../../shared/corpus}
	[ -d "$data" ] || skip "no corpus"
	for table in dat/nested_types/delta golden/data-reader-array-complex-objects/delta golden/data-reader-map/delta; do
		"$bin/cdc-snapshot" "$data/delta/$table" >want
		"$bin/cdc-snapshot" -f parquet -o out.parquet "$data/delta/$table"
		"$bin/cdc-snapshot" out.parquet >got
		diff -u want got
	done
}

@test "what cannot be" {
	run "$bin/cdc-snapshot" --history -f parquet ./t
	[ "$status" -eq 2 ]
	[[ $output == *'--format parquet does not go with --history'* ]]
	run "$bin/cdc-snapshot" -f parquet -o nowhere/out.parquet ./t
	[ "$status" -eq 4 ]
}
