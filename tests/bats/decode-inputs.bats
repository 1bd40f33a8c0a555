#!/usr/bin/env bats
# What cdc-decode opens by itself: compressed files, archives, directories, names of sinks. The
# packages are made by other programs.

setup() {
	bats_require_minimum_version 1.5.0
	export PATH=$(realpath "${BUILD:-$BATS_TEST_DIRNAME/../../build}"):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	for i in 1 2 3; do
		printf '{"data":{"id":%d,"v":"v%d"},"metadata":{"record-type":"data","operation":"insert","schema-name":"s","table-name":"t"}}\n' $i $i >"m$i.json"
	done
	cat m1.json m2.json m3.json >all.json
	cdc-decode all.json | jq -c 'del(.position)' >want
}

decoded() { cdc-decode "$@" | jq -c 'del(.position)'; }

@test "inputs: compressed files and standard input" {
	gzip -k all.json
	bzip2 -k all.json
	xz -k all.json
	zstd -q all.json
	gzip -c m1.json >two.gz
	cat m2.json m3.json | gzip -c >>two.gz
	for f in all.json.gz all.json.bz2 all.json.xz all.json.zst two.gz; do
		decoded "$f" | diff want -
		decoded <"$f" | diff want -
		# shellcheck disable=SC2002
		cat "$f" | decoded - | diff want -
	done
	cdc-decode all.json.gz | jq -e -s '.[0].position == {"file": "all.json.gz", "offset": 0}'
}

@test "inputs: archives, their entries in order and by name" {
	tar cf a.tar m1.json m2.json m3.json
	tar czf a.tgz m1.json m2.json m3.json
	bsdtar -caf a.tar.zst m1.json m2.json m3.json
	bsdtar --format zip -cf a.zip m1.json m2.json m3.json
	bsdtar --format 7zip -cf a.7z m1.json m2.json m3.json
	for f in a.tar a.tgz a.tar.zst a.zip a.7z; do
		decoded "$f" | diff want -
		[ "$(cdc-decode "$f" | jq -r '.position.file // empty' | paste -sd,)" = "$f/m1.json,$f/m2.json,$f/m3.json" ]
	done
	decoded <a.tgz | diff want -
}

@test "inputs: an entry that is packed is opened once more, and no further" {
	mkdir d
	gzip -c m1.json >d/m1.json.gz
	tar cf d/rest.tar m2.json m3.json
	tar czf once.tgz d/m1.json.gz d/rest.tar
	decoded once.tgz | diff want -
	gzip -c d/m1.json.gz >d/twice.gz
	tar czf deep.tgz d/twice.gz
	run cdc-decode deep.tgz
	[ "$status" -eq 3 ]
	[[ $output == *"deep.tgz/d/twice.gz: error: packed inside what is packed inside what is packed"* ]]
}

@test "inputs: damaged packages are bad input, what came before the damage is printed" {
	awk '{ for (i = 0; i < 20000; i++) { l = $0; sub(/v1/, int(rand() * 1e9), l); print l } }' m1.json >many.json
	gzip -c many.json >many.gz
	head -c $(($(stat -c %s many.gz) / 2)) many.gz >cut.gz
	run --separate-stderr cdc-decode cut.gz
	[ "$status" -eq 3 ]
	[[ $stderr == *"cut.gz"*"error: damaged"* ]]
	[ "$(grep -c INSERT <<<"$output")" -gt 5000 ]
	[[ $output != *'"final":true'* ]]
	cp many.gz bad.gz
	printf 'xxxx' | dd of=bad.gz bs=1 seek=$(($(stat -c %s many.gz) - 8)) conv=notrunc status=none
	run cdc-decode bad.gz
	[ "$status" -eq 3 ]
}

@test "inputs: a damaged package ends the run, whatever is done about rejects" {
	awk '{ for (i = 0; i < 20000; i++) { l = $0; sub(/v1/, int(rand() * 1e9), l); print l } }' m1.json >many.json
	awk '{ printf "{\"topic\":\"t\",\"partition\":0,\"offset\":%d,\"payload\":%s}\n", NR, "\"x\"" }' many.json >many.kj
	awk '{ printf "Partition:0\tOffset:%d\t%s\n", NR, $0 }' many.json >many.con
	awk '{ printf "| offset: %d keySize: -1 valueSize: %d payload: %s\n", NR, length($0), $0 }' many.json >many.dl
	gzip -c many.json >a.gz
	tar cf a.tar many.json
	tar czf a.tgz many.json
	bsdtar --format zip -cf a.zip many.json
	for f in a.gz a.tar a.tgz a.zip; do
		head -c $(($(stat -c %s $f) / 2)) $f >cut-$f
		! cdc-decode cut-$f >out 2>want.err
		run --separate-stderr timeout 60 cdc-decode --reject rej -o got cut-$f
		[ "$status" -eq 3 ]
		[ "$stderr" = "$(cat want.err)" ]
		[ ! -s rej ]
	done
	for f in json:many.json lines:many.json kcat-json:many.kj console:many.con dump-log:many.dl; do
		gzip -c "${f#*:}" >f.gz
		head -c $(($(stat -c %s f.gz) / 2)) f.gz >cut.gz
		run --separate-stderr timeout 60 cdc-decode --topic t --from dms --framing "${f%:*}" --reject rej -o got cut.gz
		[ "$status" -eq 3 ]
		[[ $stderr == *"cut.gz"*": error: damaged: it ends too early" ]]
		[ "${f%:*}" = kcat-json ] || [ ! -s rej ]
	done
}

@test "inputs: a bomb is not unpacked" {
	head -c 20M /dev/zero | tr '\0' ' ' | zstd -q >bomb.zst
	run cdc-decode --from records --max-unpacked 1M bomb.zst
	[ "$status" -eq 3 ]
	[[ $output == *"it unpacks to more than 1048576 bytes (--max-unpacked)"* ]]
}

@test "inputs: entries that are no files, or encrypted" {
	ln -s m1.json link.json
	mkfifo pipe
	tar cf odd.tar link.json pipe m1.json m2.json m3.json
	decoded odd.tar | diff want -
	run --separate-stderr cdc-decode -v odd.tar
	[[ $stderr == *"odd.tar/link.json: passed over: no regular file"* ]]
	if command -v zip >/dev/null; then
		zip -q -P secret e.zip m1.json
		run cdc-decode e.zip
		[ "$status" -eq 3 ]
		[[ $output == *"e.zip/m1.json"*"encrypted"* ]]
	fi
}

@test "inputs: text that begins like a package is none" {
	printf 'BZh9 is no bzip2\n' >t
	run cdc-decode --from csv --columns a t
	[ "$status" -eq 0 ]
	head -c 600 /dev/zero | tr '\0' 'x' >u
	printf 'ustar' | dd of=u bs=1 seek=257 conv=notrunc status=none
	run cdc-decode --from csv --columns a u
	[ "$status" -eq 0 ]
}

@test "inputs: a directory, in the order of numbers in names" {
	mkdir -p d/sub
	cp m1.json d/part-2.json
	cp m2.json d/part-10.json
	cp m3.json d/sub/x.json
	touch d/_SUCCESS d/.hidden
	for s in crc md5 sha1 sha256 sha512 md5sum sha256sum; do
		echo "0123456789abcdef  part-2.json" >"d/part-2.json.$s"
	done
	decoded d | diff want -
	run --separate-stderr cdc-decode -v d
	[[ $stderr == *"d/_SUCCESS: passed over"* ]]
	[[ $stderr == *"d/.hidden: passed over"* ]]
}

@test "inputs: names of sinks tell topic, partition and offset" {
	mkdir -p topics/my.topic/partition=0 topics/my.topic/partition=1
	cat m1.json m2.json >'topics/my.topic/partition=0/my.topic+0+0000000009.json'
	gzip -c m3.json >'topics/my.topic/partition=0/my.topic+0+0000000011.json.gz'
	cp m1.json 'topics/my.topic/partition=1/my.topic+1+0000000000.json'
	cdc-decode topics >out
	diff - <(jq -c 'select(.position) | [.position.topic, .position.partition, .position.offset]' out) <<-END
		["my.topic",0,9]
		["my.topic",0,10]
		["my.topic",0,11]
		["my.topic",1,0]
	END
	diff - <(jq -c '.positions // empty' out) <<-END
		[{"topic":"my.topic","partition":0,"offset":11},{"topic":"my.topic","partition":1,"offset":0}]
	END
	# What has been applied is skipped the next time, from the next file on.
	cdc-merge -q --schema 'id BIGINT NOT NULL, v STRING' --key id --create t out
	cp m2.json 'topics/my.topic/partition=1/my.topic+1+0000000001.json'
	cdc-decode topics | cdc-merge --key id t 2>log
	[ "$(cdc-snapshot t | jq -c '[.id, .v]' | sort | paste -sd' ')" = '[1,"v1"] [2,"v2"] [3,"v3"]' ]
	cdc-snapshot --history t | head -2
}

@test "inputs: what is packed and no Parquet file is bad input" {
	: >e.parquet
	printf PA >s.parquet
	printf 'id,v\n1,a\n' >x.parquet
	for f in e s x; do
		tar cf $f.tar $f.parquet
		gzip -k $f.parquet
		for p in $f.tar $f.parquet.gz; do
			run cdc-decode --from parquet $p
			[ "$status" -eq 3 ]
			[[ $output == *": error: not a Parquet file"* ]]
		done
	done
}

@test "inputs: a date in a name is no position" {
	cat m1.json m2.json >orders-2024-11-15.json
	cp m3.json orders-2024-11-16.json
	cdc-decode orders-2024-11-15.json orders-2024-11-16.json >out
	[ "$(jq -c 'select(.position) | [.position.file, .position.offset]' out | sed -n 3p)" = '["orders-2024-11-16.json",0]' ]
	cdc-merge -q --schema 'id BIGINT NOT NULL, v STRING' --key id --create t out
	[ "$(cdc-snapshot t | wc -l)" -eq 3 ]
	mkdir d
	cat m1.json m2.json | gzip -c >d/s.t-3-9.gz
	cp m3.json d/s.t-3-00000000000000000011.json
	[ "$(cdc-decode d | jq -c 'select(.position) | [.position.topic, .position.partition, .position.offset]' | paste -sd' ')" = '["s.t",3,9] ["s.t",3,10] ["s.t",3,11]' ]
}

@test "inputs: a Parquet file from a pipe and from an archive" {
	cdc-decode --from csv --columns 'id INT, v STRING' --key id --db-table s.t <(printf '1,a\n2,b\n') |
		cdc-merge -q p
	cdc-snapshot -f parquet -o rows.parquet p
	cdc-decode --db-table s.t rows.parquet | jq -c .afterImages >want
	[ -s want ]
	# shellcheck disable=SC2002
	cat rows.parquet | cdc-decode --db-table s.t | jq -c .afterImages | diff want -
	tar czf p.tgz rows.parquet
	cdc-decode --db-table s.t p.tgz | jq -c .afterImages | diff want -
	run cdc-decode --tmpdir /nonexistent --db-table s.t p.tgz
	[ "$status" -eq 4 ]
}
