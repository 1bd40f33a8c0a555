#!/usr/bin/env bats
# Proves what a user sees of a table's log: travel by time, files outside the table, logs that are
# damaged, and features that are refused by name.

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	dir=$BATS_TEST_TMPDIR
	table=$dir/t
	log=$table/_delta_log
	row 1 | "$bin/cdc-merge" -q --create --schema 'id BIGINT NOT NULL' -k id "$table" -
	row 2 | "$bin/cdc-merge" -q "$table" -
	row 3 | "$bin/cdc-merge" -q "$table" -
}

row() { # row N: a change record that inserts it
	echo "{\"recordID\":$1,\"dbTable\":\"d.t\",\"recordType\":\"INSERT\",\"fields\":[\"id\"],\"beforeImages\":{},\"afterImages\":{\"id\":\"$1\"}}"
}

is() { # is EXPECTED: the output of the last run, exactly
	[ "$status" -eq 0 ] || { echo "exit status $status: $output"; return 1; }
	diff -u <(printf '%s\n' "$1") <(printf '%s\n' "$output")
}

fails() { # fails STATUS MESSAGE: the last run, with one line that has MESSAGE in it
	[ "$status" -eq "$1" ] || { echo "exit status $status: $output"; return 1; }
	[ "${#lines[@]}" -eq 1 ] && [[ $output == *"$2"* ]] || { echo "$output"; return 1; }
}

commit() { # commit N: the name of its file
	printf '%s/%020d.json' "$log" "$1"
}

# Three commits that add a row each; creating the table may take one of its own before them.
base() {
	[ -e "$(commit 3)" ] && echo 1 || echo 0
}

times() { # the last three commits, a day apart
	b=$(base)
	[ "$b" -eq 0 ] || TZ=UTC touch -d '2024-12-31 00:00:00' "$(commit 0)"
	for i in 0 1 2; do
		TZ=UTC touch -d "2025-01-0$((i + 1)) 00:00:00" "$(commit $((b + i)))"
	done
}

@test "a time gives the last version made then or before" {
	times
	for t in 2025-01-02 '2025-01-02 00:00:00' 2025-01-02T23:59:59.999Z 2025-01-03T00:59:59+01:00; do
		run "$bin/cdc-snapshot" --timestamp-as-of "$t" "$table"
		is '{"id":1}
{"id":2}'
	done
	run "$bin/cdc-snapshot" --timestamp-as-of '2025-01-03 00:00' "$table"
	is '{"id":1}
{"id":2}
{"id":3}'
}

@test "a time that the log does not reach names the nearest version" {
	times
	run "$bin/cdc-snapshot" --timestamp-as-of 2020-01-01 "$table"
	fails 2 "before the earliest version that can be read, 0 of 202"
	run "$bin/cdc-snapshot" --timestamp-as-of 2025-01-03T00:00:00.001Z "$table"
	fails 2 "after the latest version that can be read, $(($(base) + 2)) of 2025-01-03T00:00:00.000Z"
}

@test "a time is one, and alone" {
	run "$bin/cdc-snapshot" --timestamp-as-of yesterday "$table"
	fails 2 '"yesterday" is not a time'
	run "$bin/cdc-snapshot" --timestamp-as-of 2025-01-02 --version-as-of 1 "$table"
	[ "$status" -eq 2 ]
}

@test "files outside the table need --allow-external" {
	path=$(cd "$table" && ls ./*.parquet | head -n 1)
	path=${path#./}
	mv "$table/$path" "$dir/away.parquet"
	sed -i "s|\"path\":\"$path\"|\"path\":\"file://$dir/away.parquet\"|" "$log"/*.json
	run "$bin/cdc-snapshot" "$table"
	fails 6 "path \"file://$dir/away.parquet\" lies outside the table: cdc-snapshot --allow-external"
	run bash -c "'$bin/cdc-snapshot' --allow-external '$table' | sort"
	is '{"id":1}
{"id":2}
{"id":3}'
	run "$bin/cdc-snapshot" --describe "$table"
	[ "$status" -eq 0 ]
}

@test "absolute paths inside the table are its own, however it is named" {
	path=$(cd "$table" && ls ./*.parquet | head -n 1)
	path=${path#./}
	sed -i "s|\"path\":\"$path\"|\"path\":\"$table/$path\"|" "$log"/*.json
	ln -s "$table" "$dir/link"
	cd "$dir"
	for t in "$table" t ./t/ link "$dir/link"; do
		run bash -c "'$bin/cdc-snapshot' '$t' | sort"
		is '{"id":1}
{"id":2}
{"id":3}'
	done
}

@test "paths do not climb out of the table, and other schemes are named" {
	path=$(cd "$table" && ls ./*.parquet | head -n 1)
	path=${path#./}
	cp "$table/$path" "$dir/away.parquet"
	cp -r "$log" "$dir/log"
	for bad in ../away.parquet %2e%2e/away.parquet "$table/../away.parquet"; do
		sed -i "s|\"path\":\"$path\"|\"path\":\"$bad\"|" "$log"/*.json
		for option in --quiet --allow-external; do
			run "$bin/cdc-snapshot" $option "$table"
			[ "$status" -eq 6 ]
			[[ $output == *'leaves the table'* || $output == *'lies outside the table'* ]]
		done
		rm -r "$log" && cp -r "$dir/log" "$log"
	done
	sed -i "s|\"path\":\"$path\"|\"path\":\"s3://bucket/a.parquet\"|" "$log"/*.json
	run "$bin/cdc-snapshot" "$table"
	fails 6 'path "s3://bucket/a.parquet" has the scheme s3'
}

@test "no table, and a table with a hole in its log" {
	run "$bin/cdc-snapshot" "$dir/none"
	fails 2 "$dir/none is not a Delta table"
	mkdir "$dir/empty"
	run "$bin/cdc-snapshot" "$dir/empty"
	fails 2 "$dir/empty is not a Delta table"
	mv "$(commit 1)" "$dir"
	run "$bin/cdc-snapshot" "$table"
	fails 6 "version 1 is missing from the log"
}

@test "a hint that is wrong, or a torn one, is not followed" {
	for hint in '' '{"version":99,"size":1}' '{"version":0,' 'x'; do
		printf '%s' "$hint" >"$log/_last_checkpoint"
		run bash -c "'$bin/cdc-snapshot' '$table' | sort"
		is '{"id":1}
{"id":2}
{"id":3}'
	done
}

@test "a feature that is not known is named" {
	protocol='{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["NAME"],"writerFeatures":["NAME"]}}'
	cp "$(commit 1)" "$dir/one"
	for name in catalogManaged somethingNew; do
		cat "$dir/one" - >"$(commit 1)" <<<"${protocol//NAME/$name}"
		run "$bin/cdc-snapshot" "$table"
		fails 6 "reader feature $name"
	done
	cat "$dir/one" - >"$(commit 1)" <<<"${protocol//NAME/typeWidening}"
	run bash -c "'$bin/cdc-snapshot' '$table' | sort"
	is '{"id":1}
{"id":2}
{"id":3}'
}
