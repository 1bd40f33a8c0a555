# Programs that read a server's log, for a bats file; mariadb/server.bash comes first.
#
#	producer_install NAME	the jars of NAME.xml into $jars
#	producer_server DIR [option...]
#				a server that also listens on $mariadb_port of loopback, where user
#				cdc has the password cdc

producer_install() {
	local home=${XDG_CACHE_HOME:-$HOME/.cache}/cdc-tools
	home=$home/$1-$(sha256sum "$BATS_TEST_DIRNAME/$1.xml" | cut -c 1-12)
	jars=$home/jars
	mkdir -p "$home"
	[ -e "$home/done" ] && return
	mvn -q -B -f "$BATS_TEST_DIRNAME/$1.xml" dependency:copy-dependencies \
		-DoutputDirectory="$jars" >"$home/log" 2>&1 && touch "$home/done" && return
	cat "$home/log" >&2
	return 1
}

producer_server() {
	mariadb_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	mariadb_start "$1/db" --log-bin=bin --binlog-format=ROW --skip-networking=0 \
		--bind-address=127.0.0.1 --port="$mariadb_port" "${@:2}"
	mariadb_sql -e "CREATE USER cdc@'127.0.0.1' IDENTIFIED BY 'cdc'; GRANT ALL ON *.* TO cdc@'127.0.0.1'"
}
