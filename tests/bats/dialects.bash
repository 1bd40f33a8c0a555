# What the tests of the JSON dialects share. Messages are made up, and what they must become is
# worked out by hand from the dialect's documentation and cdc-record(5).

dialects_setup() {
	bin=$(cd "${BUILD:-build}" && pwd)
	PATH=$bin:$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
}

# message TOPIC PARTITION OFFSET KEY VALUE [HEADERS]: a line as `kcat -J` writes it. An empty KEY or
# VALUE is null; HEADERS is an array of names and values by turns.
message() {
	jq -nc --arg t "$1" --argjson p "$2" --argjson o "$3" --arg k "$4" --arg v "$5" \
		--argjson h "${6:-null}" 'def null_if_empty: if . == "" then null else . end;
		{ topic: $t, partition: $p, offset: $o, tstype: "create", ts: 1573701065000 }
		+ (if $h then { headers: $h } else {} end)
		+ { key: ($k | null_if_empty), payload: ($v | null_if_empty) }'
}

# expect FILTER ARG...: what FILTER makes of the records that `cdc-decode ARG...` prints is what
# stands on standard input. The order of members does not count.
expect() {
	local filter=$1
	shift
	jq -cS . >want
	cdc-decode "$@" >out
	jq -cS "select(.final | not) | $filter" out >got
	diff -u want got
}

# Filters: rows and control records without their places and tags, columns of tables.
rows='select(.recordType != "SCHEMA")
	| [.recordType, .dbTable, .recordTimestamp, .beforeImages // .ddl, .afterImages]'
images='select(.beforeImages) | [.recordType, .beforeImages, .afterImages]'
after='select(.afterImages) | .afterImages'
schemas='select(.recordType == "SCHEMA")
	| [.dbTable, .primaryKey, (.columns[] | [.name, .type, .nullable])]'

# refused REASON ARG...: the only message is a reject for this reason.
refused() {
	local reason=$1
	shift
	run --separate-stderr cdc-decode --reject rejects "$@"
	[ "$status" -eq 1 ]
	jq -r .reason rejects >got
	diff -u <(echo "$reason") got
	rm rejects
}

# taken_for FORMAT FILE: detection chooses it.
taken_for() {
	run --separate-stderr cdc-decode -v "$2"
	[ "$status" -eq 0 ]
	[[ $stderr == "cdc-decode: debug: $2: format $1, framing "* ]]
}
