#!/usr/bin/env bats
# Proves that `make install` puts there what it should and `make uninstall` takes it away, that a
# program compiles against the installed library in both ways, that the library exports its header
# and nothing else, and that a build is reproducible.

bats_require_minimum_version 1.5.0

setup_file() {
	root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	build=${BUILD:-build}
	stage=$BATS_FILE_TMPDIR/stage
	export root build stage
	make -s -C "$root" install BUILD="$build" PREFIX=/usr DESTDIR="$stage" \
		>"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log"; return 1; }
	version=$("$stage/usr/bin/cdc-merge" --version)
	export version=${version#* }
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	unset PKG_CONFIG_PATH
	export PKG_CONFIG_LIBDIR=$stage/usr/lib/pkgconfig:$(pkg-config --variable pc_path pkg-config)
}

cdc_config() { pkg-config --define-variable=prefix="$stage/usr" "$@" cdc; }

manifest() {
	local p
	for p in cdc-compact cdc-decode cdc-dedup cdc-merge cdc-snapshot; do
		echo "f 755 usr/bin/$p"
		echo "f 644 usr/share/bash-completion/completions/$p"
		echo "f 644 usr/share/fish/vendor_completions.d/$p.fish"
		echo "f 644 usr/share/man/man1/$p.1"
		echo "f 644 usr/share/zsh/site-functions/_$p"
	done
	echo "f 644 usr/include/cdc.h"
	echo "f 644 usr/lib/libcdc.a"
	echo "l 777 usr/lib/libcdc.so"
	echo "l 777 usr/lib/libcdc.so.0"
	echo "f 755 usr/lib/libcdc.so.$version"
	echo "f 644 usr/lib/pkgconfig/cdc.pc"
	echo "f 644 usr/share/man/man5/cdc-formats.5"
	echo "f 644 usr/share/man/man5/cdc-record.5"
	echo "f 644 usr/share/man/man5/cdc-table.5"
	echo "f 644 usr/share/man/man7/cdc.7"
}

@test "install: programs, manual, completions, library, and nothing else" {
	(cd "$stage" && find . -type d -o -printf '%y %m %P\n') | sort >got
	manifest | sort >want
	diff -u want got
	[ "$(readlink "$stage/usr/lib/libcdc.so")" = libcdc.so.0 ]
	[ "$(readlink "$stage/usr/lib/libcdc.so.0")" = "libcdc.so.$version" ]
}

@test "install: no file tells where it was built" {
	run ! grep -rlF -e "$root" -e "$BATS_FILE_TMPDIR" "$stage/usr"
}

@test "install: other directories" {
	make -s -C "$root" install BUILD="$build" PREFIX=/opt/cdc libdir=/opt/lib64 \
		mandir=/man DESTDIR="$PWD/other" 3>&- >log 2>&1 || { cat log; return 1; }
	[ -e other/opt/lib64/libcdc.so.0 ]
	[ -e other/man/man7/cdc.7 ]
	run -0 grep -E '^(prefix|libdir|includedir)=' other/opt/lib64/pkgconfig/cdc.pc
	diff -u - <(echo "$output") <<-'PC'
		prefix=/opt/cdc
		libdir=/opt/lib64
		includedir=${prefix}/include
	PC
}

@test "install: the library exports its header and nothing else" {
	# Functions are what CDC_API stands before.
	tr '\n' ' ' <"$stage/usr/include/cdc.h" | grep -oE 'CDC_API [^(;]*\(' |
		grep -oE 'cdc_[a-z_]+\($' | tr -d '(' | sort >want
	[ "$(wc -l <want)" -gt 10 ]
	nm -D --defined-only "$stage/usr/lib/libcdc.so" | awk '$2 == "T" { print $3 }' |
		sed 's/@.*//' | sort >shared
	diff -u want shared
	nm --extern-only --defined-only "$stage/usr/lib/libcdc.a" |
		awk 'NF == 3 { print $3 }' | sort >static
	diff -u want static
	grep -oE 'cdc_[a-z_]+' "$root/lib/cdc.map" | sort | diff -u want -
	readelf -d "$stage/usr/lib/libcdc.so" | grep -q 'SONAME.*\[libcdc.so.0\]'
}

write_program() {
	cat >embed.c <<-'C'
	#include <cdc.h>

	#include <stdio.h>
	#include <string.h>

	static int report(const char *what, const struct cdc_error *e)
	{
		fprintf(stderr, "%s: %d %s\n", what, e->code, e->message);
		return 1;
	}

	static void on_commit(void *context, const struct cdc_apply_result *r)
	{
		(void)context;
		printf("version %lld: %llu inserted\n", (long long)r->version,
		       (unsigned long long)r->inserted);
	}

	int main(int argc, char **argv)
	{
		static const char *const line[] = {
			"{\"recordType\":\"INSERT\",\"afterImages\":{\"id\":\"1\",\"sales\":\"323.00\"}}",
			"{\"recordType\":\"INSERT\",\"afterImages\":{\"id\":\"2\",\"sales\":\"0.5\"}}\n"
		};
		static const char *const key[] = { "id", NULL };
		struct cdc_apply_options opt = CDC_APPLY_OPTIONS_INIT;
		struct cdc_apply *a;
		struct cdc_table *t;
		struct cdc_cursor *c;
		struct cdc_error e;
		const char *row;
		size_t n;
		int rc;

		opt.table = argc > 1 ? argv[1] : "t";
		opt.create = 1;
		opt.schema = "id BIGINT NOT NULL, sales DECIMAL(7,2)";
		opt.key = key;
		opt.on_commit = on_commit;
		if (cdc_apply_open(&a, &opt, &e))
			return report("open", &e);
		for (size_t i = 0; i < 2; i++)
			if (cdc_apply_put(a, line[i], strlen(line[i]), &e))
				return report("put", &e);
		if (cdc_apply_commit(a, &e))
			return report("commit", &e);
		cdc_apply_close(a);
		if (cdc_table_open(&t, opt.table, -1, &e) || cdc_cursor_open(&c, t, NULL, &e))
			return report("read", &e);
		while ((rc = cdc_cursor_next(c, &row, &n, &e)) == 0)
			printf("%.*s\n", (int)n, row);
		if (rc < 0)
			return report("next", &e);
		cdc_cursor_close(c);
		cdc_table_close(t);
		puts(cdc_version_string());
		return 0;
	}
	C
	cat >want <<-WANT
		version 1: 2 inserted
		{"id":1,"sales":323.00}
		{"id":2,"sales":0.50}
		$version
	WANT
}

compile() { # compile OUTPUT LIBRARIES...
	local out=$1
	shift
	# shellcheck disable=SC2046,SC2086
	${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror $(cdc_config --cflags) -o "$out" embed.c \
		"$@" ${SANITIZE-}
}

@test "install: a program against the shared library" {
	write_program
	# shellcheck disable=SC2046
	compile embed $(cdc_config --libs)
	readelf -d embed | grep -q 'NEEDED.*\[libcdc.so.0\]'
	LD_LIBRARY_PATH=$stage/usr/lib ./embed >got
	diff -u want got
}

@test "install: a program against the static library" {
	write_program
	# shellcheck disable=SC2046
	compile embed $(cdc_config --static --libs | sed 's/-lcdc\b/-l:libcdc.a/')
	run ! grep -q libcdc <(readelf -d embed)
	./embed >got
	diff -u want got
}

@test "install: the installed programs read what the library wrote" {
	write_program
	# shellcheck disable=SC2046
	compile embed $(cdc_config --libs)
	LD_LIBRARY_PATH=$stage/usr/lib ./embed table >/dev/null
	run -0 "$stage/usr/bin/cdc-snapshot" -f tsv table
	diff -u <(printf 'id\tsales\n1\t323.00\n2\t0.50\n') <(echo "$output")
}

@test "install: pkg-config knows the version" {
	[ "$(cdc_config --modversion)" = "$version" ]
}

@test "install: uninstall leaves nothing" {
	cp -a "$stage" gone
	make -s -C "$root" uninstall BUILD="$build" PREFIX=/usr DESTDIR="$PWD/gone" 3>&- >log 2>&1 ||
		{ cat log; return 1; }
	run -0 find gone ! -type d
	[ -z "$output" ]
}

@test "build: two builds in two places give the same bytes" {
	mkdir -p one two
	cp -r "$root/Makefile" "$root/lib" "$root/cmd" one
	cp -r one two/deeper
	for d in one two/deeper; do
		make -s -C "$d" BUILD="b-${d%/*}" LAYERS="base io record" "b-${d%/*}/cdc-dedup" \
			3>&- >log 2>&1 || { cat log; return 1; }
	done
	cmp one/b-one/cdc-dedup two/deeper/b-two/cdc-dedup
	cmp one/b-one/libcdc.a two/deeper/b-two/libcdc.a
}
