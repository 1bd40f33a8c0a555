#!/bin/bash
# The two methods of keeping a table in sync, on dumps made here: change records from DTS Avro
# messages, and batch exports merged by key. Prints each command before running it.
#
#	tests/demo.sh BUILD
set -euo pipefail
bin=$(cd "${1:-build}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
PATH=$bin:$PATH
cd "$work"

run() { # run 'COMMAND LINE'
	printf '\n$ %s\n' "$1"
	eval "$1"
}

echo "== Change records: DTS binlog events in a Kafka dump (kcat -f '%R%s')"
"$bin/tests/dts/make_dump" --sales init >init.kcat
"$bin/tests/dts/make_dump" --sales changes >changes.kcat
run "cdc-decode --from dts --framing kcat init.kcat | cdc-merge --schema 'id BIGINT, date DATE, name STRING, sales DECIMAL(7,2)' -k id ./sales"
run "cdc-snapshot -f table ./sales"
run "cdc-decode --from dts changes.kcat | cut -c 1-150"
run "cdc-decode --from dts changes.kcat | cdc-dedup | cdc-merge ./sales"
run "cdc-snapshot -f table ./sales"
run "cdc-snapshot --version-as-of 1 --where \"name = 'Lee' AND sales > 200\" ./sales"
run "cdc-snapshot --changes 2 ./sales | cut -c 1-150"

echo
echo "== Batch exports: a full CSV export, then the rows modified since"
cat >full.csv <<'CSV'
1,2019-11-11,Robert,323.00,2019-11-11 12:00:05
2,2019-11-11,Lee,500.00,2019-11-11 16:11:46
3,2019-11-12,Robert,136.00,2019-11-12 10:23:54
4,2019-11-13,Lee,211.00,2019-11-13 11:33:27
CSV
cat >modified.csv <<'CSV'
2,2019-11-11,Lee,175.00,2019-11-21 09:12:00
5,2019-11-14,Robert,233.00,2019-11-21 10:04:41
CSV
columns='id BIGINT NOT NULL, date DATE, name STRING, sales DOUBLE, modified TIMESTAMP_NTZ'
run "cdc-decode --from csv --columns '$columns' --key id full.csv | cdc-merge ./batch"
run "cdc-decode --from csv --columns '$columns' --key id modified.csv | cdc-merge ./batch"
run "cdc-snapshot -f table ./batch"
run "cdc-snapshot -f csv --version-as-of 1 ./batch"
run "cdc-snapshot --history -f table ./batch"
