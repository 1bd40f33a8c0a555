#!/usr/bin/env bats
# cdc-decode --kafka against a broker of Apache Kafka, and against the files that it leaves.

bats_require_minimum_version 1.5.0

setup_file() {
	. "$BATS_TEST_DIRNAME/broker.bash"
	broker_install
	broker_start "$BATS_FILE_TMPDIR"
	export brokers secure_brokers
}

teardown_file() {
	. "$BATS_TEST_DIRNAME/broker.bash"
	broker_stop "$BATS_FILE_TMPDIR"
}

setup() {
	. "$BATS_TEST_DIRNAME/broker.bash"
	bin=$(cd "${BUILD:-build}" && pwd)
	PATH=$bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	topic=topic$BATS_TEST_NUMBER
	logs=$BATS_FILE_TMPDIR/logs
}

# Messages of maxwell, of rows FROM to TO.
rows() {
	local i
	for ((i = $1; i <= $2; i++)); do
		printf '{"database":"shop","table":"sales","type":"insert","ts":1700000000,"data":{"id":%d,"n":"v%d"},"primary_key_columns":["id"]}\n' "$i" "$i"
	done
}

decode() { timeout 60 cdc-decode --kafka "$brokers" --topic "$topic" "$@"; }
ids() { jq -r 'select(.afterImages).afterImages.id' | paste -s -d ' '; }

create() { # PARTITIONS
	broker_tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$brokers" --create \
		--topic "$topic" --partitions "$1" >/dev/null
}

@test "kafka: what kcat produces with each codec, live, as kcat dumps it, and from the log" {
	create 1
	n=1
	for codec in none gzip snappy lz4 zstd; do
		rows $n $((n + 499)) | kcat -P -b "$brokers" -t "$topic" -z $codec -K '\t'
		n=$((n + 500))
	done
	decode >live
	[ "$(ids <live)" = "$(seq -s ' ' 1 2500)" ]
	kcat -C -b "$brokers" -t "$topic" -e -q -J | cdc-decode >dump
	cmp live dump
	# The log's segment tells all but its topic and partition, which its folder does.
	cdc-decode "$logs/$topic-0/00000000000000000000.log" >segment
	cmp live segment
}

@test "kafka: what was aborted is not read, live or from the log" {
	create 1
	rows 1 10 >a
	rows 11 20 >b
	rows 21 30 >c
	"$bin/tests/kafka/transact" "$brokers" "$topic" commit a
	"$bin/tests/kafka/transact" "$brokers" "$topic" abort b
	"$bin/tests/kafka/transact" "$brokers" "$topic" commit c
	decode >live
	[ "$(ids <live)" = "$(echo $(seq 1 10) $(seq 21 30))" ]
	cdc-decode "$logs/$topic-0/00000000000000000000.log" >segment
	[ "$(ids <segment)" = "$(ids <live)" ]
	echo isolation.level=read_uncommitted >conf
	[ "$(decode --kafka-config conf | ids)" = "$(seq -s ' ' 1 30)" ]
}

@test "kafka: a table kept in step, run by run" {
	create 3
	for i in 1 2 3; do
		rows $((i * 100)) $((i * 100 + 49)) | kcat -P -b "$brokers" -t "$topic" -p $((i - 1))
		decode --resume ./t >out
		[ "$(grep -c afterImages out)" -eq 50 ]
		cdc-merge -q --require-final --schema 'id BIGINT NOT NULL, n STRING' ./t out
	done
	[ "$(cdc-snapshot ./t | wc -l)" -eq 150 ]
	[ "$(decode --resume ./t | grep -c afterImages)" -eq 0 ]
}

@test "kafka: deleted records are lost data" {
	create 1
	rows 1 20 | kcat -P -b "$brokers" -t "$topic" -p 0
	decode --max-records 5 | cdc-merge -q --schema 'id BIGINT NOT NULL, n STRING' ./t
	echo "{\"partitions\":[{\"topic\":\"$topic\",\"partition\":0,\"offset\":12}],\"version\":1}" >delete
	broker_tool org.apache.kafka.tools.DeleteRecordsCommand --bootstrap-server "$brokers" \
		--offset-json-file delete >/dev/null
	run -3 decode --resume ./t
	[[ $output == *'offset 5 is to be read next, but there are 12 to 20'* ]]
	[ "$(decode --resume ./t --on-data-loss continue 2>/dev/null | ids)" = "$(seq -s ' ' 13 20)" ]
}

@test "kafka: TLS and passwords" {
	create 1
	rows 1 3 | kcat -P -b "$brokers" -t "$topic" -p 0
	brokers=$secure_brokers
	cat >conf <<-EOF
		security.protocol=SASL_SSL
		sasl.mechanism=PLAIN
		sasl.username=reader
		sasl.password=secret
		ssl.ca.location=$BATS_FILE_TMPDIR/ca.pem
	EOF
	[ "$(decode --kafka-config conf | ids)" = '1 2 3' ]
	sed s/secret/wrong/ conf >bad
	run -4 decode --kafka-config bad
	[[ $output == *[Aa]uthentication* && $output != *wrong* ]]
	run -4 decode --kafka-config <(grep -v ssl.ca conf)
	[[ $output == *certificate* ]]
}

@test "kafka: a topic that is not there is 4" {
	run -4 decode
	[[ $output == *"topic $topic at "*[Uu]nknown* ]]
}

@test "kafka: following across transactions, with lag at the end 0" {
	create 1
	rows 1 5 >a
	cdc-decode --kafka "$brokers" --topic "$topic" --follow >out 2>log 3>&- &
	pid=$!
	"$bin/tests/kafka/transact" "$brokers" "$topic" commit a
	for _ in $(seq 100); do
		[ "$(ids <out)" = '1 2 3 4 5' ] && break
		sleep 0.1
	done
	kill -TERM $pid
	wait $pid
	[ "$(ids <out)" = '1 2 3 4 5' ]
	grep -q '"final":true' out
}

@test "kafka: its own tools' text gives the same records" {
	create 1
	rows 1 200 | sed 's/"v\([0-9]*\)"/"Zoë \\u0000 \1"/' | kcat -P -b "$brokers" -t "$topic" -H 'a=b' -H 'c=d'
	printf 'k1\t\n' | kcat -P -b "$brokers" -t "$topic" -K '\t' -Z
	rows 201 210 | sed 's/^/key /' | kcat -P -b "$brokers" -t "$topic" -K ' '
	decode >live
	[ "$(grep -c afterImages live)" -eq 210 ]
	broker_tool kafka.tools.ConsoleConsumer --bootstrap-server "$brokers" --topic "$topic" \
		--from-beginning --timeout-ms 5000 --property print.timestamp=true \
		--property print.key=true --property print.offset=true \
		--property print.partition=true --property print.headers=true >console 2>log
	cdc-decode --topic "$topic" console | cmp live -
	broker_tool kafka.tools.DumpLogSegments --print-data-log \
		--files "$logs/$topic-0/00000000000000000000.log" >dump 2>log
	cdc-decode dump | cmp live -
	for f in '%t %p %o %T %K %S\n%k%s\n' '%t,%p,%o;%k;%s\n' '%t %p %o %h\t%R%k:%s|'; do
		kcat -C -b "$brokers" -t "$topic" -e -q -f "$f" | cdc-decode --kcat-format "$f" | cmp live -
	done
}
