#!/usr/bin/env bats
# Maxwell's messages, made up by hand, against the records that they must become.

bats_require_minimum_version 1.5.0
load dialects

setup() { dialects_setup; }

@test "maxwell: each type of row" {
	cat >in <<-'EOF'
	{"database":"shop","table":"sales","type":"bootstrap-start","ts":1573701060,"data":{}}
	{"database":"shop","table":"sales","type":"bootstrap-insert","ts":1573701060,"data":{"id":1,"name":"Lee","sales":500.00}}
	{"database":"shop","table":"sales","type":"bootstrap-complete","ts":1573701060,"data":{}}
	{"database":"shop","table":"sales","type":"insert","ts":1573701065,"xid":9,"commit":true,"data":{"id":2,"name":null,"sales":7.10}}
	{"database":"shop","table":"sales","type":"update","ts":1573701065,"xid":10,"xoffset":0,"data":{"id":2,"name":"Bo","sales":7.10},"old":{"name":null}}
	{"database":"shop","table":"sales","type":"update","ts":1573701065,"xid":10,"commit":true,"data":{"id":3,"name":"Bo","sales":null},"old":{"id":2,"sales":7.10}}
	{"database":"shop","table":"sales","type":"update","ts":1573701065,"xid":11,"commit":true,"data":{"id":3,"name":"Bo","sales":null}}
	{"database":"shop","table":"sales","type":"delete","ts":1573701065,"xid":12,"commit":true,"data":{"id":3,"name":"Bo","sales":null}}
	EOF
	expect "$rows" --from maxwell in <<-'EOF'
	["INIT","shop.sales","2019-11-14T03:11:00Z",{},{"id":"1","name":"Lee","sales":"500.00"}]
	["INSERT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"2","name":null,"sales":"7.10"}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{"id":"2","name":null,"sales":"7.10"},{"id":"2","name":"Bo","sales":"7.10"}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{"id":"2","name":"Bo","sales":"7.10"},{"id":"3","name":"Bo","sales":null}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{"id":"3","name":"Bo","sales":null},{"id":"3","name":"Bo","sales":null}]
	["DELETE","shop.sales","2019-11-14T03:11:05Z",{"id":"3","name":"Bo","sales":null},{}]
	EOF
	taken_for maxwell in
}

@test "maxwell: a whole record, and the table before it" {
	message shop 1 42 '{"database":"shop","table":"sales","pk.id":1}' '{"database":"shop","table":"sales","type":"insert","ts":1573701065,"xid":9,"commit":true,"position":"m.000006:800911","gtid":null,"server_id":23,"thread_id":108,"primary_key":[1,"2019-11-14 03:11:05.120000"],"primary_key_columns":["id","at"],"data":{"id":1,"at":"2019-11-14 03:11:05.120000","m":4.2341}}' >in
	expect . in <<-'EOF'
	{"recordType":"SCHEMA","dbTable":"shop.sales","columns":[{"name":"id","nullable":false},{"name":"at","nullable":false},{"name":"m","nullable":true}],"primaryKey":["id","at"]}
	{"recordID":42,"source":{"sourceType":"MySQL","version":""},"dbTable":"shop.sales","recordType":"INSERT","recordTimestamp":"2019-11-14T03:11:05Z","extraTags":{"xid":"9","commit":"true","position":"m.000006:800911","server_id":"23","thread_id":"108"},"fields":["id","at","m"],"beforeImages":{},"afterImages":{"id":"1","at":"2019-11-14 03:11:05.120000","m":"4.2341"},"position":{"topic":"shop","partition":1,"offset":42}}
	EOF
}

# The names in a message's key are in lower case.
@test "maxwell: the key of a table from the messages' keys" {
	v='{"database":"shop","table":"sales","type":"insert","ts":1573701065,"data":{"name":"Lee","Id":1,"at":"x"}}'
	message shop 1 42 '{"database":"shop","table":"sales","pk.id":1,"pk.at":"x"}' "$v" >hash
	message shop 1 42 '["shop","sales",[{"id":1},{"at":"x"}]]' "$v" >array
	for f in hash array; do
		expect "$schemas" $f <<-'EOF'
		["shop.sales",["Id","at"],["name",null,true],["Id",null,false],["at",null,false]]
		EOF
	done
	# names with escapes
	message shop 1 42 '{"database":"shop","table":"sales","pk.\u0069\"d":1,"pk.at":"x"}' '{"database":"shop","table":"sales","type":"insert","ts":1573701065,"data":{"i\"d":1,"at":"x"}}' >hash
	message shop 1 42 '["shop","sales",[{"\u0069\"d":1},{"at":"x"}]]' '{"database":"shop","table":"sales","type":"insert","ts":1573701065,"data":{"i\"d":1,"at":"x"}}' >array
	for f in hash array; do
		expect "$schemas | .[1]" $f <<<'["i\"d","at"]'
	done
	# a table without a key, and keys that are something else
	for key in '{"database":"shop","table":"sales","_uuid":"6e8b"}' '["shop","sales",[]]' x '{' ''; do
		message shop 1 42 "$key" "$v" >in
		expect "$schemas" in </dev/null
	done
	# primary_key_columns tells better, and --key where nothing does
	message shop 1 42 '{"database":"shop","table":"sales","pk.at":"x"}' "${v/\"data\"/\"primary_key_columns\":[\"Id\"],\"data\"}" >in
	expect "$schemas | .[1]" in <<<'["Id"]'
	message shop 1 42 '' "$v" >in
	expect "$schemas | .[1]" --key at in <<<'["at"]'
}

@test "maxwell: values keep their text without types" {
	cat >in <<-'EOF'
	{"database":"shop","table":"t","type":"insert","ts":1573701065,"data":{"big":18446744073709551615,"odd":9007199254740993,"dec":12345678901234567890.1234567890,"neg":-0.10,"flag":true,"json":{"a": [1, 2.50]},"list":["a","b"],"blob":"6QD/","empty":"","text":"é \"x\"","date":"2019-11-14","time":"-838:59:59","dt":"2019-11-14 03:11:05.120456","zero":"0000-00-00 00:00:00","year":2019,"null":null}}
	EOF
	expect "$after" in <<-'EOF'
	{"big":"18446744073709551615","odd":"9007199254740993","dec":"12345678901234567890.1234567890","neg":"-0.10","flag":"true","json":"{\"a\": [1, 2.50]}","list":"[\"a\",\"b\"]","blob":"6QD/","empty":"","text":"é \"x\"","date":"2019-11-14","time":"-838:59:59","dt":"2019-11-14 03:11:05.120456","zero":"0000-00-00 00:00:00","year":"2019","null":null}
	EOF
}

@test "maxwell: columns that a message leaves out are unknown" {
	cat >in <<-'EOF'
	{"database":"shop","table":"t","type":"insert","ts":1573701065,"data":{"id":1,"a":"x"}}
	{"database":"shop","table":"t","type":"update","ts":1573701065,"data":{"id":1,"b":"y"},"old":{"b":null}}
	{"database":"shop","table":"t","type":"delete","ts":1573701065,"data":{"id":1}}
	EOF
	expect "$images" in <<-'EOF'
	["INSERT",{},{"id":"1","a":"x"}]
	["UPDATE",{"id":"1","b":null},{"id":"1","b":"y"}]
	["DELETE",{"id":"1"},{}]
	EOF
	tail -n 2 out | head -n 1 | jq -c .fields | diff <(echo '["id","a","b"]') -
}

@test "maxwell: statements tell types; their time is in milliseconds" {
	cat >in <<-'EOF'
	{"type":"database-create","database":"shop","ts":1573701065120,"sql":"create database shop","position":"m.000001:4"}
	{"type":"table-create","database":"shop","table":"t","def":{"database":"shop","charset":"utf8mb4","table":"t","columns":[{"type":"bigint","name":"id","signed":false},{"type":"varchar","name":"name","charset":"utf8mb4"},{"type":"timestamp","name":"at","column-length":3},{"type":"datetime","name":"local","column-length":3},{"type":"set","name":"s","enum-values":["a","b"]},{"type":"float","name":"f"},{"type":"decimal","name":"d"},{"type":"json","name":"j"}],"primary-key":["id"]},"ts":1573701065120,"sql":"create table t (...)","position":"m.000001:5"}
	{"database":"shop","table":"t","type":"insert","ts":1573701065,"data":{"id":1,"name":"x","at":"2019-11-14 11:11:05.120","local":"2019-11-14 03:11:05.120","s":["a","b"],"f":3.140000104904175,"d":1.50,"j":["a"]}}
	{"type":"table-drop","database":"shop","table":"t","ts":1573701065120,"sql":"drop table t"}
	EOF
	expect "$rows" --source-timezone +08:00 in <<-'EOF'
	["DDL","shop","2019-11-14T03:11:05.120Z","create database shop",null]
	["DDL","shop.t","2019-11-14T03:11:05.120Z","create table t (...)",null]
	["INSERT","shop.t","2019-11-14T03:11:05Z",{},{"id":"1","name":"x","at":"2019-11-14T03:11:05.120000Z","local":"2019-11-14 03:11:05.120000","s":"a,b","f":"3.14","d":"1.50","j":"[\"a\"]"}]
	["DDL","shop.t","2019-11-14T03:11:05.120Z","drop table t",null]
	EOF
	# no precision is told, so there is no type of the source to go by
	expect 'select(.columns) | [.primaryKey, (.columns[] | [.name, .type, .nullable, .sourceType])]' in <<-'EOF'
	[["id"],["id","bigint unsigned",false,"bigint unsigned"],["name","varchar",true,"varchar"],["at","timestamp",true,"timestamp"],["local","datetime",true,"datetime"],["s","set",true,"set"],["f","float",true,"float"],["d","decimal",true,null],["j","json",true,"json"]]
	EOF
	expect "[.recordType, .dbTable]" -t shop.other in <<<'["DDL","shop"]'
	taken_for maxwell in
}

@test "maxwell: the time of TiCDC's statements is TiDB's" {
	# 1573701065120 ms and a counter of 7; the same, as milliseconds
	cat >in <<-'EOF'
	{"type":"table-drop","database":"shop","table":"t","ts":412536292014817287,"sql":"drop table t"}
	{"type":"table-drop","database":"shop","table":"t","ts":1573701065120,"sql":"drop table t"}
	EOF
	expect "$rows" in <<-'EOF'
	["DDL","shop.t","2019-11-14T03:11:05.120Z","drop table t",null]
	["DDL","shop.t","2019-11-14T03:11:05.120Z","drop table t",null]
	EOF
}

@test "maxwell: statements of TiCDC, of whatever type" {
	cat >in <<-'EOF'
	{"type":"create view","database":"shop","table":"v","old":{"database":"","table":"","columns":null,"primary-key":null},"def":{"database":"shop","table":"v","columns":[],"primary-key":null},"ts":412536292014817287,"sql":"create view v as select 1"}
	{"type":"rename tables","database":"shop","table":"t","def":{"database":"shop","table":"t","columns":[{"type":"int","name":"id"}],"primary-key":null},"ts":412536292014817287,"sql":"rename table s to t"}
	{"type":"database-create","database":"shop","table":"","def":{"database":"shop","table":"","columns":null,"primary-key":null},"ts":412536292014817287,"sql":"create database shop"}
	EOF
	expect "$rows" in <<-'EOF'
	["DDL","shop.v","2019-11-14T03:11:05.120Z","create view v as select 1",null]
	["DDL","shop.t","2019-11-14T03:11:05.120Z","rename table s to t",null]
	["DDL","shop","2019-11-14T03:11:05.120Z","create database shop",null]
	EOF
	taken_for maxwell in
	# the database's statement comes with each of its tables
	expect "[.recordType, .dbTable]" -t shop.other in <<<'["DDL","shop"]'
	# Canal's statement is no Maxwell message
	echo '{"data":null,"database":"shop","es":1573701065000,"id":1,"isDdl":true,"sql":"create view v as select 1","table":"v","ts":1573701065120,"type":"QUERY"}' >in
	taken_for canal in
}

@test "maxwell: a delete of TiCDC has its row in old" {
	cat >in <<-'EOF'
	{"database":"shop","table":"t","type":"delete","ts":1573701065,"old":{"id":1,"name":null}}
	{"database":"shop","table":"t","type":"delete","ts":1573701065,"data":null,"old":{"id":2,"name":"x","more":1.5}}
	EOF
	expect "$images" in <<-'EOF'
	["DELETE",{"id":"1","name":null},{}]
	["DELETE",{"id":"2","name":"x","more":"1.5"},{}]
	EOF
	taken_for maxwell in
	# not of another row
	for type in insert update; do
		jq -c ".type = \"$type\"" in | head -n 1 >other
		refused 'a row without data' --from maxwell other
	done
}

@test "maxwell: several objects in a message" {
	row() { printf '{"database":"shop","table":"%s","type":"insert","ts":1573701065,"data":{"id":%s}}' "$1" "$2"; }
	message shop 1 42 '' "$(row t 1)$(row s 2)" >in
	message shop 1 43 '' "$(row t 3)"$'\n'"$(row t 4) "$'\n' >>in
	expect 'select(.afterImages) | [.recordID, .dbTable, .afterImages, .position]' in <<-'EOF'
	[42,"shop.t",{"id":"1"},{"topic":"shop","partition":1,"offset":42}]
	[42,"shop.s",{"id":"2"},{"topic":"shop","partition":1,"offset":42}]
	[43,"shop.t",{"id":"3"},{"topic":"shop","partition":1,"offset":43}]
	[43,"shop.t",{"id":"4"},{"topic":"shop","partition":1,"offset":43}]
	EOF
	taken_for maxwell in
	expect .dbTable -t shop.s in <<<'"shop.s"'
	# without messages each is one
	for n in 1 2 3; do row t $n; done >in
	echo >>in
	expect 'select(.afterImages) | [.recordID, .afterImages.id]' in <<<'[1,"1"] [2,"2"] [3,"3"]'
	# a message is rejected as a whole
	for bad in '{"database":"shop"}' '[]' '{"database":' ', '; do
		message shop 1 42 '' "$(row t 1)$bad$(row t 2)" >in
		message shop 1 43 '' "$(row t 3)" >>in
		run --separate-stderr cdc-decode --from maxwell --reject rejects in
		[ "$status" -eq 1 ]
		jq -c 'select(.afterImages) | [.recordID, .afterImages.id]' <<<"$output" | diff -u <(echo '[43,"3"]') -
		jq -r '.raw | @base64d' rejects | diff -u <(echo "$(row t 1)$bad$(row t 2)") -
	done
}

# Maxwell tells of no such statement.
@test "maxwell: TiCDC's TRUNCATE TABLE" {
	ddl() { printf '{"type":"table-alter","database":"sh\u006fp","table":"t","def":{"database":"shop","table":"t","columns":[{"type":"string","name":"v"}],"primary-key":null},"ts":412536292014817287,"sql":"%s"}\n' "$1"; }
	{ ddl 'truncate table t'; ddl 'ALTER TABLE t TRUNCATE PARTITION p0'; ddl 'TRUNCATE `other`.`u`'; } >in
	expect "$rows" in <<-'EOF'
	["DDL","shop.t","2019-11-14T03:11:05.120Z","truncate table t",null]
	["TRUNCATE","shop.t","2019-11-14T03:11:05.120Z",null,null]
	["DDL","shop.t","2019-11-14T03:11:05.120Z","ALTER TABLE t TRUNCATE PARTITION p0",null]
	["DDL","shop.t","2019-11-14T03:11:05.120Z","TRUNCATE `other`.`u`",null]
	["TRUNCATE","other.u","2019-11-14T03:11:05.120Z",null,null]
	EOF
}

# TiCDC calls a column of doubles float.
@test "maxwell: a float that is no single keeps its digits" {
	cat >in <<-'EOF'
	{"type":"table-create","database":"shop","table":"t","def":{"database":"shop","table":"t","columns":[{"type":"float","name":"f"}],"primary-key":[]},"ts":1573701065120,"sql":"create table t (...)"}
	EOF
	# in the message, in the record
	while read -r given printed; do
		printf '{"database":"shop","table":"t","type":"insert","ts":1573701065,"data":{"f":%s}}\n' "$given" >>in
		echo "{\"f\":\"$printed\"}" >>expected
	done <<-'EOF'
	0.1 0.1
	0.10000000149011612 0.1
	-3.4028235e+38 -3.4028235E38
	16777200 1.67772E7
	0.333333 0.333333
	1.401298464324817e-45 1.0E-45
	123456789.125 1.23456789125E8
	0.1000000001 0.1000000001
	16777217 1.6777217E7
	5e-324 5.0E-324
	1.7976931348623157e+308 1.7976931348623157E308
	-0.0 -0.0
	EOF
	expect "$after" in <expected
}

# It has no signs of integers either, so cdc-merge asks for them.
@test "maxwell: the types that TiCDC tells" {
	cat >in <<-'EOF'
	{"type":"table-create","database":"shop","table":"t","old":{"database":"","table":"","columns":null,"primary-key":null},"def":{"database":"shop","table":"t","columns":[{"type":"bigint","name":"id"},{"type":"float","name":"f"},{"type":"float","name":"d"},{"type":"datetime","name":"at"}],"primary-key":null},"ts":412536292014817287,"sql":"create table t (...)"}
	{"database":"shop","table":"t","type":"insert","ts":1573701065,"data":{"at":"2019-11-14 03:11:05","d":0.10000000149011612,"f":0.1,"id":18446744073709551615}}
	EOF
	expect "$after" in <<<'{"id":"18446744073709551615","f":"0.1","d":"0.10000000149011612","at":"2019-11-14 03:11:05"}'
	expect 'select(.columns) | [.columns[] | [.name, .type, .sourceType]]' in <<-'EOF'
	[["id","bigint",null],["f","double","double"],["d","double","double"],["at","datetime","datetime"]]
	EOF
}

# Go escapes more than JSON must.
@test "maxwell: names of columns with escapes" {
	cat >in <<-'EOF'
	{"database":"shop","table":"t","type":"insert","ts":1573701065,"primary_key_columns":["\u003cid\u003e"],"data":{"\u003cid\u003e":1,"a\u0026b":"x","\u4e2d":2,"a\/b":3}}
	{"database":"shop","table":"t","type":"update","ts":1573701065,"primary_key_columns":["\u003cid\u003e"],"data":{"\u003cid\u003e":1,"a\u0026b":"y","\u4e2d":2,"a\/b":3,"\u006eew":null},"old":{"a\u0026b":"x"}}
	{"database":"shop","table":"t","type":"delete","ts":1573701065,"primary_key_columns":["<id>"],"data":{"<id>":1,"a&b":"y","中":2,"a/b":3,"new":null}}
	EOF
	expect "$images" in <<-'EOF'
	["INSERT",{},{"<id>":"1","a&b":"x","中":"2","a/b":"3"}]
	["UPDATE",{"<id>":"1","a&b":"x","中":"2","a/b":"3","new":null},{"<id>":"1","a&b":"y","中":"2","a/b":"3","new":null}]
	["DELETE",{"<id>":"1","a&b":"y","中":"2","a/b":"3","new":null},{}]
	EOF
	expect "$schemas | [.[1], .[2:][][0]]" in <<-'EOF'
	[["<id>"],"<id>","a&b","中","a/b"]
	[["<id>"],"<id>","a&b","中","a/b","new"]
	EOF
}

@test "maxwell: rejects with their reasons" {
	echo '{"database":"shop","table":"t","type":"insert","ts":1,"encrypted":{"iv":"a","bytes":"b"}}' >in
	refused 'an encrypted row' in
	echo '{"encrypted":{"iv":"a","bytes":"b"}}' >in
	refused 'an encrypted row' --from maxwell in
	echo '{"database":"shop","table":"t","pk.id":4,"reason":"too large","data":{}}' >in
	refused 'a row that Maxwell could not send' --from maxwell in
	echo '{"database":"shop","table":"t","type":"what","ts":1,"data":{}}' >in
	refused 'unknown type what' --from maxwell in
	echo '{"database":"shop","table":"t","type":"insert","ts":1}' >in
	refused 'a row without data' --from maxwell in
	echo '{"database":"shop","type":"insert","ts":1,"data":{}}' >in
	refused 'a message without database and table' --from maxwell in
}

# Maxwell told to leave out nulls: what old has and data has not became null.
@test "maxwell: output_nulls=false" {
	cat >in <<-'END'
	{"database":"d","table":"t","type":"insert","ts":1,"primary_key_columns":["id"],"data":{"id":1,"a":"x","b":"y"}}
	{"database":"d","table":"t","type":"update","ts":1,"primary_key_columns":["id"],"data":{"id":1,"b":"y"},"old":{"a":"x"}}
	{"database":"d","table":"t","type":"update","ts":1,"primary_key_columns":["id"],"data":{"id":1,"b":"z"},"old":{"b":"y","c":"w","e":"v"}}
	{"database":"d","table":"t","type":"update","ts":1,"primary_key_columns":["id"],"data":{"id":1,"b":"z","e":"v"},"old":{}}
	END
	expect "$images" --from maxwell in <<-'END'
	["INSERT",{},{"id":"1","a":"x","b":"y"}]
	["UPDATE",{"id":"1","a":"x","b":"y"},{"id":"1","a":null,"b":"y"}]
	["UPDATE",{"id":"1","b":"y","c":"w","e":"v"},{"id":"1","b":"z","c":null,"e":null}]
	["UPDATE",{"id":"1","b":"z","e":"v"},{"id":"1","b":"z","e":"v"}]
	END
}

# A JSON column's value is embedded as it is, so a string has its quotes; TiCDC puts the text there.
@test "maxwell: strings in JSON columns" {
	local def='"type":"table-create","database":"d","table":"t","def":{"database":"d","charset":"utf8mb4","table":"t","columns":[{"type":"bigint","name":"id","signed":true},{"type":"json","name":"j"}],"primary-key":["id"]},"sql":"create table t"'
	cat >in <<-END
	{$def,"ts":1}
	{"database":"d","table":"t","type":"insert","ts":1,"data":{"id":1,"j":"str"}}
	{"database":"d","table":"t","type":"insert","ts":1,"data":{"id":2,"j":"a\\"5"}}
	{"database":"d","table":"t","type":"insert","ts":1,"data":{"id":3,"j":5}}
	{"database":"d","table":"t","type":"insert","ts":1,"data":{"id":4,"j":null}}
	{$def,"ts":450363392146014210}
	{"database":"d","table":"t","type":"insert","ts":1,"data":{"id":5,"j":"{\\"a\\":1}"}}
	END
	expect "select(.afterImages) | .afterImages.j" --from maxwell in <<-'END'
	"\"str\""
	"\"a\\\"5\""
	"5"
	null
	"{\"a\":1}"
	END
}

@test "maxwell: a time that is none is a reject" {
	echo '{"database":"d","table":"t","type":"insert","ts":99999999999999,"data":{"id":1}}' >in
	refused 'the time of a change is out of range' --from maxwell in
}
