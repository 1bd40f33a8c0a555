#!/usr/bin/env bats
# What Alibaba's Canal makes of a MariaDB server's log, as JSON and as protobuf, merged and compared
# with the server's own SELECT.

bats_require_minimum_version 1.5.0

load ../mariadb/server
load producers

# Canal stops for good at a table with compressed columns.
types() { sed 's/ COMPRESSED//g' "$BATS_TEST_DIRNAME/../mariadb/types.sql"; }

statements() {
	cat <<-'EOF'
		CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10), b BINARY(3));
		INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', NULL);
		TRUNCATE TABLE t;
		INSERT INTO t VALUES (3, 'c', '');
		ALTER TABLE t ADD n INT;
		INSERT INTO t VALUES (4, 'd', NULL, 4);
		REPLACE INTO t VALUES (4, 'e', 'abc', 5);
		INSERT INTO t (id) VALUES (3) ON DUPLICATE KEY UPDATE n = 7;
		CREATE TABLE packed (id INT PRIMARY KEY, z BLOB COMPRESSED);
		XA START 'x'; INSERT INTO t (id) VALUES (5); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x';
		UPDATE t SET id = id + 10 WHERE n IS NOT NULL ORDER BY id DESC;
		DELETE FROM t WHERE id = 5;
	EOF
}

# The statements of standard input, in a database of their own.
load_database() { # DATABASE
	mariadb_sql -e "CREATE DATABASE $1"
	mariadb_sql "$1"
}

# Canal on the log that begins now and that FUNCTION fills; see CanalDump.java for DIR.
canal() { # DIR FUNCTION
	local log
	mkdir "$1"
	mariadb_sql -e 'FLUSH BINARY LOGS'
	log=$(mariadb_sql -N -e 'SHOW MASTER STATUS' | cut -f1)
	"$2"
	mariadb_sql -e 'INSERT INTO ends.the_end VALUES (1)'
	timeout 60 java -Xmx256m -cp "$jars/*" "$BATS_TEST_DIRNAME/producers/CanalDump.java" \
		"$mariadb_port" cdc cdc "$log" 4 the_end "$1" >"$1/log" 2>&1 3>&- && return
	tail -n 40 "$1/log" >&2
	return 1
}

databases() {
	types | load_database full
	{ echo 'SET SESSION binlog_row_image = MINIMAL;'; types; } | load_database minimal
	{ echo 'SET SESSION binlog_row_image = NOBLOB;'; types; } | load_database noblob
	statements | load_database st
}

setup_file() {
	producer_install canal
	producer_server "$BATS_FILE_TMPDIR"
	export mariadb_dir mariadb_pid mariadb_port jars
	mariadb_sql -e 'CREATE DATABASE ends; CREATE TABLE ends.the_end (id INT)'
	canal "$BATS_FILE_TMPDIR/out" databases
}

teardown_file() {
	mariadb_stop
}

setup() {
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	out=$BATS_FILE_TMPDIR/out
}

decode() { # canal|canal-pb DATABASE [OPTION...]
	local file=flat
	[ "$1" = canal ] || file=pb
	timeout 60 cdc-decode --from "$1" --table "$2.*" "${@:3}" "$out/$file"
}

# What a merged table has otherwise than the server.
differences() { # canal|canal-pb DATABASE
	decode "$1" "$2" >records
	# A table begins with the columns of its first image.
	merged_differences records "$2.all_types" --evolve add
}

# Canal reads all text as UTF-8, whatever the column's character set: its messages have U+FFFD for
# what is none, in JSON and in protobuf.
lost() {
	cat <<-'EOF'
		7 rows, 55 columns compared
		id 2, gb char: '中文字符' in the database, '�����ַ�' in the table
		id 2, l1 varchar: 'cafu00e9 €' in the database, 'cafu00e9 �' in the table
		id 2, mt mediumtext: 'ÿ' in the database, '�' in the table
		id 2, u2 varchar: 'Ω語' in the database, '\x03���' in the table
	EOF
}

# But for the statement that Canal cannot parse: in JSON it has not even a database.
parsed() { jq -c 'select(.ddl // "" | contains("COMPRESSED") | not)' "$@"; }

kinds() { parsed "$@" | jq -r 'select(.recordID) | .recordType' | sort | uniq -c | xargs; }

@test "canal: JSON is told by itself, and merged equals SELECT" {
	diff <(lost) <(differences canal full)
	[ "$(kinds records)" = '2 DDL 2 DELETE 9 INSERT 6 UPDATE' ]
	[ "$(jq -c 'select(.recordType == "SCHEMA") | .primaryKey' records)" = '["id"]' ]
	cdc-decode -v "$out/flat" 2>&1 >all | grep 'format canal, framing lines'
}

@test "canal: protobuf is told by itself, and merged equals SELECT" {
	diff <(lost) <(differences canal-pb full)
	[ "$(kinds records)" = '2 DDL 2 DELETE 9 INSERT 6 UPDATE' ]
	cdc-decode -v "$out/pb" 2>&1 >all | grep 'format canal-pb, framing kcat'
	# Where each row's event begins, as the server's own program has it.
	log=$(jq -r 'select(.recordType == "INSERT") | .extraTags.sourcePosition' records | head -1)
	mariadb-binlog "$mariadb_dir/data/${log%:*}" --database=full | sed -n 's/^# at //p' >places
	jq -r 'select(.afterImages) | .extraTags.sourcePosition | sub(".*:"; "")' records | sort -u >ours
	[ -s ours ]
	[ "$(sort -u places | comm -13 - ours)" = '' ]
}

@test "canal: the same changes are the same records from both" {
	for db in full noblob st; do
		for format in canal canal-pb; do
			decode $format $db >records
			parsed records | jq -c 'del(.recordID, .position, .extraTags)' >$format
		done
		cmp canal canal-pb
	done
}

# In another order, and a statement comes once for all partitions.
@test "canal: partitions by the hash of the key have the same records" {
	for file in flat pb; do
		for i in '' .0 .1 .2; do
			cdc-decode --table 'full.*' "$out/$file$i" >records$i
		done
		rows='select(.fields) | del(.recordID, .position, .extraTags.id)'
		cat records.? | jq -cS "$rows" | sort >got
		jq -cS "$rows" records | sort | diff - got
		[ "$(jq -c 'select(.fields) | 1' records.2 | wc -l)" -gt 0 ]
	done
}

@test "canal: minimal images; JSON leaves an update without its key" {
	diff <(lost) <(differences canal-pb minimal)
	jq -e -s '[.[] | select(.recordType == "UPDATE")][0] |
		(.beforeImages | keys) == ["id"] and (.afterImages | keys) == ["dt6", "t", "ts6", "vc"]' records
	decode canal minimal >records
	run -3 --separate-stderr cdc-dedup records
	[[ $stderr == *'key column "id" is missing'* ]]
}

@test "canal: images without blobs" {
	diff <(lost) <(differences canal noblob)
	rm -r t
	diff <(lost) <(differences canal-pb noblob)
}

@test "canal: statements, changed columns, changed keys, XA" {
	for format in canal canal-pb; do
		decode $format st >records
		jq -c 'select(.ddl // "" | contains("COMPRESSED")) | .dbTable' records >>unparsed
		parsed records | jq -c 'select(.recordID) |
			[.recordType, .dbTable, .ddl // .beforeImages, .afterImages]' >got
		diff -u - got <<-'EOF'
			["DDL","st","CREATE DATABASE st",null]
			["DDL","st.t","CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10), b BINARY(3))",null]
			["INSERT","st.t",{},{"id":"1","v":"a","b":"eAAA"}]
			["INSERT","st.t",{},{"id":"2","v":"b","b":null}]
			["DDL","st.t","TRUNCATE TABLE t",null]
			["TRUNCATE","st.t",null,null]
			["INSERT","st.t",{},{"id":"3","v":"c","b":"AAAA"}]
			["DDL","st.t","ALTER TABLE t ADD n INT",null]
			["INSERT","st.t",{},{"id":"4","v":"d","b":null,"n":"4"}]
			["UPDATE","st.t",{"id":"4","v":"d","b":null,"n":"4"},{"id":"4","v":"e","b":"YWJj","n":"5"}]
			["UPDATE","st.t",{"id":"3","v":"c","b":"AAAA","n":null},{"id":"3","v":"c","b":"AAAA","n":"7"}]
			["INSERT","st.t",{},{"id":"5","v":null,"b":null,"n":null}]
			["UPDATE","st.t",{"id":"4","v":"e","b":"YWJj","n":"5"},{"id":"14","v":"e","b":"YWJj","n":"5"}]
			["UPDATE","st.t",{"id":"3","v":"c","b":"AAAA","n":"7"},{"id":"13","v":"c","b":"AAAA","n":"7"}]
			["DELETE","st.t",{"id":"5","v":null,"b":null,"n":null},{}]
		EOF
	done
	[ "$(paste -sd, unparsed)" = 'null,"st"' ]
}

logged_as_statements() {
	mariadb_sql <<-'EOF'
		CREATE DATABASE ss;
		CREATE TABLE ss.t (id INT PRIMARY KEY);
		SET SESSION binlog_format = STATEMENT;
		INSERT INTO ss.t VALUES (1);
	EOF
}

@test "canal: a change that was logged as a statement is a reject, not a silence" {
	canal s logged_as_statements
	run -1 --separate-stderr cdc-decode --reject r s/flat
	[ "$(jq -r .reason r)" = 'a message of rows without rows' ]
	run -1 --separate-stderr cdc-decode --reject r s/pb
	[ "$(jq -r .reason r)" = 'a change of rows without rows' ]
}

rolled_back() {
	mariadb_sql <<-'EOF'
		CREATE DATABASE xr;
		USE xr;
		CREATE TABLE t (id INT PRIMARY KEY);
		XA START 'x'; INSERT INTO t VALUES (1); XA END 'x'; XA PREPARE 'x'; XA ROLLBACK 'x';
	EOF
}

@test "canal: rows of an XA transaction that is rolled back after it was prepared are told" {
	canal x rolled_back
	for file in flat pb; do
		run -1 --separate-stderr cdc-decode --reject r x/$file
		[ "$(jq -r .reason r)" = 'an XA transaction is rolled back, whose rows Canal sent when it was prepared' ]
		[ "$(jq -r 'select(.recordType == "INSERT" and .dbTable == "xr.t").afterImages.id' <<<"$output")" = 1 ]
	done
}
