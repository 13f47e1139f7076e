#!/usr/bin/env python3
"""Writes the tables that judge our elementary functions: true values by MPFR.

    python make.py [NAME ...]       # needs gmpy2; without names, all tables

Each function has one file, NAME.txt, a case on each line:

    x [y] value rest

`x`, `y` and `value` are the 16 hexadecimal digits of a float64's bits. `value` is the true value
rounded to the nearest float64; `rest` is what that rounding took away, true value - `value`,
in units of the last place of `value` (decimal). So a result is off by
(result - value) / ulp(value) - rest ulps. Where `value` is 0, infinite or NaN, only it is right.

The output is deterministic. `crates/expr/src/kernels/math/oracle.rs` reads it.
"""
import math
import pathlib
import random
import struct
import sys

import gmpy2

# Enough for the continued fractions of 2**960 / pi.
gmpy2.set_context(gmpy2.context(precision=1400, emax=10**6, emin=-(10**6)))
INF, NAN, TINY, HUGE = math.inf, math.nan, 5e-324, sys.float_info.max


# --- arguments

def values(*ranges, count=300):
    """`count` numbers of each range, evenly spread."""
    return [rng.uniform(a, b) for a, b in ranges for _ in range(count)]


def scales(low, high, count=300, signs=(1, -1)):
    """Numbers of all magnitudes from 2**low to 2**high."""
    return [rng.choice(signs) * math.ldexp(rng.uniform(1, 2), rng.randrange(low, high)) for _ in range(count)]


def around(*centres, steps=4):
    """Some floats on both sides of each number, of both signs."""
    out = []
    for centre in centres:
        below = above = abs(float(centre))
        out.append(below)
        for _ in range(steps):
            below, above = math.nextafter(below, -INF), math.nextafter(above, INF)
            out += [below, above]
    return [s * x for x in out for s in (1, -1)]


def edges():
    """What every function of one float must bear."""
    powers = [2.0**k for k in (-1022, -1021, -969, -540, -300, -60, -54, -53, -30, -28, -27, -26, -12, 0, 1, 10, 52, 53, 63, 64, 1023)]
    ends = [0.0, TINY, HUGE]
    return [s * x for x in ends for s in (1, -1)] + [INF, -INF, NAN] + around(*powers, steps=1)


def near_multiples(period, low, high, each=2):
    """For each exponent, the floats nearest to a multiple of `period` (by continued fractions)."""
    out = []
    for e in range(low, high):
        ratio = gmpy2.mpfr(2) ** e / period
        p0, q0, p1, q1 = 0, 1, 1, 0
        found, rest = [], ratio
        while q1 < 2**53:
            if q1:
                scale = -(-(2**52) // q1)
                m = q1 if q1 >= 2**52 else q1 * scale
                found.append(m)
            whole = int(gmpy2.floor(rest))
            p0, q0, p1, q1 = p1, q1, whole * p1 + p0, whole * q1 + q0
            rest = 1 / (rest - whole)
        out += [math.ldexp(m, e) for m in found[-each:] if m < 2**53]
    return [rng.choice((1, -1)) * x for x in out]


def multiples(period, *counts):
    """The floats around k * period for random k up to each count."""
    ks = [rng.randrange(1, n) for n in counts for _ in range(100)]
    return around(*[float(k * period) for k in ks], steps=1)


def circular():
    half_pi = gmpy2.const_pi() / 2
    nearest = math.ldexp(6381956970095103, 797)  # of all float64 nearest to a multiple of pi/2
    return (
        edges() + [nearest, -nearest] + values((-4, 4), (-40, 40), (-1e5, 1e5), (-1e9, 1e9)) + scales(-1022, 1023)
        + scales(20, 70, 200) + multiples(half_pi, 20, 10**4, 10**8)
        + near_multiples(half_pi, -50, 20, 1) + near_multiples(half_pi, 20, 960, 1)[::4]
    )


def unit():
    return (
        edges() + around(0.5, 1.0, 0.25, 0.75, 0.7071067811865476, steps=8) + values((-1, 1), (-0.5, 0.5), (0.98, 1), (-1, -0.98), count=500)
        + scales(-1074, 0) + [s * (1 - x) for x in scales(-52, -1, signs=(1,)) for s in (1, -1)]
    )


def whole_line():
    return edges() + values((-1, 1), (-4, 4), (-100, 100), count=500) + scales(-1074, 1023, 600) + scales(-30, 30, 400)


def special_pairs():
    special = [s * x for s in (1.0, -1.0) for x in (0.0, TINY, 2.0**-1022, 1e-300, 1.0, 3.0, 1e300, HUGE, INF)] + [NAN]
    return [(y, x) for y in special for x in special]


def pairs():
    """Pairs for functions of a point of the plane."""
    same = [(a, a * b) for a, b in zip(scales(-1000, 1000, 400), scales(-3, 3, 400))]
    any_scale = list(zip(scales(-1074, 1023, 300), scales(-1074, 1023, 300)))
    tiny = list(zip(scales(-1074, -1000, 100), scales(-1074, -1000, 100)))
    huge = list(zip(scales(1015, 1023, 100), scales(1015, 1023, 100)))
    close = [(a, b) for a in scales(-5, 5, 60) for b in (a, -math.nextafter(a, INF), a * 0.4142135623730951, a * 2.414213562373095)]
    plane = list(zip(values((-10, 10), count=700), values((-10, 10), count=700)))
    return special_pairs() + same + any_scale + tiny + huge + close + plane


# --- functions

TABLES = {
    "arccos": (gmpy2.acos, unit),
    "arcsin": (gmpy2.asin, unit),
    "arctan": (gmpy2.atan, whole_line),
    "arctan2": (gmpy2.atan2, pairs),
    "cos": (gmpy2.cos, circular),
    "hypot": (gmpy2.hypot, pairs),
    "sin": (gmpy2.sin, circular),
    "tan": (gmpy2.tan, circular),
}


# --- writing

def rounded(true):
    """The nearest float64, and what is left in its units of the last place."""
    if gmpy2.is_nan(true):
        return NAN, 0.0
    value = round_to_nearest(true)
    if value == 0 or math.isinf(value):
        return value, 0.0
    return value, float((true - gmpy2.mpfr(value)) / gmpy2.mpfr(math.ulp(value)))


def round_to_nearest(true):
    sign = -1.0 if gmpy2.is_signed(true) else 1.0
    if gmpy2.is_infinite(true) or true == 0:
        return float(true)
    quantum = max(gmpy2.get_exp(true) - 53, -1074)
    whole = int(gmpy2.rint(abs(true) / gmpy2.mpfr(2) ** quantum))  # ties to even
    if whole << max(quantum, 0) >= 2**1024:
        return sign * INF
    return sign * math.ldexp(whole, quantum)


def bits(x):
    if x != x:
        return "7ff8000000000000"
    return struct.pack(">d", x).hex()


def line(function, arguments):
    # A float64 argument is exact in MPFR; the sign of 0 stays.
    value, rest = rounded(function(*map(gmpy2.mpfr, arguments)))
    return " ".join([*map(bits, arguments), bits(value), f"{rest:.4f}"])


def main(names):
    global rng
    for name in names or TABLES:
        rng = random.Random(name)
        function, arguments = TABLES[name]
        cases = [a if isinstance(a, tuple) else (a,) for a in arguments()]
        lines = dict.fromkeys(line(function, case) for case in cases)
        path = pathlib.Path(__file__).with_name(f"{name}.txt")
        path.write_text("\n".join(lines) + "\n")
        print(f"{path.name}: {len(lines)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
