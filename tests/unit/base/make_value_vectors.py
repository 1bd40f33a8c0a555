#!/usr/bin/env python3
"""Prints value_vectors.h: conversions worked out by Python's decimal, fractions and datetime.

The header is committed, so that the tests need no Python; run this to make it anew:
    python3 tests/unit/base/make_value_vectors.py > tests/unit/base/value_vectors.h
"""

import datetime
import decimal
import random
import struct
from fractions import Fraction

random.seed(20191114)
decimal.getcontext().prec = 500
D = decimal.Decimal


def bits64(v):
    return struct.unpack("<Q", struct.pack("<d", v))[0]


def from64(b):
    return struct.unpack("<d", struct.pack("<Q", b))[0]


def from32(b):
    return struct.unpack("<f", struct.pack("<I", b))[0]


def spell(digits, exponent, negative):
    """d.ddd * 10^exponent in the toolkit's notation."""
    if -3 <= exponent < 7:
        if exponent < 0:
            text = "0." + "0" * (-exponent - 1) + digits
        elif len(digits) <= exponent + 1:
            text = digits + "0" * (exponent + 1 - len(digits)) + ".0"
        else:
            text = digits[: exponent + 1] + "." + digits[exponent + 1 :]
    else:
        text = digits[0] + "." + (digits[1:] or "0") + "E" + str(exponent)
    return ("-" if negative else "") + text


def spell_double(v):
    """repr is the shortest text that reads back, by David Gay's algorithm."""
    sign, digits, exponent = D(repr(v)).as_tuple()
    text = "".join(map(str, digits))
    return spell(text.rstrip("0"), len(text) - 1 + exponent, sign)


def shortest_float(b):
    """The shortest decimal in the interval that rounds to the float with bits b, exactly."""
    v = Fraction(from32(b))
    above = Fraction(from32(b + 1)) if b != 0x7F7FFFFF else Fraction(2) ** 128
    low, high = (v + Fraction(from32(b - 1))) / 2, (v + above) / 2
    e = 0
    while Fraction(10) ** e > v:
        e -= 1
    while Fraction(10) ** (e + 1) <= v:
        e += 1
    for n in range(1, 10):
        unit = Fraction(10) ** (e - n + 1)
        near = []
        for c in (v // unit, v // unit + 1):
            x = c * unit
            if low < x < high or (b % 2 == 0 and x in (low, high)):
                near.append((abs(x - v), c % 2, c))
        if near:
            text = str(min(near)[2])
            return text.rstrip("0"), e + len(text) - n


def doubles():
    values = [2.0**e for e in (-1074, -1073, -1050, -1022, -44, -24, -20, -3, 23, 52, 53, 63, 89, 1023)]
    values += [from64(b) for b in (2, 3, 0x000FFFFFFFFFFFFF, 0x0010000000000001, 0x7FEFFFFFFFFFFFFF)]
    values += [float(t) for t in ("5e-324 1e-3 9.999999999999999e-4 9999999.999999998 1e7 1e22 1e23 0.1 0.3 9007199254740993 123456789012345678").split()]
    values += [0.1 + 0.2, 100.0, 323.0, 1 / 3, -2.5, -1e-7]
    values += [random.uniform(-1, 1) * 10 ** random.randint(-8, 12) for _ in range(60)]
    values += [round(random.uniform(-1e6, 1e6), random.randint(0, 6)) for _ in range(60)]
    values += [from64(random.getrandbits(63) % (0x7FF << 52)) for _ in range(60)]
    return values


def floats():
    bits = [1, 2, 0x7FFFFF, 0x800000, 0x800001, 0x7F7FFFFF, 0x3DCCCCCD, 0x4B800000]
    bits += [e << 23 for e in range(3, 254, 10)]
    bits += [random.getrandbits(31) % 0x7F800000 or 1 for _ in range(60)]
    for _ in range(60):
        v = random.randint(1, 10**7) / 10 ** random.randint(0, 8)
        bits.append(struct.unpack("<I", struct.pack("<f", v))[0])
    return bits


def midpoints():
    """Texts half way between two doubles, and just past it: round to even, and up."""
    for _ in range(12):
        b = random.randint(0x3C00000000000000, 0x4400000000000000)
        middle = format((D(from64(b)) + D(from64(b + 1))) / 2, "f")
        point = "" if "." in middle else "."
        yield middle, b + b % 2
        yield middle + point + "0" * 20 + "1", b + 1
    yield "4.9406564584124654417656879286822137236505980e-324", 1
    yield "2.4703282292062327208828439643411068618252990130716238221279284125e-324", 0
    yield "2.4703282292062327208828439643411068618252990130716238221279284126e-324", 1


def decimals():
    for _ in range(300):
        precision = random.randint(1, 38)
        scale = random.randint(0, precision)
        digits = str(random.getrandbits(140))[: random.randint(1, random.choice((5, 20, 38, 42)))]
        if random.random() < 0.3:
            digits += "0" * random.randint(1, 10)
        at = random.randint(0, len(digits))
        text = random.choice(("", "", "-", "+")) + digits[:at] + "." + digits[at:]
        if random.random() < 0.4:
            text += random.choice("eE") + random.choice(("", "+", "-")) + str(random.randint(0, 45))
        value = D(text)
        unscaled = value.scaleb(scale)
        whole = int(unscaled)
        if abs(whole) >= 10**precision:
            yield text, precision, scale, "RANGE", ""
        elif whole != unscaled:
            yield text, precision, scale, "INEXACT", ""
        else:
            plain = "%0*d" % (scale + 1, abs(whole))
            if scale:
                plain = plain[:-scale] + "." + plain[-scale:]
            yield text, precision, scale, "OK", ("-" if whole < 0 else "") + plain


def timestamps():
    epoch = datetime.datetime(1970, 1, 1)
    ends = [0, 1, -1, 253402300799999999, -62135596800000000, -1000000, 951782400000000, 4107542399999999]
    for us in ends + [random.randint(-62135596800000000, 253402300799999999) for _ in range(150)]:
        us -= us % random.choice((1, 1, 1000, 1000000))
        t = epoch + datetime.timedelta(microseconds=us)
        text = "%04d-%02d-%02d %02d:%02d:%02d" % (t.year, t.month, t.day, t.hour, t.minute, t.second)
        if t.microsecond:
            text += (".%06d" % t.microsecond).rstrip("0")
        yield us, (t - epoch).days, text


def main():
    print("/*\n * Conversions worked out by Python. Made by make_value_vectors.py: edit that instead.\n */")
    print("/* clang-format off */")
    print("\nstatic const struct { uint64_t bits; const char *text; } double_vectors[] = {")
    for v in doubles():
        print('\t{ UINT64_C(0x%016x), "%s" },' % (bits64(v), spell_double(v)))
    print("};\n\nstatic const struct { uint32_t bits; const char *text; } float_vectors[] = {")
    for b in floats():
        print('\t{ UINT32_C(0x%08x), "%s" },' % (b, spell(*shortest_float(b), False)))
    print("};\n\nstatic const struct { const char *text; uint64_t bits; } midpoint_vectors[] = {")
    for text, b in midpoints():
        print('\t{ "%s", UINT64_C(0x%016x) },' % (text, b))
    print("};\n\nstatic const struct { const char *text; int precision, scale; enum cdc_parse rc; const char *plain; } decimal_vectors[] = {")
    for text, precision, scale, rc, plain in decimals():
        print('\t{ "%s", %d, %d, CDC_PARSE_%s, "%s" },' % (text, precision, scale, rc, plain))
    print("};\n\nstatic const struct { int64_t us; int32_t days; const char *text; } timestamp_vectors[] = {")
    for us, days, text in timestamps():
        print('\t{ INT64_C(%d), %d, "%s" },' % (us, days, text))
    print("};\n/* clang-format on */")


main()
