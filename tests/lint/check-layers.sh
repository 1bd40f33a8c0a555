#!/bin/bash
# Prove that the layers are one-way, that third-party headers stay in one file each, and that the
# library neither prints nor exits. Speaks TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lint/tap.bash
shopt -s globstar

# Which layers each may include.
declare -A may=(
	[base]="base"
	[io]="base io"
	[record]="base io record"
	[source]="base io record source"
	[parquet]="base io parquet"
	[delta]="base io parquet delta"
	[table]="base io record source parquet delta table"
)
for layer in base io record source parquet delta table; do
	allowed=$(tr ' ' '|' <<<"${may[$layer]}")
	bad=$(grep -nE '^#include "' "lib/$layer"/**/*.[ch] | grep -vE "#include \"($allowed)/")
	point "lib/$layer includes only ${may[$layer]}" "$bad"
done
for layer in source table; do
	bad=$(grep -oE "^#include \"$layer/[a-z]+/" "lib/$layer"/*/*.[ch] |
		sed -E "s|lib/$layer/([a-z]+)/.*\"$layer/([a-z]+)/|\1 \2|" | sort -u | awk '$1 != $2' | tsort 2>&1 >/dev/null)
	point "the folders of lib/$layer include each other one way only" "$bad"
done
bad=$(grep -lE '^#include <(avro|jansson|zstd|snappy-c|zlib|lz4|brotli/|roaring/|xxhash|archive|iconv)' lib/*/**/*.[ch] |
	while read -r f; do
		grep -oE '^#include <[^>]+' "$f" | sed 's/#include <//' |
			grep -E '^(avro|jansson|zstd|snappy-c|zlib|lz4|brotli/|roaring/|xxhash|archive)' |
			while read -r h; do echo "$h:$(cut -d/ -f2 <<<"$f") $f"; done
	done | sort | awk '{ files[$1] = files[$1] " " $2; count[$1]++ }
		END { for (h in count) if (count[h] > 1) print h ":" files[h] }')
point "each third-party header is included in one file of a layer" "$bad"
bad=$(grep -nE '\b(printf|puts|putchar|exit|abort|perror)\(|\bfprintf\((stdout|stderr)' lib/*/**/*.c | grep -vE 'snprintf|cdc_buf_printf')
point "the library does not print or exit" "$bad"
bad=$(grep -nE '(^|[^_>.a-z])(open|read|write|pread|pwrite|fsync|link|rename|unlink|mkdir|fopen|opendir|clock_gettime|time)\(' lib/{base,record,source,parquet,delta,table}/**/*.c |
	grep -vE '^\S+:[0-9]+:\s*(\*|/\*|static|int |/)')
point "only lib/io calls the operating system" "$bad"
bad=$(grep -nE '\b(TODO|FIXME|XXX)\b' -r cmd lib tests man Makefile README.md 2>/dev/null | grep -v check-layers.sh)
point "no leftovers" "$bad"
bad=$(find cmd lib -name '*.[ch]' -printf '%f %p\n' | sort | awk '{ if ($1 == last) print $1; last = $1 }')
point "file names are unique" "$bad"
plan
