#!/usr/bin/env bats
# Exports of rows as a user sees them: mysqldump --tab, INTO OUTFILE, Sqoop directories, Parquet.

setup() {
	bats_require_minimum_version 1.5.0
	cd "$BATS_TEST_DIRNAME/../.." || exit 1
	decode="$PWD/${BUILD:-build}/cdc-decode"
	merge="$PWD/${BUILD:-build}/cdc-merge"
	snapshot="$PWD/${BUILD:-build}/cdc-snapshot"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

# The after images, a line each.
images() {
	sed -n 's/.*"afterImages":\(.*\),"position".*/\1/p'
}

@test "mysqldump --tab: columns, key and character sets from the table's statement" {
	cat >t.sql <<-'SQL'
		-- MySQL dump 10.13
		DROP TABLE IF EXISTS `t`;
		/*!50503 SET character_set_client = utf8mb4 */;
		CREATE TABLE `t` (
		  `id` int NOT NULL AUTO_INCREMENT,
		  `name` varchar(20) CHARACTER SET latin1 DEFAULT NULL,
		  `data` blob,
		  `at` datetime(3) DEFAULT NULL,
		  PRIMARY KEY (`id`)
		) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
	SQL
	printf '1\tcaf\xe9\t\xff\\0\\\t\t2019-11-14 03:11:05.500\n2\t\\N\t\\N\t\\N\n' >t.txt
	"$decode" --from tsv --columns @t.sql --db-table shop.t t.txt >out
	images <out | diff -u - <(printf '%s\n' \
		'{"id":"1","name":"café","data":"/wAJ","at":"2019-11-14 03:11:05.500000"}' \
		'{"id":"2","name":null,"data":null,"at":null}')
	head -n 1 out | grep -F '"primaryKey":["id"]'
	"$merge" --create table <out
	"$snapshot" table | diff -u - <(printf '%s\n' \
		'{"id":1,"name":"café","data":"/wAJ","at":"2019-11-14 03:11:05.5"}' \
		'{"id":2,"name":null,"data":null,"at":null}')
}

@test "instants with nanoseconds are in the zone of --source-timezone" {
	printf '%s\n' '2020-01-01 00:00:00.123456789' 2020-01-01T00:00:00.1234567 \
		'2020-01-01 00:00:00.123456000' '2020-01-01 00:00:00.123456789+02:00' \
		'1969-12-31 23:59:59.999999999Z' '1970-01-01 07:59:59.999999999' >in
	"$decode" --from csv --columns 'at TIMESTAMP' --db-table shop.t --source-timezone +08:00 in >out
	images <out | jq -r .at | diff -u - <(printf '%s\n' \
		2019-12-31T16:00:00.123456789Z 2019-12-31T16:00:00.123456700Z \
		2019-12-31T16:00:00.123456Z 2019-12-31T22:00:00.123456789Z \
		1969-12-31T23:59:59.999999999Z 1969-12-31T23:59:59.999999999Z)
}

@test "INTO OUTFILE with quoted fields and lines that end in CR LF" {
	printf '"1","a, \\"b\\""\r\n"2",\\N\r\n' >t.csv
	"$decode" --from tsv --columns 'id INT, v' --fields-terminated-by , --fields-enclosed-by '"' \
		--lines-terminated-by '\r\n' t.csv >out
	images <out | diff -u - <(printf '%s\n' '{"id":"1","v":"a, \"b\""}' '{"id":"2","v":null}')
}

@test "a Sqoop directory is several inputs of one run" {
	mkdir d
	printf '1,null,2011-01-12 00:00:00.0,61 62\n' >d/part-m-00000
	printf '2,x,null,\n' >d/part-m-00001
	"$decode" --from sqoop --columns 'id INT, v, t DATETIME, b BLOB' --key id d/part-m-* >out
	images <out | diff -u - <(printf '%s\n' '{"id":"1","v":null,"t":"2011-01-12 00:00:00","b":"YWI="}' \
		'{"id":"2","v":"x","t":null,"b":""}')
	sed -n 's/^{"recordID":\([0-9]*\).*/\1/p' out | diff -u - <(printf '1\n2\n')
}

@test "Parquet: what cdc-snapshot exports comes back as change records" {
	printf '%s\n' \
		'{"recordType":"SCHEMA","dbTable":"d.t","columns":[{"name":"id","type":"bigint","sourceType":"bigint"},{"name":"p","type":"decimal(7,2)"},{"name":"d","type":"date"},{"name":"t","type":"datetime"},{"name":"b","type":"blob"},{"name":"s","type":"text"}],"primaryKey":["id"]}' \
		'{"recordID":1,"dbTable":"d.t","recordType":"INSERT","fields":["id","p","d","t","b","s"],"beforeImages":{},"afterImages":{"id":"9007199254740993","p":"-0.05","d":"2019-11-14","t":"2019-11-14 03:11:05.120000","b":"AP8=","s":"a\n\"é\""}}' \
		'{"recordID":2,"dbTable":"d.t","recordType":"INSERT","fields":["id","p","d","t","b","s"],"beforeImages":{},"afterImages":{"id":"2","p":null,"d":null,"t":null,"b":null,"s":null}}' >in
	"$merge" --create table <in
	"$snapshot" -f parquet -o t.parquet table
	"$decode" --from parquet --db-table d.t --key id --stats stats t.parquet >out
	[ "$(jq .bytes_in stats)" -eq "$(stat -c %s t.parquet)" ]
	images <out | sort | diff -u - <(sed -n 's/.*"afterImages":\(.*\)}$/\1/p' in | sort)
	head -n 1 out | grep -F '{"name":"p","type":"decimal(7,2)"'
	"$decode" --from parquet --db-table d.t --key id <t.parquet | images | diff -u - <(images <out)
}

@test "Parquet: a pipe, and what is no Parquet file, are refused" {
	printf 'no Parquet file' >f
	run -2 --separate-stderr "$decode" --from parquet < <(cat f)
	[[ $stderr == *"must be a file, not a pipe"* ]]
	run -3 --separate-stderr "$decode" --from parquet f
	[[ $stderr == "cdc-decode: f: error: "* ]]
}

@test "--columns: what is no list of names and types is refused" {
	local given reason
	echo 1,2 >in
	while IFS='|' read -r given reason; do
		run -2 --separate-stderr "$decode" --from csv --columns "$given" --db-table d.t in
		[ "$stderr" = "cdc-decode: in: error: --columns$reason" ] || { echo "$stderr"; return 1; }
	done <<-'END'
	id DECIMAL(7,2, v INT|: a parenthesis is not paired in DECIMAL(7,2, v INT
	id INT), v|: a parenthesis is not paired in INT)
	id INT PRIMARY KEY, v|: PRIMARY is not part of a type
	id INT, v ENUM('a','b') DEFAULT 'a'|: DEFAULT is not part of a type
	id INT, v,| has an empty name
	END
	"$decode" --from csv --columns "id INT NOT NULL, v ENUM('a)','(key') NULL" --db-table d.t in |
		jq -r '.columns[]?.type' | diff -u - <(printf "int\nenum('a)','(key')\n")
}

@test "a header of very many names, and the first that comes twice" {
	seq -s , 65000 >in
	seq -s , 65000 >>in
	timeout 2 "$decode" --from csv --header --db-table d.t in >out
	[ "$(wc -l <out)" -eq 2 ]
	echo 'a,b,Ab,B,A,aB' >in
	run -2 "$decode" --from csv --header --db-table d.t in
	[[ $output == *'two columns are called B'* ]]
}
