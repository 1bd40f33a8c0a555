#!/bin/bash
# Prove that nothing in the project depends on, or tells of, the machine that it was written on, and
# that its text names things by what they are. Speaks TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lint/tap.bash
# This file has the patterns in it.
mapfile -t files < <(project_files | grep -vE '^(LICENSE|tests/lint/check-words\.sh)$')
find_in() { # find_in PATTERN FILES...
	local pattern=$1
	shift
	grep -nHIP "$pattern" "$@" | cut -c 1-140
}

point "no path of one machine" \
	"$(find_in '(?<![\w/.$}%])/(work|home|root|Users|srv|mnt)/\w' "${files[@]}")"
point "no file of an editor or of a build" \
	"$(printf '%s\n' "${files[@]}" | grep -E '(~|\.orig|\.rej|\.sw[op]|\.o|\.a|\.so|\.pyc)$')"

# Hosts that text or build files may name.
hosts='127\.0\.0\.1|delta\.io|(www|maven)\.apache\.org|(www\.)?github\.com|example\.(com|org)|localhost'
bad=$(find_in "(https?|git|ssh|ftp)://(?!($hosts)([/:\"' ),>]|\$))[A-Za-z0-9]" "${files[@]}")
point "no host but those of the project's standards and sources" "$bad"

# Names that say nothing, in names of files and in text for people.
mapfile -t text < <(printf '%s\n' "${files[@]}" | grep -E '^(README|man|cmd|lib|completions|\.ci)' )
bad=$(find_in '(?i)\b(helpers?|utils?|utilit(y|ies)|misc|sessions?|stuff|foobar)\b' "${text[@]}")
bad+=$'\n'$(printf '%s\n' "${files[@]}" | grep -iE '(^|[/_.-])(helpers?|utils?|misc|common2|new|old|tmp)\.[a-z]+$')
point "no word that says nothing" "$bad"
bad=$(printf '%s\n' "${files[@]}" | grep -vE '^[A-Za-z0-9._/-]+$')
point "plain file names" "$bad"
plan
