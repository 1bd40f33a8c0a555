#!/bin/bash
# Prove that cppcheck finds nothing, and that functions fit a few screens. Speaks TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lint/tap.bash
lines_max=100

if type cppcheck >/dev/null 2>&1; then
	# Of the suppressions the first is about out parameters, which are named from both sides; the
	# others are about code that cppcheck cannot follow: error codes that say which output is set,
	# a sequence of macros, string concatenation by macros.
	bad=$(cppcheck --quiet --std=c11 --language=c -j "$(nproc)" \
		--enable=warning,performance,portability --inline-suppr \
		--template='{file}:{line}: {id}: {message}' \
		-Ilib -I. -D_GNU_SOURCE -DCDC_VERSION='""' -DCDC_LIBRARIES='""' \
		--suppress=missingIncludeSystem \
		--suppress=funcArgOrderDifferent \
		--suppress=uninitStructMember:lib/delta/commit.c \
		--suppress=uselessAssignmentPtrArg:lib/parquet/pq_pack.c \
		--suppress=unknownMacro:lib/source/dts/dts_schema.c \
		cmd lib 2>&1)
	point "cppcheck" "$bad"
else
	skip "cppcheck" "no cppcheck"
fi

# The braces of a function's body stand alone at the left margin.
# shellcheck disable=SC2046
bad=$(awk -v max=$lines_max 'FNR == 1 { start = 0 }
	/^{$/ { start = FNR }
	/^}$/ { if (start && FNR - start - 1 > max)
			print FILENAME ":" start ": " FNR - start - 1 " lines"
		start = 0 }' $(project_files | grep -E '^(cmd|lib)/.*\.[ch]$'))
point "no function is longer than $lines_max lines" "$bad"
bad=$(project_files | grep -E '\.([ch]|sh|py)$' | while read -r f; do
	awk 'NR == 1 && /^#!/ { next }
		/^(\/\*|\/\/|#|"""|r""")/ { found = 1 }
		{ exit }
		END { exit !found }' "$f" || echo "$f"
done)
point "each source file begins by saying what it is for" "$bad"
plan
