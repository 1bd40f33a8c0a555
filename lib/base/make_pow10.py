#!/usr/bin/env python3
"""Prints pow10_table.h, the powers of ten that float.c multiplies by: exact integer arithmetic.

    python3 lib/base/make_pow10.py > lib/base/pow10_table.h
"""

FIRST, LAST = -292, 324

print("/*")
print(" * 10^k for k in %d..%d: the 128 leading bits, cut off, and 1 added to the last when what" % (FIRST, LAST))
print(" * was cut off is not 0. Made by make_pow10.py: edit that instead.")
print(" */")
print("/* clang-format off */")
print("#define POW10_FIRST (%d)" % FIRST)
print("#define POW10_LAST %d\n" % LAST)
print("static const struct pow10 pow10_table[POW10_LAST - POW10_FIRST + 1] = {")
for k in range(FIRST, LAST + 1):
    if k >= 0:
        n = 10**k
        shift = n.bit_length() - 128
        g = n << -shift if shift <= 0 else -(-n >> shift)
    else:
        d = 10**-k
        # 2^s / d has 128 bits; d is no power of two, so something is always cut off.
        g = (1 << (d.bit_length() + 127)) // d + 1
    assert g.bit_length() == 128
    print("\t{ UINT64_C(0x%016x), UINT64_C(0x%016x) }, /* %d */" % (g >> 64, g & (2**64 - 1), k))
print("};")
print("/* clang-format on */")
