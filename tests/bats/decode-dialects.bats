#!/usr/bin/env bats
# Messages of GoldenGate, DMS, Logtail, DataWorks and OMS, made up by hand, against the records that
# they must become.

bats_require_minimum_version 1.5.0
load dialects

setup() { dialects_setup; }

@test "ogg: each op_type" {
	h='"table":"SHOP.SALES","op_ts":"2019-11-14 03:11:05.120456","current_ts":"2019-11-14T03:11:09.000001","pos":"00000000000000001444","primary_keys":["ID"],"tokens":{"R":"AADPkvAAEAAEqL2AAA"}'
	cat >in <<-EOF
	{$h,"op_type":"I","after":{"ID":1,"NAME":"Lee","SALES":500.00}}
	{$h,"op_type":"U","before":{"ID":1,"NAME":"Lee","SALES":500.00},"after":{"ID":1,"NAME":null,"SALES":9007199254740993}}
	{$h,"op_type":"U","before":{"ID":1,"SALES":1},"after":{"ID":2,"SALES":2}}
	{$h,"op_type":"U","after":{"ID":2,"NAME":"Bo"}}
	{$h,"op_type":"D","before":{"ID":2,"NAME":"Bo","SALES":2}}
	{$h,"op_type":"T"}
	EOF
	expect "$rows" in <<-'EOF'
	["INSERT","SHOP.SALES","2019-11-14T03:11:05.120456Z",{},{"ID":"1","NAME":"Lee","SALES":"500.00"}]
	["UPDATE","SHOP.SALES","2019-11-14T03:11:05.120456Z",{"ID":"1","NAME":"Lee","SALES":"500.00"},{"ID":"1","NAME":null,"SALES":"9007199254740993"}]
	["UPDATE","SHOP.SALES","2019-11-14T03:11:05.120456Z",{"ID":"1","SALES":"1"},{"ID":"2","SALES":"2"}]
	["UPDATE","SHOP.SALES","2019-11-14T03:11:05.120456Z",{},{"ID":"2","NAME":"Bo"}]
	["DELETE","SHOP.SALES","2019-11-14T03:11:05.120456Z",{"ID":"2","NAME":"Bo","SALES":"2"},{}]
	["TRUNCATE","SHOP.SALES","2019-11-14T03:11:05.120456Z",null,null]
	EOF
	taken_for ogg in
	# its times are local ones of the source
	expect 'select(.beforeImages) | .recordTimestamp' --source-timezone +08:00 <(head -n 1 in) <<-'EOF'
	"2019-11-13T19:11:05.120456Z"
	EOF
	head -n 1 in >one
	expect . one <<-'EOF'
	{"recordType":"SCHEMA","dbTable":"SHOP.SALES","columns":[{"name":"ID","nullable":false},{"name":"NAME","nullable":true},{"name":"SALES","nullable":true}],"primaryKey":["ID"]}
	{"recordID":1,"source":{"sourceType":"Oracle","version":""},"dbTable":"SHOP.SALES","recordType":"INSERT","recordTimestamp":"2019-11-14T03:11:05.120456Z","extraTags":{"pos":"00000000000000001444","R":"AADPkvAAEAAEqL2AAA"},"fields":["ID","NAME","SALES"],"beforeImages":{},"afterImages":{"ID":"1","NAME":"Lee","SALES":"500.00"},"position":{"file":"one","offset":0}}
	EOF
	echo "{$h,\"op_type\":\"X\"}" >in
	refused 'unknown op_type X' in
	echo "{$h,\"op_type\":\"D\",\"after\":{\"ID\":1}}" >in
	refused 'a row without before' in
	echo "{$h,\"op_type\":\"I\",\"before\":{\"ID\":1}}" >in
	refused 'a row without after' in
}

# metadata OPERATION [TYPE]
metadata() {
	printf '"metadata":{"timestamp":"2019-11-14T03:11:05.120456Z","record-type":"%s","operation":"%s","partition-key-type":"schema-table","schema-name":"shop","table-name":"sales","transaction-id":77}' \
		"${2:-data}" "$1"
}

@test "dms: each operation" {
	cat >in <<-EOF
	{$(metadata create-table control)}
	{"data":{"id":1,"name":"Lee","sales":500.00},$(metadata load)}
	{"data":{"id":2,"name":null,"sales":18446744073709551615},$(metadata insert)}
	{"data":{"id":2,"name":"Bo","sales":7},$(metadata update)}
	{"data":{"id":2,"name":"Al","sales":7},"before-image":{"id":2,"name":"Bo"},$(metadata update)}
	{"data":{"id":3,"name":"Al","sales":7,"BI_id":2,"BI_name":null},$(metadata update)}
	{"data":{"id":3,"name":"Al","sales":7},$(metadata delete)}
	{$(metadata truncate-table control)}
	EOF
	expect "$rows" --from dms in <<-'EOF'
	["DDL","shop.sales","2019-11-14T03:11:05.120456Z","create-table",null]
	["INIT","shop.sales","2019-11-14T03:11:05.120456Z",{},{"id":"1","name":"Lee","sales":"500.00"}]
	["INSERT","shop.sales","2019-11-14T03:11:05.120456Z",{},{"id":"2","name":null,"sales":"18446744073709551615"}]
	["UPDATE","shop.sales","2019-11-14T03:11:05.120456Z",{},{"id":"2","name":"Bo","sales":"7"}]
	["UPDATE","shop.sales","2019-11-14T03:11:05.120456Z",{"id":"2","name":"Bo"},{"id":"2","name":"Al","sales":"7"}]
	["UPDATE","shop.sales","2019-11-14T03:11:05.120456Z",{"id":"2","name":null},{"id":"3","name":"Al","sales":"7"}]
	["DELETE","shop.sales","2019-11-14T03:11:05.120456Z",{"id":"3","name":"Al","sales":"7"},{}]
	["DDL","shop.sales","2019-11-14T03:11:05.120456Z","truncate-table",null]
	["TRUNCATE","shop.sales","2019-11-14T03:11:05.120456Z",null,null]
	EOF
	taken_for dms in
	echo "{\"data\":{\"id\":1},$(metadata load)}" >one
	expect . --key id one <<-'EOF'
	{"recordType":"SCHEMA","dbTable":"shop.sales","columns":[{"name":"id","nullable":false}],"primaryKey":["id"]}
	{"recordID":1,"source":{"sourceType":"","version":""},"dbTable":"shop.sales","recordType":"INIT","recordTimestamp":"2019-11-14T03:11:05.120456Z","extraTags":{"transaction-id":"77"},"fields":["id"],"beforeImages":{},"afterImages":{"id":"1"},"position":{"file":"one","offset":0}}
	EOF
	echo "{\"data\":{\"id\":1},$(metadata what)}" >in
	refused 'unknown operation what' in
	echo "{$(metadata insert)}" >in
	refused 'a row without data' in
}

@test "dms: a column whose name begins like that of a before image" {
	cat >in <<-EOF
	{"data":{"id":1,"BI_code":"x"},$(metadata insert)}
	{"data":{"id":1,"BI_code":"y"},$(metadata update)}
	{"data":{"id":1,"BI_code":"z"},$(metadata delete)}
	EOF
	expect "$images" in <<-'EOF'
	["INSERT",{},{"id":"1","BI_code":"x"}]
	["UPDATE",{},{"id":"1","BI_code":"y"}]
	["DELETE",{"id":"1","BI_code":"z"},{}]
	EOF
	# what cannot be told apart is not guessed
	echo "{\"data\":{\"id\":1,\"BI_code\":\"z\",\"BI_id\":1},$(metadata update)}" >in
	refused 'columns BI_ of the table and of the row before an update' in
}

@test "sls: flat and packed rows" {
	h='"_host_":"db1","_db_":"shop","_table_":"sales","_id_":"7","_gtid_":"3e11:7","_filename_":"b.000003","_offset_":"154","__source__":"10.0.0.1","__topic__":"","__tag__:__hostname__":"h"'
	cat >in <<-EOF
	{$h,"_event_":"row_insert","id":"1","name":"<nil>","sales":"500.00"}
	{$h,"_event_":"row_update","_old_id":"1","_old_name":"<nil>","_old_sales":"500.00","id":"1","name":"Bo","sales":"18446744073709551615"}
	{$h,"_event_":"row_delete","id":"1","name":"Bo","sales":"7"}
	{$h,"_event_":"row_update","data":"{\"id\":\"2\",\"name\":\"<nil>\",\"sales\":\"1\"}","old_data":"{\"_old_id\":\"2\",\"_old_name\":\"\\\\\"q\\\\\"\",\"_old_sales\":\"1\"}"}
	{$h,"_event_":"row_insert","_event_time_":"1573701065","data":"{\"id\":\"3\",\"name\":\"\",\"sales\":\"1\"}"}
	{$h,"_event_":"ddl","Query":"TRUNCATE TABLE sales"}
	{$h,"_event_":"ddl","_event_time_":"1573701065","Query":"ALTER TABLE sales ADD note text","ErrorCode":"0","ExecutionTime":"0","StatusVars":""}
	EOF
	expect "$rows" in <<-'EOF'
	["INSERT","shop.sales",null,{},{"id":"1","name":null,"sales":"500.00"}]
	["UPDATE","shop.sales",null,{"id":"1","name":null,"sales":"500.00"},{"id":"1","name":"Bo","sales":"18446744073709551615"}]
	["DELETE","shop.sales",null,{"id":"1","name":"Bo","sales":"7"},{}]
	["UPDATE","shop.sales",null,{"id":"2","name":"\"q\"","sales":"1"},{"id":"2","name":null,"sales":"1"}]
	["INSERT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"3","name":"","sales":"1"}]
	["DDL","shop.sales",null,"TRUNCATE TABLE sales",null]
	["TRUNCATE","shop.sales",null,null,null]
	["DDL","shop.sales","2019-11-14T03:11:05Z","ALTER TABLE sales ADD note text",null]
	EOF
	taken_for sls in
	head -n 1 in >one
	expect . --key id one <<-'EOF'
	{"recordType":"SCHEMA","dbTable":"shop.sales","columns":[{"name":"id","nullable":false},{"name":"name","nullable":true},{"name":"sales","nullable":true}],"primaryKey":["id"]}
	{"recordID":1,"source":{"sourceType":"MySQL","version":""},"dbTable":"shop.sales","recordType":"INSERT","extraTags":{"gtid":"3e11:7","filename":"b.000003","offset":"154"},"fields":["id","name","sales"],"beforeImages":{},"afterImages":{"id":"1","name":null,"sales":"500.00"},"position":{"file":"one","offset":0}}
	EOF
	echo "{$h,\"_event_\":\"what\",\"id\":\"1\"}" >in
	refused 'unknown _event_ what' in
}

# Go's encoder escapes < and > inside of what is packed; a row that is not there is an empty text.
@test "sls: packed as Logtail packs" {
	cat >in <<-'EOF'
	{"_db_":"shop","_table_":"sales","_event_":"row_insert","_host_":"db1","_id_":"7","data":"{\"id\":\"1\",\"name\":\"\\u003cnil\\u003e\"}","old_data":""}
	{"_db_":"shop","_table_":"sales","_event_":"row_update","_host_":"db1","_id_":"7","data":"{\"id\":\"1\",\"name\":\"\\u003cb\\u003e\"}","old_data":"{\"_old_id\":\"1\",\"_old_name\":\"\\u003cnil\\u003e\"}"}
	{"_db_":"shop","_event_":"ddl","_host_":"db1","data":"{\"ErrorCode\":\"0\",\"ExecutionTime\":\"0\",\"Query\":\"DROP TABLE sales\",\"StatusVars\":\"\"}","old_data":""}
	{"_db_":"shop","_table_":"sales","_event_":"row_delete","_host_":"db1","_id_":"7","id":"1","name":"\u003cnil\u003e"}
	EOF
	expect "$rows" in <<-'EOF'
	["INSERT","shop.sales",null,{},{"id":"1","name":null}]
	["UPDATE","shop.sales",null,{"id":"1","name":null},{"id":"1","name":"<b>"}]
	["DDL","shop",null,"DROP TABLE sales",null]
	["DELETE","shop.sales",null,{"id":"1","name":null},{}]
	EOF
}

# dataworks OP SEQUENCE EVENT-TIME BEFORE AFTER [TABLE]
dataworks() {
	printf '{"schema":{"dataColumn":[{"name":"id","type":"LONG"},{"name":"price","type":"DOUBLE"},{"name":"at","type":"DATE"},{"name":"name","type":"STRING"},{"name":"flag","type":"BOOLEAN"}],"primaryKey":["id"],"source":{"dbType":"MySQL","dbName":"shop","tableName":"%s"}},"payload":{"before":%s,"after":%s,"sequenceId":"%s","timestamp":{"eventTime":%s,"systemTime":1,"checkpointTime":1},"op":"%s","ddl":null},"version":"0.0.1"}\n' \
		"${6:-sales}" "${4:-null}" "${5:-null}" "$2" "$3" "$1"
}
# image PRICE
image() { printf '{"dataColumn":{"id":9007199254740993,"price":"%s","at":1573701065120,"name":null,"flag":true}}' "$1"; }

@test "dataworks: each op, an update as one message and as two" {
	{
		dataworks INSERT -1 -1 '' "$(image 1.100000)"
		dataworks INSERT 1573701065001 1573701065120 '' "$(image 2.5)"
		dataworks UPDATE_AFTER 1573701065002 1573701065120 "$(image 2.5)" "$(image 3)"
		dataworks UPDATE_BEFORE 1573701065003 1573701065120 "$(image 3)"
		dataworks UPDATE_AFTER 1573701065003 1573701065120 '' "$(image 4)"
		dataworks DELETE 1573701065004 1573701065120 "$(image 4)"
	} >in
	row() { printf '{"id":"9007199254740993","price":"%s","at":"2019-11-14T03:11:05.120000Z","name":null,"flag":"true"}' "$1"; }
	expect "$rows" in <<-EOF
	["INIT","shop.sales",null,{},$(row 1.1)]
	["INSERT","shop.sales","2019-11-14T03:11:05.120Z",{},$(row 2.5)]
	["UPDATE","shop.sales","2019-11-14T03:11:05.120Z",$(row 2.5),$(row 3.0)]
	["UPDATE","shop.sales","2019-11-14T03:11:05.120Z",$(row 3.0),$(row 4.0)]
	["DELETE","shop.sales","2019-11-14T03:11:05.120Z",$(row 4.0),{}]
	EOF
	expect "$schemas" in <<-'EOF'
	["shop.sales",["id"],["id","bigint",false],["price","double",true],["at","timestamp",true],["name","text",true],["flag","boolean",true]]
	EOF
	grep -c '"sourceType":"MySQL"' out | diff <(echo 5) -
	taken_for dataworks in
	dataworks WHAT 1 1 '' "$(image 1)" >in
	refused 'unknown op WHAT' in
	dataworks UPDATE_BEFORE 1 1 "$(image 1)" >in
	refused 'an UPDATE_BEFORE without UPDATE_AFTER' in
	dataworks DELETE 1 1 >in
	refused 'a row without its image' in
}

@test "dataworks: statements, in the payload or beside it" {
	s='"schema":{"dataColumn":[],"primaryKey":[],"source":{"dbType":"MySQL","dbName":"shop","tableName":"sales"}}'
	p='"before":null,"after":null,"sequenceId":"5","timestamp":{"eventTime":1573701065120},"op":"DDL"'
	cat >in <<-EOF
	{$s,"payload":{$p,"ddl":"TRUNCATE TABLE sales"},"version":"0.0.1"}
	{$s,"payload":{$p},"ddl":"ALTER TABLE sales ADD note text","version":"0.0.1"}
	EOF
	expect "$rows" in <<-'EOF'
	["DDL","shop.sales","2019-11-14T03:11:05.120Z","TRUNCATE TABLE sales",null]
	["TRUNCATE","shop.sales","2019-11-14T03:11:05.120Z",null,null]
	["DDL","shop.sales","2019-11-14T03:11:05.120Z","ALTER TABLE sales ADD note text",null]
	EOF
}

@test "dataworks: the second half of an update is of the same row's table" {
	{
		dataworks UPDATE_BEFORE 1573701065003 1573701065120 "$(image 3)"
		dataworks UPDATE_AFTER 1573701065009 1573701065120 "$(image 7)" "$(image 8)" other
	} >in
	run --separate-stderr cdc-decode --reject rejects -o out in
	[ "$status" -eq 1 ]
	jq -r .reason rejects | diff <(echo 'an UPDATE_BEFORE without UPDATE_AFTER') -
	jq -c 'select(.beforeImages) | [.dbTable, .beforeImages.price, .afterImages.price]' out |
		diff <(echo '["shop.other","7.0","8.0"]') -
	# a message with both rows needs no first half
	{
		dataworks UPDATE_BEFORE 1573701065003 1573701065120 "$(image 3)"
		dataworks UPDATE_AFTER 1573701065009 1573701065120 "$(image 7)" "$(image 8)"
	} >in
	run --separate-stderr cdc-decode --reject rejects -o out in
	[ "$status" -eq 1 ]
	jq -c 'select(.beforeImages) | [.dbTable, .beforeImages.price, .afterImages.price]' out |
		diff <(echo '["shop.sales","7.0","8.0"]') -
}

@test "oms: each recordType" {
	m='"allMetaData":{"checkpoint":"1573701060","dbType":"OCEANBASE","db":"shop","table_name":"sales","timestamp":"1573701065","record_primary_key":"id\u0001line"}'
	cat >in <<-EOF
	{"prevStruct":null,"postStruct":{"id":1,"line":2,"name":"Lee"},$m,"recordType":"ROW"}
	{"prevStruct":null,"postStruct":{"id":2,"line":2,"name":null},$m,"recordType":"INSERT"}
	{"prevStruct":{"id":2,"line":2,"name":null},"postStruct":{"id":2,"line":3,"name":"Bo"},$m,"recordType":"UPDATE"}
	{"prevStruct":{"id":2,"line":3,"name":"Bo"},"postStruct":null,$m,"recordType":"DELETE"}
	{"prevStruct":null,"postStruct":{"ddl":"truncate table \`sales\`"},$m,"recordType":"DDL"}
	{"prevStruct":null,"postStruct":{"ddl":"ALTER TABLE sales ADD note text"},$m,"recordType":"DDL"}
	{"prevStruct":null,"postStruct":null,"allMetaData":{"timestamp":"1573701065"},"recordType":"HEARTBEAT"}
	EOF
	expect "$rows" --control in <<-'EOF'
	["INIT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"1","line":"2","name":"Lee"}]
	["INSERT","shop.sales","2019-11-14T03:11:05Z",{},{"id":"2","line":"2","name":null}]
	["UPDATE","shop.sales","2019-11-14T03:11:05Z",{"id":"2","line":"2","name":null},{"id":"2","line":"3","name":"Bo"}]
	["DELETE","shop.sales","2019-11-14T03:11:05Z",{"id":"2","line":"3","name":"Bo"},{}]
	["DDL","shop.sales","2019-11-14T03:11:05Z","truncate table `sales`",null]
	["TRUNCATE","shop.sales","2019-11-14T03:11:05Z",null,null]
	["DDL","shop.sales","2019-11-14T03:11:05Z","ALTER TABLE sales ADD note text",null]
	["CHECKPOINT",null,"2019-11-14T03:11:05Z",null,null]
	EOF
	expect "$schemas | .[1]" in <<<'["id","line"]'
	[ "$(grep -c CHECKPOINT out)" -eq 1 ]
	taken_for oms in
	echo "{\"prevStruct\":null,\"postStruct\":{\"id\":1},$m,\"recordType\":\"WHAT\"}" >in
	refused 'unknown recordType WHAT' in
	echo "{\"prevStruct\":null,\"postStruct\":{\"id\":1},$m,\"recordType\":\"DELETE\"}" >in
	refused 'a row without its image or its table' in
}

# Writers may escape what JSON need not: a name is what its text stands for.
@test "escapes in names of columns" {
	m='"metadata":{"timestamp":"2019-11-14T03:11:05Z","record-type":"data","operation":"update","schema-name":"shop","table-name":"sales"}'
	cat >dms <<-EOF
	{"data":{"id":3,"\u540d":"b","c/d":1,"t\u0009b":2,"BI_\u540D":"a","B\u0049_c\/d":7},$m}
	EOF
	expect "$images" dms <<-'EOF'
	["UPDATE",{"名":"a","c/d":"7"},{"id":"3","名":"b","c/d":"1","t\tb":"2"}]
	EOF
	cat >sls <<-'EOF'
	{"_db_":"shop","_table_":"sales","_event_":"row_update","id":"1","\u540d":"x","_old_\u540D":"w","_\u006fld_id":"1","_\u0069d_":"9"}
	{"_db_":"shop","_table_":"sales","_event_":"row_update","data":"{\"id\":\"2\",\"\\u540d\":\"x\",\"c\\u003cd\":\"x\"}","old_data":"{\"_old_id\":\"1\",\"_old_c\\u003cd\":\"<nil>\"}"}
	EOF
	expect "$images" sls <<-'EOF'
	["UPDATE",{"id":"1","名":"w"},{"id":"1","名":"x"}]
	["UPDATE",{"id":"1","c<d":null},{"id":"2","名":"x","c<d":"x"}]
	EOF
	cat >ogg <<-'EOF'
	{"table":"S.T","op_type":"I","pos":"1","primary_keys":["id"],"after":{"id":1,"\u540d":"x","c\/d":2}}
	{"table":"S.T","op_type":"U","pos":"2","primary_keys":["id"],"before":{"id":1,"\u540D":"x"},"after":{"id":1,"名":"y","c/d":3}}
	EOF
	expect "$images" ogg <<-'EOF'
	["INSERT",{},{"id":"1","名":"x","c/d":"2"}]
	["UPDATE",{"id":"1","名":"x"},{"id":"1","名":"y","c/d":"3"}]
	EOF
	m='"allMetaData":{"db":"shop","table_name":"sales","timestamp":"1573701065","record_primary_key":"id"}'
	echo "{\"prevStruct\":null,\"postStruct\":{\"id\":1,\"\\u540d\":\"x\"},$m,\"recordType\":\"INSERT\"}" >oms
	expect "$images" oms <<<'["INSERT",{},{"id":"1","名":"x"}]'
	s='"schema":{"dataColumn":[{"name":"id","type":"LONG"},{"name":"\u540d","type":"STRING"}],"primaryKey":["id"],"source":{"dbType":"MySQL","dbName":"shop","tableName":"sales"}}'
	p='"before":null,"after":{"dataColumn":{"id":1,"\u540d":"x"}},"sequenceId":"5","timestamp":{"eventTime":1573701065120},"op":"INSERT"'
	echo "{$s,\"payload\":{$p},\"version\":\"0.0.1\"}" >dataworks
	expect "$images" dataworks <<<'["INSERT",{},{"id":"1","名":"x"}]'
}

@test "a column that comes twice in a row, once with an escape" {
	echo '{"table":"S.T","op_type":"I","pos":"1","primary_keys":["ID"],"after":{"ID":1,"\u0049D":2}}' >in
	refused 'column \u0049D comes twice in a row' in
	echo '{"table":"S.T","op_type":"I","pos":"1","primary_keys":["ID"],"after":{"\u0049D":2,"ID":1}}' >in
	refused 'column ID comes twice in a row' in
	echo '{"_db_":"shop","_table_":"sales","_event_":"row_insert","_old_id":"1","_old_\u0069d":"2","id":"1"}' >in
	refused 'column id comes twice in a row' in
	echo "{\"data\":{\"id\":3,\"BI_id\":1,\"BI_\\u0069d\":1},$(metadata update)}" >in
	refused 'column BI_\u0069d comes twice in a row' in
	# a column that is called as the mark of the row before alone
	echo "{\"data\":{\"id\":3,\"BI_id\":1,\"BI_\":1},$(metadata update)}" >in
	refused 'columns BI_ of the table and of the row before an update' in
}

@test "escapes in the name of a statement's database" {
	echo '{"_db_":"sh\u006fp","_table_":"sales","_event_":"ddl","Query":"truncate sales"}' >in
	expect "[.recordType, .dbTable]" in <<-'EOF'
	["DDL","shop.sales"]
	["TRUNCATE","shop.sales"]
	EOF
	cp want once
	echo '{"prevStruct":null,"postStruct":{"ddl":"truncate sales"},"allMetaData":{"db":"sh\u006fp","table_name":"sales","timestamp":"1573701065"},"recordType":"DDL"}' >in
	expect "[.recordType, .dbTable]" --from oms in <once
	echo '{"schema":{"dataColumn":[],"primaryKey":[],"source":{"dbType":"MySQL","dbName":"sh\u006fp","tableName":"sales"}},"payload":{"op":"DDL","ddl":"truncate sales"},"version":"0.0.1"}' >in
	expect "[.recordType, .dbTable]" in <once
}

@test "tags are strings and numbers, each of them once" {
	tags='select(.afterImages) | .extraTags'
	cat >in <<-'EOF'
	{"_db_":"d","_table_":"t","_event_":"row_insert","_gtid_":{"a":"b"},"_offset_":154,"_filename_":"b.3","id":"1"}
	EOF
	expect "$tags" in <<<'{"offset":"154","filename":"b.3"}'
	s='"schema":{"dataColumn":[{"name":"id","type":"LONG"}],"primaryKey":["id"],"source":{"dbType":"MySQL","dbName":"d","tableName":"t"}}'
	p='"before":null,"after":{"dataColumn":{"id":1}},"timestamp":{"eventTime":1573701065120},"op":"INSERT"'
	echo "{$s,\"payload\":{$p,\"sequenceId\":{\"a\":\"b\"}},\"version\":\"0.0.1\"}" >in
	expect "$tags" in <<<'{}'
	# names of GoldenGate's tokens are the user's
	cat >in <<-'EOF'
	{"table":"S.T","op_type":"I","pos":"1","primary_keys":["id"],"tokens":{"\u0070os":"x","csn":"7","t\u006b":"v"},"after":{"id":1}}
	EOF
	expect "$tags" in <<<'{"pos":"1","csn":"7","tk":"v"}'
	[ "$(grep -o '"pos":' out | wc -l)" -eq 1 ]
	sed -i 's/"csn"/"tk"/' in
	refused 'tag t\u006b comes twice' in
}

@test "dataworks: the first half of an update is told once, whatever its second half is" {
	{
		dataworks UPDATE_BEFORE 1573701065003 1573701065120 "$(image 3)"
		dataworks UPDATE_AFTER 1573701065003 1573701065120 '' "$(image 4)" | sed 's/"ddl":null/"ddl":"ALTER TABLE sales ADD y int"/'
		dataworks INSERT 1573701065004 1573701065120 '' "$(image 5)"
	} >in
	run --separate-stderr cdc-decode --reject rejects -o out in
	[ "$status" -eq 0 ]
	jq -c '[.recordType, .afterImages.price // .ddl]' out | head -n 3 | diff - <(
		cat <<-'EOF'
		["DDL","ALTER TABLE sales ADD y int"]
		["SCHEMA",null]
		["INSERT","5.0"]
		EOF
	)
	# one whose source is none is a reject by itself
	{
		dataworks UPDATE_BEFORE 1573701065003 1573701065120 "$(image 3)"
		dataworks UPDATE_AFTER 1573701065003 1573701065120 '' "$(image 4)"
	} | sed 's/"sales"/7/' >in
	refused 'a name in source is no string' in
}

@test "ogg: what a message needs is given back after it" {
	jq -nc '{ table: "S.T", op_type: "I", pos: "1", primary_keys: [range(500) | "c\(.)"], after: { c1: 1 } }' >one
	for ((i = 0; i < 4000; i++)); do cat one; done >many
	peak() { cdc-decode --stats stats "$1" >out && jq .peak_memory_bytes stats; }
	(($(peak many) < $(peak one) + 8000000)) || [ -n "${SANITIZED:-}" ]
}

# In well under a second, which a search for each name among all before it is not.
@test "many names of columns" {
	jq -nc '{ table: "S.T", op_type: "I", pos: "1", primary_keys: ["c1"],
		after: ([range(16384) | { key: "c\(.)é", value: 1 }] | from_entries) }' |
		sed 's/é/\\u00e9/g' >in
	timeout 2 cdc-decode in >out
	jq 'select(.afterImages) | .afterImages | length' out | diff <(echo 16384) -
	jq -nc '{ table: "S.T", op_type: "I", pos: "1", primary_keys: ["c1"],
		after: ([range(100000) | { key: "c\(.)", value: 1 }] | from_entries) }' >in
	refused 'more than 16384 columns' in
	jq -nc '{ _db_: "d", _table_: "t", _event_: "row_insert" }
		+ ([range(100000) | { key: "c\(.)", value: "1" }] | from_entries)' >in
	refused 'more than 16384 columns' in
}

@test "the columns of a rejected message are none of the table" {
	cat >in <<-'EOF'
	{"table":"S.T","op_type":"I","pos":"1","primary_keys":["id"],"after":{"id":1,"z":2}}
	{"table":"S.T","op_type":"I","pos":"2","primary_keys":["id"],"after":{"id":2,"junk":2,"\u0069d":3}}
	{"table":"S.T","op_type":"I","pos":"3","primary_keys":["id"],"after":{"id":3,"z":2}}
	{"_db_":"d","_table_":"t","_event_":"row_insert","id":"1","z":"2"}
	{"_db_":"d","_table_":"t","_event_":"row_insert","id":"2","junk":"2","id":"3"}
	{"_db_":"d","_table_":"t","_event_":"row_insert","id":"3","z":"2"}
	EOF
	run --separate-stderr cdc-decode --reject rejects -o out <(head -n 3 in)
	jq -r .reason rejects | diff <(echo 'column \u0069d comes twice in a row') -
	jq -c '[.recordType, .fields]' out | diff - <(
		cat <<-'EOF'
		["SCHEMA",null]
		["INSERT",["id","z"]]
		["INSERT",["id","z"]]
		["CHECKPOINT",null]
		EOF
	)
	run --separate-stderr cdc-decode --reject rejects -o out <(tail -n 3 in)
	jq -r .reason rejects | diff <(echo 'column id comes twice in a row') -
	jq -c 'select(.fields) | .fields' out | diff <(printf '%s\n' '["id","z"]' '["id","z"]') -
}

@test "sls: a statement that failed truncates nothing" {
	for code in '"1146"' 1146 '"0"' 0; do
		printf '{"_db_":"d","_table_":"t","_event_":"ddl","Query":"truncate t","ErrorCode":%s}\n' "$code"
	done >in
	expect .recordType in <<-'EOF'
	"DDL"
	"DDL"
	"DDL"
	"TRUNCATE"
	"DDL"
	"TRUNCATE"
	EOF
}

@test "times in seconds and in milliseconds, and what is neither" {
	for time in '"1573701065"' '"1573701065120"' 1573701065 1573701065120 '"99999999999999"' \
		'"90000000000000000"' '"9223372036854775807"' '"99999999999999999999"' '"0"' '""' 90000000000000000; do
		printf '{"_db_":"d","_table_":"t","_event_":"row_insert","_event_time_":%s,"id":"1"}\n' "$time"
	done >in
	expect '[.recordTimestamp]' in <<-'EOF'
	["2019-11-14T03:11:05Z"]
	["2019-11-14T03:11:05.120Z"]
	["2019-11-14T03:11:05Z"]
	["2019-11-14T03:11:05.120Z"]
	["5138-11-16T09:46:39.999Z"]
	[null]
	[null]
	[null]
	[null]
	[null]
	[null]
	EOF
}
