#!/bin/sh
# Proves that cdc-snapshot prints the rows that the Delta projects' own test tables must have. The
# tables are looked for in $CDC_CORPUS, else in ../shared/corpus beside the project.
exec python3 "$(dirname "$0")/snapshot.py" "${BUILD:-build}/cdc-snapshot" "${CDC_CORPUS:-$(dirname "$0")/../../../shared/corpus}"
