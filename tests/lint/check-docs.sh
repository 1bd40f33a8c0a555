#!/bin/bash
# Prove that the manual and the programs tell the same: options with their arguments and choices,
# exit status, sections, references, and what README and the public header name. Speaks TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lint/tap.bash
build=${BUILD:-build}
programs=$(sed -n 's/^PROGRAMS := //p' Makefile)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Options of a page: "SHORT LONG ARG" from ".It Fl k , Fl Fl key Ar COLS", - for what is not there.
page_options() {
	sed -n 's/^\.It \(Fl .*Fl Fl\|Fl Fl\) /\1 /p' "$1" | awk '{
		short = arg = "-"; long = ""
		for (i = 1; i <= NF; i++) {
			if ($i == "Fl" && $(i + 1) == "Fl") { long = $(i + 2); i += 2 }
			else if ($i == "Fl") { short = $(i + 1); i++ }
			else if ($i == "Ar") { arg = $(i + 1); i++ }
		}
		print short, long, arg }' | sort
}

# The words that .Cm marks in the item of one option, also as items of a list in it.
item_choices() { # item_choices PAGE LONG
	awk -v long="$2" '/^\.Bl/ { depth++ }
		/^\.El/ { if (depth-- == level) here = 0 }
		/^\.It / && (!here || depth == level) {
			here = index($0 " ", "Fl Fl " long " ") > 0
			level = depth
		}
		here && /^\.Cm / { print $2 }
		here && /^\.It Cm / { print $3 }' "$1" | sort -u
}

section() { # section PAGE NAME: its text
	awk -v name=".Sh $2" '/^\.Sh / { here = $0 == name; next } here' "$1"
}

for p in $programs; do
	page=man/$p.1
	if ! "$build/$p" --dump-options >"$work/dump"; then
		point "$p runs" "$build/$p --dump-options failed"
		continue
	fi
	awk -F'\t' '$1 != "program" { print $2, $3, $4 }' "$work/dump" | sort >"$work/program"
	page_options "$page" >"$work/page"
	point "$page has the options of $p" "$(diff "$work/program" "$work/page")"
	bad=$(awk -F'\t' '$1 != "program" && $5 != "-" { print $3, $5 }' "$work/dump" |
		while read -r long choices; do
			item_choices "$page" "$long" >"$work/said"
			# shellcheck disable=SC2086
			printf '%s\n' $choices | sort -u | comm -23 - "$work/said" | sed "s/^/--$long: /"
		done)
	point "$page explains each choice" "$bad"
	bad=$(grep -oE -- '--[a-z][a-z-]+' <<<"$("$build/$p" --help | sed -n '/^Examples:/,/^$/p' |
		grep -oE "$p [^|]*")" | sort -u | sed 's/^--//' |
		grep -vxFf <(awk '{ print $2 }' "$work/program"))
	point "the examples of $p --help use its options" "$bad"
done

# Sections that each kind of page must have.
for page in man/*.[1-9]; do
	case $page in
	*.1) want="NAME SYNOPSIS DESCRIPTION EXIT_STATUS EXAMPLES SEE_ALSO" ;;
	*.7) want="NAME DESCRIPTION EXIT_STATUS EXAMPLES SEE_ALSO" ;;
	*) want="NAME DESCRIPTION SEE_ALSO" ;;
	esac
	bad=$(for s in $want; do grep -qx ".Sh ${s/_/ }" "$page" || echo "no ${s/_/ }"; done)
	name=$(basename "${page%.*}")
	grep -qxF ".Nm $name" "$page" || bad+=$'\n'"the name is not $name"
	grep -qxF ".Dt ${name^^} ${page##*.}" "$page" || bad+=$'\n'"the title is not ${name^^} ${page##*.}"
	point "$page has its sections and its name" "$bad"
done

# 0 and 70 stand in every program's page; what else does must be in the overview, which has all.
section man/cdc.7 'EXIT STATUS' | sed -n 's/^\.It //p' | sort -n >"$work/all"
bad=$(diff <(printf '%s\n' 0 1 2 3 4 5 6 70) "$work/all")
for p in $programs; do
	section "man/$p.1" 'EXIT STATUS' | sed -n 's/^\.It //p' >"$work/status"
	for s in 0 2 4 70; do
		grep -qx $s "$work/status" || bad+=$'\n'"man/$p.1: no $s"
	done
	bad+=$'\n'$(grep -vxFf "$work/all" "$work/status")
done
bad+=$'\n'$(grep -oE 'CMD_[A-Z_]+ = [0-9]+,?' cmd/common.h | grep -vE 'CMD_OPT' | grep -oE '[0-9]+' |
	grep -vxFf "$work/all")
point "each page has its exit status, and cdc(7) all" "$bad"

bad=$(grep -hoE '^\.Xr [^ ]+ [0-9]' man/* | sort -u | while read -r _ name number; do
	[ -e "man/$name.$number" ] || echo "$name($number)"
done)
point "references lead to pages of the project" "$bad"

if type mandoc >/dev/null 2>&1; then
	point "mandoc has nothing to say" "$(mandoc -T lint -W warning man/*.[1-9])"
else
	skip "mandoc has nothing to say" "no mandoc"
fi

# Functions of expressions: the table of them, and the manual's section.
bad=$(diff <(grep -oE '^	\{ "[a-z_]+", ' lib/table/expr/expr_call.c | grep -oE '[a-z_]+' | sort -u) \
	<(sed -n '/^\.Ss Expressions/,/^\.Ss Pos/p' man/cdc-table.5 |
		sed -n 's/^\.Li \([a-z_]*\)\( ,\)\{0,1\}$/\1/p' | sort -u))
point "cdc-table(5) names the functions of expressions" "$bad"

# README: its programs, options and files.
for p in $programs; do "$build/$p" --dump-options; done |
	awk -F'\t' '$1 == "option" { print "--" $3 }' | sort -u >"$work/options"
bad=$(grep -ohE -- '(^|[ `])--[a-z][a-z-]+' README.md | tr -d ' `' | sort -u |
	grep -vxFf "$work/options")
bad+=$'\n'$(grep -oE '\bcdc-[a-z]+\b' README.md | sort -u | while read -r w; do
	[ -e "cmd/$w.c" ] || ls man/"$w".[1-9] >/dev/null 2>&1 || [ "$w" = cdc-tools ] || echo "$w"
done)
bad+=$'\n'$(for p in $programs; do grep -qF "| \`$p\` |" README.md || echo "no $p"; done)
bad+=$'\n'$(grep -oE '`(lib|tests|cmd|man)(/[a-z.]+)*/?`' README.md | tr -d '`' | sort -u |
	while read -r f; do [ -e "$f" ] || echo "$f"; done)
bad+=$'\n'$(grep -oE '(^    |`)make [a-z]+' README.md | grep -oE '[a-z]+$' | sort -u |
	while read -r target; do
	grep -qE "^$target:" Makefile || echo "make $target"
done)
point "README names programs, options, files and targets that are there" "$bad"

# The header explains every function and member; the version script exports just the functions.
bad=$(tr '\n' ' ' <lib/cdc.h | grep -oE 'CDC_API [^(;]*\(' | grep -oE 'cdc_[a-z_]+\($' |
	tr -d '(' | sort | diff - <(grep -oE 'cdc_[a-z_]+' lib/cdc.map | sort))
bad+=$'\n'$(grep -nE '^#include ' lib/cdc.h | grep -vE '<std(def|int)\.h>')
point "lib/cdc.h is all that the library exports, and needs no other header of ours" "$bad"
plan
