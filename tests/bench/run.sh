#!/bin/bash
# Speed, printed for a reader: scans of Parquet beside DuckDB on one thread, what our writer, our JSON
# parser and our printers do, then decoding beside avrocat and jq. Arguments go to bench_scan.py.
# DuckDB, pyarrow and the files they write are kept in $BUILD/bench, so that later runs are fast.
set -eu
build=$(realpath "${BUILD:-build}")
cd "$(dirname "$0")"
dir=$build/bench
python=$dir/venv/bin/python
packages=$(grep -E '^(duckdb|pyarrow)==' ../interop/requirements.txt | tr '\n' ' ')
mkdir -p "$dir"

if [ "$(cat "$dir/venv/done" 2>/dev/null)" != "$packages" ]; then
	python3 -m venv --clear "$dir/venv"
	# shellcheck disable=SC2086
	"$python" -m pip install -q --disable-pip-version-check $packages
	echo "$packages" >"$dir/venv/done"
fi

PYTHONDONTWRITEBYTECODE=1 "$python" bench_scan.py "$build" "$dir" "$@"
[ $# -eq 0 ] || exit 0
echo
echo "Writing Parquet, one thread, zstd level 1, CPU time"
"$build/tests/bench/bench_pq_write"
echo
echo "Change records, one thread, CPU time, best of five"
"$build/tests/bench/bench_json"
echo
echo "Rows as text, one thread, CPU time, best of five"
"$build/tests/bench/bench_print"
echo
./bench_decode.sh
