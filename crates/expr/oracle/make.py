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


def exponents(low, high):
    """Arguments of exponentials whose results go from 0 (or where nothing changes) to infinity."""
    ln2 = float(gmpy2.log(gmpy2.mpfr(2)))
    ends = around(low, high, 709.782712893384, 745.1332191019411, 708.3964185322641, 710.4758600739439, 1022.0, 1074.0, 1075.0, steps=3)
    halves = [nudged for k in range(-8, 9) for nudged in around(ln2 * k / 2, steps=1)]
    return (
        edges() + ends + halves + values((low, high), (-1, 1), (-4, 4), (-40, 40), count=500)
        + values((low, low + 40), (high - 4, high)) + scales(-1074, 10, 200) + scales(-60, 1, 300)
    )


def positive():
    """Arguments of logarithms."""
    near_one = [1 + s * x for x in scales(-53, -1, 400, signs=(1,)) for s in (1, -1)]
    whole = [float(b) ** k for b in (2, 10) for k in range(-30, 31)]
    return (
        edges() + around(1.0, 0.5, 2.0, 0.7071067811865476, 1.4142135623730951, steps=8) + near_one + whole
        + values((0.5, 2), (0, 100), count=500) + scales(-1074, -1022, 200, signs=(1,)) + scales(-1074, 1023, 500, signs=(1,))
    )


def above_minus_one():
    return (
        edges() + around(1.0, 0.5, 0.29289321881345254, 0.41421356237309515, steps=8) + [x - 1 for x in scales(-53, 0, signs=(1,))]
        + values((-1, 1), (-0.3, 0.42), (0, 100), count=500) + scales(-1074, -1) + scales(-60, -20, 400) + scales(-20, 1023, 400, signs=(1,))
    )


def above_one():
    return (
        edges() + around(1.0, 2.0**28, 2.0**29, steps=8) + [1 + x for x in scales(-52, 2, 800, signs=(1,))]
        + values((1, 2), (1, 4), (0, 100), count=500) + scales(0, 1023, 400, signs=(1,))
    )


def bases_and_exponents():
    """Pairs for powers: results of all magnitudes, all special cases, exponents that people use."""
    special = [s * x for s in (1.0, -1.0) for x in (0.0, TINY, 0.5, 1.0, math.nextafter(1, 2), 2.0, 3.0, 2.5, 2.0**53 + 2, 2.0**53 - 1, 2.0**52 + 1, HUGE, INF)] + [NAN]
    bases = scales(-1074, 1023, 300, signs=(1,)) + values((0.5, 2), (0, 100)) + [1 + s * x for x in scales(-50, -2, 200, signs=(1,)) for s in (1, -1)]
    any_result = [(x, rng.uniform(-1080, 1026) / math.log2(x)) for x in bases if x not in (0.0, 1.0)]
    used = [(rng.choice((1, -1)) * x, y) for x in values((0, 100), count=8) for y in (3.0, 4.0, 5.0, -2.0, -3.0, 1.5, 0.25, 1 / 3, 10.0, 0.1)]
    return [(x, y) for x in special for y in special] + any_result + used


# --- functions

TABLES = {
    "arccos": (gmpy2.acos, unit),
    "arccosh": (gmpy2.acosh, above_one),
    "arcsin": (gmpy2.asin, unit),
    "arcsinh": (gmpy2.asinh, whole_line),
    "arctan": (gmpy2.atan, whole_line),
    "arctan2": (gmpy2.atan2, pairs),
    "arctanh": (gmpy2.atanh, unit),
    "cbrt": (gmpy2.cbrt, whole_line),
    "cos": (gmpy2.cos, circular),
    "cosh": (gmpy2.cosh, lambda: exponents(-711, 711)),
    "exp": (gmpy2.exp, lambda: exponents(-746, 710)),
    "exp2": (gmpy2.exp2, lambda: exponents(-1076, 1025)),
    "expm1": (gmpy2.expm1, lambda: exponents(-40, 710)),
    "hypot": (gmpy2.hypot, pairs),
    "log": (gmpy2.log, positive),
    "log10": (gmpy2.log10, positive),
    "log1p": (gmpy2.log1p, above_minus_one),
    "log2": (gmpy2.log2, positive),
    "power": (lambda x, y: x**y, bases_and_exponents),
    "sin": (gmpy2.sin, circular),
    "sinh": (gmpy2.sinh, lambda: exponents(-711, 711)),
    "tan": (gmpy2.tan, circular),
    "tanh": (gmpy2.tanh, lambda: exponents(-20, 20)),
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
