#!/usr/bin/env bats
# Debezium's change events, made up by hand, against the records that they must become.

bats_require_minimum_version 1.5.0
load dialects

setup() { dialects_setup; }

# typed FIELDS AFTER: a creation with its schema; FIELDS are Connect's, AFTER the row.
typed() {
	jq -nc --argjson fields "$1" --argjson after "$2" '
		def row($name): { type: "struct", optional: true, name: "s.shop.t.Value", field: $name,
			fields: $fields };
		{ schema: { type: "struct", optional: false, name: "s.shop.t.Envelope",
			fields: [row("before"), row("after"), { type: "string", field: "op" }] },
		  payload: { before: null, after: $after, op: "c", ts_ms: 1573701065120,
			source: { connector: "mysql", db: "shop", table: "t", ts_ms: 1573701065000 } } }'
}

source_of() {
	printf '"source":{"version":"2.4.0.Final","connector":"mysql","name":"s","ts_ms":%s,"snapshot":"false","db":"shop","table":"%s","server_id":7,"file":"b.000003","pos":154,"row":0}' \
		"$2" "$1"
}

@test "debezium: each op, without schemas" {
	s=$(source_of sales 1573701065000)
	cat >in <<-EOF
	{"before":null,"after":{"id":1,"name":"Lee","sales":"500.00"},$s,"op":"r","ts_ms":1573701066120}
	{"before":null,"after":{"id":2,"name":null,"sales":"7.10"},$s,"op":"c","ts_ms":1573701066120}
	{"before":{"id":2,"name":null,"sales":"7.10"},"after":{"id":2,"name":"Bo","sales":"7.10"},$s,"op":"u","ts_ms":1573701066120}
	{"before":null,"after":{"id":1,"name":"Li","sales":"500.00"},$s,"op":"u","ts_ms":1573701066120}
	{"before":{"id":2,"name":"Bo","sales":"7.10"},"after":null,$s,"op":"d","ts_ms":1573701066120}
	{"before":null,"after":null,$s,"op":"t","ts_ms":1573701066120}
	{"op":"m","ts_ms":1573701066120,"source":{"connector":"postgresql","db":"shop","table":"","ts_ms":1573701066000},"message":{"prefix":"foo","content":"Ymfy"}}
	EOF
	expect "$rows" --from debezium in <<-'EOF'
	["INIT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"1","name":"Lee","sales":"500.00"}]
	["INSERT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"2","name":null,"sales":"7.10"}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{"id":"2","name":null,"sales":"7.10"},{"id":"2","name":"Bo","sales":"7.10"}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{},{"id":"1","name":"Li","sales":"500.00"}]
	["DELETE","shop.sales","2019-11-14T03:11:05Z",{"id":"2","name":"Bo","sales":"7.10"},{}]
	["TRUNCATE","shop.sales","2019-11-14T03:11:05Z",null,null]
	EOF
	taken_for debezium in
}

@test "debezium: a whole record, and the table before it" {
	message s.shop.sales 3 42 '{"id":2}' "{\"before\":null,\"after\":{\"id\":2,\"name\":\"Bo\"},$(source_of sales 1573701065120),\"op\":\"c\",\"ts_ms\":1573701066000,\"transaction\":{\"id\":\"tx9\",\"total_order\":1,\"data_collection_order\":1}}" >in
	expect . in <<-'EOF'
	{"recordType":"SCHEMA","dbTable":"shop.sales","columns":[{"name":"id","nullable":false},{"name":"name","nullable":true}],"primaryKey":["id"]}
	{"recordID":42,"source":{"sourceType":"MySQL","version":""},"dbTable":"shop.sales","recordType":"INSERT","recordTimestamp":"2019-11-14T03:11:05.120Z","extraTags":{"snapshot":"false","server_id":"7","file":"b.000003","pos":"154","row":"0","transaction":"tx9"},"fields":["id","name"],"beforeImages":{},"afterImages":{"id":"2","name":"Bo"},"position":{"topic":"s.shop.sales","partition":3,"offset":42}}
	EOF
	[ "$(tail -n 1 out)" = '{"recordType":"CHECKPOINT","positions":[{"topic":"s.shop.sales","partition":3,"offset":42}],"final":true}' ]
}

@test "debezium: times by their types" {
	typed '[{"type":"int32","optional":false,"name":"io.debezium.time.Date","field":"date"},
		{"type":"int32","optional":true,"name":"io.debezium.time.Date","field":"before_epoch"},
		{"type":"int32","optional":true,"name":"io.debezium.time.Time","field":"time"},
		{"type":"int64","optional":true,"name":"io.debezium.time.MicroTime","field":"micro_time"},
		{"type":"int64","optional":true,"name":"io.debezium.time.MicroTime","field":"negative"},
		{"type":"int64","optional":true,"name":"io.debezium.time.MicroTime","field":"long"},
		{"type":"int64","optional":true,"name":"io.debezium.time.NanoTime","field":"nano_time"},
		{"type":"int64","optional":true,"name":"io.debezium.time.Timestamp","field":"ms"},
		{"type":"int64","optional":true,"name":"io.debezium.time.Timestamp","field":"old_ms"},
		{"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","field":"us"},
		{"type":"int64","optional":true,"name":"io.debezium.time.NanoTimestamp","field":"ns"},
		{"type":"string","optional":true,"name":"io.debezium.time.ZonedTimestamp","field":"zulu"},
		{"type":"string","optional":true,"name":"io.debezium.time.ZonedTimestamp","field":"offset"},
		{"type":"int32","optional":true,"name":"io.debezium.time.Year","field":"year"},
		{"type":"int32","optional":true,"name":"org.apache.kafka.connect.data.Date","field":"c_date"},
		{"type":"int32","optional":true,"name":"org.apache.kafka.connect.data.Time","field":"c_time"},
		{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","field":"c_ms"}]' \
		'{"date":18214,"before_epoch":-1,"time":11465120,"micro_time":11465000001,
		"negative":-5400500000,"long":3020399000000,"nano_time":11465120456000,
		"ms":1573701065120,"old_ms":-1,"us":1573701065120456,"ns":0,
		"zulu":"2019-11-14T03:11:05.1Z","offset":"2019-11-14T11:11:05+08:00","year":2019,
		"c_date":18214,"c_time":11465000,"c_ms":1573701065000}' |
		sed 's/"ns":[0-9]*/"ns":1573701065120456789/' >in
	expect "$after" in <<-'EOF'
	{"date":"2019-11-14","before_epoch":"1969-12-31","time":"03:11:05.120000","micro_time":"03:11:05.000001","negative":"-01:30:00.500000","long":"838:59:59","nano_time":"03:11:05.120456","ms":"2019-11-14 03:11:05.120000","old_ms":"1969-12-31 23:59:59.999000","us":"2019-11-14 03:11:05.120456","ns":"2019-11-14 03:11:05.120456789","zulu":"2019-11-14T03:11:05.100000Z","offset":"2019-11-14T03:11:05Z","year":"2019","c_date":"2019-11-14","c_time":"03:11:05","c_ms":"2019-11-14 03:11:05"}
	EOF
	expect "$schemas" in <<-'EOF'
	["shop.t",null,["date","date",false],["before_epoch","date",true],["time","time",true],["micro_time","time",true],["negative","time",true],["long","time",true],["nano_time","time",true],["ms","datetime",true],["old_ms","datetime",true],["us","datetime",true],["ns","datetime",true],["zulu","timestamp",true],["offset","timestamp",true],["year","year",true],["c_date","date",true],["c_time","time",true],["c_ms","datetime",true]]
	EOF
	# Local times have no zone that an option could tell: these are the same in any.
	cp want once
	expect "$schemas" --source-timezone +08:00 in <once
	jq -c "$after | [.ms, .zulu]" out | diff <(echo '["2019-11-14 03:11:05.120000","2019-11-14T03:11:05.100000Z"]') -
}

# jq writes messages, but it would round these numbers: sed puts them in.
# 32305 is 7e31, -150 ff6a, 1234 04d2, 2^64-1 00ff…, and zero one byte.
@test "debezium: times as ISO text" {
	# time.precision.mode=isostring: the connectors of MySQL and MariaDB end all in Z.
	typed '[{"type":"string","name":"io.debezium.time.IsoDate","field":"date"},
		{"type":"string","name":"io.debezium.time.IsoTime","field":"time"},
		{"type":"string","name":"io.debezium.time.IsoTimestamp","field":"at"},
		{"type":"string","name":"io.debezium.time.IsoTimestamp","field":"bare"}]' \
		'{"date":"2019-11-14Z","time":"03:11:05.12Z","at":"2019-11-14T03:11:05.5Z","bare":"2019-11-14T03:11:05"}' >in
	expect "$after" in <<-'EOF'
	{"date":"2019-11-14","time":"03:11:05.120000","at":"2019-11-14 03:11:05.500000","bare":"2019-11-14 03:11:05"}
	EOF
	expect "$schemas" in <<-'EOF'
	["shop.t",null,["date","date",true],["time","time",true],["at","datetime",true],["bare","datetime",true]]
	EOF
}

@test "debezium: nanoseconds at the ends of 64 bits" {
	typed '[{"type":"int64","name":"io.debezium.time.NanoTimestamp","field":"first"},
		{"type":"int64","name":"io.debezium.time.NanoTimestamp","field":"last"},
		{"type":"int64","name":"io.debezium.time.NanoTimestamp","field":"before"}]' \
		'{"first":"F","last":"L","before":-1}' |
		sed 's/"first":"F"/"first":-9223372036854775807/; s/"last":"L"/"last":9223372036854775807/' >in
	expect "$after" in <<-'EOF'
	{"first":"1677-09-21 00:12:43.145224193","last":"2262-04-11 23:47:16.854775807","before":"1969-12-31 23:59:59.999999999"}
	EOF
}

@test "debezium: numbers by their types" {
	d=org.apache.kafka.connect.data.Decimal
	typed '[{"type":"bytes","optional":true,"name":"'$d'","parameters":{"scale":"2","connect.decimal.precision":"7"},"field":"price"},
		{"type":"bytes","optional":true,"name":"'$d'","parameters":{"scale":"2","connect.decimal.precision":"7"},"field":"negative"},
		{"type":"bytes","optional":true,"name":"'$d'","parameters":{"scale":"4"},"field":"zero"},
		{"type":"bytes","optional":true,"name":"'$d'","parameters":{"scale":"5"},"field":"small"},
		{"type":"bytes","optional":true,"name":"'$d'","parameters":{"scale":"0","connect.decimal.precision":"20"},"field":"big"},
		{"type":"bytes","optional":true,"name":"'$d'","parameters":{"scale":"2"},"field":"numeric"},
		{"type":"struct","optional":true,"name":"io.debezium.data.VariableScaleDecimal","fields":[{"type":"int32","field":"scale"},{"type":"bytes","field":"value"}],"field":"variable"},
		{"type":"int64","optional":true,"field":"long"},
		{"type":"int64","optional":true,"field":"unsigned","parameters":{"__debezium.source.column.type":"BIGINT UNSIGNED"}},
		{"type":"int16","optional":true,"field":"short"},
		{"type":"float","optional":true,"field":"single"},
		{"type":"double","optional":true,"field":"double"},
		{"type":"boolean","optional":true,"field":"flag"}]' \
		'{"price":"fjE=","negative":"/2o=","zero":"AA==","small":"BNI=","big":"AP//////////","numeric":1.50,"variable":{"scale":3,"value":"BNI="},"long":0,"unsigned":-1,"short":-3,"single":3.140000104904175,"double":323.0,"flag":true}' |
		sed 's/"long":0/"long":9007199254740993/; s/"numeric":1.5,/"numeric":1.50,/' >in
	expect "$after" in <<-'EOF'
	{"price":"323.05","negative":"-1.50","zero":"0.0000","small":"0.01234","big":"18446744073709551615","numeric":"1.50","variable":"1.234","long":"9007199254740993","unsigned":"18446744073709551615","short":"-3","single":"3.14","double":"323.0","flag":"true"}
	EOF
	expect "$schemas" in <<-'EOF'
	["shop.t",null,["price","decimal(7,2)",true],["negative","decimal(7,2)",true],["zero","decimal",true],["small","decimal",true],["big","decimal(20,0)",true],["numeric","decimal",true],["variable","text",true],["long","bigint",true],["unsigned","bigint unsigned",true],["short","smallint",true],["single","float",true],["double","double",true],["flag","boolean",true]]
	EOF
}

# Bits are little-endian: 0102 is 513. The point is WKB of (1.5 -2), the line one of (0 0), (1 1).
@test "debezium: bits, bytes, texts, geometry, nested values" {
	typed '[{"type":"bytes","optional":true,"name":"io.debezium.data.Bits","parameters":{"length":"10"},"field":"bits"},
		{"type":"bytes","optional":true,"name":"io.debezium.data.Bits","parameters":{"length":"64"},"field":"all"},
		{"type":"bytes","optional":true,"field":"bytes"},
		{"type":"string","optional":true,"field":"text"},
		{"type":"string","optional":true,"name":"io.debezium.data.Json","field":"json"},
		{"type":"string","optional":true,"name":"io.debezium.data.Enum","parameters":{"allowed":"s,m"},"field":"enum"},
		{"type":"string","optional":true,"name":"io.debezium.data.EnumSet","parameters":{"allowed":"a,b"},"field":"set"},
		{"type":"string","optional":true,"name":"io.debezium.data.Uuid","field":"uuid"},
		{"type":"struct","optional":true,"name":"io.debezium.data.geometry.Point","fields":[],"field":"point"},
		{"type":"struct","optional":true,"name":"io.debezium.data.geometry.Geometry","fields":[],"field":"line"},
		{"type":"array","optional":true,"items":{"type":"int32"},"field":"list"},
		{"type":"array","optional":true,"items":{"type":"int32","name":"io.debezium.time.Date"},"field":"days"},
		{"type":"string","optional":true,"field":"nothing"}]' \
		'{"bits":"AQI=","all":"//////////8=","bytes":"aGk=","text":"é \"x\"\n","json":"{\"a\": 1}","enum":"m","set":"a,b","uuid":"6e8bc430-9c3a-11d9-9669-0800200c9a66",
		"point":{"x":1.5,"y":-2.0,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAADA","srid":null},
		"line":{"wkb":"AQIAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPA/AAAAAAAA8D8=","srid":0},
		"list":[1,2],"days":[18214,null],"nothing":null}' >in
	expect "$after" in <<-'EOF'
	{"bits":"513","all":"18446744073709551615","bytes":"aGk=","text":"é \"x\"\n","json":"{\"a\": 1}","enum":"m","set":"a,b","uuid":"6e8bc430-9c3a-11d9-9669-0800200c9a66","point":"POINT(1.5 -2)","line":"LINESTRING(0 0,1 1)","list":"[1,2]","days":"[18214,null]","nothing":null}
	EOF
}

@test "debezium: what the connector could not read is unknown, not null" {
	s='"source":{"connector":"postgresql","db":"shop","schema":"public","table":"docs","ts_ms":1573701065000}'
	cat >in <<-EOF
	{"before":{"id":1},"after":{"id":1,"title":null,"body":"__debezium_unavailable_value"},$s,"op":"u"}
	{"before":null,"after":{"id":1,"title":"a","body":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="},$s,"op":"u"}
	EOF
	expect "$rows" in <<-'EOF'
	["UPDATE","shop.public.docs","2019-11-14T03:11:05Z",{"id":"1"},{"id":"1","title":null}]
	["UPDATE","shop.public.docs","2019-11-14T03:11:05Z",{},{"id":"1","title":"a"}]
	EOF
	grep -c '"sourceType":"PostgreSQL"' out | diff <(echo 2) -
	# arrays and maps hold nothing else then
	cat >in <<-EOF
	{"before":null,"after":{"id":1,"list":["__debezium_unavailable_value"],"map":{"__debezium_unavailable_value":"__debezium_unavailable_value"},"one":["x"],"none":[]},$s,"op":"u"}
	EOF
	expect "$images" in <<-'EOF'
	["UPDATE",{},{"id":"1","one":"[\"x\"]","none":"[]"}]
	EOF
}

@test "debezium: a deletion and its tombstone are one DELETE" {
	s=$(source_of sales 1573701065000)
	{
		message s.shop.sales 0 1 '{"id":2}' "{\"before\":{\"id\":2,\"name\":\"Bo\"},\"after\":null,$s,\"op\":\"d\"}"
		message s.shop.sales 0 2 '{"id":2}' ''
		# without the row, the key tells which
		message s.shop.sales 0 3 '{"id":3}' "{\"before\":null,\"after\":null,$s,\"op\":\"d\"}"
	} >in
	expect "$images" in <<-'EOF'
	["DELETE",{"id":"2","name":"Bo"},{}]
	["DELETE",{"id":"3"},{}]
	EOF
	message s.shop.sales 0 3 '' "{\"before\":null,\"after\":null,$s,\"op\":\"d\"}" >in
	refused 'a deletion without a row and without a key' in
}

@test "debezium: a changed key is one UPDATE" {
	s=$(source_of sales 1573701065000)
	{
		message s.shop.sales 0 1 '{"id":1}' "{\"before\":{\"id\":1,\"name\":\"Bo\"},\"after\":null,$s,\"op\":\"d\"}" '["__debezium.newkey","{\"id\":2}"]'
		message s.shop.sales 0 2 '{"id":1}' ''
		message s.shop.sales 0 3 '{"id":2}' "{\"before\":null,\"after\":{\"id\":2,\"name\":\"Bo\"},$s,\"op\":\"c\"}" '["__debezium.oldkey","{\"id\":1}"]'
	} >in
	expect "$images" in <<-'EOF'
	["UPDATE",{"id":"1","name":"Bo"},{"id":"2","name":"Bo"}]
	EOF
	# the deletion is in a part of the topic that is not here
	tail -n 1 in >half
	expect "$images" half <<-'EOF'
	["UPDATE",{"id":"1"},{"id":"2","name":"Bo"}]
	EOF
	# and the other way round
	head -n 2 in >half
	expect "$images" half <<-'EOF'
	["DELETE",{"id":"1","name":"Bo"},{}]
	EOF
}

@test "debezium: a moved row is joined with its own deletion only" {
	s=$(source_of sales 1573701065000)
	{
		message s.shop.sales 0 1 '{"id":1}' "{\"before\":{\"id\":1,\"name\":\"Bo\"},\"after\":null,$s,\"op\":\"d\"}" '["__debezium.newkey","{\"id\":2}"]'
		# row 2 went to another partition; what comes here is one that came from there
		message s.shop.sales 0 2 '{"id":8}' "{\"before\":null,\"after\":{\"id\":8,\"name\":\"Li\"},$s,\"op\":\"c\"}" '["__debezium.oldkey","{\"id\":7}"]'
	} >in
	expect "$images" in <<-'EOF'
	["DELETE",{"id":"1","name":"Bo"},{}]
	["UPDATE",{"id":"7"},{"id":"8","name":"Li"}]
	EOF
	# records stay in their order
	{
		head -n 1 in
		message s.shop.sales 0 2 '' "{\"before\":null,\"after\":null,$s,\"op\":\"t\"}"
	} >truncated
	expect .recordType truncated <<-'EOF'
	"SCHEMA"
	"DELETE"
	"TRUNCATE"
	EOF
}

@test "debezium: a deletion that is held outlives messages that are rejected" {
	s=$(source_of sales 1573701065000)
	{
		message s.shop.sales 0 1 '{"id":1}' "{\"before\":{\"id\":1,\"name\":\"Bo\"},\"after\":null,$s,\"op\":\"d\"}" '["__debezium.newkey","{\"id\":2}"]'
		message s.shop.sales 0 2 '{"id":5}' "{\"before\":null,\"after\":{\"id\":5,\"id\":6},$s,\"op\":\"c\"}"
		message s.shop.sales 0 3 '{' "{\"before\":null,\"after\":{\"id\":5},$s,\"op\":\"c\"}"
		message s.shop.sales 0 4 '' '[1]'
	} >in
	message s.shop.sales 0 5 '{"id":9}' "{\"before\":null,\"after\":{\"id\":9,\"name\":\"Al\"},$s,\"op\":\"c\"}" >next
	cat in next >both
	run -1 cdc-decode --from debezium --framing kcat-json --reject rejects -o out both
	jq -c "$images" out | diff <(printf '%s\n' '["DELETE",{"id":"1","name":"Bo"},{}]' '["INSERT",{},{"id":"9","name":"Al"}]') -
	[ "$(wc -l <rejects)" -eq 3 ]
	# also when nothing comes behind them, and then once
	cat in in >both
	run -1 cdc-decode --from debezium --framing kcat-json --reject rejects -o out both
	jq -c "$images" out | diff <(printf '["DELETE",{"id":"1","name":"Bo"},{}]\n%.0s' 1 2) -
}

@test "debezium: flattened rows" {
	cat >in <<-'EOF'
	{"id":1,"name":"Lee","__op":"r","__db":"shop","__table":"sales","__source_ts_ms":1573701065000,"__deleted":"false"}
	{"id":2,"name":null,"__op":"c","__db":"shop","__table":"sales","__source_ts_ms":1573701065000,"__deleted":"false"}
	{"id":2,"name":"Bo","__op":"u","__db":"shop","__table":"sales","__source_ts_ms":1573701065000,"__deleted":"false"}
	{"id":2,"name":"Bo","__op":"d","__db":"shop","__table":"sales","__source_ts_ms":1573701065000,"__deleted":"true"}
	{"id":3,"name":"Al","__db":"shop","__table":"sales","__source_ts_ms":1573701065000,"__deleted":"true"}
	EOF
	expect "$rows" in <<-'EOF'
	["INIT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"1","name":"Lee"}]
	["INSERT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"2","name":null}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{},{"id":"2","name":"Bo"}]
	["DELETE","shop.sales","2019-11-14T03:11:05Z",{"id":"2","name":"Bo"},{}]
	["DELETE","shop.sales","2019-11-14T03:11:05Z",{"id":"3","name":"Al"},{}]
	EOF
	taken_for debezium in
	echo '{"id":1,"__op":"x"}' >in
	refused 'unknown __op x' --db-table shop.sales in
}

@test "debezium: flattened rows whose columns are named like members of other messages" {
	cat >in <<-'EOF'
	{"status":"BEGIN","id":"1","event_count":null,"__op":"c","__db":"shop","__table":"orders"}
	{"status":"x","id":"2","event_count":3,"__op":"c","__db":"shop","__table":"orders"}
	{"op":"c","after":{"a":1},"source":"web","ts_ms":5,"__op":"u","__db":"shop","__table":"clicks"}
	{"ddl":"x","databaseName":"y","tableChanges":[],"__op":"c","__db":"shop","__table":"ddls"}
	EOF
	expect "$rows" in <<-'EOF'
	["INSERT","shop.orders",null,{},{"status":"BEGIN","id":"1","event_count":null}]
	["INSERT","shop.orders",null,{},{"status":"x","id":"2","event_count":"3"}]
	["UPDATE","shop.clicks",null,{},{"op":"c","after":"{\"a\":1}","source":"web","ts_ms":"5"}]
	["INSERT","shop.ddls",null,{},{"ddl":"x","databaseName":"y","tableChanges":"[]"}]
	EOF
}

@test "debezium: tombstones of flattened rows delete from their own topic's table" {
	{
		message s.shop.a 0 1 '{"id":1}' '{"id":1,"name":"a"}'
		message s.shop.b 0 1 '{"id":1}' '{"id":1,"name":"b"}'
		message s.shop.a 0 2 '{"id":1}' ''
		message s.shop.c 0 1 '{"id":1}' "{\"before\":{\"id\":1},\"after\":null,$(source_of c 1573701065000),\"op\":\"d\"}"
		message s.shop.c 0 2 '{"id":1}' ''
		message s.shop.b 0 2 '{"id":1}' ''
	} >in
	expect "select(.beforeImages) | [.recordType, .dbTable, .beforeImages, .afterImages]" --from debezium in <<-'EOF'
	["INSERT","shop.a",{},{"id":"1","name":"a"}]
	["INSERT","shop.b",{},{"id":"1","name":"b"}]
	["DELETE","shop.a",{"id":"1"},{}]
	["DELETE","shop.c",{"id":"1"},{}]
	["DELETE","shop.b",{"id":"1"},{}]
	EOF
}

@test "debezium: topics of transactions, statements and heartbeats" {
	cat >in <<-'EOF'
	{"status":"BEGIN","id":"571:1","ts_ms":1573701065000,"event_count":null,"data_collections":null}
	{"status":"END","id":"571:1","ts_ms":1573701065000,"event_count":2,"data_collections":[{"data_collection":"shop.sales","event_count":2}]}
	{"source":{"connector":"mysql","db":"shop","table":"sales","ts_ms":1573701065000},"ts_ms":1573701066000,"databaseName":"shop","schemaName":null,"ddl":"ALTER TABLE sales ADD note text","tableChanges":[]}
	{"ts_ms":1573701065000}
	EOF
	expect "$rows" --from debezium in <<-'EOF'
	["DDL","shop","2019-11-14T03:11:05Z","ALTER TABLE sales ADD note text",null]
	EOF
	expect "$rows" --from debezium --control in <<-'EOF'
	["BEGIN",null,"2019-11-14T03:11:05Z",null,null]
	["COMMIT",null,"2019-11-14T03:11:05Z",null,null]
	["DDL","shop","2019-11-14T03:11:05Z","ALTER TABLE sales ADD note text",null]
	["CHECKPOINT",null,"2019-11-14T03:11:05Z",null,null]
	EOF
	jq -c 'select(.recordType == "BEGIN") | .extraTags.transaction' out | diff <(echo '"571:1"') -
	jq -c 'select(.recordType == "CHECKPOINT") | .positions' out | diff <(printf '[]\n[]\n') -
}

# Its topic has no order with the table's: rows that came later would be gone.
@test "debezium: a statement that truncates is no TRUNCATE" {
	echo '{"source":{"connector":"mysql","db":"shop","table":"sales","ts_ms":1573701065000},"ts_ms":1573701066000,"databaseName":"shop","schemaName":null,"ddl":"TRUNCATE TABLE `sales`","tableChanges":[]}' >in
	expect "$rows" --from debezium in <<-'EOF'
	["DDL","shop","2019-11-14T03:11:05Z","TRUNCATE TABLE `sales`",null]
	EOF
}

@test "debezium: rejects with their reasons" {
	s=$(source_of sales 1573701065000)
	echo "{\"before\":null,\"after\":{\"id\":1},$s,\"op\":\"x\"}" >in
	refused 'unknown op x' --from debezium in
	echo "{\"before\":null,\"after\":null,$s,\"op\":\"c\"}" >in
	refused 'a row without after' --from debezium in
	typed '[{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"},"field":"p"}]' '{"p":"?"}' >in
	refused 'column p: bytes that are not base64' --from debezium in
	typed '[{"type":"int32","name":"io.debezium.time.Date","field":"d"}]' '{"d":99999999}' >in
	refused 'column d: a date is out of range' --from debezium in
	typed '[{"type":"int32","name":"io.debezium.time.Date","field":"d"},{"type":"int32","field":"e"}]' '{"d":99999999,"e":1}' >in
	refused 'column d: a date is out of range' --from debezium in
	typed '[{"type":"int32","field":"a"}]' '{"a":1,"b":2}' >in
	refused 'column b is not in the schema' --from debezium in
	echo '[1]' >in
	run cdc-decode --from debezium --reject rejects in
	[ "$status" -eq 1 ]
}

@test "debezium: names are the same with escapes and without" {
	s=$(source_of sales 1573701065000)
	cat >in <<-EOF
	{"before":null,"after":{"id":1,"\\u540d":"a","c\\/d":2},$s,"op":"c"}
	{"before":{"\\u0069d":1,"名":"a","c/d":2},"after":{"id":1,"名":"b","c/d":3},$s,"op":"u"}
	EOF
	expect "$images" --from debezium in <<-'EOF'
	["INSERT",{},{"id":"1","名":"a","c/d":"2"}]
	["UPDATE",{"id":"1","名":"a","c/d":"2"},{"id":"1","名":"b","c/d":"3"}]
	EOF
	typed '[{"type":"int32","field":"id"},{"type":"string","field":"名"},{"type":"int32","field":"c/d"}]' \
		'{"id":1,"名":"a","c/d":2}' |
		sed -e '1s/"field":"名"/"field":"\\u540d"/g; s/"field":"after"/"field":"\\u0061fter"/' \
			-e 's/"field":"before"/"field":"befor\\u0065"/; s/"c\/d":2/"c\\\/d":2/' >in
	grep -qF '"field":"\u540d"' in
	grep -qF '"c\/d":2' in
	expect "$after" --from debezium in <<<'{"id":"1","名":"a","c/d":"2"}'
	echo "{\"before\":null,\"after\":{\"id\":1,\"\\u0069d\":2},$s,\"op\":\"c\"}" >in
	refused 'column \u0069d comes twice in a row' --from debezium in
	echo "{\"before\":null,\"after\":{\"\\u0069d\":1,\"id\":2},$s,\"op\":\"c\"}" >in
	refused 'column id comes twice in a row' --from debezium in
}

# It takes as long as the message is long: seconds pass when each name is sought among all others.
@test "debezium: a row of more columns than there can be" {
	row() { jq -nc --argjson n "$1" '[range($n) | { key: "c\(.)", value: . }] | from_entries'; }
	s=$(source_of sales 1573701065000)
	echo "{\"before\":null,\"after\":$(row 80000),$s,\"op\":\"c\"}" >in
	refused 'more than 16384 columns' --from debezium in
	echo "{\"before\":null,\"after\":$(row 16384),$s,\"op\":\"c\"}" >in
	timeout 5 cdc-decode --from debezium in | jq "$after | length" | diff <(echo 16384) -
	message s.shop.sales 0 1 '{}' "{\"before\":null,\"after\":{\"id\":1},$s,\"op\":\"c\"}" |
		jq -c --slurpfile key <(row 16385) '.key = ($key[0] | tojson)' >in
	refused "the message's key has more than 16384 columns" --from debezium in
}

# As when a column of a large table is added time and again.
@test "debezium: schemas are kept in bounded memory" {
	jq -nc '("x" * 1000000) as $doc | range(60) | tostring as $n
		| { schema: { type: "struct", doc: ($doc + $n),
			fields: [{ type: "struct", field: "after", fields: [{ type: "int32", field: "id" }] }] },
		    payload: { before: null, after: { id: . }, op: "c",
			source: { connector: "mysql", db: "shop", table: "t" } } }' >in
	python3 -c 'if True:
		import resource, subprocess, sys
		subprocess.run(sys.argv[1:], check=True)
		print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' \
		cdc-decode --from debezium --memory 32M -o out in >peak
	[ "$(grep -c '"INSERT"' out)" -eq 60 ]
	[ "$(cat peak)" -lt 40000 ] || [ -n "${SANITIZED:-}" ]
	# one that was forgotten may come again
	cat in in >twice
	[ "$(cdc-decode --from debezium --memory 32M twice | grep -c '"INSERT"')" -eq 120 ]
}

# Java before 19 prints some singles with a digit more than they need; Avro has no text of them.
@test "debezium: singles have one text" {
	typed '[{"type":"int32","field":"id"},{"type":"float","field":"f"},{"type":"double","field":"d"}]' \
		'{"id":1,"f":"F","d":1.17549435E-38}' | sed 's/"F"/1.17549435E-38/' >in
	expect "$images" in <<<'["INSERT",{},{"id":"1","f":"1.1754944E-38","d":"1.17549435E-38"}]'
}

@test "debezium: a topic whose name is no text" {
	message s.shop.sales 0 1 '{"id":2}' "{\"before\":null,\"after\":{\"id\":2},$(source_of sales 1573701065000),\"op\":\"c\"}" |
		LC_ALL=C sed 's/"s.shop/"\xd9.shop/' >in
	run --separate-stderr cdc-decode --from debezium --framing kcat-json --reject rejects -o out in
	[ "$status" -eq 1 ]
	diff <(echo '{"recordType":"CHECKPOINT","positions":[],"final":true}') out
}

@test "debezium: without schemas, --schema gives the types" {
	cat >in <<-EOF
	{"before":null,"after":{"id":-1,"d":"BNI=","dt":18262,"m":1577836800000,"u":1577836800000001,"t":-3723000000,"ts":"2020-01-01T00:00:00Z","b1":true,"b9":"/wE=","y":2020,"f":0.1,"x":"AP8=","n":null,"new":7},$(source_of sales 1573701065000),"op":"c"}
	{"before":null,"after":{"id":2,"d":"-12.34","dt":"2020-01-01Z","m":"2020-01-01T00:00:00Z","u":"2020-01-01T00:00:00.000001Z","t":"01:02:03","ts":null,"b1":false,"b9":"AAA=","y":0,"f":1,"x":"","n":"4","new":8},$(source_of sales 1573701065000),"op":"c"}
	EOF
	cat >sql <<-'EOF'
	CREATE TABLE `sales` (
		`id` bigint(20) unsigned NOT NULL,
		`d` decimal(10,2) DEFAULT NULL,
		`dt` date, `m` datetime, `u` datetime(6), `t` time, `ts` timestamp NULL,
		`b1` bit(1), `b9` bit(9), `y` year(4), `f` float, `x` varbinary(9), `n` int, `gone` int,
		PRIMARY KEY (`id`)
	);
	EOF
	expect "$after" --from debezium --schema @sql in <<-'EOF'
	{"id":"18446744073709551615","d":"12.34","dt":"2020-01-01","m":"2020-01-01 00:00:00","u":"2020-01-01 00:00:00.000001","t":"-01:02:03","ts":"2020-01-01T00:00:00Z","b1":"true","b9":"511","y":"2020","f":"0.1","x":"AP8=","n":null,"new":"7"}
	{"id":"2","d":"-12.34","dt":"2020-01-01","m":"2020-01-01 00:00:00","u":"2020-01-01 00:00:00.000001","t":"01:02:03","ts":null,"b1":"false","b9":"0","y":"0","f":"1.0","x":"","n":"4","new":"8"}
	EOF
	expect "$schemas" --from debezium --schema @sql in <<-'EOF'
	["shop.sales",["id"],["id","bigint unsigned",false],["d","decimal(10,2)",true],["dt","date",true],["m","datetime",true],["u","datetime(6)",true],["t","time",true],["ts","timestamp",true],["b1","boolean",true],["b9","bit(9)",true],["y","year",true],["f","float",true],["x","varbinary(9)",true],["n","int",true],["new",null,true]]
	EOF
	# A list is for every table; another connector's numbers mean something else.
	expect "$after | .dt" --from debezium --schema 'dt DATE' in <<<'"2020-01-01" "2020-01-01"'
	sed 's/"connector":"mysql"/"connector":"sqlserver"/' in >other
	expect "$after | .dt" --from debezium --schema 'dt DATE' other <<<'"18262" "2020-01-01Z"'
	run cdc-decode --from debezium --schema 'dt DATE' /dev/null
	[ "$status" -eq 0 ]
	run cdc-decode --from debezium --schema 'CREATE TABLE (' in
	[ "$status" -eq 2 ]
}

# 1234 as base64 is d76df8, -2658824; 12345678 is d76df8e7aefc, of 14 digits; BNI= is 1234.
@test "debezium: without schemas, decimals as digits are told from base64" {
	row() { echo "{\"before\":null,\"after\":$1,$(source_of "${2:-sales}" 1573701065000),\"op\":\"c\"}"; }
	columns='n DECIMAL(10,0), u DECIMAL(10,0) UNSIGNED, p DECIMAL(10,2), y DECIMAL(4,0), w DECIMAL(20,0)'
	# what fits the column in one reading only
	{
		row '{"n":"12345","u":"1234","y":"2020"}'
		row '{"n":"12345678","u":"0","y":"-999"}'
		row '{"n":"1234567890","u":null,"y":7}'
	} >in
	expect "$after" --from debezium --schema "$columns" in <<-'EOF'
	{"n":"12345","u":"1234","y":"2020"}
	{"n":"12345678","u":"0","y":"-999"}
	{"n":"1234567890","u":null,"y":"7"}
	EOF
	# what the table's other decimals tell, in the same row and before it
	{
		row '{"n":"1234","p":"1.50"}' texts
		row '{"n":"1234","p":"BNI="}' bytes
		row '{"n":"1234","p":null}' texts
		row '{"n":"1234","w":"12345678"}' bytes
	} >in
	expect "$after" --from debezium --schema "$columns" in <<-'EOF'
	{"n":"1234","p":"1.50"}
	{"n":"-2658824","p":"12.34"}
	{"n":"1234","p":null}
	{"n":"-2658824","w":"-44607649370372"}
	EOF
	# and where nothing tells
	row '{"n":"1234"}' >in
	refused 'column n: 1234 may be digits or base64: if decimals come as digits, give the column as text in --schema' \
		--from debezium --schema "$columns" in
	expect "$after" --from debezium --schema 'n text' in <<<'{"n":"1234"}'
	row '{"y":"12345"}' >in
	refused 'column y: 12345 fits the column neither as digits nor as base64' --from debezium --schema "$columns" in
	# a mode that was changed
	{
		row '{"p":"1.50"}'
		row '{"p":"BNI="}'
		row '{"n":"1234"}'
	} >in
	run -1 cdc-decode --from debezium --schema "$columns" --reject rejects -o out in
	[ "$(jq -c "$after" out | tail -n 1)" = '{"p":"12.34"}' ]
}
