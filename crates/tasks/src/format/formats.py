"""Makes formats.json: what Python's format() gives, or null where it refuses."""
import itertools
import json

VALUES = {
    "int": [0, 7, -42, 65, 1234567, -9223372036854775808, 9223372036854775807],
    "float": [0.0, -0.0, 0.5, -1.5, 2.675, 100.0, 123456.0, 1234567.891, 1e16, 1e15, 1e-4, 1e-5,
              9.9999995, 999999.5, 0.00012345, 1e22, 1.7976931348623157e308, 5e-324,
              float("inf"), float("-inf"), float("nan")],
    "text": ["", "a", "scan ü-1", "日本"],
    "bool": [True, False],
}
SPECS = ["d", "04d", "+d", " d", "-5", ",", "_", "08,", "010_", "012,d", "b", "#b", "_b", "#010b",
         "o", "#o", "x", "#x", "X", "#X", "#06x", "_x", "#012_x", "c", "5c", "<5c", ",x", "+c",
         "e", ".0e", "#.0e", ".3e", "E", "f", ".0f", "#.0f", ".3f", "010.2f", "+.1f", "F", "g",
         ".3g", "#.3g", ".10g", "G", "#g", ".0g", "%", ".1%", "010.0%", ".6", ".5", ".1", ".0",
         ".17", "#", "#.3", "z.0f", "z.1f", "z", "+z.2f", ",.2f", "015,.2f", "_.1f", "016,", ",g",
         "s", "10", "<10", ">10", "^10", "=10", "*^9", "x<8", "0<8", "0>8", "0=8", "*=+9", "05",
         "<05", "^06", ".2s", "10.2s", "*>8s", "+", "=+8", "^+9.1f", "é^7", ">0", "1", "s5", ".", "n5"]


def shown(spec, value):
    try:
        return format(value, spec)
    except (ValueError, OverflowError):
        return None


def texts(kind, value):
    return repr(value) if kind == "float" else str(value)


CASES = [[kind, texts(kind, value), spec, shown(spec, value)]
         for kind, values in VALUES.items() for value, spec in itertools.product(values, SPECS)]
with open("formats.json", "w") as out:
    out.write("[\n" + ",\n".join(json.dumps(case) for case in CASES) + "\n]\n")
