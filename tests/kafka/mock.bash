# A mock cluster for a bats file: mock_start, then mock COMMAND, then mock_stop. $brokers names it.

mock_start() {
	mkfifo mock.in mock.out
	"$bin/tests/kafka/mock_cluster" <mock.in >mock.out 2>mock.log 3>&- &
	mock_pid=$!
	exec 8>mock.in 9<mock.out
	read -r -t 20 _ brokers <&9
}

mock() {
	local answer
	echo "$*" >&8
	read -r -t 60 answer <&9
	[ "$answer" = ok ] || {
		echo "mock $*: $answer" >&2
		return 1
	}
}

# The cluster ends with its input; one that does not is ended.
mock_stop() {
	[ -n "${mock_pid:-}" ] || return 0
	exec 8>&-
	for _ in $(seq 50); do
		kill -0 "$mock_pid" 2>/dev/null || break
		sleep 0.1
	done
	kill "$mock_pid" 2>/dev/null || true
	wait "$mock_pid" 2>/dev/null || true
	exec 9<&-
	mock_pid=
}
