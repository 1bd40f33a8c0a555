#!/bin/bash
# Proves that kill -9 at any moment leaves a whole table: a merge of many small batches, or now and
# then a compaction with a checkpoint, is killed after a random time, over and over; each time the table must open, hold exactly the rows that
# SQLite has after some number of the batches, no fewer than before, and go on where it stopped when
# the same input comes again. TAP.
#
#	tests/fault/kill9.sh [KILLS]	(default 25)
set -u
kills=${1:-25}
bin=$(cd "${BUILD:-build}" && pwd) || exit 4
dir=$(mktemp -d "${TMPDIR:-/tmp}/kill9-XXXXXX") || exit 4
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 4
batches=60 size=50 keys=400

# The input, and what the table is after each batch, by SQLite.
python3 - "$batches" "$size" "$keys" <<'END' || exit 4
import hashlib, json, random, sqlite3, sys
batches, size, keys = map(int, sys.argv[1:])
rnd = random.Random(7)
db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE m(id INTEGER PRIMARY KEY, v TEXT, n INTEGER)")
out, states, offset = open("input", "w"), open("states", "w"), 0
def state():
    rows = "".join(f'{{"id":{i},"v":{json.dumps(v)},"n":{n}}}\n' for i, v, n in
                   db.execute("SELECT id, v, n FROM m ORDER BY id"))
    states.write(hashlib.sha256(rows.encode()).hexdigest() + "\n")
state()
for b in range(batches):
    for i in range(size):
        k = rnd.randrange(keys)
        have = db.execute("SELECT 1 FROM m WHERE id = ?", (k,)).fetchone()
        kind = "INSERT" if not have else "UPDATE" if rnd.random() < 0.7 else "DELETE"
        row = {"id": str(k), "v": f"value {offset}", "n": str(offset)}
        out.write(json.dumps({"recordID": offset, "dbTable": "d.t", "recordType": kind,
            "beforeImages": {} if kind == "INSERT" else {"id": str(k)},
            "afterImages": {} if kind == "DELETE" else row,
            "position": {"topic": "t", "partition": 0, "offset": offset}}) + "\n")
        if kind == "DELETE":
            db.execute("DELETE FROM m WHERE id = ?", (k,))
        else:
            db.execute("INSERT OR REPLACE INTO m VALUES (?, ?, ?)", (k, row["v"], offset))
        offset += 1
    out.write(json.dumps({"recordType": "CHECKPOINT", "positions": [
        {"topic": "t", "partition": 0, "offset": offset - 1}]}) + "\n")
    state()
END

mode=(auto dv cow)
n=0 failed=0 opened=0 killed=0 finished=0 round=0 done_batches=0 moments=

merge() {
	exec "$bin/cdc-merge" -q --create --schema 'id BIGINT NOT NULL, v STRING, n BIGINT' -k id \
		--mode "${mode[round % 3]}" --property delta.enableDeletionVectors=true \
		--property delta.checkpointInterval=4 table input
}

compact() {
	exec "$bin/cdc-compact" -q --target-size 1M --checkpoint table
}

# How many batches the table holds, by its rows; sets `state`.
look() {
	if [ ! -e table/_delta_log/00000000000000000000.json ]; then
		state=0
		return 0
	fi
	"$bin/cdc-snapshot" table >rows 2>messages || { sed 's/^/# /' messages; return 1; }
	sum=$(sort -t: -k2n rows | sha256sum)
	state=$(grep -n "^${sum%% *}$" states | cut -d: -f1)
	[ -n "$state" ] || { echo "# the rows are those of no batch"; return 1; }
	state=$((state - 1))
}

start=$SECONDS
while [ $n -lt "$kills" ]; do
	job=merge
	[ $((RANDOM % 5)) -ne 0 ] || [ "$done_batches" -eq 0 ] || job=compact
	$job 2>errors &
	pid=$!
	# From the first instants of the run to about its end.
	sleep "$(printf '0.%03d' $((RANDOM % 250 + 3)))"
	if kill -9 $pid 2>/dev/null; then
		n=$((n + 1))
	fi
	wait $pid 2>/dev/null
	status=$?
	if [ $status -ne 137 ] && [ $status -ne 0 ]; then
		echo "# exit status $status"
		sed 's/^/# /' errors
		failed=$((failed + 1))
		break
	fi
	[ $status -ne 137 ] || killed=$((killed + 1))
	if ! look || [ "$state" -lt $done_batches ]; then
		echo "# kill $n: ${state:-?} batches, $done_batches before"
		failed=$((failed + 1))
		break
	fi
	opened=$((opened + 1))
	[ "$state" -eq $done_batches ] || moments=$((moments + 1))
	done_batches=$state
	if [ "$status" -eq 0 ] && [ $job = merge ]; then
		if [ "$state" -ne $batches ]; then
			echo "# finished with $state batches"
			failed=$((failed + 1))
			break
		fi
		finished=$((finished + 1)) round=$((round + 1)) done_batches=0
		rm -rf table
	fi
done
# Whatever the last kill left, one more run completes it.
(merge) 2>errors || { sed 's/^/# /' errors; failed=$((failed + 1)); }
look && [ "$state" -eq $batches ] || failed=$((failed + 1))
echo "# $killed kills in $((SECONDS - start)) s, ${moments:-0} with new commits, $opened times looked at, $finished tables finished"
[ $failed -eq 0 ] && [ $killed -gt 0 ] && echo "ok 1 - $killed kills: the table is always a prefix of the batches, and goes on" ||
	echo "not ok 1 - killed merges"
left=$(find table -name '*.tmp' ! -path '*/_delta_log/.*' | wc -l)
[ "$left" -eq 0 ] && echo "ok 2 - what kills leave behind is hidden" || echo "not ok 2 - $left temporary files in sight"
echo 1..2
