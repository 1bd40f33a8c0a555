#!/bin/bash
# Proves that DTS dumps which other programs encoded decode to what other decoders found in them: both
# versions of the layout, as dumps, containers and single messages. Speaks TAP; the dumps are looked
# for in $CDC_CORPUS (else ../shared/corpus beside the project), and without them the tests are skipped.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
decode=$(cd "${BUILD:-build}" && pwd)/cdc-decode
data=${CDC_CORPUS:-$root/../shared/corpus}/dts
n=0
if [ ! -d "$data" ]; then
	echo "1..1"
	echo "ok 1 - DTS dumps # skip no corpus: 0 cases ran"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

point() { # point NAME: the result of the command before
	rc=$?
	n=$((n + 1))
	if [ $rc -eq 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}

# Change records without the places that differ between framings.
records() { "$decode" "$@" | jq -cS 'del(.position)'; }

for part in init changes; do
	records "$data/sales-$part.v1.kcat" >"$work/want"
	[ "$(jq -s 'map(select(.fields)) | length' "$work/want")" -eq 4 ]
	point "sales-$part: four rows"
	for other in v1.avro v2.kcat v2.avro; do
		records "$data/sales-$part.$other" | diff "$work/want" - >&2
		point "sales-$part: $other gives the records of v1.kcat"
	done
done

for message in 1-insert 2-update 3-delete 4-ddl; do
	records --framing single "$data/$message.v1.avro.bin" >"$work/v1"
	records --framing single "$data/$message.v2.avro.bin" >"$work/v2"
	[ -s "$work/v1" ] && diff "$work/v1" "$work/v2" >&2
	point "$message: v1 and v2"
done

# What EMR's decoder makes of the real records. It leaves null columns out and drops the text of DDL,
# and writes images, tags and names as JSON text.
"$decode" "$data/all-v2.kcat-R-s.bin" >"$work/all"
jq -cS 'select(.recordID) | {
	recordID, recordType, source: (.source | tojson), dbTable,
	epoch: (.recordTimestamp | fromdateiso8601),
	tags: (.extraTags | del(.sourcePosition, .safeSourcePosition, .sourceTxid)),
	fields: (.fields // []),
	before: (.beforeImages // {} | with_entries(select(.value != null))),
	after: (.afterImages // {} | with_entries(select(.value != null))) }' "$work/all" >"$work/got"
jq -cS '{
	recordID, recordType, source: (.source | fromjson | tojson),
	dbTable: (.dbTable | sub("\\.$"; "")), epoch: .recordTimestamp_epoch_s,
	tags: (.extraTags // "{}" | fromjson), fields: (.fields // "[]" | fromjson),
	before: (.beforeImages // "{}" | fromjson), after: (.afterImages // "{}" | fromjson) }' \
	"$data/expected-emr-udf.ndjson" >"$work/want"
diff "$work/want" "$work/got" >&2
point "real records: what EMR's decoder finds"
[ "$(wc -l <"$work/want")" -eq 6 ]
point "real records: all of them"
jq -se '[.[] | select(.recordType == "DDL")] | length == 1 and
	.[0].ddl == "create table t1(a bigint primary key, b varchar(100))"' "$work/all" >/dev/null
point "real records: the text of DDL, which EMR's decoder drops"
jq -se '[.[] | select(.recordType == "UPDATE" and .dbTable == "dental.item") | .afterImages |
	to_entries[] | select(.value == null) | .key] | length == 5' "$work/all" >/dev/null
point "real records: nulls, which EMR's decoder leaves out"

if command -v avrocat >/dev/null; then
	for f in "$data"/*.avro; do
		want=$(avrocat "$f" | jq -c '[.id, .operation, .sourceTimestamp]')
		got=$("$decode" "$f" | jq -c 'select(.recordID) | [.recordID, .recordType, (.recordTimestamp | fromdateiso8601)]')
		[ "$want" = "$got" ]
		point "$(basename "$f"): the events that avrocat prints"
	done
fi
echo "1..$n"
echo "# $n cases ran"
