#!/bin/bash
# Proves that writers do not disturb each other: four merges on keys of their own, a loop of
# compactions and a loop of readers share one table for a while. Afterwards each writer's rows are
# what SQLite has for its stream, every reader saw for each writer a state after one of its batches
# and never an older one than before, the versions of the log have no gap, and no file is lost or
# left over. TAP.
#
#	tests/fault/concurrent.sh [SECONDS]	(default 3)
set -u
seconds=${1:-3}
bin=$(cd "${BUILD:-build}" && pwd) || exit 4
dir=$(mktemp -d "${TMPDIR:-/tmp}/concurrent-XXXXXX") || exit 4
cd "$dir" || exit 4
writers=4
mode=(auto dv)
pids=()
trap '[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT

"$bin/cdc-merge" -q --create --schema 'id BIGINT NOT NULL, w INT, n BIGINT, v STRING' -k id \
	--property delta.enableDeletionVectors=true table </dev/null || exit 4

# Each writer counts in n how far its stream has come: row w*1000000 holds the last batch's number.
feed() {
	python3 - "$1" "$seconds" <<'END'
import json, random, sqlite3, sys, time
w, seconds = int(sys.argv[1]), float(sys.argv[2])
rnd, offset, batch, end = random.Random(w), 0, 0, time.time() + seconds
db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE m(id INTEGER PRIMARY KEY, n INTEGER, v TEXT)")
def put(kind, k, n, v):
    global offset
    print(json.dumps({"recordID": offset, "dbTable": "d.t", "recordType": kind,
        "beforeImages": {} if kind == "INSERT" else {"id": str(k)},
        "afterImages": {} if kind == "DELETE" else {"id": str(k), "w": str(w), "n": str(n), "v": v},
        "position": {"topic": "t", "partition": w, "offset": offset}}))
    offset += 1
    if kind == "DELETE":
        db.execute("DELETE FROM m WHERE id = ?", (k,))
    else:
        db.execute("INSERT OR REPLACE INTO m VALUES (?, ?, ?)", (k, n, v))
while time.time() < end:
    batch += 1
    for i in range(rnd.randrange(1, 40)):
        k = w * 1000000 + 1 + rnd.randrange(200)
        have = db.execute("SELECT 1 FROM m WHERE id = ?", (k,)).fetchone()
        put("INSERT" if not have else "UPDATE" if rnd.random() < 0.7 else "DELETE", k, batch, f"v{offset}")
    put("INSERT" if batch == 1 else "UPDATE", w * 1000000, batch, "head")
    print(json.dumps({"recordType": "CHECKPOINT", "positions": [
        {"topic": "t", "partition": w, "offset": offset - 1}]}), flush=True)
    time.sleep(0.05)
with open(f"want.{w}", "w") as f:
    for i, n, v in db.execute("SELECT id, n, v FROM m ORDER BY id"):
        f.write(f"{i} {n} {v}\n")
END
}

failed=0
bad() {
	echo "# $*"
	failed=$((failed + 1))
}

for w in $(seq $writers); do
	(
		set -o pipefail
		feed "$w" | "$bin/cdc-merge" --mode "${mode[w % 2]}" table 2>"merge.$w"
		echo $? >"status.$w"
	) &
	pids+=($!)
done
(
	i=0
	while [ ! -e stop ]; do
		"$bin/cdc-compact" --target-size 1M table 2>>compact
		echo $? >>compact.status
		i=$((i + 1))
		[ $((i % 5)) -ne 0 ] || "$bin/cdc-compact" --vacuum table 2>>compact || echo "vacuum $?" >>compact.status
		sleep 0.1
	done
) &
compactor=$!
pids+=($compactor)
(
	i=0
	while [ ! -e stop ]; do
		i=$((i + 1))
		"$bin/cdc-snapshot" table >"read.$i" 2>>read.errors || echo "reader $?" >>read.errors
	done
) &
reader=$!
pids+=($reader)
for w in $(seq $writers); do
	wait "${pids[w - 1]}"
done
touch stop
wait $compactor $reader
pids=()

for w in $(seq $writers); do
	[ "$(cat "status.$w")" = 0 ] || bad "merge $w: $(cat "status.$w") $(tail -n 2 "merge.$w")"
done
sort -u compact.status | grep -qvx 0 && bad "compact: $(sort compact.status | uniq -c | xargs) $(grep error compact | head -n 2)"
[ -s read.errors ] && bad "reader: $(head -n 3 read.errors)"
commits=$(find table/_delta_log -name '0*.json' | wc -l)
echo "# $commits commits, $(cat merge.? | grep -c 'info: version') of merges, $(grep -c 'info: version' compact) of compactions ($(grep -c . compact.status) runs), $(find . -name 'read.[0-9]*' | wc -l) reads"
[ $failed -eq 0 ] && echo "ok 1 - no writer, compaction or reader failed" || echo "not ok 1 - failures"

failed=0
for w in $(seq $writers); do
	"$bin/cdc-snapshot" table | jq -r "select(.w == $w) | \"\(.id) \(.n) \(.v)\"" | sort -n >"have.$w"
	diff -u "want.$w" "have.$w" >d || bad "writer $w: $(head -n 20 d)"
done
[ "$("$bin/cdc-snapshot" table | wc -l)" -eq "$(cat want.? | wc -l)" ] || bad "rows of nobody"
[ $failed -eq 0 ] && echo "ok 2 - no change is lost or doubled" || echo "not ok 2 - rows differ"

python3 - <<'END' && echo "ok 3 - readers saw whole batches, in order" || echo "not ok 3 - readers saw what never was"
import glob, json, sys
last, bad = {}, 0
for name in sorted(glob.glob("read.[0-9]*"), key=lambda s: int(s[5:])):
    head, most, ids = {}, {}, set()
    for line in open(name):
        r = json.loads(line)
        if r["id"] in ids:
            print(f"# {name}: row {r['id']} twice"); bad += 1
        ids.add(r["id"])
        most[r["w"]] = max(most.get(r["w"], 0), r["n"])
        if r["id"] == r["w"] * 1000000:
            head[r["w"]] = r["n"]
    if head != most:
        print(f"# {name}: heads {head}, rows {most}"); bad += 1
    for w, n in last.items():
        if head.get(w, 0) < n:
            print(f"# {name}: writer {w} went back from {n}"); bad += 1
    last = head
sys.exit(bad != 0)
END

versions=$(find table/_delta_log -name '0*.json' -printf '%f\n' | sort | sed 's/^0*\([0-9]\)/\1/; s/\.json//')
[ "$versions" = "$(seq 0 $((commits - 1)))" ] && echo "ok 4 - the log has no gap" || echo "not ok 4 - versions: $(xargs <<<"$versions")"

python3 - <<'END' && echo "ok 5 - every file is accounted for" || echo "not ok 5 - files are lost or left over"
import glob, json, os, sys, urllib.parse
live, ever = set(), set()
for name in sorted(glob.glob("table/_delta_log/0*.json")):
    actions = [json.loads(l) for l in open(name)]
    for a in actions:
        if "remove" in a: live.discard(urllib.parse.unquote(a["remove"]["path"]))
    for a in actions:
        if "add" in a:
            p = urllib.parse.unquote(a["add"]["path"]); live.add(p); ever.add(p)
have = {os.path.basename(p) for p in glob.glob("table/*.parquet")}
if live - have: print("# missing:", live - have)
if have - ever: print("# left over:", have - ever)
sys.exit(bool(live - have or have - ever))
END
echo 1..5
