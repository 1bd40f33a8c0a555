#!/usr/bin/env python3
"""Tables that we write, read by other engines; tables that they wrote, merged by us. TAP.

    interop.py --programs DIR --engines DIR --work DIR [--only WORD]... [--part PART]...

Parts are ours, foreign, matrix, features and rust. Expected rows come from model.py; of the tables with
features (parts features and rust) they are what their writer itself reads. Each point is one pair of
an engine and a table in some state; an engine that is not there gives "# SKIP" with the reason.
"""
import argparse
import random
import sys
import time
import traceback

import engines
import features
import foreign
import matrix
import ours
import rust_tables

PARTS = {"ours": ours, "foreign": foreign, "matrix": matrix, "features": features, "rust": rust_tables}


class Tap:
    def __init__(self, only):
        self.only, self.count, self.failed, self.times = only, 0, 0, {}

    def line(self, ok, name, directive):
        self.count += 1
        self.failed += not ok
        print("%sok %d - %s%s" % ("" if ok else "not ", self.count, name, directive), flush=True)

    def wants(self, name):
        return not self.only or any(word in name for word in self.only)

    def pair(self, name, engine, check):
        """check() returns what is wrong, as lines. Whether it was run and found nothing."""
        if engine.reason:
            self.line(True, name, " # SKIP " + engine.reason)
            return False
        if not self.wants(name):
            return False
        start = time.monotonic()
        try:
            problems = check()
        except Exception as e:
            at = traceback.extract_tb(e.__traceback__)[-1]
            problems = ["%s at %s:%d" % (type(e).__name__, at.filename, at.lineno)]
            problems += str(e)[:3000].split("\n")[:8]
            problems += [line for line in str(e).split("\n") if line.startswith("Caused by:")]
        took = time.monotonic() - start
        self.times[engine.name] = self.times.get(engine.name, 0) + took
        self.line(not problems, name, " # %.1f s" % took)
        for problem in problems:
            print("#   " + problem)
        return not problems


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--programs", required=True)
    p.add_argument("--engines", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--seed", type=int, default=20191114)
    p.add_argument("--only", action="append", help="pairs whose name holds one of these")
    p.add_argument("--part", choices=list(PARTS), action="append")
    a = p.parse_args()
    tap = Tap(a.only)
    programs = engines.Programs(a.programs)
    spark = engines.Spark(a.engines, a.work)
    readers = [programs, engines.DeltaRs(a.engines), engines.DuckDB(a.engines), spark]
    spark.start()
    try:
        for part in a.part or PARTS:
            PARTS[part].run(tap, programs, readers, a.work, random.Random(a.seed))
        cpu = spark.cpu_seconds()
    finally:
        spark.stop()
    print("1..%d" % tap.count)
    print("# seconds: " + ", ".join("%s %.0f" % t for t in sorted(tap.times.items())) + "; Spark's CPU %d" % cpu)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
