#!/bin/bash
# Run one fuzz target for some seconds and report as TAP: nothing found, and how many executions.
#
#	tests/fuzz/run.sh TARGET SECONDS
#
# It starts from what earlier runs kept in $BUILD/fuzz/corpus/TARGET, and from the files of the test
# corpus ($CDC_CORPUS, else ../shared/corpus beside the project) that suit the target.
set -u
target=$1 seconds=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${BUILD:-build}" && pwd)/fuzz
data=${CDC_CORPUS:-$root/../shared/corpus}
kept=$build/corpus/$target
mkdir -p "$kept" "$build/found"

seeds() { # files of the test corpus, by target
	case $target in
	fuzz_rows | fuzz_pq_file | fuzz_skip)
		# Without the bomb of two strings of 1 GiB: it takes all the time.
		find "$data/parquet" "$data/delta" -name '*.parquet' -size -24k ! -name 'large_string*'
		find "$data/parquet/fuzz" -type f -size -24k ;;
	fuzz_delta_checkpoint) find "$data/delta" -name '*.checkpoint*.parquet' -size -64k ;;
	fuzz_delta_commit | fuzz_checkpoint_write) find "$data/delta" -path '*_delta_log*' -name '*.json' -size -24k ;;
	fuzz_dv) find "$data/delta" -name 'deletion_vector*.bin' -size -24k ;;
	fuzz_dts) find "$data/dts" -type f -size -24k ;;
	fuzz_binlog) find "$data/cdc/binlog" -type f -size -64k ;;
	fuzz_segment) find "$data/cdc/kafka-log" -type f -size -64k ;;
	esac 2>/dev/null
}
if [ -z "$(ls -A "$kept")" ]; then
	seeds | while read -r f; do cp "$f" "$kept/$(cksum <"$f" | tr ' ' -)"; done
fi
# Messages of a dialect, behind the byte that chooses it.
if [ "$target" = fuzz_dialects ]; then
	i=0
	for f in canal maxwell debezium ogg aws-dms sls dataworks-aliyun-json; do
		find "$data/cdc/$f" -type f -size -16k 2>/dev/null | while read -r m; do
			{ printf "\\x$(printf %02x $i)"; cat "$m"; } >"$kept/$i-$(basename "$m")"
		done
		i=$((i + 1))
	done
	# The same behind keys and headers.
	for f in 09-maxwell 0a-debezium; do
		find "$data/cdc/${f#*-}" -type f -size -16k 2>/dev/null | while read -r m; do
			{ printf "\\x${f%-*}"; jq -Rc '{ topic: "s.d.t", partition: 0, offset: input_line_number,
				key: "{\"pk.id\":1,\"id\":2}", payload: (if . == "" then null else . end),
				headers: ["__debezium.newkey", "{\"id\":2}", "__debezium.oldkey", "{\"id\":1}"] }' "$m"
			} >"$kept/$f-$(basename "$m")"
		done
	done
fi
# No program's samples are at hand: a packet with one row, and two events.
if [ "$target" = fuzz_protobuf ]; then
	{
		printf '\000\020\001\030\007*^\022\\\012\034\010\001\022\003b.1\030\004 \0010\240\263'
		printf '\222\277\346-8\002B\001dJ\001tX\002\020\002\032:\010\007\020\002b4\012\030\010'
		printf '\000\020\004\032\002id \0010\000B\0011R\007int(11)\022\030\010\001\020\004\032'
		printf '\001v0\000B\001zR\012varchar(9)'
	} >"$kept/canal-pb"
	{
		printf '\003{"ts":415508878783938562,"scm":"d","tbl":"t","t":1}\377{"u":{"id":{"t":8,"f"'
		printf ':10,"v":1},"v":{"t":15,"f":65,"v":"\\\\x89a"},"w":{"t":252,"f":64,"v":"YWE="}},"'
		printf 'p":{"id":{"t":8,"f":10,"v":2}}}\377{"ts":1,"scm":"d","tbl":"t","t":2}\377{"q":"T'
		printf 'RUNCATE t","t":11}'
	} >"$kept/ticdc"
fi
log=$(mktemp)
"$build/$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=8000 -malloc_limit_mb=8000 \
	-artifact_prefix="$build/found/$target-" -print_final_stats=1 -max_len=65536 "$kept" >"$log" 2>&1
rc=$?
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
echo 1..1
if [ $rc -eq 0 ]; then
	echo "ok 1 - $target: nothing found in ${runs:-0} executions"
else
	echo "not ok 1 - $target"
	tail -n 40 "$log" | sed 's/^/# /'
fi
rm -f "$log"
exit $rc
