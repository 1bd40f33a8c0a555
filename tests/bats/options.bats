#!/usr/bin/env bats
# Proves how every program takes its options, what --help and --version print and where, how
# messages look, and that the shell completions made from the option tables parse and complete.

bats_require_minimum_version 1.5.0

PROGRAMS="cdc-compact cdc-decode cdc-dedup cdc-merge cdc-snapshot"

setup() {
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	record='{"recordType":"INSERT","afterImages":{"id":"1","name":"a"}}'
	echo "$record" >in.ndjson
}

# refuses STATUS TEXT COMMAND...: exactly one message, and nothing on standard output
refuses() {
	local want=$1 text=$2
	shift 2
	run -"$want" --separate-stderr "$@"
	[ -z "$output" ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[ "$stderr" = "$text" ] || { printf 'got:  %q\nwant: %q\n' "$stderr" "$text"; return 1; }
}

make_table() { cdc-merge -q --create --schema 'id BIGINT, name STRING' -k id t in.ndjson; }

@test "options: unknown ones" {
	for p in $PROGRAMS; do
		refuses 2 "$p: error: unknown option --nothing (see $p --help)" $p --nothing
		refuses 2 "$p: error: unknown option --nothing (see $p --help)" $p --nothing=1
		refuses 2 "$p: error: unknown option -0 (see $p --help)" $p -0
		refuses 2 "$p: error: unknown option -0 (see $p --help)" $p -q0
	done
}

@test "options: abbreviations are refused, also unique ones" {
	refuses 2 "cdc-merge: error: unknown option --insert (see cdc-merge --help)" cdc-merge --insert t
	for p in $PROGRAMS; do
		refuses 2 "$p: error: unknown option --hel (see $p --help)" $p --hel
		refuses 2 "$p: error: unknown option --helpp (see $p --help)" $p --helpp
	done
}

@test "options: a missing value" {
	refuses 2 "cdc-merge: error: option needs a value: --schema DDL" cdc-merge t --schema
	refuses 2 "cdc-merge: error: option needs a value: -k COLS" cdc-merge t -k
	refuses 2 "cdc-merge: error: option needs a value: -k COLS" cdc-merge t -qk
}

@test "options: a value where none goes, and values that do not fit" {
	refuses 2 "cdc-merge: error: option takes no value: --dry-run" cdc-merge --dry-run=1 t
	refuses 2 'cdc-merge: error: --mode: "x" is not one of auto, dv, cow' cdc-merge --mode x t
	refuses 2 'cdc-merge: error: --mode: "" is not one of auto, dv, cow' cdc-merge --mode= t
	refuses 2 'cdc-merge: error: --retries: "1x" is not a valid N' cdc-merge --retries 1x t
	refuses 2 'cdc-merge: error: --batch-bytes: "1Q" is not a valid SIZE' cdc-merge --batch-bytes 1Q t
	refuses 2 'cdc-merge: error: --batch-time: "soon" is not a valid S' cdc-merge --batch-time soon t
	refuses 2 'cdc-snapshot: error: --limit: "99999999999999999999" is not a valid N' \
		cdc-snapshot --limit 99999999999999999999 t
}

@test "options: attached and separate values, bundles, operands in between" {
	make_table
	echo '{"id":1}' >want
	cdc-snapshot t -c id --format ndjson | diff want -
	cdc-snapshot t -cid --format=ndjson | diff want -
	cdc-snapshot -c id t -f ndjson | diff want -
	cdc-snapshot -qvcid -fndjson t | diff want -
	cdc-snapshot -qvc id t | diff want -
	# A value may look like an option; the last of two counts.
	cdc-snapshot --limit 0 --limit 1 --columns=id t | diff want -
	run -2 cdc-snapshot --columns --limit t
	[[ $output == *'no column "--limit"'* ]]
	cdc-dedup --key=id in.ndjson | grep -q '"id":"1"'
}

@test "options: -- ends them, - is standard input" {
	mv in.ndjson ./--key
	cdc-dedup -k id -- --key | head -n 1 | grep -q '"id":"1"'
	cdc-dedup -k id - <--key | head -n 1 | grep -q '"id":"1"'
	cdc-dedup -k id <--key | head -n 1 | grep -q '"id":"1"'
	run -4 cdc-dedup -k id -- -k
	[[ $output == *'-k'*'No such file'* ]]
}

@test "options: --help is a screen, on standard output, and wins" {
	for p in $PROGRAMS; do
		for o in --help -h '-h --version' '-vh in.ndjson'; do
			# shellcheck disable=SC2086
			run -0 --separate-stderr $p $o
			[ -z "$stderr" ]
			[ "${lines[0]%% \[*}" = "usage: $p" ]
		done
		$p --help >help
		n=$(wc -l <help)
		[ "$n" -ge 15 ] && [ "$n" -le 40 ]
		run ! grep -nE '.{101}' help
		run ! grep -nP '[^\x0a\x20-\x7e]' help
		grep -qE '^Examples:$' help
		[ "$(grep -cE "^  .*$p" help)" -ge 2 ]
		# Every option but the hidden one and the rare ones is there.
		$p --dump-options | awk -F'\t' '$1 == "option" { print $3 }' >names
		while read -r name; do
			grep -qE -- "^ .*--$name( |\$)" help || { echo "$p: --$name"; return 1; }
		done <names
		run ! grep -q dump-options help
	done
}

@test "options: --version, and with -v the libraries" {
	version=$(sed -n 's/^VERSION := //p' "$root/Makefile")
	for p in $PROGRAMS; do
		run -0 --separate-stderr $p --version
		[ "$output" = "$p $version" ]
		[ -z "$stderr" ]
		run -0 $p -V
		[ "$output" = "$p $version" ]
		run -0 $p --version -v
		[ "${lines[0]}" = "$p $version" ]
		[[ ${lines[1]} == "built with "*zlib*CRoaring* ]]
		[ "${#lines[@]}" -eq 2 ]
	done
}

@test "options: a full disk under --help and --version is 4" {
	[ -c /dev/full ] || skip "no /dev/full"
	for p in $PROGRAMS; do
		for o in --help --version --dump-options; do
			run -4 bash -c "$p $o >/dev/full"
			[ "$output" = "$p: error: standard output: No space left on device" ]
		done
	done
}

@test "options: no operand where one is needed" {
	for p in cdc-compact cdc-merge cdc-snapshot; do
		refuses 2 "$p: error: no TABLE given (see $p --help)" $p
	done
	refuses 2 "cdc-compact: error: more than one TABLE given (see cdc-compact --help)" cdc-compact a b
}

@test "options: a file that is written is not read, nor written twice" {
	local p stem
	cp in.ndjson kept
	ln -s in.ndjson link
	for p in "cdc-decode --from records" "cdc-dedup -k id"; do
		stem=${p%% *}
		refuses 2 "$stem: error: --reject would overwrite the input: in.ndjson" \
			$p --reject in.ndjson in.ndjson
		refuses 2 "$stem: error: --stats would overwrite the input: in.ndjson" \
			$p --stats link in.ndjson
		refuses 2 "$stem: error: --reject and --output are the same file: new" \
			$p --reject new -o new in.ndjson
		refuses 2 "$stem: error: --reject and --stats are the same file: link" \
			$p --reject link --stats ./in.ndjson in.ndjson
		cmp in.ndjson kept
		[ ! -e new ]
		# What is no regular file takes everything, and -o appears when all is read.
		$p --reject /dev/null --stats /dev/null in.ndjson >want
		$p -o in.ndjson in.ndjson
		cmp in.ndjson want
		cp kept in.ndjson
	done
}

@test "options: a terminal on standard input gets a hint" {
	script -qec true /dev/null >/dev/null 2>&1 || skip "script(1) gets no terminal here"
	make_table
	for c in cdc-decode "cdc-dedup -k id" "cdc-merge t"; do
		run -2 timeout 20 script -qec "$c" /dev/null
		p=${c%% *}
		[ "${output%$'\r'}" = "$p: error: no input: name a file, or pipe records in (see $p --help)" ]
	done
}

@test "messages: what steers a terminal is escaped, in names and in text" {
	name=$'a\e[31m\x7f\n\xc2\x9bb\xffé'
	shown='a\x1b[31m\x7f\x0a\xc2\x9bb\xffé'
	refuses 2 "cdc-merge: error: unknown option --$shown (see cdc-merge --help)" cdc-merge "--$name"
	refuses 2 "cdc-merge: error: --mode: \"$shown\" is not one of auto, dv, cow" cdc-merge --mode "$name" t
	echo 'no record' >"$name"
	run -3 --separate-stderr cdc-dedup -k id "$name"
	[[ $stderr == "cdc-dedup: $shown:1: error: "* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
	run -4 --separate-stderr cdc-dedup -k id "x$name"
	[[ $stderr == "cdc-dedup: "*"x$shown"* ]]
	[ "${#stderr_lines[@]}" -eq 1 ]
}

@test "messages: a long argument is cut, not more" {
	long=$(printf '%5000s' '' | tr ' ' x)
	run -2 cdc-merge "--$long"
	[ "${#lines[@]}" -eq 1 ]
	[ "${#output}" -lt 2048 ]
	[[ $output == "cdc-merge: error: unknown option --xxx"* ]]
}

# ---------------------------------------------------------------- completions

completions() {
	for p in $PROGRAMS; do
		"$root/completions/make.sh" "$(command -v $p)" out
		$p --dump-options >"$p.dump"
	done
}

@test "completions: choices are words that need no quotes in any shell" {
	completions
	for p in $PROGRAMS; do
		awk -F'\t' '$1 != "program" { print $5 }' "$p.dump" | tr ' ' '\n' >choices
		run ! grep -vE '^[A-Za-z0-9_.-]+$' choices
		# Seven fields are the format that the generator reads.
		run ! awk -F'\t' '$1 == "option" && NF != 6 { print; found = 1 } END { exit !found }' "$p.dump"
	done
}

@test "completions: bash" {
	completions
	mkdir 'a dir'
	touch 'a file'
	for p in $PROGRAMS; do
		bash -n "out/bash/$p"
		awk -F'\t' '$1 != "program" { print "--" $3; if ($2 != "-") print "-" $2 }' "$p.dump" |
			sort >want
		bash -c '. "out/bash/$1"; COMP_WORDS=("$1" -); COMP_CWORD=1
			"_${1//-/_}"; printf "%s\n" "${COMPREPLY[@]}"' _ "$p" | sort >got
		diff -u want got
	done
	complete_bash() { # complete_bash PROGRAM WORD...: for the last word
		bash -c '. "out/bash/$1"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
			"_${1//-/_}"; printf "%s\n" "${COMPREPLY[@]}"' _ "$@" | sort | tr '\n' '|'
	}
	[ "$(complete_bash cdc-merge --mode '')" = 'auto|cow|dv|' ]
	[ "$(complete_bash cdc-merge --mode = d)" = 'dv|' ]
	[ "$(complete_bash cdc-merge --mode =)" = 'auto|cow|dv|' ]
	[ "$(complete_bash cdc-merge --reje)" = '--reject|' ]
	[ "$(complete_bash cdc-merge --reject a)" = 'a dir|a file|' ]
	[ "$(complete_bash cdc-merge 'a d')" = 'a dir|' ]
	[ "$(complete_bash cdc-merge -k '')" = '|' ]
}

@test "completions: zsh" {
	type zsh >/dev/null 2>&1 || skip "no zsh"
	completions
	for p in $PROGRAMS; do
		zsh -n "out/zsh/_$p"
		# What _arguments is called with: each option once, by both of its names.
		zsh -fc '_arguments() { print -rl -- "$@"; }; source "out/zsh/_$1"' _ "$p" |
			grep -oE '^-[^[]*' | sed 's/[=+]*$//' | grep -vx -e -s -e -S | sort >got
		awk -F'\t' '$1 == "option" { print "--" $3; if ($2 != "-") print "-" $2 }' "$p.dump" |
			sort >want
		diff -u want got
	done
}

@test "completions: fish" {
	type fish >/dev/null 2>&1 || skip "no fish"
	completions
	for p in $PROGRAMS; do
		HOME=$PWD fish --no-execute "out/fish/$p.fish"
		HOME=$PWD fish -c "source out/fish/$p.fish; complete -C '$p --'" | cut -f 1 | sort >got
		awk -F'\t' '$1 == "option" { print "--" $3 }' "$p.dump" | sort >want
		diff -u want <(grep -e '^--' got | sed 's/=$//')
	done
}
