# Kafka Connect with Debezium, and a schema registry, for a bats file; broker.bash and
# mariadb/server.bash come first. connect_install; registry_start DIR, connector DIR NAME SERVER-ID
# [LINE...], connect_start DIR; connect_stop DIR.

connect_registry=io.apicurio:apicurio-registry-app:3.0.9:tar.gz:all
connect_home=${XDG_CACHE_HOME:-$HOME/.cache}/cdc-tools/connect-$( (cat "$BATS_TEST_DIRNAME/debezium.xml"; echo "$connect_registry") | sha256sum | cut -c 1-12)

connect_install() {
	mkdir -p "$connect_home/registry"
	[ -e "$connect_home/done" ] && return
	{
		mvn -q -B -f "$BATS_TEST_DIRNAME/debezium.xml" dependency:copy-dependencies \
			-DoutputDirectory="$connect_home/jars" &&
			mvn -q -B dependency:copy -Dartifact="$connect_registry" \
				-DoutputDirectory="$connect_home" &&
			tar -xzf "$connect_home"/apicurio-registry-app-*.tar.gz -C "$connect_home/registry"
	} >"$connect_home/log" 2>&1 && touch "$connect_home/done" && return
	cat "$connect_home/log" >&2
	return 1
}

# Sets $registry.
registry_start() {
	local port i
	port=$(free_port)
	registry=http://127.0.0.1:$port
	(
		cd "$connect_home/registry" || exit 1
		exec timeout 900 java -Xmx300m -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$port" \
			-jar apicurio-registry-app-*-runner.jar
	) >"$1/registry.log" 2>&1 3>&- &
	echo $! >"$1/registry.pid"
	for ((i = 0; i < 120; i++)); do
		curl -sf -o "$1/info" "$registry/apis/registry/v3/system/info" && return
		sleep 0.5
	done
	cat "$1/registry.log" >&2
	return 1
}

# A connector that reads all that the server logged; lines are added to its settings.
connector() {
	local dir=$1 name=$2 id=$3
	shift 3
	cat >"$dir/$name.properties" <<-EOF
		name=$name
		connector.class=io.debezium.connector.mariadb.MariaDbConnector
		tasks.max=1
		database.hostname=127.0.0.1
		database.port=$mariadb_port
		database.user=cdc
		database.password=cdc
		database.server.id=$id
		database.ssl.mode=disable
		topic.prefix=$name
		database.include.list=shop
		schema.history.internal.kafka.bootstrap.servers=$brokers
		schema.history.internal.kafka.topic=history-$name
		snapshot.mode=never
		skipped.operations=none
	EOF
	printf '%s\n' "$@" >>"$dir/$name.properties"
	connectors+=("$dir/$name.properties")
}

# Settings of a converter, for keys and values.
converter() { # CLASS [SETTING...]
	local k line
	for k in key value; do
		echo "$k.converter=$1"
		for line in "${@:2}"; do
			echo "$k.converter.$line"
		done
	done
}

connect_start() {
	cat >"$1/worker.properties" <<-EOF
		bootstrap.servers=$brokers
		offset.storage.file.filename=$1/offsets
		key.converter=org.apache.kafka.connect.json.JsonConverter
		value.converter=org.apache.kafka.connect.json.JsonConverter
		listeners=http://127.0.0.1:0
		plugin.discovery=only_scan
		plugin.path=
	EOF
	timeout 900 java -Xmx800m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
		-cp "$connect_home/jars/*" org.apache.kafka.connect.cli.ConnectStandalone \
		"$1/worker.properties" "${connectors[@]}" >"$1/connect.log" 2>&1 3>&- &
	echo $! >"$1/connect.pid"
}

connect_stop() {
	local f
	for f in "$1/connect.pid" "$1/registry.pid"; do
		[ -e "$f" ] || continue
		kill "$(<"$f")" 2>/dev/null || true
		wait "$(<"$f")" 2>/dev/null || true
	done
}
