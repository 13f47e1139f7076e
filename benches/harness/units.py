"""Numbers as people read them."""


def digits(value, count):
    """So many significant digits, never with an exponent."""
    if value == 0:
        return "0"
    places = count - 1
    while abs(value) >= 9.9999 * 10 ** (count - 1 - places) and places > 0:
        places -= 1
    return f"{value:.{places}f}"


def time(seconds, count=3):
    """`23.4 ms`, `1.20 s`."""
    for limit, factor, unit in [(0.9995e-3, 1e6, "µs"), (0.9995, 1e3, "ms")]:
        if seconds < limit:
            return f"{digits(seconds * factor, count)} {unit}"
    return f"{digits(seconds, count)} s"


def factor(ratio):
    """`0.98×`, `14×`."""
    return f"{ratio:.2f}×" if ratio < 9.995 else f"{ratio:.0f}×"


def bytes(n):
    """`12 MB`, `2.9 GB`."""
    if not n:
        return "–"
    return f"{n / 1e6:.0f} MB" if n < 999.5e6 else f"{digits(n / 1e9, 2)} GB"
