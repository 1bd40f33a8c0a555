#!/usr/bin/env python3
"""Compare the live files that delta_files sees with those that deltalake (delta-rs) sees.

    delta_files.py PROGRAM CORPUS

CORPUS is a directory of Delta tables. Prints one line for each difference and the counts; exit
status 1 if there is a difference that is not known. Says "skip" where the corpus is absent.
"""
import glob
import os
import subprocess
import sys
import urllib.parse

# delta-rs does not see that file:/x and /x are one file; here the remove finds its add.
KNOWN = ("canonicalized-paths-normal-a", "canonicalized-paths-normal-b",
         "canonicalized-paths-special-a")


def ours(program, table):
    """(version, paths), or the error text."""
    run = subprocess.run([program, table], capture_output=True, text=True, check=False)
    if run.returncode == 1:
        return run.stderr.strip()
    if run.returncode != 0:
        raise SystemExit(f"{table}: {program} died with {run.returncode}")
    paths = []
    for line in run.stdout.splitlines():
        if line.startswith("add "):
            path = line[4:].split("\t")[0]
            if path.startswith("file:"):
                path = "/" + path[5:].lstrip("/")
            paths.append(os.path.join(table, path))
    return int(run.stdout.split()[1]), sorted(paths)


def theirs(table):
    from deltalake import DeltaTable
    try:
        t = DeltaTable(table)
        uris = t.file_uris()
    except BaseException as e:  # the bindings also raise panics
        return str(e).splitlines()[0]
    return t.version(), sorted(urllib.parse.unquote(u[7:]) if u.startswith("file://") else u
                               for u in uris)


def main():
    program, corpus = sys.argv[1:]
    logs = glob.glob(os.path.join(glob.escape(corpus), "**", "_delta_log"), recursive=True)
    tables = sorted(os.path.dirname(p) for p in logs)
    if not tables:
        print(f"skip: no tables in {corpus}")
        return 0
    count = {"same": 0, "both refuse": 0, "known": 0, "different": 0}
    for table in tables:
        a, b = ours(program, table), theirs(table)
        if isinstance(a, str) and isinstance(b, str):
            verdict = "both refuse"
        elif a == b:
            verdict = "same"
        elif any(k in table for k in KNOWN):
            verdict = "known"
        else:
            verdict = "different"
            print(f"{table}\n  ours   {str(a)[:300]}\n  theirs {str(b)[:300]}")
        count[verdict] += 1
    print(", ".join(f"{v} {k}" for k, v in count.items()), "of", len(tables), "tables")
    return 1 if count["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
