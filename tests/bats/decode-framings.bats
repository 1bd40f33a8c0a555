#!/usr/bin/env bats
# cdc-decode of text dumps of Kafka: kcat's own formats, the console consumer, kafka-dump-log. The
# dumps are written here as those programs write them.

bats_require_minimum_version 1.5.0

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	PATH=$bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
}

# A message of maxwell, of row ID.
row() {
	printf '{"database":"shop","table":"sales","type":"insert","ts":1700000000,"data":{"id":%d,"n":"%s"},"primary_key_columns":["id"]}' "$1" "${2:-v}"
}

# id@place of each row, and what the final CHECKPOINT promises.
seen() {
	jq -r 'if .afterImages then "\(.afterImages.id)@\(.position | "\(.topic)/\(.partition)/\(.offset // .byte)")"
		elif .final then "till \([.positions[] | "\(.topic)/\(.partition)/\(.offset)"] | join(","))" else empty end' | paste -s -d ' '
}

bytes() { LC_ALL=C printf %s "$1" | wc -c; }

@test "framing kcat-format: lengths before the fields" {
	: >in
	for i in 1 2 3; do
		v=$(row $i $'a\\u000ab')
		printf '1700000000123 4 %d %d %d\nk%d%s\n' $((i + 9)) 2 "$(bytes "$v")" $i "$v" >>in
	done
	printf '1700000000123 4 13 2 -1\nk3\n' >>in
	cdc-decode -v --topic t --kcat-format '%T %p %o %K %S\n%k%s\n' in 2>log >out
	grep -q 'format maxwell, framing kcat-format' log
	[ "$(seen <out)" = '1@t/4/10 2@t/4/11 3@t/4/12 till t/4/13' ]
	# Binary lengths, and a value that holds what stands between messages.
	python3 - <<-'EOF'
		import struct
		with open("bin", "wb") as f:
		    for i in range(3):
		        v = b'{"database":"shop","table":"sales","type":"insert","ts":1,\n"data":{"id":%d,"n":"|"},"primary_key_columns":["id"]}' % i
		        f.write(b"%d=" % i + struct.pack(">i", len(v)) + v + b"|")
	EOF
	[ "$(cdc-decode --topic t --kcat-format '%o=%R%s|' bin | jq -r 'select(.afterImages).afterImages.id' | paste -s -d ' ')" = '0 1 2' ]
}

@test "framing kcat-format: fields that the text behind them ends" {
	{
		printf 'shop/0/7 k1|%s\n%%\n' "$(row 1)"
		printf 'shop/0/8 k2|%s\n%%\n' "$(row 2)"
		printf 'shop/0/9 k2|\n%%\n'
		printf 'shop/1/3 |%s\n%%' "$(row 3)"
	} >in
	[ "$(cdc-decode --kcat-format '%t/%p/%o %k|%s\x0a%%\n' in | seen)" = '1@shop/0/7 2@shop/0/8 3@shop/1/3 till shop/0/9,shop/1/3' ]
	# Headers are passed over; the key tells the primary key of a Debezium row.
	printf 'a=b,c=d\t{"id":1}\t{"before":null,"after":{"id":1},"op":"c","source":{"connector":"mysql","db":"d","table":"t","ts_ms":1}}\n' >in
	[ "$(cdc-decode --kcat-format '%h\t%k\t%s\n' in | head -n 1 | jq -c .primaryKey)" = '["id"]' ]
	# -Z prints null as NULL.
	printf 'NULL:NULL\nk:%s\n' "$(row 4)" >in
	[ "$(cdc-decode --from maxwell --kcat-format '%k:%s\n' in | jq -r 'select(.afterImages).afterImages.id')" = 4 ]
}

@test "framing kcat-format: formats that cannot be read back are refused" {
	for f in '%s' '%k%s\n' '%o%p %s\n' '%o1%s\n' '%x %s\n' '%k\n' '%t%s\n' '%s%' '%o'; do
		run -2 cdc-decode --kcat-format "$f" /dev/null
		[[ $output == *--kcat-format* ]]
	done
	run -2 cdc-decode --framing kcat-format /dev/zero
	run -2 cdc-decode --framing lines --kcat-format '%s\n' /dev/null
	[[ $output == *'not for framing lines'* ]]
}

@test "framing kcat-format: what does not fit the format is an error, a torn end a reject" {
	printf '1 %s\nx %s\n' "$(row 1)" "$(row 2)" >in
	run -3 --separate-stderr cdc-decode --from maxwell --reject bad --kcat-format '%o %s\n' in
	[[ $stderr == *'in:offset 127: error: a number of --kcat-format is not there'* || $stderr == *'a number of --kcat-format is not there'* ]]
	[ "$(jq -r 'select(.afterImages).afterImages.id' <<<"$output")" = 1 ]
	printf '5:%s\n9999:{' "12345" >in
	run -1 --separate-stderr cdc-decode --from maxwell --reject bad --kcat-format '%S:%s\n' in
	[ "$(tail -n 1 bad | jq -r .reason)" = 'the input ends inside a message' ]
	printf -- '-7:x\n' >in
	run -3 cdc-decode --from maxwell --kcat-format '%S:%s\n' in
	[[ $output == *'a length of -7 bytes'* ]]
}

@test "framing console: marks, headers, keys and null" {
	{
		printf 'CreateTime:1700000000123\tPartition:2\tOffset:5\tNO_HEADERS\tnull\t%s\n' "$(row 1)"
		printf 'CreateTime:1700000000123\tPartition:2\tOffset:6\ta:b,c:d\tk2\t%s\n' "$(row 2)"
		printf 'LogAppendTime:1700000000123\tPartition:3\tOffset:1\t%s\n' "$(row 3)"
		printf 'NO_TIMESTAMP\tPartition:3\tOffset:2\tNO_HEADERS\tk3\tnull\n'
	} >in
	cdc-decode -v --topic shop in 2>log >out
	grep -q 'format maxwell, framing console' log
	[ "$(seen <out)" = '1@shop/2/5 2@shop/2/6 3@shop/3/1 till shop/2/6,shop/3/2' ]
	# The topic is not in the text: without it there are no positions.
	[ "$(cdc-decode in | tail -n 1)" = '{"recordType":"CHECKPOINT","positions":[],"final":true}' ]
	# The key reaches the format.
	printf 'Partition:0\tOffset:0\t{"id":1}\t{"before":null,"after":{"id":1},"op":"c","source":{"connector":"mysql","db":"d","table":"t","ts_ms":1}}\n' >in
	[ "$(cdc-decode in | head -n 1 | jq -c .primaryKey)" = '["id"]' ]
	printf 'Offset:0\t%s\njunk\n' "$(row 1)" >in
	run -3 cdc-decode in
	[[ $output == *'in:2: '*'not a line of kafka-console-consumer'* ]]
}

# A batch line of kafka-dump-log, of BASE-OFFSET, with its flags.
batch() {
	printf 'baseOffset: %d lastOffset: %d count: 1 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: %s isControl: %s deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1700000000123 size: 190 magic: 2 compresscodec: none crc: 1 isvalid: true\n' "$1" "$1" "${2:-false}" "${3:-false}"
}

# A record line: OFFSET KEY VALUE, - for null.
record() {
	local ks=-1 vs=-1 text=
	[ "$2" = - ] || { ks=$(bytes "$2") && text=" key: $2"; }
	[ "$3" = - ] || { vs=$(bytes "$3") && text="$text payload: $3"; }
	printf '| offset: %d CreateTime: 1700000000123 keySize: %d valueSize: %d sequence: -1 headerKeys: [a,b]%s\n' "$1" "$ks" "$vs" "$text"
}

@test "framing dump-log: records with their sizes, over line ends" {
	{
		echo 'Dumping /var/lib/kafka/data-0/kafka-log0/shop-sales-3/00000000000000000040.log'
		echo 'Log starting offset: 40'
		batch 40
		record 40 - "$(row 1)"
		batch 41
		record 41 'a key: payload: x' "$(row 2 | sed 's/,"data"/,\n"data"/')"
		batch 42
		record 42 k2 -
		batch 43 false true
		echo '| offset: 43 CreateTime: 1700000000123 keySize: 4 valueSize: 6 sequence: -1 headerKeys: [] endTxnMarker: COMMIT coordinatorEpoch: 0'
		batch 44
		record 44 - "$(row 3 'Zoë')"
	} >in
	cdc-decode -v in 2>log >out
	grep -q 'format maxwell, framing dump-log' log
	[ "$(seen <out)" = '1@shop-sales/3/40 2@shop-sales/3/41 3@shop-sales/3/44 till shop-sales/3/44' ]
	jq -r 'select(.afterImages.id == "3").afterImages.n' out | grep -qx 'Zoë'
}

@test "framing dump-log: older versions of the tool" {
	v=$(row 1)
	{
		echo 'Dumping data/shop-0/00000000000000000000.log'
		echo 'Starting offset: 0'
		echo "offset: 0 position: 0 CreateTime: 1700000000123 isvalid: true keysize: -1 valuesize: $(bytes "$v") magic: 1 compresscodec: NONE crc: 12 payload: $v"
		echo "offset: 1 position: 99 NoTimestampType: -1 isvalid: true payloadsize: 3 magic: 0 compresscodec: NONE crc: 12 keysize: 1 valuesize: $(bytes "$v") key: k payload: $v"
	} >in
	[ "$(cdc-decode in | seen)" = '1@shop/0/0 1@shop/0/1 till shop/0/1' ]
}

@test "framing dump-log: what is not sure is rejected" {
	{
		echo 'Dumping data/shop-0/00000000000000000000.log'
		batch 0
		record 0 - "$(row 1)"
		batch 1 true
		record 1 - "$(row 2)"
		batch 2
		# Two bytes that were no text became one character of three.
		record 2 - "$(row 3)" | sed 's/"v"/"\xef\xbf\xbd\xef\xbf\xbd"/'
		batch 3
		record 3 - "$(row 4)"
		batch 4
		record 4 - "$(row 5)" | head -c 200
	} >in
	run -1 --separate-stderr cdc-decode --reject bad in

	[ "$(seen <<<"$output")" = '1@shop/0/0 4@shop/0/3 till shop/0/3' ]
	jq -r .reason bad | cut -c 1-40 >got
	cat >want <<-'EOF'
		a record of a transaction, which may be
		what is printed is not as long as the re
		the input ends inside a record
	EOF
	diff <(sed 's/ *$//' want) <(sed 's/ *$//' got)
}

@test "rejects of Kafka messages hold the key too" {
	echo '{"topic":"t","partition":0,"offset":1,"key":"{\"id\":1}","payload":"{}"}' >in
	echo '{"topic":"t","partition":0,"offset":2,"key":null,"payload":"{}"}' >>in
	run -1 --separate-stderr cdc-decode --from maxwell --framing kcat-json --reject bad in
	diff -u - <(jq -c '[has("key"), (.key // "" | @base64d), (.raw | @base64d)]' bad) <<-'EOF'
	[true,"{\"id\":1}","{}"]
	[false,"","{}"]
	EOF
}

@test "framing segment: a transaction that ends in the next segment" {
	mkdir -p log/t-0
	# Batches of one record, two of transactions; the second one does not end.
	python3 - "$(row 1)" "$(row 2)" "$(row 3)" "$(row 4)" <<-'EOF'
		import struct, sys

		def crc32c(b):
		    c = 0xffffffff
		    for x in b:
		        c ^= x
		        for _ in range(8):
		            c = c >> 1 ^ (0x82f63b78 if c & 1 else 0)
		    return c ^ 0xffffffff

		def varint(n):
		    n = n << 1 ^ n >> 63
		    o = b""
		    while n > 127:
		        o += bytes([n & 127 | 128])
		        n >>= 7
		    return o + bytes([n])

		def batch(offset, value, attributes=0, producer=-1, key=None):
		    k = varint(-1) if key is None else varint(len(key)) + key
		    r = b"\0\0\0" + k + varint(len(value)) + value + b"\0"
		    t = struct.pack(">hiqqqhii", attributes, 0, 1000, 1000, producer, 0, 0, 1) + varint(len(r)) + r
		    b = struct.pack(">ibI", 0, 2, crc32c(t)) + t
		    return struct.pack(">qi", offset, len(b)) + b

		rows = [a.encode() for a in sys.argv[1:]]
		commit = batch(3, struct.pack(">hi", 0, 0), 48, 7, struct.pack(">hh", 0, 1))
		with open("log/t-0/00000000000000000000.log", "wb") as f:
		    f.write(batch(0, rows[0]) + batch(1, rows[1], 16, 7))
		with open("log/t-0/00000000000000000002.log", "wb") as f:
		    f.write(batch(2, rows[2]) + commit + batch(4, rows[3], 16, 8) + batch(5, rows[0]))
	EOF
	run --separate-stderr cdc-decode log
	[ "$status" -eq 0 ]
	[ "$(seen <<<"$output")" = '1@t/0/0 2@t/0/1 3@t/0/2 till t/0/2' ]
	[[ $stderr == *'warning: 1 Kafka transactions are open'* ]]
	run --separate-stderr cdc-decode log/t-0/00000000000000000000.log
	[ "$(seen <<<"$output")" = '1@t/0/0 till t/0/0' ]
	run --separate-stderr cdc-decode log/t-0/00000000000000000002.log
	[ "$(seen <<<"$output")" = '3@t/0/2 till t/0/2' ]
}

@test "detection: a few bytes, or blanks, are no dump that holds nothing" {
	for text in '{"' '{' 'x' '{}' '\n' ' \n' '\n\n\n\n\n' '        \n'; do
		# shellcheck disable=SC2059
		printf "$text" >in
		run --separate-stderr cdc-decode in
		[ "$status" -eq 3 ]
		[ -z "$output" ]
		[[ $stderr == *'cannot tell what the input is'* ]]
	done
	# An empty input is one, and so is a dump of null values.
	: >in
	[ "$(cdc-decode in | seen)" = 'till ' ]
	printf '\377\377\377\377' >in
	[ "$(cdc-decode in | seen)" = 'till ' ]
}

@test "framing json: an error tells its place in the file" {
	{
		row 1
		printf '\n{\n "database": shop}\n'
		row 2
	} >in
	at=$(($(bytes "$(row 1)") + 1))
	for how in '' '--reject rej'; do
		# shellcheck disable=SC2086
		run --separate-stderr cdc-decode --from maxwell --framing json $how in
		[ "$status" -eq 3 ]
		[ "$stderr" = 'cdc-decode: in:2: error: expected a value' ]
	done
	[ "$(jq -c '[.line, .offset]' rej)" = "[2,$at]" ]
	jq -r .raw rej | base64 -d | cmp - <(tail -c "+$((at + 1))" in)
}
