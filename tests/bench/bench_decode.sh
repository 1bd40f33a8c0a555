#!/bin/bash
# Speed of cdc-decode on dumps of COUNT messages (default a million), side by side with what people
# use else: DTS events beside avrocat, JSON dialects beside `jq -c .`. CPU seconds, best of two of
# ours, one of theirs; dumps are made anew in $BUILD/bench and removed.
#
#	tests/bench/bench_decode.sh [COUNT]
set -eu
build=$(realpath "${BUILD:-build}")
count=${1:-1000000}
mkdir -p "$build/bench"
dir=$(mktemp -d "$build/bench/decode.XXXXXX")
trap 'rm -rf "$dir"' EXIT

cpu() { # cpu COMMAND...: CPU seconds that it takes
	local TIMEFORMAT='%U %S'
	{ time "$@" >/dev/null 2>"$dir/err"; } 2>&1 | awk '{ print $1 + $2 }'
}

best() { # best of two
	local a b
	a=$(cpu "$@")
	b=$(cpu "$@")
	awk -v a="$a" -v b="$b" 'BEGIN { print a < b ? a : b }'
}

row() { # row NAME FILE OURS THEIRS PEER
	awk -v name="$1" -v bytes="$(stat -c %s "$2")" -v ours="$3" -v theirs="$4" -v peer="$5" -v n="$count" 'BEGIN {
		printf "%-22s %6.0f MB  %6.2f s  %5.0f MB/s  %7.0f k messages/s  %s %7.2f s  ratio %5.1f\n",
			name, bytes / 1e6, ours, bytes / 1e6 / ours, n / 1e3 / ours, peer, theirs, theirs / ours }'
}

json() { # json NAME FILE OPTION...
	local name=$1 file=$2
	shift 2
	row "$name" "$file" "$(best "$build/cdc-decode" --from "$@" "$file")" "$(cpu jq -c . "$file")" jq
	rm -f "$file"
}

# The same row in each dialect; one in three is an update.
dialects() { # dialects NAME
	awk -v n="$count" -v dialect="$1" -v schema="$dir/schema" 'BEGIN {
		if (dialect == "debezium-schema")
			getline envelope <schema
		for (i = 0; i < n; i++) {
			update = i % 3 == 0
			text = "\"name\":\"customer " i "\",\"note\":\"a note of some length, as people write\",\"price\":"
			date = sprintf("2022-09-10 22:%02d:%02d", i / 60 % 60, i % 60)
			if (dialect == "canal") {
				row = "\"id\":\"" i "\"," text "\"" i % 1000 ".50\",\"at\":\"" date "\""
				printf "{\"data\":[{%s}],\"database\":\"shop\",\"es\":%d000,\"id\":%d,\"isDdl\":false,\"mysqlType\":{\"id\":\"bigint(20)\",\"name\":\"varchar(32)\",\"note\":\"varchar(255)\",\"price\":\"decimal(10,2)\",\"at\":\"datetime\"},\"old\":%s,\"pkNames\":[\"id\"],\"sql\":\"\",\"sqlType\":{\"id\":-5,\"name\":12,\"note\":12,\"price\":3,\"at\":93},\"table\":\"orders\",\"ts\":%d000,\"type\":\"%s\"}\n",
					row, 1662819010 + i, i, update ? "[{\"price\":\"1.00\"}]" : "null", 1662819010 + i, update ? "UPDATE" : "INSERT"
			} else if (dialect == "maxwell") {
				row = "\"id\":" i "," text i % 1000 ".50,\"at\":\"" date "\""
				printf "{\"database\":\"shop\",\"table\":\"orders\",\"type\":\"%s\",\"ts\":%d,\"xid\":%d,\"commit\":true,\"primary_key_columns\":[\"id\"],\"data\":{%s}%s}\n",
					update ? "update" : "insert", 1662819010 + i, i, row, update ? ",\"old\":{\"price\":1.00}" : ""
			} else {
				row = "{\"id\":" i "," text "\"MTIzNDU=\",\"at\":" 1662819010 + i "000}"
				value = "{\"before\":" (update ? row : "null") ",\"after\":" row ",\"source\":{\"version\":\"2.4.0.Final\",\"connector\":\"mysql\",\"name\":\"shop\",\"ts_ms\":" 1662819010 + i "000,\"snapshot\":\"false\",\"db\":\"shop\",\"sequence\":null,\"table\":\"orders\",\"server_id\":1,\"gtid\":null,\"file\":\"bin.000003\",\"pos\":" i ",\"row\":0,\"thread\":7,\"query\":null},\"op\":\"" (update ? "u" : "c") "\",\"ts_ms\":" 1662819010 + i "123,\"transaction\":null}"
				print dialect == "debezium" ? value : "{\"schema\":" envelope ",\"payload\":" value "}"
			}
		}
	}'
}

echo "cdc-decode, $count messages, one thread, CPU time"
"$build/tests/dts/print_schema" >"$dir/dts.avsc"
"$build/tests/dts/make_dump" --count "$count" >"$dir/dts.kcat"
"$build/tests/dts/make_dump" --count "$count" --container "$dir/dts.avsc" >"$dir/dts.avro"
theirs=$(cpu avrocat "$dir/dts.avro")
row "dts, kcat dump" "$dir/dts.kcat" "$(best "$build/cdc-decode" --from dts "$dir/dts.kcat")" "$theirs" avrocat
row "dts, container" "$dir/dts.avro" "$(best "$build/cdc-decode" --from dts "$dir/dts.avro")" "$theirs" avrocat
rm -f "$dir"/dts.*
for d in canal maxwell debezium; do
	dialects $d >"$dir/$d"
	json $d "$dir/$d" $d
done
columns='[{"type":"int64","optional":false,"field":"id"},{"type":"string","optional":true,"field":"name"},{"type":"string","optional":true,"field":"note"},{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"price"},{"type":"int64","optional":true,"name":"io.debezium.time.Timestamp","version":1,"field":"at"}]'
echo '{"type":"struct","fields":[{"type":"struct","fields":'"$columns"',"optional":true,"name":"shop.orders.Value","field":"before"},{"type":"struct","fields":'"$columns"',"optional":true,"name":"shop.orders.Value","field":"after"},{"type":"string","optional":false,"field":"op"},{"type":"int64","optional":true,"field":"ts_ms"}],"optional":false,"name":"shop.orders.Envelope"}' >"$dir/schema"
dialects debezium-schema >"$dir/debezium-schema"
json "debezium with schemas" "$dir/debezium-schema" debezium
