#!/bin/sh
# Proves that the Parquet reader gives the rows that other programs read from files of many writers,
# and survives damaged ones. The files are looked for in $CDC_CORPUS, else in ../shared/corpus beside the project.
exec python3 "$(dirname "$0")/parquet.py" "${BUILD:-build}/tests/corpus/pq_dump" "${CDC_CORPUS:-$(dirname "$0")/../../../shared/corpus}"
