#!/usr/bin/env bats
# What Zendesk's Maxwell makes of a MariaDB server's log, merged and compared with the server's own
# SELECT.

bats_require_minimum_version 1.5.0

load ../mariadb/server
load producers

# Maxwell stops at MariaDB's JSON, which is text in the log, and at compressed columns.
types() {
	sed 's/ COMPRESSED//g; s/\bj JSON/j LONGTEXT/' "$BATS_TEST_DIRNAME/../mariadb/types.sql"
}

statements() {
	cat <<-'EOF'
		CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10));
		INSERT INTO t VALUES (1, 'a'), (2, NULL);
		UPDATE t SET v = 'b' WHERE id = 2;
		UPDATE t SET id = 3 WHERE id = 2;
		ALTER TABLE t ADD n INT UNSIGNED FIRST;
		REPLACE INTO t VALUES (4294967295, 1, 'c');
		DELETE FROM t WHERE id = 3;
		CREATE TABLE tags (a INT, b INT, s SET('x', 'y'), PRIMARY KEY (b, a));
		INSERT INTO tags VALUES (1, 2, 'x,y'), (3, 4, '');
		TRUNCATE TABLE tags;
		DROP TABLE tags;
	EOF
}

# What Maxwell asks of values for a JavaScript engine that later Javas have not.
scripting() { # DIR
	mkdir "$1"
	echo 'package jdk.nashorn.api.scripting; public class ScriptObjectMirror {}' >"$1/ScriptObjectMirror.java"
	javac -d "$1" "$1/ScriptObjectMirror.java"
}

# Wait until FILE has TEXT, as long as Maxwell runs.
wait_for() { # TEXT FILE
	for _ in $(seq 300); do
		grep -qs "$1" "$2" && return
		kill -0 "$maxwell_pid" 2>/dev/null || break
		sleep 0.1
	done
	tail -n 40 "$dir/log" >&2
	return 1
}

# Maxwell writes what is logged from its start on to DIR/out.
setup_file() {
	dir=$BATS_FILE_TMPDIR
	producer_install maxwell
	# Maxwell does not know utf8mb3, which utf8 is by default, of its own tables.
	producer_server "$dir" --old-mode=
	export mariadb_dir mariadb_pid
	scripting "$dir/classes"
	timeout 120 java -Xmx256m -cp "$jars/*:$dir/classes" com.zendesk.maxwell.Maxwell \
		--host=127.0.0.1 --port="$mariadb_port" --user=cdc --password=cdc --ssl=DISABLED \
		--jdbc_options=useSSL=false --producer=file --output_file="$dir/out" --output_ddl=true \
		--output_primary_key_columns=true --output_binlog_position=true >"$dir/log" 2>&1 3>&- &
	export maxwell_pid=$!
	wait_for 'Binlog connected' "$dir/log"
	mariadb_sql -e 'CREATE DATABASE full; CREATE DATABASE st'
	types | mariadb_sql full
	statements | mariadb_sql st
	mariadb_sql st -e 'CREATE TABLE the_end (id INT)'
	wait_for the_end "$dir/out"
	kill "$maxwell_pid"
	wait "$maxwell_pid" || true
	maxwell_pid=
}

teardown_file() {
	[ -z "$maxwell_pid" ] || kill "$maxwell_pid" || true
	mariadb_stop
}

setup() {
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	out=$BATS_FILE_TMPDIR/out
}

# What Maxwell itself does not send as it is: BINARY without its trailing zeros, and without its
# length in the table's definition; the quotes of a member as they are in the statement; times that
# are no time of a day; the year 0000; a coordinate near 0 (compare.py cuts the text before it).
lost() {
	cat <<-'EOF'
		7 rows, 55 columns compared
		id 1, bn binary: "b'\\x00\\x00\\x00\\x00\\x00\\x00'" in the database, '' in the table
		id 1, tm time: '-838:59:59' in the database, '17:04:05' in the table
		id 1, tm1 time: '-838:59:59.0' in the database, '17:04:05' in the table
		id 1, tm4 time: '-00:00:00.0001' in the database, '16:04:09.553500' in the table
		id 1, tm6 time: '-00:00:00.000001' in the database, '16:04:19.777215' in the table
		id 2, bn binary: "b'\\x00\\xff\\x00\\x00\\x00\\x00'" in the database, 'AP8=' in the table
		id 2, e enum: "gr'een" in the database, "gr''een" in the table
		id 2, p point: 'POINT(1e300 -1e-300)' in the database, 'POINT (1e300' in the table
		id 2, tm time: '838:59:59' in the database, '22:59:59' in the table
		id 2, tm1 time: '838:59:59.0' in the database, '22:59:59' in the table
		id 2, tm4 time: '838:59:58.9999' in the database, '22:59:58.999900' in the table
		id 2, tm6 time: '838:59:58.999999' in the database, '22:59:58.999999' in the table
		id 3, tm4 time: '-01:02:03.0450' in the database, '15:02:06.508600' in the table
		id 3, tm6 time: '-12:34:56.000001' in the database, '03:29:23.777215' in the table
		id 3, y year: '0000' in the database, '1900' in the table
	EOF
}

@test "maxwell: told by itself, and merged equals SELECT" {
	timeout 60 cdc-decode -v --table full.all_types "$out" >records 2>log
	grep 'format maxwell, framing lines' log
	cdc-dedup records >net
	# Digits of bits and decimals are not told; zero dates have no place in a DATE.
	cdc-merge -q --position none --schema 'dt STRING, dtt STRING, dt3 STRING, b1 BOOLEAN, b9 INT,
		b64 DECIMAL(20,0), d5 DECIMAL(5,2), d38 DECIMAL(38,10), d65 STRING, d9 DECIMAL(9,9),
		d10 DECIMAL(10,0), du DECIMAL(12,3)' t net
	cdc-snapshot t | "$BATS_TEST_DIRNAME/../mariadb/compare.py" "$mariadb_dir/s" full.all_types |
		sed 's/10\{100,\}/1e300/' | sort >got
	diff <(lost) got
	[ "$(jq -r 'select(.recordID) | .recordType' records | sort | uniq -c | xargs)" = \
		'2 DDL 2 DELETE 9 INSERT 6 UPDATE' ]
	[ "$(jq -r 'select(.recordType == "UPDATE") | .beforeImages.id' records | paste -sd,)" = 3,4,5,6,7,8 ]
}

# TRUNCATE is not sent.
@test "maxwell: statements, changed columns, changed keys" {
	timeout 60 cdc-decode --table 'st.*' "$out" | jq -c 'if .columns then
		[.recordType, .dbTable, .primaryKey, (.columns[] | [.name, .type])] else
		select(.recordID) | [.recordType, .dbTable, .ddl // .beforeImages, .afterImages] end' >got
	diff -u - got <<-'EOF'
		["DDL","st","CREATE DATABASE st",null]
		["DDL","st.t","CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10))",null]
		["SCHEMA","st.t",["id"],["id","int"],["v","varchar"]]
		["INSERT","st.t",{},{"id":"1","v":"a"}]
		["INSERT","st.t",{},{"id":"2","v":null}]
		["UPDATE","st.t",{"id":"2","v":null},{"id":"2","v":"b"}]
		["UPDATE","st.t",{"id":"2","v":"b"},{"id":"3","v":"b"}]
		["DDL","st.t","ALTER TABLE t ADD n INT UNSIGNED FIRST",null]
		["SCHEMA","st.t",["id"],["n","int unsigned"],["id","int"],["v","varchar"]]
		["UPDATE","st.t",{"n":null,"id":"1","v":"a"},{"n":"4294967295","id":"1","v":"c"}]
		["DELETE","st.t",{"n":null,"id":"3","v":"b"},{}]
		["DDL","st.tags","CREATE TABLE tags (a INT, b INT, s SET('x', 'y'), PRIMARY KEY (b, a))",null]
		["SCHEMA","st.tags",["b","a"],["a","int"],["b","int"],["s","set"]]
		["INSERT","st.tags",{},{"a":"1","b":"2","s":"x,y"}]
		["INSERT","st.tags",{},{"a":"3","b":"4","s":""}]
		["DDL","st.tags","DROP TABLE `tags` /* generated by server */",null]
		["DDL","st.the_end","CREATE TABLE the_end (id INT)",null]
	EOF
}
