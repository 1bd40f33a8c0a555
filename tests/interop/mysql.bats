#!/usr/bin/env bats
# What servers of MySQL log, an old one and the newest, is decoded, merged and printed as their own
# SELECT has it.

bats_require_minimum_version 1.5.0

load ../mariadb/server
load mysql

setup_file() {
	# The old server is there for one kind of machine only.
	[ "$(uname -m)" = x86_64 ] || skip "no MySQL for this machine"
	mysql_install old
	mysql_install new
	mysql_start old "$BATS_FILE_TMPDIR/old"
	export old_pid=$mariadb_pid
	mysql_start new "$BATS_FILE_TMPDIR/new" --gtid-mode=ON --enforce-gtid-consistency=ON \
		--binlog-row-metadata=FULL
	export new_pid=$mariadb_pid
}

teardown_file() {
	for mariadb_pid in ${old_pid:-} ${new_pid:-}; do
		mariadb_stop
	done
}

setup() {
	PATH=$(cd "${BUILD:-build}" && pwd):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	use new
}

use() { mariadb_dir=$BATS_FILE_TMPDIR/$1; }

# A log of its own for the statements of standard input, in a database of their own; $log is it.
log_of() { # DATABASE [SQL before the statements]
	mariadb_sql -e "FLUSH LOGS; CREATE DATABASE $1"
	log=$mariadb_dir/data/$(mariadb_sql -N -e 'SHOW BINARY LOGS' | tail -n 1 | cut -f1)
	{ echo "${2:-}"; cat; } | mariadb_sql "$1"
	mariadb_sql -e 'FLUSH LOGS'
}

# MySQL has no compressed columns, and an old one no JSON.
types() { sed 's/ COMPRESSED//g' "$BATS_TEST_DIRNAME/../mariadb/types.sql"; }
old_types() { types | sed 's/j JSON/j TEXT/'; }

merged_equals() { # DATABASE [option of cdc-decode...]
	cdc-decode --table "$1.all_types" "${@:2}" "$log" >records
	diff <(echo "7 rows, 55 columns compared") <(merged_differences records "$1.all_types")
}

created() { # DATABASE
	mariadb_sql -N --raw "$1" -e 'SHOW CREATE TABLE all_types' | cut -f2- >"$1.sql"
}

@test "mysql 5.6: rows of both versions, with and without checksums, names from the log or --schema" {
	use old
	log_of v2 < <(old_types)
	merged_equals v2
	created v2
	merged_equals v2 --schema @v2.sql
	mariadb_sql -e 'SET GLOBAL log_bin_use_v1_row_events = 1, GLOBAL binlog_checksum = NONE'
	log_of v1 < <(old_types)
	merged_equals v1
}

@test "mysql: images full, minimal and without blobs" {
	log_of full < <(types)
	merged_equals full
	jq -e -s '[.[] | select(.recordID) | .extraTags.gtid] | all(test("^[0-9a-f-]{36}:[0-9]+$"))' records
	log_of minimal 'SET SESSION binlog_row_image = MINIMAL;' < <(types)
	merged_equals minimal
	log_of noblob 'SET SESSION binlog_row_image = NOBLOB;' < <(types)
	merged_equals noblob
}

@test "mysql: compressed transactions" {
	log_of compressed 'SET SESSION binlog_transaction_compression = ON;' < <(types)
	[ "$(stat -c %s "$log")" -lt 20000 ]
	merged_equals compressed
}

@test "mysql: names from statements in the log, or from --schema" {
	mariadb_sql -e 'SET GLOBAL binlog_row_metadata = MINIMAL'
	log_of bare < <(types)
	mariadb_sql -e 'SET GLOBAL binlog_row_metadata = FULL'
	merged_equals bare
	created bare
	merged_equals bare --schema @bare.sql
}

@test "mysql: partial updates of JSON" {
	log_of pj 'SET SESSION binlog_row_value_options = PARTIAL_JSON;' <<-'EOF'
		CREATE TABLE t (id INT PRIMARY KEY, j JSON, v VARCHAR(20));
		INSERT INTO t VALUES (1, JSON_OBJECT('a', 1, 'b', JSON_ARRAY(1, 2, 3), 'c', REPEAT('long ', 50)), 'x'), (2, '[1, 2, 3]', 'y');
		UPDATE t SET j = JSON_SET(j, '$.a', 2) WHERE id = 1;
		UPDATE t SET j = JSON_SET(j, '$.d', JSON_OBJECT('k', 1.5)), v = 'z' WHERE id = 1;
		UPDATE t SET j = JSON_REMOVE(j, '$.b[0]') WHERE id = 1;
		UPDATE t SET j = JSON_REPLACE(j, '$[0]', JSON_ARRAY(1, 2)), v = 'w' WHERE id = 2;
	EOF
	cdc-decode "$log" | cdc-dedup | cdc-merge -q --position none t
	diff <(mariadb_sql -N --raw pj -e 'SELECT id, j, v FROM t ORDER BY id') \
		<(cdc-snapshot t | jq -r '[.id, .j, .v] | map(tostring) | join("\t")' | sort)
}

@test "mysql: XA transactions, tagged GTIDs" {
	log_of xa <<-'EOF'
		CREATE TABLE t (id INT PRIMARY KEY, v INT);
		XA START 'a'; INSERT INTO t VALUES (1, 1); XA END 'a'; XA PREPARE 'a'; XA COMMIT 'a';
		XA START 'b', 'q', 7; INSERT INTO t VALUES (2, 2); UPDATE t SET v = 5 WHERE id = 1;
		XA END 'b', 'q', 7; XA PREPARE 'b', 'q', 7; XA ROLLBACK 'b', 'q', 7;
		XA START 'one'; DELETE FROM t WHERE id = 1; XA END 'one'; XA COMMIT 'one' ONE PHASE;
		XA START 'empty'; SELECT * FROM t; XA END 'empty'; XA PREPARE 'empty'; XA COMMIT 'empty';
		SET SESSION binlog_transaction_compression = ON;
		XA START 'z'; INSERT INTO t VALUES (3, 3); XA END 'z'; XA PREPARE 'z'; XA COMMIT 'z';
		SET gtid_next = 'AUTOMATIC:nightly'; INSERT INTO t VALUES (4, 4);
	EOF
	cdc-decode --control "$log" >records
	jq -r 'select(.recordID and .recordType != "DDL") | [.recordType, .afterImages.id // .beforeImages.id // ""] | join(" ") | rtrimstr(" ")' records >got
	diff got - <<-'EOF'
		BEGIN
		INSERT 1
		COMMIT
		BEGIN
		DELETE 1
		COMMIT
		BEGIN
		INSERT 3
		COMMIT
		BEGIN
		INSERT 4
		COMMIT
	EOF
	jq -r 'select(.afterImages.id == "4").extraTags.gtid' records | grep -qx '[0-9a-f-]\{36\}:nightly:1'
}

@test "mysql: VECTOR, generated and hidden columns, character sets" {
	log_of ex 'SET SESSION sql_generate_invisible_primary_key = ON;' <<-'EOF'
		CREATE TABLE x (id INT UNSIGNED PRIMARY KEY, vec VECTOR(3), g GEOMETRY SRID 4326,
			gv INT GENERATED ALWAYS AS (id * 2) VIRTUAL, gs VARCHAR(20) GENERATED ALWAYS AS (CONCAT('a', id)) STORED,
			u16 VARCHAR(10) CHARACTER SET utf16, sj VARCHAR(20) CHARACTER SET sjis, l2 VARCHAR(10) CHARACTER SET latin2,
			hid INT INVISIBLE DEFAULT 7, e ENUM('x', 'ü') CHARACTER SET latin1);
		INSERT INTO x (id, vec, g, u16, sj, l2, e) VALUES (1, TO_VECTOR('[1,2.5,-3]'),
			ST_GeomFromText('POINT(10 20)', 4326), '𝄞x', '日本', 'ő', 'ü');
		CREATE TABLE nokey (v INT);
		INSERT INTO nokey VALUES (5);
	EOF
	diff - <(cdc-decode "$log" | jq -c 'select(.afterImages).afterImages') <<-'EOF'
		{"id":"1","vec":"AACAPwAAIEAAAEDA","g":"POINT(20 10)","gv":"2","gs":"a1","u16":"𝄞x","sj":"日本","l2":"ő","hid":"7","e":"ü"}
		{"my_row_id":"1","v":"5"}
	EOF
}
