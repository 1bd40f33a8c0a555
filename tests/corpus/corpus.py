#!/usr/bin/env python3
"""Proves that cdc-snapshot reads the Delta tables and the Parquet files that other programs wrote:
exactly their rows, or a refusal that names the reason.

usage: corpus.py [--tap] CDC_SNAPSHOT CORPUS [WORD...]

Every table under CORPUS/delta, at each version with an expectation, and every file under
CORPUS/parquet is a case; with WORDs only the cases whose names hold one. A line a case:

    equal    its rows are those that another program read (expectations.py says which)
    read     it was read to its end; nobody says what its rows are
    refused  with the message; refused.tsv says of each case why that is right
    WRONG    other rows, a refusal that is not listed or for another reason, a listed refusal that
             did not come, an exit status that is not documented, a signal, a time-out

A run of the program may take LIMIT_SECONDS of the processor and LIMIT_BYTES of memory. Rows are
compared value by value (values.py); those of a table as multisets, those of a file in its order.
"""
import collections
import concurrent.futures
import decimal
import json
import os
import resource
import subprocess
import sys

import expectations
import voices
from filekinds import file_kind
from values import Pairs, decode, kind_of, reduce

LIMIT_SECONDS = 10
LIMIT_BYTES = 2 << 30
HERE = os.path.dirname(os.path.abspath(__file__))
# cdc-snapshot(1): 6 corrupt or unsupported; 4, when it says so, out of memory.
REFUSED = 6
NO_MEMORY = 4


class Wrong(Exception):
    pass


def limits():
    """In the child. Sanitizers map terabytes of shadow: no limits for them."""
    if not os.environ.get("SANITIZED"):
        resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_SECONDS, LIMIT_SECONDS + 1))


def run(*args):
    try:
        done = subprocess.run(args, capture_output=True, timeout=20 * LIMIT_SECONDS,
                              preexec_fn=limits)
    except subprocess.TimeoutExpired as e:
        raise Wrong(f"not done after {20 * LIMIT_SECONDS} s") from e
    message = done.stderr.decode(errors="replace").strip()
    if done.returncode == NO_MEMORY and message.endswith("out of memory"):
        done.returncode = REFUSED
    if done.returncode not in (0, REFUSED):
        raise Wrong(f"status {done.returncode}: {message[-300:]}")
    if done.returncode == REFUSED and (not message or "\n" in message):
        raise Wrong(f"a refusal is one line, not {message[:300]!r}")
    return done.returncode, done.stdout, message


def parse(text):
    return json.loads(text, parse_float=decimal.Decimal, parse_constant=decimal.Decimal,
                      object_pairs_hook=Pairs)


def read(program, case):
    """(kind of the rows, rows as they were printed), or the message of the refusal."""
    version = [] if case.version is None else ["--version-as-of", str(case.version)]
    status, out, message = run(program, *version, case.path)
    if status == REFUSED:
        return message
    status, described, message = run(program, "--describe", *version, case.path)
    if status == REFUSED:
        raise Wrong(f"rows, but no description: {message}")
    described = json.loads(described)
    kind = (file_kind if "file" in described else kind_of)(described["schema"])
    return kind, [parse(line) for line in out.decode().splitlines()]


def decode_ours(kind, row):
    names = [n for n, _ in kind[1]]
    if [n for n, _ in row] != names:
        raise Wrong(f"members {[n for n, _ in row]}, not {names}")
    return decode(kind, row, voices.Ours)


def difference(case, kind, rows):
    """What differs from the expectation, or None."""
    want = list(case.expected(kind))
    got = [reduce(kind, decode_ours(kind, row), case.voice) for row in rows]
    if len(got) != len(want):
        return f"{len(got)} rows, not {len(want)}"
    if not case.ordered:
        lacks = collections.Counter(want) - collections.Counter(got)
        extra = collections.Counter(got) - collections.Counter(want)
        return f"lacks {list(lacks)[:2]!r}, has {list(extra)[:2]!r}" if lacks else None
    for i, (ours, theirs) in enumerate(zip(got, want)):
        for (name, _), a, b in zip(kind[1], ours, theirs):
            if a != b:
                return f"row {i}, {name}: {a!r}, not {b!r}"
    return None


def judge(program, case, refused):
    """(verdict, text)."""
    try:
        result = read(program, case)
        if isinstance(result, str):
            if refused in result if refused else case.any_outcome:
                return "refused", result
            listed = f"; listed is {refused!r}" if refused else ""
            return "WRONG", f"refused: {result}{listed}"
        kind, rows = result
        if refused:
            return "WRONG", f"{len(rows)} rows, but it is listed as refused: {refused}"
        if case.expected is None:
            for row in rows:
                decode_ours(kind, row)
            return "read", f"{len(rows)} rows"
        differs = difference(case, kind, rows)
        return ("WRONG", differs) if differs else ("equal", f"{len(rows)} rows")
    except Wrong as e:
        return "WRONG", str(e)
    except (AssertionError, ValueError, KeyError, TypeError, decimal.DecimalException) as e:
        return "WRONG", f"{type(e).__name__}: {e}"


def refusals():
    """Case to the sentence in its message. Lines: case, sentence, why it is right."""
    out = {}
    with open(os.path.join(HERE, "refused.tsv"), encoding="utf-8") as f:
        for line in f:
            if line.startswith("#") or not line.strip():
                continue
            case, sentence, why = line.rstrip("\n").split("\t")
            assert case not in out and sentence and why, line
            out[case] = sentence
    return out


def main():
    args = sys.argv[1:]
    tap = args[:1] == ["--tap"]
    program, corpus, *words = args[tap:]
    listed = refusals()
    cases = list(expectations.cases(corpus))
    if not cases:
        print("1..0 # skip no corpus: 0 cases" if tap else "skip: no corpus: 0 cases")
        return 0
    unknown = set(listed) - {c.name for c in cases}
    if unknown:
        raise SystemExit(f"refused.tsv lists what is no case: {sorted(unknown)}")
    if os.environ.get("SANITIZED"):  # without a limit there is no end of memory
        cases = [c for c in cases if listed.get(c.name) != "out of memory"]
    cases = [c for c in cases if not words or any(w in c.name for w in words)]
    count = collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(judge, program, c, listed.get(c.name)) for c in cases]
        for n, (case, job) in enumerate(zip(cases, jobs), 1):
            verdict, text = job.result()
            count[verdict] += 1
            text = text[:300].replace("\n", " ").replace(corpus, "").replace("#", "\\#")
            status = "not ok" if verdict == "WRONG" else "ok"
            print(f"{status} {n} - {case.name}: {verdict}: {text}" if tap else
                  f"{verdict:8} {case.name}: {text}")
    totals = (f"{count['equal']} equal, {count['refused']} refused, {count['WRONG']} WRONG; "
              f"{count['read']} read without an expectation")
    print(f"1..{len(cases)}\n# {len(cases)} cases: {totals}" if tap else totals)
    return 1 if count["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
