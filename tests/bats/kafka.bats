#!/usr/bin/env bats
# cdc-decode --kafka against librdkafka's mock cluster on loopback.

bats_require_minimum_version 1.5.0

setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	[ -x "$bin/tests/kafka/mock_cluster" ] || skip "built without librdkafka"
	PATH=$bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
	. "$BATS_TEST_DIRNAME/../kafka/mock.bash"
	mock_start
}

teardown() { mock_stop; }

# Messages of maxwell, of rows FROM to TO.
rows() {
	local i
	for ((i = $1; i <= $2; i++)); do
		printf 'k%d\t{"database":"shop","table":"sales","type":"insert","ts":1700000000,"data":{"id":%d,"n":"v%d"},"primary_key_columns":["id"]}\n' "$i" "$i" "$i"
	done
}

produce() { # PARTITION FROM TO
	rows "$2" "$3" >"in.$1.$2"
	mock text shop "$1" "$PWD/in.$1.$2"
}

decode() { timeout 60 cdc-decode --kafka "$brokers" --topic shop "$@"; }
# partition:offset=id of each row, in order of partitions
places() { jq -r 'select(.afterImages) | "\(.position.partition):\(.position.offset)=\(.afterImages.id)"' | sort -s -t : -k 1,1 | paste -s -d ' '; }
# What the CHECKPOINT records promise.
promises() { jq -c 'select(.recordType == "CHECKPOINT") | [[.positions[] | "\(.partition):\(.offset)"], .final]'; }

# Wait up to 20 s until a file holds a text.
wait_for() { # TEXT FILE
	local i
	for ((i = 0; i < 200; i++)); do
		grep -qF -- "$1" "$2" && return 0
		sleep 0.1
	done
	echo "no $1 in $2" >&2
	return 1
}

@test "kafka: all partitions, from the beginning to the end" {
	mock topic shop 2
	produce 0 1 3
	produce 1 11 12
	decode >out
	[ "$(places <out)" = '0:0=1 0:1=2 0:2=3 1:0=11 1:1=12' ]
	[ "$(promises <out | jq -c 'map(if type == "array" then sort else . end)')" = '[["0:2","1:1"],true]' ]
	[ "$(grep -c SCHEMA out)" -eq 1 ]
}

@test "kafka: one partition, offsets from both ends" {
	mock topic shop 2
	produce 0 1 5
	produce 1 11 12
	[ "$(decode --partition 1 | places)" = '1:0=11 1:1=12' ]
	[ "$(decode --partition 0 --offset 3 | places)" = '0:3=4 0:4=5' ]
	[ "$(decode --partition 0 --offset -2 | places)" = '0:3=4 0:4=5' ]
	[ "$(decode --offset -100 | places)" = '0:0=1 0:1=2 0:2=3 0:3=4 0:4=5 1:0=11 1:1=12' ]
	[ "$(decode --offset end)" = '{"recordType":"CHECKPOINT","positions":[],"final":true}' ]
	[ "$(decode --partition 0 --offset beginning --max-records 2 | places)" = '0:0=1 0:1=2' ]
	run -2 decode --partition 7
	[[ $output == *'topic shop has no partition 7'* ]]
}

@test "kafka: keys, headers and null values reach the formats" {
	mock topic shop 1
	# A row whose key changed: a delete, a tombstone, a create, joined by their headers.
	{
		printf '{"id":1}\t{"before":{"id":1,"n":"a"},"after":null,"op":"d","ts_ms":1700000000000,"source":{"connector":"mysql","db":"shop","table":"sales","ts_ms":1700000000000}}\t__debezium.newkey={"id":2}\n'
		printf '{"id":1}\t\\N\n'
		printf '{"id":2}\t{"before":null,"after":{"id":2,"n":"a"},"op":"c","ts_ms":1700000000000,"source":{"connector":"mysql","db":"shop","table":"sales","ts_ms":1700000000000}}\t__debezium.oldkey={"id":1}\n'
	} >in
	mock text shop 0 "$PWD/in"
	decode -v 2>log | jq -c 'select(.afterImages) | [.recordType, .beforeImages, .afterImages]' >got
	echo '["UPDATE",{"id":"1","n":"a"},{"id":"2","n":"a"}]' | diff - got
	grep -q 'format debezium' log
}

@test "kafka: tombstones that come first do not tell the format" {
	mock topic shop 1
	printf 'k1\t\\N\n' >in
	mock text shop 0 "$PWD/in"
	cdc-decode --kafka "$brokers" --topic shop --follow --checkpoint-every 1s -v >out 2>log 3>&- &
	pid=$!
	wait_for '"offset":0}]}' out # the tombstone was read by itself
	produce 0 1 2
	wait_for '"id":"2"' out
	kill -TERM $pid
	wait $pid
	[ "$(places <out)" = '0:1=1 0:2=2' ]
	grep -q 'format maxwell' log
	# There is nothing else in the topic.
	mock topic none 1
	mock text none 0 "$PWD/in"
	timeout 60 cdc-decode --kafka "$brokers" --topic none >out
	[ "$(promises <out)" = '[["0:0"],true]' ]
}

@test "kafka: binary messages are those of a kcat dump" {
	"$bin/tests/dts/make_dump" --count 2000 >dump
	mock topic shop 1
	mock kcat shop 0 "$PWD/dump"
	decode >live
	cdc-decode --framing kcat dump >file
	jq -c 'del(.position)' live >live.plain
	jq -c 'del(.position)' file >file.plain
	diff <(grep -v CHECKPOINT live.plain) <(grep -v CHECKPOINT file.plain)
	[ "$(wc -l <live.plain)" -gt 2000 ]
}

@test "kafka: --follow waits for more; SIGTERM ends it in order" {
	mock topic shop 1
	produce 0 1 2
	cdc-decode --kafka "$brokers" --topic shop --follow --checkpoint-every 1s >out 2>log 3>&- &
	pid=$!
	wait_for '"id":"2"' out
	produce 0 3 4
	wait_for '"id":"4"' out
	wait_for '"offset":3}]}' out # a CHECKPOINT while it waits
	kill -TERM $pid
	wait $pid
	[ "$(places <out)" = '0:0=1 0:1=2 0:2=3 0:3=4' ]
	[ "$(promises <out | tail -n 1)" = '[["0:3"],true]' ]
}

@test "kafka: a broker that goes and comes back loses nothing" {
	mock topic shop 1
	produce 0 1 2
	cdc-decode --kafka "$brokers" --topic shop --follow >out 2>log 3>&- &
	pid=$!
	wait_for '"id":"2"' out
	mock down
	wait_for 'warning' log
	mock up
	mock error 6 2 # NOT_LEADER_FOR_PARTITION
	produce 0 3 5
	wait_for '"id":"5"' out
	kill -INT $pid || true
	kill -TERM $pid
	wait $pid || [ $? -gt 128 ]
	[ "$(places <out)" = '0:0=1 0:1=2 0:2=3 0:3=4 0:4=5' ]
}

@test "kafka: --resume goes on behind what the table has" {
	mock topic shop 2
	produce 0 1 3
	produce 1 11 12
	decode --resume ./t | cdc-merge -q --schema 'id BIGINT NOT NULL, n STRING' ./t # there is no table yet
	[ "$(cdc-snapshot ./t | jq -s 'map(.id | tonumber) | sort | join(" ")')" = '"1 2 3 11 12"' ]
	[ "$(decode --resume ./t)" = '{"recordType":"CHECKPOINT","positions":[],"final":true}' ]
	produce 0 4 4
	decode --resume ./t >out
	[ "$(places <out)" = '0:3=4' ]
	cdc-merge -q ./t out
	[ "$(cdc-snapshot ./t | wc -l)" -eq 6 ]
	# Another stream's name has read nothing.
	[ "$(decode --resume ./t --app-id other | places | wc -w)" -eq 6 ]
	mkdir broken
	mkdir broken/_delta_log
	echo '{' >broken/_delta_log/00000000000000000000.json
	run -6 decode --resume broken
}

@test "kafka: a resume point that retention outran is 3, unless told to go on" {
	mock topic shop 1
	produce 0 1 2
	decode | cdc-merge -q --schema 'id BIGINT NOT NULL, n STRING' ./t
	# The mock keeps 5 MB of a partition.
	head -c 60000 /dev/zero | tr '\0' x >pad
	for i in $(seq 3 140); do
		printf 'k\t{"database":"shop","table":"sales","type":"insert","ts":1700000000,"data":{"id":%d,"n":"%s"},"primary_key_columns":["id"]}\n' "$i" "$(<pad)"
	done >big
	mock text shop 0 "$PWD/big"
	run -3 decode --resume ./t
	[[ $output == *'topic shop, partition 0: offset 2 is to be read next, but there are '*'deleted'* ]]
	run -0 --separate-stderr decode --resume ./t --on-data-loss continue
	[[ $stderr == *'warning: topic shop, partition 0: offset 2 is to be read next'* ]]
	[ "$(jq -r 'select(.afterImages).afterImages.id' <<<"$output" | tail -n 1)" -eq 140 ]
	run -3 decode --offset 1000
	[[ $output == *'cut, or made anew'* ]]
	run -3 decode --offset 0 --on-data-loss fail
}

@test "kafka: CHECKPOINT every so many messages" {
	mock topic shop 1
	produce 0 1 5
	[ "$(decode --checkpoint-every 2 | promises | paste -s -d ' ')" = '[["0:1"],null] [["0:3"],null] [["0:4"],true]' ]
}

@test "kafka: a bad message is told by its offset, and can be rejected" {
	mock topic shop 1
	{ rows 1 1; printf 'k\t{"oops\n'; rows 2 2; } >in
	mock text shop 0 "$PWD/in"
	run -3 --separate-stderr decode
	[[ $stderr == *'shop: byte 1: error'* || $stderr == *'shop:'*'1'* ]]
	[ "$(places <<<"$output")" = '0:0=1' ]
	run -1 --separate-stderr decode --reject bad
	[ "$(places <<<"$output")" = '0:0=1 0:2=2' ]
	[ "$(jq -c '[.file, .offset]' bad)" = '["shop",1]' ]
}

@test "kafka: --show, --describe and the lag" {
	mock topic shop 1
	produce 0 1 3
	decode --show >out
	grep -qF '|{"id":"3","n":"v3"}|' out
	[ "$(decode --describe | jq -c '.partitions[0] | [.topic, .messages, .offset.missing]')" = '["shop",3,0]' ]
	decode --progress always 2>log >out
	grep -q 'lag 0' log
	[ "$(decode --stats - 2>&1 >out | jq .messages)" -eq 3 ]
}

@test "kafka: properties come from a file" {
	mock topic shop 1
	produce 0 1 1
	printf '# a comment\n\nfetch.wait.max.ms = 50\nisolation.level=read_uncommitted\r\n' >conf
	[ "$(decode --kafka-config conf | places)" = '0:0=1' ]
	printf 'client.id=x\nno.such.property=secret\n' >conf
	run -2 decode --kafka-config conf
	[[ $output == *'conf:2: '*'no.such.property'* && $output != *secret* ]]
	printf 'junk\n' >conf
	run -2 decode --kafka-config conf
	run -4 decode --kafka-config missing
}

@test "kafka: no broker is 4; wrong use is 2" {
	brokers=127.0.0.1:1
	run -4 decode
	[[ $output == *'topic shop at 127.0.0.1:1: '* ]]
	run -2 cdc-decode --kafka "$brokers"
	[[ $output == *'--kafka needs --topic'* ]]
	run -2 decode file
	run -2 cdc-decode --follow /dev/null
	[[ $output == *'--follow needs --kafka'* ]]
	run -2 decode --offset soon
	run -2 decode --checkpoint-every often
	run -2 decode --max-records -1
	run -2 decode --from csv
}
