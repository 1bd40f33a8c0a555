#!/usr/bin/env bats
# What Debezium makes of a MariaDB server's log, through each converter that people use, read off
# the broker, merged, and compared with the server's own SELECT.

bats_require_minimum_version 1.5.0

load ../mariadb/server
load broker
load connect
load producers

# Debezium does not know compressed columns.
statements() {
	sed 's/ COMPRESSED//g' "$BATS_TEST_DIRNAME/../mariadb/types.sql"
	cat <<-'EOF'
		CREATE TABLE sales (id INT UNSIGNED NOT NULL, day DATE NOT NULL, amount DECIMAL(10,2),
			PRIMARY KEY (id, day));
		INSERT INTO sales VALUES (1, '2024-02-29', 1.50), (2, '2024-03-01', NULL);
		UPDATE sales SET day = '2024-03-02' WHERE id = 2;
		TRUNCATE sales;
		INSERT INTO sales VALUES (3, '2024-03-03', 0);
		CREATE TABLE finished (id INT NOT NULL PRIMARY KEY);
		INSERT INTO finished VALUES (1);
	EOF
}

# All that the tests read is in the broker when this returns.
setup_file() {
	local dir=$BATS_FILE_TMPDIR connectors=() c i
	local json=org.apache.kafka.connect.json.JsonConverter
	local avro=io.apicurio.registry.utils.converter.AvroConverter
	local ids
	broker_install
	connect_install
	broker_start "$dir"
	registry_start "$dir"
	producer_server "$dir" --binlog-row-metadata=FULL
	mariadb_sql -e 'CREATE DATABASE shop'
	statements | mariadb_sql shop
	mariadb-dump --no-defaults --socket="$mariadb_dir/s" -u root --no-data shop >"$dir/shop.sql"
	ids=(apicurio.registry.url="$registry/apis/registry/v2" apicurio.registry.auto-register=true
		apicurio.registry.find-latest=true)
	connector "$dir" schemas 5001 provide.transaction.metadata=true
	connector "$dir" plain 5002 "$(converter $json schemas.enable=false)"
	connector "$dir" flat 5003 transforms=unwrap \
		transforms.unwrap.type=io.debezium.transforms.ExtractNewRecordState \
		transforms.unwrap.add.fields=op,table,db,source.ts_ms \
		transforms.unwrap.delete.tombstone.handling.mode=rewrite
	connector "$dir" text 5004 time.precision.mode=isostring decimal.handling.mode=string \
		bigint.unsigned.handling.mode=precise binary.handling.mode=base64
	connector "$dir" headers 5005 "$(converter $avro "${ids[@]}")"
	connector "$dir" long 5006 "$(converter $avro "${ids[@]}" apicurio.registry.headers.enabled=false)"
	connector "$dir" short 5007 "$(converter $avro "${ids[@]}" apicurio.registry.headers.enabled=false \
		apicurio.registry.as-confluent=true apicurio.registry.use-id=contentId)"
	connect_start "$dir"
	for c in "${connectors[@]}"; do
		c=$(basename "$c" .properties)
		for ((i = 0; i < 240; i++)); do
			kcat -C -b "$brokers" -t "$c.shop.finished" -e -q -c 1 >"$dir/last" 2>&1 &&
				[ -s "$dir/last" ] && break
			sleep 0.5
		done
		[ $i -lt 240 ] || { echo "$c: nothing came" && cat "$dir/connect.log"; } >&2
	done
	export brokers registry mariadb_dir mariadb_pid
}

teardown_file() {
	connect_stop "$BATS_FILE_TMPDIR"
	mariadb_stop
	broker_stop "$BATS_FILE_TMPDIR"
}

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	PATH=$bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
}

decode() { # CONNECTOR TABLE [OPTION...]
	timeout 60 cdc-decode --kafka "$brokers" --topic "$1.shop.$2" "${@:3}"
}

# What a merged table has otherwise than the server: DIFFERENCES of CONNECTOR's messages.
differences() { # CONNECTOR [OPTION...]
	decode "$1" all_types "${@:2}" >records
	merged_differences records shop.all_types
}

# What the connector itself does not send as it is.
lost() {
	cat <<-'EOF'
		7 rows, 55 columns compared
		id 1, dt date: '0000-00-00' in the database, 'None' in the table
		id 1, dt3 datetime: '0000-00-00 00:00:00.000' in the database, 'None' in the table
		id 1, dtt datetime: '0000-00-00 00:00:00' in the database, 'None' in the table
		id 2, bu bigint: '18446744073709551615' in the database, '-1' in the table
		id 3, y year: '0000' in the database, '1900' in the table
	EOF
}

kinds() { jq -r 'select(.recordID) | .recordType' "$@" | sort | uniq -c | xargs; }

@test "debezium: JSON with schemas" {
	diff <(lost) <(differences schemas)
	# The two rows whose keys changed are one UPDATE each.
	[ "$(kinds records)" = '2 DELETE 9 INSERT 6 UPDATE' ]
	jq -e -s '[.[] | select(.recordID) | .extraTags.gtid] | all(test("^0-1-[0-9]+$"))' records
	[ "$(jq -c 'select(.recordType == "SCHEMA") | .primaryKey' records)" = '["id"]' ]
}

@test "debezium: JSON without schemas, types from --schema" {
	diff <(lost | grep -v bigint) <(differences plain --schema "@$BATS_FILE_TMPDIR/shop.sql")
	[ "$(kinds records)" = '2 DELETE 9 INSERT 6 UPDATE' ]
}

@test "debezium: flattened rows" {
	diff <(lost) <(differences flat)
}

@test "debezium: times and decimals as text" {
	# Times outside of a day come as null then.
	diff <(lost | grep -v bigint) <(differences text | grep -vE ', tm[0-9]* time: .* .None. in the table')
}

@test "debezium: Avro, with the schema's id in headers or in front of the datum" {
	decode schemas all_types | jq -c 'select(.recordID) | [.recordType, .beforeImages, .afterImages]' >json
	[ "$(wc -l <json)" -eq 17 ]
	for c in headers long short; do
		for interface in '' /apis/registry/v2 /apis/registry/v3 /apis/ccompat/v7; do
			# Content ids of four bytes: one interface of these knows global ids only, and
			# where Confluent's stands must be said.
			case $c$interface in short | short/apis/registry/v2) continue ;; esac
			decode $c all_types --registry "$registry$interface" |
				jq -c 'select(.recordID) | [.recordType, .beforeImages, .afterImages]' | cmp json -
		done
	done
	diff <(lost) <(differences short --registry "$registry/apis/ccompat/v7")
	run -3 decode short all_types --registry "$registry"
	[[ $output == *"has no schema"* ]]
}

@test "debezium: TRUNCATE, and a key of two columns" {
	for c in schemas headers; do
		decode $c sales --registry "$registry" >records
		diff - <(jq -c 'select(.recordID) | [.recordType, .beforeImages, .afterImages]' records) <<-'EOF'
			["INSERT",{},{"id":"1","day":"2024-02-29","amount":"1.50"}]
			["INSERT",{},{"id":"2","day":"2024-03-01","amount":null}]
			["UPDATE",{"id":"2","day":"2024-03-01","amount":null},{"id":"2","day":"2024-03-02","amount":null}]
			["TRUNCATE",null,null]
			["INSERT",{},{"id":"3","day":"2024-03-03","amount":"0.00"}]
		EOF
		[ "$(jq -c 'select(.recordType == "SCHEMA") | .primaryKey' records)" = '["id","day"]' ]
	done
}

@test "debezium: transactions and statements, in topics of their own" {
	timeout 60 cdc-decode --kafka "$brokers" --topic schemas.transaction --control >t
	[ "$(wc -l <t)" -ge 20 ]
	# Statements of DDL begin a transaction that never ends.
	diff <(kcat -C -b "$brokers" -t schemas.transaction -e -q | jq -r '.payload | .status + " " + .id' | sed 's/^END/COMMIT/') \
		<(jq -r 'select(.recordID) | .recordType + " " + .extraTags.transaction' t)
	timeout 60 cdc-decode --kafka "$brokers" --topic schemas >ddl
	jq -e -s '[.[].ddl // "" | select(test("CREATE TABLE sales"))] | length == 1' ddl
}

@test "debezium: a dump of kcat says the same as the topic" {
	for c in schemas plain flat; do
		decode $c all_types >live
		kcat -C -b "$brokers" -t $c.shop.all_types -e -q -J | cdc-decode >dump
		cmp live dump
	done
}
