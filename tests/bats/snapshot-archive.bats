#!/usr/bin/env bats
# Proves that cdc-snapshot --archive writes a table that stands by itself: other programs unpack every
# format, the copy has the rows of its version, merges into it go on where the source stands, and a
# table that cannot be copied whole leaves no archive.

bats_require_minimum_version 1.5.0

setup() {
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	insert 0 1 a >one.ndjson
	insert 1 2 b >>one.ndjson
	cdc-merge -q --create --schema 'id BIGINT NOT NULL, name STRING' -k id sales one.ndjson
}

insert() { # insert OFFSET ID NAME
	printf '{"recordType":"INSERT","afterImages":{"id":"%s","name":"%s"},"position":{"topic":"t","partition":0,"offset":%s}}\n' \
		"$2" "$3" "$1"
}

# The rows of two tables are the same, and there are some.
same_rows() {
	cdc-snapshot "${@:3}" "$1" | sort >rows.1
	cdc-snapshot "$2" | sort >rows.2
	[ -s rows.1 ]
	diff -u rows.1 rows.2
}

refuses() { # refuses STATUS PATTERN COMMAND...: and no file is left
	local want=$1 pattern=$2
	shift 2
	mkdir -p out
	run -"$want" --separate-stderr "$@"
	[ -z "$output" ]
	[[ $stderr == *"$pattern"* ]] || { echo "$stderr"; return 1; }
	[ -z "$(ls -A out)" ] || { ls -A out; return 1; }
}

log=_delta_log/00000000000000000000.json

@test "archive: every format, unpacked by others" {
	for suffix in tar tar.gz tgz tar.bz2 tbz2 tar.xz txz tar.zst tzst tar.lz4 zip cpio 7z; do
		cdc-snapshot --archive "copy.$suffix" sales
		bsdtar -xf "copy.$suffix"
		same_rows sales copy
		rm -r copy
	done
	[ "$(cdc-snapshot --help | grep -c -- --archive)" -eq 1 ]
	python3 - <<-'EOF'
		import tarfile, zipfile
		for name in "copy.tar", "copy.tar.gz", "copy.tar.bz2", "copy.tar.xz":
		    with tarfile.open(name) as t:
		        for m in t.getmembers():
		            assert m.uid == m.gid == 0 and m.isfile() == (m.mode == 0o644), m.name
		            assert m.isfile() or m.mode == 0o755, m.name
		            assert m.name == "copy" or m.name.startswith("copy/"), m.name
		        assert any(m.name.endswith(".parquet") for m in t.getmembers())
		assert zipfile.ZipFile("copy.zip").testzip() is None
	EOF
}

@test "archive: data files are copied byte for byte, with their times" {
	touch -d 2020-02-02T02:02:02.75Z sales/*.parquet
	cdc-snapshot --archive copy.tar sales
	tar xf copy.tar
	for f in sales/*.parquet; do
		cmp "$f" "copy/${f##*/}"
		[ "$(stat -c %Y "copy/${f##*/}")" -eq "$(date -d 2020-02-02T02:02:02Z +%s)" ]
	done
	(cd sales && find . -name '*.parquet' | sort) | diff - <(cd copy && find . -name '*.parquet' | sort)
}

@test "archive: an older version" {
	v=$(cdc-snapshot --describe sales | jq .version)
	insert 2 1 changed | cdc-merge -q sales
	insert 3 9 new | cdc-merge -q sales
	cdc-snapshot --archive then.tar --version-as-of "$v" sales
	tar xf then.tar
	same_rows sales then --version-as-of "$v"
	cdc-snapshot then | sort >got
	printf '{"id":1,"name":"a"}\n{"id":2,"name":"b"}\n' | diff - got
	# Only what that version is made of.
	[ "$(find then -name '*.parquet' | wc -l)" -eq "$(cdc-snapshot --describe then | jq .files)" ]
	[ "$(ls then/_delta_log)" = 00000000000000000000.json ]
}

@test "archive: the copy is a table of its own that goes on where the source stands" {
	cdc-snapshot --archive copy.zip sales
	python3 -m zipfile -e copy.zip .
	[ "$(cdc-snapshot --describe copy | jq -r .id)" != "$(cdc-snapshot --describe sales | jq -r .id)" ]
	for member in schema key protocol properties partitionColumns rows bytes fileSizes \
		'appTransactions|map(.appId,.version)' createdTime; do
		diff <(cdc-snapshot --describe sales | jq -c ".$member") \
			<(cdc-snapshot --describe copy | jq -c ".$member")
	done
	# What was applied to the source is not applied again, what comes next is.
	cdc-merge -q copy one.ndjson
	[ "$(cdc-snapshot --describe copy | jq .version)" -eq 0 ]
	insert 2 2 next | cdc-merge -q copy
	cdc-snapshot copy | sort >got
	printf '{"id":1,"name":"a"}\n{"id":2,"name":"next"}\n' | diff - got
	cdc-compact -q copy
	cdc-snapshot copy | sort | diff got -
}

@test "archive: the history says what the copy is" {
	insert 2 3 c | cdc-merge -q sales
	v=$(cdc-snapshot --describe sales | jq .version)
	cdc-snapshot --archive copy.tar sales
	tar xf copy.tar
	cdc-snapshot --history copy |
		jq -c '[.version, .operation, .operationParameters, .operationMetrics.numCopiedFiles, .isBlindAppend]' >got
	echo "[0,\"CLONE\",{\"source\":\"sales\",\"sourceVersion\":\"$v\",\"isShallow\":\"false\"},\"$(cdc-snapshot --describe sales | jq .files)\",false]" |
		diff - got
	# One action a line, in the order that readers like best.
	jq -r keys[0] "copy/$log" | uniq >got
	printf 'commitInfo\nprotocol\nmetaData\ntxn\nadd\n' | diff - got
	[ "$(jq -c 'select(.add) | .add.dataChange' "copy/$log" | sort -u)" = true ]
}

@test "archive: the same table, name and clock give the same bytes" {
	export SOURCE_DATE_EPOCH=1700000000
	for suffix in tar.gz tar.zst zip 7z; do
		cdc-snapshot --archive "copy.$suffix" sales
		mv "copy.$suffix" first
		cdc-snapshot --archive "copy.$suffix" sales
		cmp first "copy.$suffix"
	done
}

@test "archive: standard output is a tar of the table's name" {
	cdc-snapshot --archive - ./sales/ >out.tar
	mkdir x
	tar xf out.tar -C x
	[ "$(ls x)" = sales ]
	same_rows sales x/sales
	run -4 bash -c 'cdc-snapshot --archive - sales >/dev/full'
}

@test "archive: deletion vectors in files of one or several, under a prefix, inline" {
	seq 3 40 | while read -r i; do insert "$i" "$i" "n$i"; done >many.ndjson
	cdc-merge -q --create --mode dv --schema 'id BIGINT, name STRING' -k id dv many.ndjson
	for i in 5 7; do
		echo "{\"recordType\":\"DELETE\",\"beforeImages\":{\"id\":\"$i\"}}" | cdc-merge -q --mode dv dv
	done
	[ "$(cdc-snapshot --describe dv | jq .deletedRows)" -eq 2 ]
	cdc-snapshot --archive copy.tar dv
	tar xf copy.tar
	same_rows dv copy
	# The vector of the version, not those that were before.
	[ "$(find copy -name '*.bin' | wc -l)" -eq 1 ]
	# Under a prefix.
	mkdir -p prefixed/ab
	cp copy/*.parquet prefixed
	cp copy/*.bin prefixed/ab
	cp -r copy/_delta_log prefixed
	sed -i 's/"pathOrInlineDv":"/&ab/' "prefixed/$log"
	cdc-snapshot --archive p.tar prefixed
	tar xf p.tar
	[ -e p/ab/deletion_vector_*.bin ]
	same_rows dv p
	# By its absolute path, outside: it gets a name inside.
	mkdir absolute elsewhere
	cp copy/*.parquet absolute
	cp copy/*.bin elsewhere/some.bin
	cp -r copy/_delta_log absolute
	sed -i "s|\"storageType\":\"u\",\"pathOrInlineDv\":\"[^\"]*\"|\"storageType\":\"p\",\"pathOrInlineDv\":\"file://$PWD/elsewhere/some.bin\"|" "absolute/$log"
	refuses 6 'outside the table' cdc-snapshot --archive out/a.tar absolute
	cdc-snapshot --archive a.tar --allow-external absolute
	tar xf a.tar
	[ -e a/deletion_vector_*.bin ]
	same_rows dv a
	# A damaged one is found before anything is written.
	printf 'X' | dd of="$(echo copy/*.bin)" bs=1 seek=10 conv=notrunc status=none
	refuses 6 'deletion vector' cdc-snapshot --archive out/a.tar copy
}

@test "archive: files outside the table and under odd names are copied inside" {
	mkdir -p odd/_delta_log 'odd/a b%' other
	f=$(echo sales/*.parquet)
	cp "$f" 'odd/a b%/1.parquet'
	cp "$f" $'odd/z\xc3\xbc.parquet'
	cp "$f" odd/_delta_log/x.parquet
	cp "$f" odd/dot.parquet
	cp "$f" other/o.parquet
	size=$(stat -c %s "$f")
	add() { printf '{"add":{"path":"%s","partitionValues":{},"size":%s,"modificationTime":7,"dataChange":false,"tags":{"k":\n"v"}}}\n' "$1" "$size"; }
	{
		grep -E '"(protocol|metaData)"' sales/_delta_log/*0.json
		add 'a%20b%25/1.parquet'
		add 'z%C3%BC.parquet'
		add './dot.parquet'
		add '_delta_log/x.parquet'
		add "file://$PWD/other/o.parquet"
	} >"odd/$log"
	refuses 6 'outside the table' cdc-snapshot --archive out/odd.tar odd
	cdc-snapshot --archive copy.tar.gz --allow-external odd
	tar xzf copy.tar.gz
	same_rows odd copy --allow-external
	[ "$(cdc-snapshot copy | wc -l)" -eq "$(cdc-snapshot --allow-external odd | wc -l)" ]
	[ -e 'copy/a b%/1.parquet' ]
	[ "$(ls copy/_delta_log)" = 00000000000000000000.json ]
	jq -r 'select(.add) | .add.path' "copy/$log" >paths
	[ "$(wc -l <paths)" -eq 5 ]
	[ "$(sort -u paths | wc -l)" -eq 5 ]
	[ "$(grep -cE '^part-[0-9]{5}-[0-9a-f-]{36}-c000\.parquet$' paths)" -eq 4 ]
	# Every action is one line now, whatever the source's are.
	[ "$(wc -l <"copy/$log")" -eq "$(jq -c . "copy/$log" | wc -l)" ]
	[ "$(jq -c 'select(.add) | [.add.tags.k, .add.modificationTime]' "copy/$log" | sort -u)" = '["v",7]' ]
}

@test "archive: in-commit timestamps go on in the copy" {
	sed -e 's/"configuration":{/&"delta.enableInCommitTimestamps":"true","delta.inCommitTimestampEnablementVersion":"3","delta.inCommitTimestampEnablementTimestamp":"4","delta.coordinatedCommits.tableConf-preview":"x",/' \
		-e 's/{"protocol":.*/{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["inCommitTimestamp"]}}/' \
		-e 's/{"commitInfo":{/&"inCommitTimestamp":9000000000000,/' -i "sales/$log"
	cdc-snapshot --archive copy.tar --version-as-of 0 sales
	tar xf copy.tar
	[ "$(head -n 1 "copy/$log" | cut -c 1-50)" = '{"commitInfo":{"inCommitTimestamp":9000000000000,"' ]
	[ "$(grep -cE 'EnablementVersion|EnablementTimestamp|coordinated' "copy/$log")" -eq 0 ]
	[ "$(grep -c '"delta.enableInCommitTimestamps":"true"' "copy/$log")" -eq 1 ]
	insert 5 5 e | cdc-merge -q copy
	cdc-snapshot --history copy | jq -r .timestamp >got
	printf '%s\n' 2255-03-14T16:00:00.001Z 2255-03-14T16:00:00.000Z | diff - got
}

@test "archive: an empty table" {
	cdc-merge -q --create --schema 'id BIGINT' -k id empty /dev/null
	cdc-snapshot --archive copy.7z empty
	bsdtar -xf copy.7z
	[ "$(cdc-snapshot --describe copy | jq -c '[.version, .rows, .files]')" = '[0,0,0]' ]
	[ -z "$(cdc-snapshot copy)" ]
}

@test "archive: what cannot be copied whole leaves no archive" {
	cp -r sales lost
	rm lost/*.parquet
	refuses 6 'is not there' cdc-snapshot --archive out/a.tar lost
	refuses 6 'is not there' cdc-snapshot --archive - lost
	cp -r sales longer
	for f in longer/*.parquet; do echo >>"$f"; done
	refuses 6 'the log says' cdc-snapshot --archive out/a.zip longer
	cp -r sales linked
	f=$(echo linked/*.parquet)
	mv "$f" outside
	ln -s "$PWD/outside" "$f"
	refuses 6 'symbolic link' cdc-snapshot --archive out/a.tar linked
	cdc-snapshot --archive l.tar --allow-external linked
	tar xf l.tar
	same_rows sales l
	[ ! -L "l/${f##*/}" ]
	# An archive that is there stays as it is.
	echo old >old.tar
	run -6 cdc-snapshot --archive old.tar lost
	[ "$(cat old.tar)" = old ]
	refuses 4 'cannot create' cdc-snapshot --archive nowhere/a.tar sales
}

@test "archive: usage" {
	refuses 2 'one of .tar .tar.gz ' cdc-snapshot --archive out/a.rar sales
	refuses 2 'one of .tar .tar.gz ' cdc-snapshot --archive out/tar sales
	refuses 2 'exclude each other' cdc-snapshot --archive out/a.tar --history sales
	refuses 2 '--columns does not go with --archive' cdc-snapshot --archive out/a.tar -c id sales
	refuses 2 '--limit does not go with --archive' cdc-snapshot --archive out/a.tar --limit 1 sales
	refuses 2 'csv or tsv does not go with --archive' cdc-snapshot --archive out/a.tar -f csv sales
	refuses 2 '--output does not go with --archive' cdc-snapshot --archive out/a.tar -o out/b sales
	refuses 2 'is a file' cdc-snapshot --archive out/a.tar "$(echo sales/*.parquet)"
	refuses 2 'not a Delta table' cdc-snapshot --archive out/a.tar nothing
}
