#!/usr/bin/env bats
# What a real MariaDB server logs is decoded, merged and printed as its own SELECT has it: a column
# of every type, edge values, changed keys, under each way of logging rows.

load ../mariadb/server

setup_file() {
	export repo=$BATS_TEST_DIRNAME/../..
	export PATH=$(realpath "${BUILD:-$repo/build}"):$PATH
	mariadb_start "$BATS_FILE_TMPDIR/db" --log-bin=bin --binlog-format=ROW \
		--binlog-row-metadata=FULL
	export mariadb_dir mariadb_pid
}

teardown_file() {
	mariadb_stop
}

setup() {
	bats_require_minimum_version 1.5.0
	mariadb_sql -e 'SET GLOBAL binlog_row_metadata = FULL, GLOBAL log_bin_compress = 0'
	cd "$BATS_TEST_TMPDIR" || return 1
}

# The statements in a database of their own and a log of their own, which is left in $log.
log_of() { # DATABASE [SQL before the statements]
	mariadb_sql -e "FLUSH BINARY LOGS; CREATE DATABASE $1"
	log=$mariadb_dir/data/$(mariadb_sql -N -e 'SHOW MASTER STATUS' | cut -f1)
	{ echo "${2:-}"; cat "$repo/tests/mariadb/types.sql"; } | mariadb_sql "$1"
	mariadb_sql -e 'FLUSH BINARY LOGS'
}

# Zero dates are in no DATE or TIMESTAMP of a table.
zero_dates='dt STRING, dtt STRING, dt3 STRING'

merged_equals() { # DATABASE [option of cdc-decode...]
	local db=$1
	shift
	cdc-decode --from binlog --table "$db.all_types" "$@" "$log" >records
	cdc-dedup records >net
	cdc-merge -q --position none --schema "$zero_dates" t net
	cdc-snapshot t >rows
	run "$repo/tests/mariadb/compare.py" "$mariadb_dir/s" "$db.all_types" <rows
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = "7 rows, 55 columns compared" ]
}

@test "binlog: full images" {
	log_of full
	merged_equals full
	[ "$(jq -r 'select(.recordType == "UPDATE") | .beforeImages.id' records | paste -sd,)" = 3,4,5,6,7,8 ]
}

@test "binlog: the records come in the order of the log, with its positions" {
	log_of positions
	cdc-decode --control "$log" >all
	jq -e -s '[.[] | select(.recordID) | .recordID] | . == sort and . == unique' all
	jq -e -s '[.[] | select(.recordType == "INSERT") | .extraTags.gtid] | all(test("^0-1-[0-9]+$"))' all
	[ "$(jq -r 'select(.recordType == "BEGIN")' all | jq -s length)" -eq \
		"$(jq -r 'select(.recordType == "COMMIT")' all | jq -s length)" ]
	# Where each row's event begins, as the server's own program has it.
	mariadb-binlog --base64-output=decode-rows -v "$log" >theirs
	jq -r 'select(.recordType | IN("INSERT", "UPDATE", "DELETE")) | .position.offset' all | uniq >ours
	grep -B1 -E 'Write_rows|Update_rows|Delete_rows' theirs | sed -n 's/^# at //p' | uniq >want
	diff want ours
}

@test "binlog: minimal images leave columns unknown" {
	log_of minimal "SET SESSION binlog_row_image = MINIMAL;"
	merged_equals minimal
	jq -e -s '[.[] | select(.recordType == "UPDATE")][0] |
		(.beforeImages | keys) == ["id"] and (.afterImages | keys) == ["dt6", "t", "ts6", "vc"]' records
}

@test "binlog: images without blobs" {
	log_of noblob "SET SESSION binlog_row_image = NOBLOB;"
	merged_equals noblob
}

@test "binlog: compressed events, no checksums" {
	mariadb_sql -e 'SET GLOBAL log_bin_compress = 1, GLOBAL log_bin_compress_min_len = 10; SET GLOBAL binlog_checksum = NONE'
	log_of packed
	mariadb_sql -e 'SET GLOBAL log_bin_compress = 0; SET GLOBAL binlog_checksum = CRC32'
	merged_equals packed
}

@test "binlog: without names in the log, statements in it or --schema give them" {
	mariadb_sql -e 'SET GLOBAL binlog_row_metadata = MINIMAL'
	log_of bare
	merged_equals bare
	rm -rf t
	# The same rows in a log that has no CREATE TABLE: names and types come from a dump.
	mariadb_sql -e 'FLUSH BINARY LOGS'
	log=$mariadb_dir/data/$(mariadb_sql -N -e 'SHOW MASTER STATUS' | cut -f1)
	mariadb_sql bare -e "DELETE FROM all_types; INSERT INTO all_types SELECT * FROM full.all_types"
	mariadb-dump --no-defaults --socket="$mariadb_dir/s" -u root --no-data bare >bare.sql
	mariadb_sql -e 'FLUSH BINARY LOGS; SET GLOBAL binlog_row_metadata = FULL'
	cdc-decode --table bare.all_types "$log" | jq -e -s '.[0].columns[1].name == "c2"'
	merged_equals bare --schema @bare.sql
}

@test "binlog: a change that was logged as a statement is a reject, not a silence" {
	mariadb_sql -e 'FLUSH BINARY LOGS; CREATE DATABASE st; CREATE TABLE st.t (id INT PRIMARY KEY)'
	log=$mariadb_dir/data/$(mariadb_sql -N -e 'SHOW MASTER STATUS' | cut -f1)
	mariadb_sql st -e "SET SESSION binlog_format = STATEMENT; INSERT INTO t VALUES (1)"
	mariadb_sql -e 'FLUSH BINARY LOGS'
	run cdc-decode "$log"
	[ "$status" -eq 3 ]
	[[ $output == *"a change that is logged as a statement, not as rows"* ]]
	run cdc-decode --reject r "$log"
	[ "$status" -eq 1 ]
}

@test "binlog: TRUNCATE and other statements" {
	mariadb_sql -e 'FLUSH BINARY LOGS; CREATE DATABASE tr; CREATE TABLE tr.t (id INT PRIMARY KEY)'
	log=$mariadb_dir/data/$(mariadb_sql -N -e 'SHOW MASTER STATUS' | cut -f1)
	mariadb_sql tr -e 'INSERT INTO t VALUES (1),(2); TRUNCATE t; INSERT INTO t VALUES (3); ALTER TABLE t ADD v INT; INSERT INTO t VALUES (4, 4)'
	mariadb_sql -e 'FLUSH BINARY LOGS'
	cdc-decode "$log" >records
	diff - <(jq -r '[.recordType, .ddl // .afterImages.id // ""] | join(" ")' records |
		sed '1,/tr.t (id/d; s/ $//') <<-END
		SCHEMA
		INSERT 1
		INSERT 2
		DDL TRUNCATE t
		TRUNCATE
		INSERT 3
		DDL ALTER TABLE t ADD v INT
		SCHEMA
		INSERT 4
		CHECKPOINT
	END
}

@test "binlog: damage is found by its checksum and costs one event" {
	log_of broken
	cp "$log" damaged
	# A byte in the middle of the last INSERT's event.
	at=$(cdc-decode "$log" | jq -s '[.[] | select(.afterImages.id == "5")][0].position.offset')
	printf '\377' | dd of=damaged bs=1 seek=$((at + 40)) conv=notrunc status=none
	run --separate-stderr cdc-decode --reject r damaged
	[ "$status" -eq 1 ]
	jq -e '.reason == "an event has a wrong checksum" and .offset == '"$at" r
	head -c $((at + 30)) "$log" >cut
	run --separate-stderr cdc-decode --reject r cut
	[ "$status" -eq 1 ]
	jq -e '.reason == "the log ends inside an event"' r
}

@test "binlog: the rows of an XA transaction come when it is committed, or never" {
	mariadb_sql -e 'FLUSH BINARY LOGS; CREATE DATABASE xa; CREATE TABLE xa.t (id INT PRIMARY KEY, v INT)'
	log=$mariadb_dir/data/$(mariadb_sql -N -e 'SHOW MASTER STATUS' | cut -f1)
	mariadb_sql xa -e "XA START 'a'; INSERT INTO t VALUES (1, 1); XA END 'a'; XA PREPARE 'a'"
	mariadb_sql xa -e "INSERT INTO t VALUES (2, 2)"
	mariadb_sql xa -e "XA COMMIT 'a'; UPDATE t SET v = 3 WHERE id = 1;
		XA START 'b', 'q', 7; INSERT INTO t VALUES (4, 4); UPDATE t SET v = 5 WHERE id = 2;
		XA END 'b', 'q', 7; XA PREPARE 'b', 'q', 7; XA ROLLBACK 'b', 'q', 7;
		XA START 'one'; DELETE FROM t WHERE id = 2; XA END 'one'; XA PREPARE 'one'; XA COMMIT 'one';
		XA START 'late'; INSERT INTO t VALUES (6, 6), (7, 7); XA END 'late'; XA PREPARE 'late'"
	mariadb_sql -e 'FLUSH BINARY LOGS'
	next=$mariadb_dir/data/$(mariadb_sql -N -e 'SHOW MASTER STATUS' | cut -f1)
	mariadb_sql xa -e "XA COMMIT 'late'; FLUSH BINARY LOGS"
	cat >want <<-END
		BEGIN
		INSERT 2
		COMMIT
		BEGIN
		INSERT 1
		COMMIT
		BEGIN
		UPDATE 1
		COMMIT
		BEGIN
		DELETE 2
		COMMIT
		BEGIN
		INSERT 6
		INSERT 7
		COMMIT
	END
	short='select(.recordID and .recordType != "DDL") | [.recordType, .afterImages.id // .beforeImages.id // ""] | join(" ") | rtrimstr(" ")'
	cdc-decode --control "$log" "$next" >records
	jq -r "$short" records | diff want -
	jq -e -s '[.[] | select(.recordID) | .recordID] | . == sort and . == unique' records
	# The server itself has no more.
	cdc-dedup records | cdc-merge -q --position none t
	diff <(mariadb_sql -N xa -e 'SELECT id, v FROM t ORDER BY id' | tr '\t' ' ') \
		<(cdc-snapshot t | jq -r '"\(.id) \(.v)"' | sort)

	# As MySQL logs them.
	"$repo/tests/mariadb/xa_as_mysql.py" <"$log" >"mysql.${log##*.}"
	cdc-decode --control "mysql.${log##*.}" "$next" | jq -r "$short" | diff want -

	# Without the log in which it ended, or began.
	run --separate-stderr cdc-decode "$log"
	[ "$status" -eq 0 ]
	[[ $stderr == *"1 XA transactions were prepared"* && $output != *'"id":"6"'* ]]
	run -3 cdc-decode "$next"
	[[ $output == *"XA transaction X'6c617465',X'',1 is committed, but the log in which it was prepared was not read"* ]]
}
