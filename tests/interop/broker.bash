# Apache Kafka for a bats file: broker_install, broker_start DIR, broker_stop DIR. One node, on
# loopback, with a plain listener and one with TLS and passwords (reader, secret).

broker_home=${XDG_CACHE_HOME:-$HOME/.cache}/cdc-tools/kafka-$(sha256sum "$BATS_TEST_DIRNAME/kafka.xml" | cut -c 1-12)

broker_install() {
	mkdir -p "$broker_home"
	[ -e "$broker_home/done" ] && return
	mvn -q -B -f "$BATS_TEST_DIRNAME/kafka.xml" dependency:copy-dependencies \
		-DoutputDirectory="$broker_home/jars" >"$broker_home/log" 2>&1 &&
		touch "$broker_home/done"
}

# A tool of Kafka: class and arguments.
broker_tool() {
	java -Xmx256m -cp "$broker_home/jars/*" "$@"
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

broker_certificate() { # DIR
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout "$1/key.pem" -out "$1/ca.pem" 2>/dev/null
	openssl pkcs8 -topk8 -nocrypt -in "$1/key.pem" >"$1/server.pem"
	cat "$1/ca.pem" >>"$1/server.pem"
}

broker_config() { # DIR PLAIN-PORT CONTROLLER-PORT SECURE-PORT
	cat <<-EOF
		node.id=1
		process.roles=broker,controller
		listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$3,SASL_SSL://127.0.0.1:$4
		controller.listener.names=CONTROLLER
		controller.quorum.voters=1@127.0.0.1:$3
		listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
		log.dirs=$1/logs
		offsets.topic.replication.factor=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		group.initial.rebalance.delay.ms=0
		ssl.keystore.type=PEM
		ssl.keystore.location=$1/server.pem
		sasl.enabled.mechanisms=PLAIN
		listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_reader="secret";
	EOF
}

# Sets $brokers and $secure_brokers.
broker_start() {
	local dir=$1 plain controller secure i
	plain=$(free_port) controller=$(free_port) secure=$(free_port)
	broker_certificate "$dir"
	broker_config "$dir" "$plain" "$controller" "$secure" >"$dir/server.properties"
	broker_tool kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAA -c "$dir/server.properties" \
		>"$dir/format.log" 2>&1
	timeout 600 java -Xmx512m -cp "$broker_home/jars/*" kafka.Kafka "$dir/server.properties" \
		>"$dir/broker.log" 2>&1 3>&- &
	echo $! >"$dir/pid"
	brokers=127.0.0.1:$plain secure_brokers=127.0.0.1:$secure
	for ((i = 0; i < 120; i++)); do
		kcat -b "$brokers" -L -m 1 >/dev/null 2>&1 && return
		sleep 0.5
	done
	cat "$dir/broker.log" >&2
	return 1
}

broker_stop() {
	local pid
	pid=$(<"$1/pid")
	kill "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}
