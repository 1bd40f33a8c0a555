#!/usr/bin/env bats
# Proves that the examples of the manual and of README work: each command after "$ " is run, in
# order, in a directory with inputs of the names that the pages use. Where the page shows output it
# must be what is printed, but for times. A file that a page shows by cat is made to be just that.

bats_require_minimum_version 1.5.0

setup_file() {
	[ -x "${BUILD:-build}/tests/dts/make_dump" ] ||
		make -s BUILD="${BUILD:-build}" "${BUILD:-build}/tests/dts/make_dump" 3>&-
}

setup() {
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	build=$(cd "${BUILD:-build}" && pwd)
	PATH=$build:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	"$build/tests/dts/make_dump" --sales init >init.kcat
	"$build/tests/dts/make_dump" --sales changes >changes.kcat
	cdc-decode -q --from dts changes.kcat >changes.ndjson
	cat >full.csv <<-'CSV'
		1,2019-11-11,Robert,323.00
		2,2019-11-11,Lee,500.00
	CSV
}

# The table of the pages, with a version for each of a few changes.
make_table() {
	cdc-decode init.kcat |
		cdc-merge -q --schema 'id BIGINT, date DATE, name STRING, sales DECIMAL(7,2)' -k id sales
	cdc-merge -q sales changes.ndjson
	echo '{"recordType":"INSERT","afterImages":{"id":"9"}}' | cdc-merge -q sales
	echo '{"recordType":"DELETE","beforeImages":{"id":"3"}}' | cdc-merge -q sales
}

# Text of the examples of a page: its literal blocks and lines, without roff's escapes.
examples_of() {
	awk '/^\.Sh / { here = $0 == ".Sh EXAMPLES" }
		!here { next }
		/^\.Bd -literal/ { block = 1; next }
		/^\.Ed/ { block = 0 }
		/^\.Dl / { print "$ " substr($0, 5) }
		block' "$1" | sed 's/\\(dq/"/g; s/\\(aq/'"'"'/g; s/\\&//g; s/\\-/-/g; s/\\e/\\/g'
}

# The same of README: its indented blocks.
examples_of_readme() { sed -n 's/^    //p' "$root/README.md"; }

# One example a file: N.command and N.output, from standard input.
split() {
	rm -rf examples
	mkdir examples
	awk '/^\$ / {
			n++
			file = sprintf("examples/%02d", n)
			output = 0
			print substr($0, 3) >(file ".command")
			next
		}
		n && !output && /^[ \t]/ { print >(file ".command"); next }
		n { output = 1; print >(file ".output") }'
}

# Runs in a shell of its own: examples may set options and variables for those after them.
cat_driver() {
	cat <<-'DRIVER'
	set -o pipefail
	# The messages that a broker would send.
	kcat() { cat changes.kcat; }
	without_times() { sed -E 's/[0-9]+ ms$/N ms/' "$1"; }
	for example in examples/*.command; do
		command=$(<"$example")
		output=${example%.command}.output
		if [[ $command =~ ^cat\ ([a-z.]+)$ && -e $output ]]; then
			cp "$output" "${BASH_REMATCH[1]}"
			continue
		fi
		eval "$command" >got 2>&1 </dev/null
		status=$?
		# diff says by 1 that there is a difference; head ends a pipe early.
		case $status,$command in
		0,* | 1,diff\ * | 141,*head*) ;;
		*)
			printf 'exit status %d of\n%s\n' "$status" "$command"
			cat got
			exit 1
			;;
		esac
		[ ! -e "$output" ] || diff -u <(without_times "$output") <(without_times got) || {
			printf 'is the output of\n%s\n' "$command"
			exit 1
		}
	done
	DRIVER
}

run_examples() { # run_examples AT_LEAST: those on standard input
	split
	[ "$(find examples -name '*.command' | wc -l)" -ge "$1" ]
	cat_driver >driver
	run bash driver
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
}

@test "manual: README" {
	examples_of_readme >text
	run_examples 4 <text
	# Its export, with the one that README does not show.
	cdc-snapshot -f csv -c id,sales batch | diff <(printf 'id,sales\n1,323.0\n2,500.0\n') -
}

@test "manual: cdc-compact(1)" {
	make_table
	run_examples 3 < <(examples_of "$root/man/cdc-compact.1")
}

@test "manual: cdc-decode(1)" {
	make_table
	# A reject of a message that decodes by now.
	length=$(od -An -tu4 --endian=big -N 4 init.kcat)
	printf '{"raw":"%s"}\n' "$(tail -c +5 init.kcat | head -c "$length" | base64 -w 0)" \
		>rejects.ndjson
	run_examples 3 < <(examples_of "$root/man/cdc-decode.1")
}

@test "manual: cdc-dedup(1)" {
	make_table
	run_examples 3 < <(examples_of "$root/man/cdc-dedup.1")
}

@test "manual: cdc-merge(1)" {
	run_examples 4 < <(examples_of "$root/man/cdc-merge.1")
	cdc-snapshot -f csv -c id,sales sales | sort |
		diff <(printf '%s\n' 2,175.00 3,136.00 4,211.00 5,233.00 id,sales) -
}

@test "manual: cdc-snapshot(1)" {
	make_table
	run_examples 4 < <(examples_of "$root/man/cdc-snapshot.1")
}

@test "manual: cdc(7)" {
	make_table
	run_examples 4 < <(examples_of "$root/man/cdc.7")
}

@test "manual: the records of cdc-record(5) are records" {
	examples_of "$root/man/cdc-record.5" | grep '^{' >records.ndjson
	[ "$(wc -l <records.ndjson)" -ge 3 ]
	cdc-decode --from records records.ndjson | diff records.ndjson -
	cdc-merge -q t records.ndjson
	run -0 cdc-snapshot t
	[ "$output" = '{"id":2,"sales":150.00}' ]
}

@test "manual: every page with examples is here" {
	for page in "$root"/man/*; do
		grep -q '^\.Sh EXAMPLES' "$page" || continue
		grep -qF "man/$(basename "$page")" "$BATS_TEST_FILENAME" ||
			{ echo "$page"; return 1; }
	done
}

@test "manual: the examples of --help run" {
	for p in cdc-compact cdc-decode cdc-dedup cdc-merge cdc-snapshot; do
		rm -rf sales t
		make_table
		cp changes.ndjson records.ndjson
		printf 'id,name\n1,a\n' >full.csv
		[ $p != cdc-merge ] || echo '{"recordType":"INSERT","afterImages":{"id":"9"}}' >records.ndjson
		$p --help | sed -n '/^Examples:/,/^$/s/^  /$ /p' >text
		run_examples 2 <text
	done
}
