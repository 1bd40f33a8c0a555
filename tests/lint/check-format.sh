#!/bin/bash
# Prove that clang-format has nothing to change, and that text files end lines as they should.
# Speaks TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lint/tap.bash

# Versions differ in details; the one of Debian 12 decides.
if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
	for part in cmd lib tests; do
		bad=$(project_files | grep -E "^$part/.*\.[ch]$" | xargs clang-format --dry-run 2>&1 |
			sed -n 's/:[0-9]*:[0-9]*: warning:.*//p' | sort -u)
		point "clang-format: $part" "$bad"
	done
else
	skip "clang-format" "no clang-format 14"
fi

text=$(project_files | grep -E '\.([chy157]|sh|bash|bats|py|md|map|in)$|^Makefile$|^\.ci/')
# shellcheck disable=SC2086
point "no white space at the end of a line" "$(grep -nE '[[:space:]]$' $text | cut -c 1-100)"
bad=$(for f in $text; do [ -z "$(tail -c 1 "$f")" ] || echo "$f"; done)
point "the last line of a file is one" "$bad"
plan
