#!/usr/bin/env bats
# Canal's messages, made up by hand, against the records that they must become.

bats_require_minimum_version 1.5.0
load dialects

setup() { dialects_setup; }

types='"mysqlType":{"id":"bigint(20)","name":"varchar(20)","sales":"decimal(7,2)"},"sqlType":{"id":-5,"name":12,"sales":3}'
head='"database":"shop","table":"sales","pkNames":["id"],"isDdl":false,"es":1573701065000,"ts":1573701065120,"id":3,"sql":""'

@test "canal: rows; the row before an update is the row overlaid with old" {
	cat >in <<-EOF
	{"data":[{"id":"1","name":"Lee","sales":"500.00"},{"id":"2","name":null,"sales":"7.10"}],"old":null,$head,$types,"type":"INSERT"}
	{"data":[{"id":"1","name":"Lee","sales":"150.00"}],"old":[{"sales":"500.00"}],$head,$types,"type":"UPDATE"}
	{"data":[{"id":"2","name":"Bo","sales":null}],"old":[{"name":null,"sales":"7.10"}],$head,$types,"type":"UPDATE"}
	{"data":[{"id":"5","name":"Bo","sales":null},{"id":"4","name":"x","sales":"1.00"}],"old":[{"id":"2"},{"id":"4","sales":"2.00"}],$head,$types,"type":"UPDATE"}
	{"data":[{"id":"1","name":"Lee","sales":"150.00"},{"id":"5","name":"Bo","sales":null}],"old":null,$head,$types,"type":"DELETE"}
	EOF
	expect "$rows" --from canal in <<-'EOF'
	["INSERT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"1","name":"Lee","sales":"500.00"}]
	["INSERT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"2","name":null,"sales":"7.10"}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{"id":"1","name":"Lee","sales":"500.00"},{"id":"1","name":"Lee","sales":"150.00"}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{"id":"2","name":null,"sales":"7.10"},{"id":"2","name":"Bo","sales":null}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{"id":"2","name":"Bo","sales":null},{"id":"5","name":"Bo","sales":null}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{"id":"4","name":"x","sales":"2.00"},{"id":"4","name":"x","sales":"1.00"}]
	["DELETE","shop.sales","2019-11-14T03:11:05Z",{"id":"1","name":"Lee","sales":"150.00"},{}]
	["DELETE","shop.sales","2019-11-14T03:11:05Z",{"id":"5","name":"Bo","sales":null},{}]
	EOF
	taken_for canal in
}

# Canal gives rows in which nothing changed no entry, as long as nothing changed in a row before.
@test "canal: entries of old are those of the last rows" {
	cat >in <<-EOF
	{"data":[{"id":"1","name":"a","sales":"1.00"},{"id":"2","name":"b","sales":"2.00"},{"id":"3","name":"c","sales":"3.00"}],"old":[{"name":"x"},{"name":"c"}],$head,$types,"type":"UPDATE"}
	{"data":[{"id":"1","name":"a","sales":"1.00"}],"old":null,$head,$types,"type":"UPDATE"}
	EOF
	expect "$images" in <<-'EOF'
	["UPDATE",{"id":"1","name":"a","sales":"1.00"},{"id":"1","name":"a","sales":"1.00"}]
	["UPDATE",{"id":"2","name":"x","sales":"2.00"},{"id":"2","name":"b","sales":"2.00"}]
	["UPDATE",{"id":"3","name":"c","sales":"3.00"},{"id":"3","name":"c","sales":"3.00"}]
	["UPDATE",{"id":"1","name":"a","sales":"1.00"},{"id":"1","name":"a","sales":"1.00"}]
	EOF
}

@test "canal: a whole record, and the table before it" {
	message shop.sales 0 42 '' "{\"data\":[{\"id\":\"1\",\"name\":\"Lee\",\"sales\":\"500.00\"}],\"old\":null,$head,$types,\"type\":\"INSERT\",\"gtid\":\"\"}" >in
	expect . in <<-'EOF'
	{"recordType":"SCHEMA","dbTable":"shop.sales","columns":[{"name":"id","type":"bigint","nullable":false,"sourceType":"bigint(20)"},{"name":"name","type":"varchar(20)","nullable":true,"sourceType":"varchar(20)"},{"name":"sales","type":"decimal(7,2)","nullable":true,"sourceType":"decimal(7,2)"}],"primaryKey":["id"]}
	{"recordID":42,"source":{"sourceType":"MySQL","version":""},"dbTable":"shop.sales","recordType":"INSERT","recordTimestamp":"2019-11-14T03:11:05Z","extraTags":{"id":"3"},"fields":["id","name","sales"],"beforeImages":{},"afterImages":{"id":"1","name":"Lee","sales":"500.00"},"position":{"topic":"shop.sales","partition":0,"offset":42}}
	EOF
	echo "{\"data\":[{\"id\":\"1\",\"name\":\"Lee\",\"sales\":\"500.00\"}],\"old\":null,$head,$types,\"type\":\"INSERT\",\"gtid\":\"3e11:7\"}" >in
	expect 'select(.afterImages) | [.recordID, .extraTags, .position]' in <<-'EOF'
	[1,{"id":"3","gtid":"3e11:7"},{"file":"in","offset":0}]
	EOF
}

@test "canal: rows that other writers send: one object, deletions in old, load" {
	cat >in <<-EOF
	{"data":{"id":"1","name":"Lee","sales":"5.00"},"old":null,$head,$types,"type":"INSERT"}
	{"data":{"id":"1","name":"Lee","sales":"6.00"},"old":{"sales":"5.00"},$head,$types,"type":"UPDATE"}
	{"data":null,"old":[{"id":"1","name":"Lee","sales":"6.00"}],$head,$types,"type":"DELETE"}
	{"data":[{"id":"2","name":"Bo","sales":"1.00"}],"old":[null],$head,$types,"type":"INIT"}
	{"data":[{"id":"3","name":"Al","sales":"1.00"}],"old":[null],$head,$types,"type":"INSERT"}
	EOF
	expect "$images" in <<-'EOF'
	["INSERT",{},{"id":"1","name":"Lee","sales":"5.00"}]
	["UPDATE",{"id":"1","name":"Lee","sales":"5.00"},{"id":"1","name":"Lee","sales":"6.00"}]
	["DELETE",{"id":"1","name":"Lee","sales":"6.00"},{}]
	["INIT",{},{"id":"2","name":"Bo","sales":"1.00"}]
	["INSERT",{},{"id":"3","name":"Al","sales":"1.00"}]
	EOF
}

@test "canal: columns that a row image leaves out are unknown, in one table" {
	full='"mysqlType":{"id":"bigint(20)","name":"varchar(20)","note":"text"}'
	part='"mysqlType":{"id":"bigint(20)","name":"varchar(20)"}'
	cat >in <<-EOF
	{"data":[{"id":"1","name":"Lee","note":"long"}],"old":null,$head,$full,"type":"INSERT"}
	{"data":[{"id":"1","name":"Li"}],"old":[{"name":"Lee"}],$head,$part,"type":"UPDATE"}
	{"data":[{"id":"1"}],"old":null,$head,"mysqlType":{"id":"bigint(20)"},"type":"DELETE"}
	{"data":[{"id":"2","name":null,"note":null}],"old":null,$head,$full,"type":"INSERT"}
	EOF
	expect "$images" in <<-'EOF'
	["INSERT",{},{"id":"1","name":"Lee","note":"long"}]
	["UPDATE",{"id":"1","name":"Lee"},{"id":"1","name":"Li"}]
	["DELETE",{"id":"1"},{}]
	["INSERT",{},{"id":"2","name":null,"note":null}]
	EOF
	[ "$(grep -c '"SCHEMA"' out)" -eq 1 ]
}

# Without types and key there is nothing to tell of a table before its rows.
@test "canal: a table without key, and one without types" {
	cat >in <<-'EOF'
	{"data":[{"a":"1"}],"database":"shop","table":"log","pkNames":null,"isDdl":false,"es":1573701065000,"ts":1,"id":3,"sql":"","mysqlType":{"a":"int"},"sqlType":{"a":4},"old":null,"type":"INSERT"}
	{"data":[{"a":"1","b":null}],"database":"shop","table":"bare","isDdl":false,"es":1573701065000,"ts":1,"id":3,"sql":"","old":null,"type":"INSERT"}
	EOF
	expect "[.dbTable, .primaryKey, .afterImages]" in <<-'EOF'
	["shop.log",null,null]
	["shop.log",null,{"a":"1"}]
	["shop.bare",null,{"a":"1","b":null}]
	EOF
	expect "$schemas" --key a in <<-'EOF'
	["shop.log",["a"],["a","int",false]]
	["shop.bare",["a"],["a",null,false],["b",null,true]]
	EOF
}

# Binary is a string of code points: e9 00 ff is "6QD/". ENUM comes as a number, SET as bits.
@test "canal: values by their types" {
	cat >in <<-'EOF'
	{"data":[{"tiny":"255","big":"18446744073709551615","dec":"-0.10","f":"3.14","d":"1.0E10","d2":"323","bit":"513","year":"2019","date":"2019-11-14","time":"-838:59:59","time3":"03:11:05.120","dt":"2019-11-14 03:11:05","dt6":"2019-11-14 03:11:05.120456","zero":"0000-00-00 00:00:00","ts":"2019-11-14 11:11:05","ts3":"2019-11-14 11:11:05.500","txt":"é \"x\"","json":"{\"a\": [1, 2.50]}","blob":"é\u0000ÿ","empty":"","enum":"2","enum0":"0","set":"5","set0":"0","g":"\u0000\u0000\u0000\u0000\u0001\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000ø?\u0000\u0000\u0000\u0000\u0000\u0000\u0000À"}],"old":null,"database":"shop","table":"t","pkNames":null,"isDdl":false,"es":1573701065000,"ts":1,"id":3,"sql":"","type":"INSERT",
	"mysqlType":{"tiny":"tinyint(3) unsigned","big":"bigint(20) unsigned","dec":"decimal(7,2)","f":"float","d":"double","d2":"double","bit":"bit(10)","year":"year(4)","date":"date","time":"time","time3":"time(3)","dt":"datetime","dt6":"datetime(6)","zero":"datetime","ts":"timestamp","ts3":"timestamp(3)","txt":"varchar(20)","json":"json","blob":"blob","empty":"varbinary(9)","enum":"enum('s','m''s')","enum0":"enum('s','m')","set":"set('a','b','c')","set0":"set('a','b')","g":"geometry"}}
	EOF
	tr -d '\n\t' <in >line
	expect "$after" --source-timezone +08:00 line <<-'EOF'
	{"tiny":"255","big":"18446744073709551615","dec":"-0.10","f":"3.14","d":"1.0E10","d2":"323.0","bit":"513","year":"2019","date":"2019-11-14","time":"-838:59:59","time3":"03:11:05.120000","dt":"2019-11-14 03:11:05","dt6":"2019-11-14 03:11:05.120456","zero":"0000-00-00 00:00:00","ts":"2019-11-14T03:11:05Z","ts3":"2019-11-14T03:11:05.500000Z","txt":"é \"x\"","json":"{\"a\": [1, 2.50]}","blob":"6QD/","empty":"","enum":"m's","enum0":"","set":"a,c","set0":"","g":"POINT(1.5 -2)"}
	EOF
	expect "$schemas | .[2:]" line <<-'EOF'
	[["tiny","tinyint unsigned",true],["big","bigint unsigned",true],["dec","decimal(7,2)",true],["f","float",true],["d","double",true],["d2","double",true],["bit","bit(10)",true],["year","year",true],["date","date",true],["time","time",true],["time3","time(3)",true],["dt","datetime",true],["dt6","datetime(6)",true],["zero","datetime",true],["ts","timestamp",true],["ts3","timestamp(3)",true],["txt","varchar(20)",true],["json","json",true],["blob","blob",true],["empty","varbinary(9)",true],["enum","enum",true],["enum0","enum",true],["set","set",true],["set0","set",true],["g","geometry",true]]
	EOF
	# without the option a timestamp is taken for UTC
	jq -r "$after | .ts" <(cdc-decode line) | diff <(echo 2019-11-14T11:11:05Z) -
	# a zone with summer time
	expect "$after | .ts" --source-timezone America/New_York line <<-'EOF'
	"2019-11-14T16:11:05Z"
	EOF
}

# A server logs BINARY(n) without its trailing zeros, and so Canal sends it.
@test "canal: BINARY has its length" {
	echo "{\"data\":[{\"b4\":\"\\u0000ÿ\",\"b3\":\"abc\",\"b5\":\"\",\"b1\":null,\"b7\":\"a\",\"vb\":\"\\u0000ÿ\"}],\"old\":null,$head,\"mysqlType\":{\"b4\":\"binary(4)\",\"b3\":\"BINARY(3)\",\"b5\":\"BINARY(5)\",\"b1\":\"binary(1)\",\"b7\":\"binary\",\"vb\":\"varbinary(4)\"},\"type\":\"INSERT\"}" >in
	expect "$after" in <<-'EOF'
	{"b4":"AP8AAA==","b3":"YWJj","b5":"AAAAAAA=","b1":null,"b7":"YQ==","vb":"AP8="}
	EOF
}

@test "canal: statements" {
	cat >in <<-EOF
	{"data":null,"database":"shop","es":1573701065000,"id":1,"isDdl":true,"mysqlType":null,"old":null,"pkNames":null,"sql":"CREATE DATABASE shop","sqlType":null,"table":"","ts":1,"type":"QUERY"}
	{"data":null,"database":"shop","es":1573701065000,"id":2,"isDdl":true,"mysqlType":null,"old":null,"pkNames":null,"sql":"ALTER TABLE sales ADD note text","sqlType":null,"table":"sales","ts":1,"type":"ALTER"}
	{"data":null,"database":"shop","es":1573701065000,"id":2,"isDdl":true,"mysqlType":null,"old":null,"pkNames":null,"sql":"TRUNCATE sales","sqlType":null,"table":"sales","ts":1,"type":"TRUNCATE"}
	{"data":null,"database":"shop","es":1573701065000,"id":2,"isDdl":true,"mysqlType":null,"old":null,"pkNames":null,"sql":"DROP TABLE other","sqlType":null,"table":"other","ts":1,"type":"ERASE"}
	EOF
	expect "$rows" in <<-'EOF'
	["DDL","shop","2019-11-14T03:11:05Z","CREATE DATABASE shop",null]
	["DDL","shop.sales","2019-11-14T03:11:05Z","ALTER TABLE sales ADD note text",null]
	["DDL","shop.sales","2019-11-14T03:11:05Z","TRUNCATE sales",null]
	["TRUNCATE","shop.sales","2019-11-14T03:11:05Z",null,null]
	["DDL","shop.other","2019-11-14T03:11:05Z","DROP TABLE other",null]
	EOF
	expect "[.recordType, .dbTable]" -t shop.sales in <<-'EOF'
	["DDL","shop"]
	["DDL","shop.sales"]
	["DDL","shop.sales"]
	["TRUNCATE","shop.sales"]
	EOF
	# One that Canal cannot read names nothing: any table could be meant.
	echo '{"data":null,"database":"","es":1573701065000,"id":1,"isDdl":true,"mysqlType":null,"old":null,"pkNames":null,"sql":"ALTER TABLE sales ADD z BLOB COMPRESSED","sqlType":null,"table":"","ts":1,"type":"QUERY"}' >in
	expect "$rows" -t shop.sales in <<-'EOF'
	["DDL",null,"2019-11-14T03:11:05Z","ALTER TABLE sales ADD z BLOB COMPRESSED",null]
	EOF
}

@test "canal: a table is told again when its columns change, not when they do not" {
	cat >in <<-EOF
	{"data":[{"id":"1","name":"a","sales":"1.00"}],"old":null,$head,$types,"type":"INSERT"}
	{"data":null,"database":"shop","es":1573701065000,"id":2,"isDdl":true,"mysqlType":null,"old":null,"pkNames":null,"sql":"ALTER TABLE sales ADD KEY (name)","sqlType":null,"table":"sales","ts":1,"type":"CINDEX"}
	{"data":[{"id":"2","name":"a","sales":"1.00"}],"old":null,$head,$types,"type":"INSERT"}
	{"data":[{"id":"3","name":"a","sales":"1.00","note":null}],"old":null,$head,"mysqlType":{"id":"bigint(20)","name":"varchar(20)","sales":"decimal(9,2)","note":"text"},"type":"INSERT"}
	EOF
	expect "[.recordType, (.columns // [] | map(.type))]" in <<-'EOF'
	["SCHEMA",["bigint","varchar(20)","decimal(7,2)"]]
	["INSERT",[]]
	["DDL",[]]
	["INSERT",[]]
	["SCHEMA",["bigint","varchar(20)","decimal(9,2)","text"]]
	["INSERT",[]]
	EOF
}

# TiCDC numbers no messages, lists all columns in old, and marks how far it came.
@test "canal: as TiCDC writes it" {
	cat >in <<-'EOF'
	{"id":0,"database":"shop","table":"sales","pkNames":["id"],"isDdl":false,"type":"INSERT","es":1573701065000,"ts":1573701065120,"sql":"","sqlType":{"id":4,"n":12},"mysqlType":{"id":"int","n":"varchar"},"old":null,"data":[{"id":"1","n":"a"}],"_tidb":{"commitTs":412538230100000001}}
	{"id":0,"database":"shop","table":"sales","pkNames":["id"],"isDdl":false,"type":"UPDATE","es":1573701065000,"ts":1573701065120,"sql":"","sqlType":{"id":4,"n":12},"mysqlType":{"id":"int","n":"varchar"},"old":[{"id":"1","n":"a"}],"data":[{"id":"1","n":null}],"_tidb":{"commitTs":412538230100000002}}
	{"id":0,"database":"shop","table":"sales","pkNames":["id"],"isDdl":false,"type":"DELETE","es":1573701065000,"ts":1573701065120,"sql":"","sqlType":{"id":4,"n":12},"mysqlType":{"id":"int","n":"varchar"},"old":null,"data":[{"id":"1","n":null}],"_tidb":{"commitTs":412538230100000003}}
	{"id":0,"database":"","table":"","pkNames":null,"isDdl":false,"type":"TIDB_WATERMARK","es":1573701066000,"ts":1573701066120,"sql":"","sqlType":null,"mysqlType":null,"old":null,"data":null,"_tidb":{"watermarkTs":412538230100000004}}
	EOF
	expect "select(.beforeImages) | [.recordType, .extraTags, .beforeImages, .afterImages]" in <<-'EOF'
	["INSERT",{"commitTs":"412538230100000001"},{},{"id":"1","n":"a"}]
	["UPDATE",{"commitTs":"412538230100000002"},{"id":"1","n":"a"},{"id":"1","n":null}]
	["DELETE",{"commitTs":"412538230100000003"},{"id":"1","n":null},{}]
	EOF
	# its files on storage end messages with CR LF
	sed 's/$/\r/' in >crlf
	cp want once
	expect "select(.beforeImages) | [.recordType, .extraTags, .beforeImages, .afterImages]" crlf <once
	expect 'select(.recordType == "CHECKPOINT") | [.recordTimestamp, .positions]' --control in <<-'EOF'
	["2019-11-14T03:11:06Z",[]]
	EOF
	taken_for canal in
}

# A row that was too long for a message must not replace the stored one.
@test "canal: TiCDC's rows that hold their key only are updates" {
	cat >in <<-'EOF'
	{"id":0,"database":"shop","table":"sales","pkNames":["id"],"isDdl":false,"type":"INSERT","es":1573701065000,"ts":1573701065120,"sql":"","sqlType":{"id":4,"n":12},"mysqlType":{"id":"int","n":"varchar"},"old":null,"data":[{"id":"1","n":"a"}],"_tidb":{"commitTs":1}}
	{"id":0,"database":"shop","table":"sales","pkNames":["id"],"isDdl":false,"type":"INSERT","es":1573701065000,"ts":1573701065120,"sql":"","sqlType":{"id":4},"mysqlType":{"id":"int"},"old":null,"data":[{"id":"1"}],"_tidb":{"commitTs":2,"onlyHandleKey":true}}
	{"id":0,"database":"shop","table":"sales","pkNames":["id"],"isDdl":false,"type":"UPDATE","es":1573701065000,"ts":1573701065120,"sql":"","sqlType":{"id":4},"mysqlType":{"id":"int"},"old":[{"id":"1"}],"data":[{"id":"1"}],"_tidb":{"commitTs":3,"onlyHandleKey":false,"claimCheckLocation":"file:\/tmp\/x.json"}}
	{"id":0,"database":"shop","table":"sales","pkNames":["id"],"isDdl":false,"type":"INSERT","es":1573701065000,"ts":1573701065120,"sql":"","sqlType":{"id":4},"mysqlType":{"id":"int"},"old":null,"data":[{"id":"1"}],"_tidb":{"commitTs":4,"claimCheckLocation":"x"}}
	{"id":0,"database":"shop","table":"sales","pkNames":["id"],"isDdl":false,"type":"DELETE","es":1573701065000,"ts":1573701065120,"sql":"","sqlType":{"id":4},"mysqlType":{"id":"int"},"old":null,"data":[{"id":"1"}],"_tidb":{"commitTs":5,"onlyHandleKey":true}}
	EOF
	expect "select(.beforeImages) | [.recordType, .extraTags, .beforeImages, .afterImages]" in <<-'EOF'
	["INSERT",{"commitTs":"1"},{},{"id":"1","n":"a"}]
	["UPDATE",{"commitTs":"2","onlyHandleKey":"true"},{},{"id":"1"}]
	["UPDATE",{"commitTs":"3","claimCheckLocation":"file:/tmp/x.json"},{"id":"1"},{"id":"1"}]
	["UPDATE",{"commitTs":"4","claimCheckLocation":"x"},{},{"id":"1"}]
	["DELETE",{"commitTs":"5","onlyHandleKey":"true"},{"id":"1"},{}]
	EOF
	cdc-decode in | cdc-merge --create t
	[ "$(cdc-snapshot t | wc -l)" -eq 0 ]
	head -n 4 in | cdc-decode | cdc-merge --create u
	[ "$(cdc-snapshot u)" = '{"id":1,"n":"a"}' ]
}

# TiCDC prints mysqlType from a hash table, in another order each time; data has the table's.
@test "canal: the order of mysqlType makes no new table, its key and types do" {
	cat >in <<-'EOF'
	{"data":[{"id":"1","n":"a","x":"1.5"}],"old":null,"mysqlType":{"x":"double","id":"int","n":"text"},"pkNames":["id"],"database":"d","table":"t","isDdl":false,"es":1,"type":"INSERT"}
	{"data":[{"id":"2","n":"b","x":"2.5"}],"old":null,"mysqlType":{"n":"text","x":"double","id":"int"},"pkNames":["id"],"database":"d","table":"t","isDdl":false,"es":1,"type":"INSERT"}
	{"data":[{"n":"c","x":"3.5","id":"3"}],"old":null,"mysqlType":{"id":"int","n":"text","x":"double"},"pkNames":["id"],"database":"d","table":"t","isDdl":false,"es":1,"type":"INSERT"}
	{"data":[{"id":"4","n":"d","x":"4.5"}],"old":null,"mysqlType":{"n":"text","id":"int","x":"double"},"pkNames":["n"],"database":"d","table":"t","isDdl":false,"es":1,"type":"INSERT"}
	{"data":[{"id":"5","n":"e","x":"5.5"}],"old":null,"mysqlType":{"n":"text","id":"bigint","x":"double"},"pkNames":["n"],"database":"d","table":"t","isDdl":false,"es":1,"type":"INSERT"}
	{"data":[{"id":"6","n":"f","x":"6.5"}],"old":null,"mysqlType":{"n":"text","x":"double","id":"bigint"},"pkNames":null,"database":"d","table":"t","isDdl":false,"es":1,"type":"INSERT"}
	EOF
	expect '[.recordType, .primaryKey, (.columns // [] | map("\(.name) \(.type)")), .afterImages]' in <<-'EOF'
	["SCHEMA",["id"],["id int","n text","x double"],null]
	["INSERT",null,[],{"id":"1","n":"a","x":"1.5"}]
	["INSERT",null,[],{"id":"2","n":"b","x":"2.5"}]
	["INSERT",null,[],{"id":"3","n":"c","x":"3.5"}]
	["SCHEMA",["n"],["id int","n text","x double"],null]
	["INSERT",null,[],{"id":"4","n":"d","x":"4.5"}]
	["SCHEMA",["n"],["id bigint","n text","x double"],null]
	["INSERT",null,[],{"id":"5","n":"e","x":"5.5"}]
	["SCHEMA",null,["id bigint","n text","x double"],null]
	["INSERT",null,[],{"id":"6","n":"f","x":"6.5"}]
	EOF
}

# Go's writers escape what JSON need not escape.
@test "canal: names of columns with escapes" {
	cat >in <<-'EOF'
	{"data":[{"a\u003cb":"1","\u4e2d":"x","s\/t":null,"q\"":"y"}],"old":null,"mysqlType":{"a\u003cb":"int","中":"text","s/t":"text","q\"":"text"},"pkNames":["a<b"],"database":"d","table":"t","isDdl":false,"es":1,"type":"INSERT"}
	{"data":[{"a<b":"1","中":"z","s/t":"w","q\u0022":"y"}],"old":[{"\u4e2d":"x","s/t":null}],"mysqlType":{"a<b":"int","\u4e2d":"text","s/t":"text","q\"":"text"},"pkNames":["a\u003cb"],"database":"d","table":"t","isDdl":false,"es":1,"type":"UPDATE"}
	EOF
	expect "$images" in <<-'EOF'
	["INSERT",{},{"a<b":"1","中":"x","s/t":null,"q\"":"y"}]
	["UPDATE",{"a<b":"1","中":"x","s/t":null,"q\"":"y"},{"a<b":"1","中":"z","s/t":"w","q\"":"y"}]
	EOF
}

@test "canal: heartbeats" {
	echo '{"data":null,"database":"","es":1573701065000,"id":1,"isDdl":false,"mysqlType":null,"old":null,"pkNames":null,"sql":"","sqlType":null,"table":"","ts":1,"type":"MHEARTBEAT"}' >in
	expect .recordType --from canal in </dev/null
	expect .recordType --from canal --control in <<<'"CHECKPOINT"'
}

@test "canal: an XA transaction that is rolled back after its rows were sent is a reject" {
	echo '{"data":null,"database":"","es":1573701065000,"id":1,"isDdl":false,"mysqlType":null,"old":null,"pkNames":null,"sql":"XA ROLLBACK X'\''61'\'',X'\'''\'',1","sqlType":null,"table":"","ts":1,"type":"XAROLLBACK"}' >in
	run -3 cdc-decode --from canal in
	[[ $output == *'an XA transaction is rolled back, whose rows Canal sent when it was prepared'* ]]
	sed -i 's/XAROLLBACK/XACOMMIT/' in
	cdc-decode --from canal in | jq -e '.recordType == "CHECKPOINT"'
}

# MariaDB logs the text of a statement before its rows; Canal sends it as a message of its own.
@test "canal: the texts of statements whose rows follow are skipped" {
	text='{"data":null,"database":"","es":1573701065000,"gtid":"","id":3,"isDdl":false,"mysqlType":null,"old":null,"pkNames":null,"sql":"INSERT INTO sales VALUES (1, \"Lee\", 5)","sqlType":null,"table":"","ts":1,"type":"QUERY"}'
	{
		echo "$text"
		echo "{\"data\":[{\"id\":\"1\",\"name\":\"Lee\",\"sales\":\"5.00\"}],\"old\":null,$head,$types,\"type\":\"INSERT\"}"
		echo "${text/sales/shop.sales}"
	} >in
	expect "$images" --control in <<-'EOF'
	["INSERT",{},{"id":"1","name":"Lee","sales":"5.00"}]
	EOF
	cdc-decode --stats stats in >out
	jq -e '.skipped == 2' stats
}

@test "canal: rejects with their reasons" {
	echo "{\"data\":[{\"id\":\"1\"}],$head,$types,\"type\":\"WHAT\"}" >in
	refused 'unknown type WHAT' in
	# a statement of the statement format: its rows are not told
	echo "{\"data\":null,\"old\":null,$head,$types,\"type\":\"UPDATE\"}" >in
	refused 'a message of rows without rows' in
	echo "{\"data\":[{\"id\":\"1\",\"other\":\"2\"}],$head,$types,\"type\":\"INSERT\"}" >in
	refused 'a row has a column that its message does not define' in
	echo "{\"data\":[7],$head,$types,\"type\":\"INSERT\"}" >in
	refused 'a row is no object' in
	echo "{\"data\":[{\"b\":\"Ā\"}],$head,\"mysqlType\":{\"b\":\"blob\"},\"type\":\"INSERT\"}" >in
	refused 'column b: a binary value has a character that is no byte' in
	echo '{"data":[{"id":"1"}],"type":"INSERT","isDdl":false,"mysqlType":{"id":"int"}}' >in
	refused 'a message without database and table' --from canal in
	# of a message of two rows, of which one is bad, nothing is printed
	echo "{\"data\":[{\"id\":\"1\"},{\"id\":\"2\",\"other\":\"2\"}],$head,$types,\"type\":\"INSERT\"}" >in
	run --separate-stderr cdc-decode --reject rejects in
	[ "$status" -eq 1 ]
	[ "$output" = '{"recordType":"CHECKPOINT","positions":[],"final":true}' ]
}

# Canal names no table where its parser does not know the statement, and calls it QUERY.
@test "canal: a TRUNCATE is told by its type or by its text" {
	cat >in <<-'EOF'
	{"data":null,"database":"d","isDdl":true,"table":"","type":"TRUNCATE","es":1573701065000,"sql":"truncate table t"}
	{"data":null,"database":"\u0064","isDdl":true,"table":"t","type":"QUERY","es":1573701065000,"sql":"truncate table \u0074"}
	{"data":null,"database":"d","isDdl":true,"table":"t","type":"TRUNCATE","es":1573701065000,"sql":""}
	{"data":null,"database":"d","isDdl":true,"table":"t","type":"TRUNCATE","es":1573701065000,"sql":"/*!50000 truncate t */"}
	{"data":null,"database":"","isDdl":true,"table":"","type":"QUERY","es":1573701065000,"sql":"truncate table o.`t``u`"}
	{"data":null,"database":"","isDdl":true,"table":"","type":"QUERY","es":1573701065000,"sql":"truncate table t"}
	{"data":null,"database":"d","isDdl":true,"table":"t","type":"ALTER","es":1573701065000,"sql":"ALTER TABLE t TRUNCATE PARTITION p"}
	EOF
	expect "[.recordType, .dbTable, .recordTimestamp]" --from canal in <<-'EOF'
	["DDL","d","2019-11-14T03:11:05Z"]
	["TRUNCATE","d.t","2019-11-14T03:11:05Z"]
	["DDL","d.t","2019-11-14T03:11:05Z"]
	["TRUNCATE","d.t","2019-11-14T03:11:05Z"]
	["DDL","d.t","2019-11-14T03:11:05Z"]
	["TRUNCATE","d.t","2019-11-14T03:11:05Z"]
	["DDL","d.t","2019-11-14T03:11:05Z"]
	["TRUNCATE","d.t","2019-11-14T03:11:05Z"]
	["DDL",null,"2019-11-14T03:11:05Z"]
	["TRUNCATE","o.t`u","2019-11-14T03:11:05Z"]
	["DDL",null,"2019-11-14T03:11:05Z"]
	["DDL","d.t","2019-11-14T03:11:05Z"]
	EOF
	# of tables that are not asked for there is none
	expect "[.recordType, .dbTable]" --from canal -t d.x <(head -n 1 in) <<<'["DDL","d"]'
}

@test "canal: a time that is none is a reject, one that is not told is unknown" {
	row() { echo "{\"data\":[{\"id\":\"1\",\"s\":\"a\"}],\"database\":\"d\",\"table\":\"t\",\"isDdl\":false,\"mysqlType\":{\"id\":\"int\",\"s\":\"set('a')\"},\"type\":\"INSERT\"${1:+,\"es\":$1}}"; }
	for es in 9223372036854775807 92233720368547758070 -9223372036854775808 253402300800000 -62167219200001; do
		row "$es" >in
		refused 'the time of a change is out of range' in
	done
	for es in 1.5 1e3 '"12"' true '{}'; do
		row "$es" >in
		refused 'es is no integer' in
	done
	{
		row
		row null
		row 253402300799999
		row -62167219200000
	} >in
	expect 'select(.afterImages) | .recordTimestamp' in <<-'EOF'
	null
	null
	"9999-12-31T23:59:59.999Z"
	"0000-01-01T00:00:00Z"
	EOF
	# of a table that is not asked for nothing is looked at, nor of a heartbeat
	row 1.5 >in
	expect .recordType -t d.x --from canal in </dev/null
	echo '{"data":null,"database":"","es":1.5,"isDdl":false,"table":"","type":"MHEARTBEAT"}' >in
	expect .recordType --from canal in </dev/null
	refused 'es is no integer' --from canal --control in
}
