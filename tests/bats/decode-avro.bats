#!/usr/bin/env bats
# cdc-decode of Avro messages with a registry's prefix. Messages are made by tests/avro/messages.py;
# the records that are expected are worked out by hand from the values there.

bats_require_minimum_version 1.5.0

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	PATH=$bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir schemas
	python3 "$BATS_TEST_DIRNAME/../avro/messages.py" schemas
}

teardown() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
}

# Sets $url; requests are noted in the file requests.
registry() {
	python3 "$BATS_TEST_DIRNAME/../avro/registry.py" schemas >requests 2>log 3>&- &
	server=$!
	for _ in $(seq 100); do
		[ -s requests ] && break
		sleep 0.1
	done
	url=http://127.0.0.1:$(head -n 1 requests)
}

schema='{"recordType":"SCHEMA","dbTable":"shop.sales","columns":[{"name":"id","type":"bigint","nullable":false,"sourceType":"int64"},{"name":"tiny","type":"smallint","nullable":true,"sourceType":"int16"},{"name":"name","type":"text","nullable":true,"sourceType":"string"},{"name":"price","type":"decimal(7,2)","nullable":true,"sourceType":"org.apache.kafka.connect.data.Decimal"},{"name":"day","type":"date","nullable":true,"sourceType":"io.debezium.time.Date"},{"name":"clock","type":"time","nullable":true,"sourceType":"io.debezium.time.MicroTime"},{"name":"at","type":"datetime","nullable":true,"sourceType":"io.debezium.time.Timestamp"},{"name":"seen","type":"timestamp","nullable":true,"sourceType":"io.debezium.time.ZonedTimestamp"},{"name":"bits","type":"bit(12)","nullable":true,"sourceType":"io.debezium.data.Bits"},{"name":"spot","type":"geometry","nullable":true,"sourceType":"io.debezium.data.geometry.Point"},{"name":"raw","type":"blob","nullable":true,"sourceType":"bytes"},{"name":"ratio","type":"double","nullable":true,"sourceType":"double"},{"name":"flag","type":"boolean","nullable":false,"sourceType":"boolean"}],"primaryKey":["id"]}'
full='{"id":"9007199254740993","tiny":"-7","name":"Zoë","price":"-123.45","day":"2019-11-11","clock":"-01:00:00.000001","at":"2019-11-11 03:00:00.123000","seen":"2019-11-11T03:00:00.500000Z","bits":"2051","spot":"POINT(1.5 -2)","raw":"AP8=","ratio":"0.1","flag":"true"}'
empty='{"id":"2","tiny":null,"name":null,"price":null,"day":null,"clock":null,"at":null,"seen":null,"bits":null,"spot":null,"raw":null,"ratio":null,"flag":"false"}'

@test "avro: events of Debezium behind Confluent's prefix" {
	cdc-decode -v --schema-dir schemas schemas/events.kcat 2>log >out
	grep -q 'format debezium-avro, framing kcat-json' log
	[ "$(head -n 1 out)" = "$schema" ]
	jq -c 'select(.afterImages) | [.recordType, .beforeImages, .afterImages]' out >got
	cat >want <<-EOF
		["INIT",{},$full]
		["INSERT",{},$empty]
		["UPDATE",$empty,${empty/\"name\":null/\"name\":\"x\"}]
		["DELETE",$full,{}]
	EOF
	diff want got
	sed -n 2p out | jq -c '[.recordID, .source, .dbTable, .recordTimestamp, .extraTags, .position]' >got
	echo '[0,{"sourceType":"MySQL","version":""},"shop.sales","2023-11-14T22:13:20.123Z",{"gtid":"u-1:7","pos":"4711"},{"topic":"shop.shop.sales","partition":0,"offset":0}]' | diff - got
	# The tombstone behind the deletion counts as consumed.
	[ "$(tail -n 1 out | jq -c '[.positions[0].offset, .final]')" = '[4,true]' ]
}

@test "avro: the same records as from the JSON of the same events" {
	cdc-decode --schema-dir schemas schemas/envelope.avro | jq -c 'del(.position, .recordID)' >container
	cdc-decode --schema-dir schemas schemas/events.kcat | jq -c 'del(.position, .recordID)' >events
	# A container has no keys, so it does not tell the primary key.
	diff <(grep afterImages events) <(grep afterImages container)
	[ "$(head -n 1 container | jq -c .primaryKey)" = null ]
	cdc-decode -v schemas/envelope.avro 2>&1 >/dev/null | grep -q 'format debezium-avro, framing ocf'
}

@test "avro: Apicurio's prefix, and ids in headers" {
	for f in apicurio headers; do
		cdc-decode --schema-dir schemas schemas/$f.kcat | jq -c 'select(.afterImages).afterImages' | sort -u >got
		echo "$empty" | diff - got
	done
	[ "$(cdc-decode --schema-dir schemas schemas/headers.kcat | grep -c afterImages)" -eq 3 ]
	[ "$(cdc-decode --schema-dir schemas schemas/apicurio.kcat | head -n 1 | jq -c .primaryKey)" = '["id"]' ]
}

@test "avro: rows of other programs, by Avro's own logical types" {
	cdc-decode --schema-dir schemas --db-table shop.orders --key id schemas/rows.kcat >out
	jq -c 'select(.afterImages) | [.recordType, .dbTable, .afterImages]' out >got
	echo '["INSERT","shop.orders",{"id":"7","due":"2019-11-11","sum":"123.4","at":"2019-11-11T03:00:00.123456Z","kind":"OLD","tags":"[\"a\",\"b\\\"\"]","props":"{\"k\":-1}","ms":"1969-12-31T23:59:59.999000Z","ns":"1969-12-31T23:59:59.999999999Z","local":"2019-11-11 03:00:00","marked":"2019-11-11 03:00:00"}]' | diff - got
	[ "$(head -n 1 out | jq -c '[.primaryKey, [.columns[].type]]')" = '[["id"],["int","date","decimal(5,1)","timestamp","text","json","json","timestamp","timestamp","datetime","datetime"]]' ]
}

@test "avro: what cannot be read is told, message by message" {
	run -1 --separate-stderr cdc-decode --from debezium-avro --schema-dir schemas --reject bad schemas/bad.kcat
	[ "$(jq -c 'select(.afterImages).position.offset' <<<"$output")" = 5 ]
	jq -r .reason bad >got
	cat >want <<-'EOF'
		it ends early
		1 bytes are left behind the datum
		schema 99: there is no schemas/99.avsc
		schema 4 is of bytes, not of rows
		no schema's id is in front of the message
	EOF
	diff <(sed 's/^byte [0-9]* of the message: //' got) want
	run -3 cdc-decode --from debezium-avro schemas/events.kcat
	[[ $output == *'a message of schema 1: give --schema-dir or --registry to read it'* || $output == *'schema 2'* ]]
}

@test "avro: a registry is asked once for each schema" {
	registry
	cdc-decode --registry "$url" schemas/events.kcat >out
	cdc-decode --schema-dir schemas schemas/events.kcat | diff - out
	[ "$(tail -n +2 requests | sort | paste -s -d ' ')" = '/schemas/ids/1 /schemas/ids/2' ]
	# A directory comes first.
	mkdir some
	cp schemas/1.avsc some
	: >requests
	cdc-decode --schema-dir some --registry "$url/" schemas/events.kcat | diff out -
	[ "$(cat requests | tr -d '\0')" = /schemas/ids/2 ]
	cdc-decode --registry "$url" schemas/headers.kcat | grep -c afterImages | grep -qx 3
	grep -q '^/schemas/guids/0f0e0d0c-' requests
	grep -q '^/apis/registry/v2/ids/globalIds/1' requests
	: >requests
	cdc-decode --registry "$url/apis/registry/v3" schemas/events.kcat | diff out -
	grep -q '^/apis/registry/v3/ids/contentIds/1' requests
}

@test "avro: a registry that wants a password, and one that fails" {
	registry
	cdc-decode --registry "${url/127/reader:secret@127}/private" schemas/events.kcat | grep -q '"id":"2"'
	run -4 cdc-decode --registry "${url/127/reader:wrong@127}/private" schemas/events.kcat
	[[ $output == *'HTTP status 401'* && $output != *wrong* ]]
	printf 'machine 127.0.0.1 login reader password secret\n' >.netrc
	HOME=$PWD cdc-decode --registry "$url/private" schemas/events.kcat | grep -q '"id":"2"'
	run -1 --separate-stderr cdc-decode --from debezium-avro --registry "$url" --reject bad schemas/bad.kcat
	grep -q "has no schema 99" bad
	[ "$(grep -c /99 requests)" -eq 1 ]
	for n in 501 502 503; do
		python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack(">IBIB", 6, 0, int(sys.argv[1]), 0))' $n >in
		run -3 cdc-decode --from debezium-avro --framing kcat --registry "$url" in
	done
	[[ $output == *'schema 503 is no JSON'* ]]
	kill $server
	wait $server || true
	run -4 cdc-decode --from debezium-avro --registry "$url" schemas/events.kcat
	run -2 cdc-decode --registry example schemas/events.kcat
}

# A block of such could tell any number of them: it is refused before its count is read.
@test "avro: containers of records that take no bytes" {
	none='{"type":"record","name":"R","fields":[]}'
	null='{"type":"record","name":"R","fields":[{"name":"a","type":"null"}]}'
	printf 'Obj\x01\x02\x16avro.schema\x50%s\x00%s\x06\x00%s' "$none" 0123456789abcdef 0123456789abcdef >none
	printf 'Obj\x01\x02\x16avro.schema\x84\x01%s\x00%s\x06\x00%s' "$null" 0123456789abcdef 0123456789abcdef >null
	for f in none null; do
		run -3 cdc-decode --from debezium-avro --db-table shop.t $f
		[[ $output == *'its schema is of empty records' ]]
	done
}
