# A private MariaDB server for tests, sourced: it listens on a socket in a temporary directory only.
#
#	mariadb_start DIR [option...]	start, wait until it answers
#	mariadb_sql [option...]		run SQL from standard input
#	mariadb_stop			end it, by its process id
#	merged_differences RECORDS DB.TABLE [option of cdc-merge...]
#					merge the records into table t here, and print what it has
#					otherwise than the server

mariadb_start() {
	mariadb_dir=$1
	shift
	mkdir -p "$mariadb_dir/data" "$mariadb_dir/tmp"
	mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$mariadb_dir/data" \
		--auth-root-authentication-method=normal --skip-test-db >"$mariadb_dir/install.log" 2>&1 || {
		cat "$mariadb_dir/install.log" >&2
		return 1
	}
	mariadbd --no-defaults --user="$(id -un)" --datadir="$mariadb_dir/data" --tmpdir="$mariadb_dir/tmp" \
		--socket="$mariadb_dir/s" --pid-file="$mariadb_dir/pid" --skip-networking --server-id=1 \
		--innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0 --sync-binlog=0 "$@" \
		>"$mariadb_dir/server.log" 2>&1 3>&- &
	mariadb_pid=$!
	mariadb_wait
}

# Until the server with $mariadb_pid answers; its log, if it ends.
mariadb_wait() {
	for _ in $(seq 200); do
		mariadb_sql -e 'SELECT 1' >/dev/null 2>&1 && return 0
		kill -0 "$mariadb_pid" 2>/dev/null || break
		sleep 0.1
	done
	cat "$mariadb_dir/server.log" >&2
	return 1
}

mariadb_sql() {
	mariadb --no-defaults --socket="$mariadb_dir/s" -u root --default-character-set=utf8mb4 "$@"
}

mariadb_stop() {
	[ -n "${mariadb_pid:-}" ] || return 0
	kill "$mariadb_pid" 2>/dev/null
	wait "$mariadb_pid" 2>/dev/null
	mariadb_pid=
}

merged_differences() {
	cdc-dedup "$1" >net
	rm -rf t
	# Zero dates have no place in a DATE.
	cdc-merge -q --position none --schema 'dt STRING, dtt STRING, dt3 STRING' "${@:3}" t net
	cdc-snapshot t | "$(dirname "${BASH_SOURCE[0]}")/compare.py" "$mariadb_dir/s" "$2" | sort
}
