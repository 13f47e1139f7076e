"""Random damage to bytes and texts."""

EDGES = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, (1 << 64) - 1]


def damaged(data, dice):
    """A mutant: one to three changes, most of them small, so that much of it is still read."""
    data = bytearray(data)
    for _ in range(dice.choice([1, 1, 1, 2, 3])):
        if not data:
            return bytes(data)
        dice.choice([flip, flip, byte, number, number, cut, swap, repeat, remove, zeros])(data, dice)
    return bytes(data)


def place(data, dice):
    """A place in the data; headers and footers, where lengths stand, are hit more often."""
    return min(len(data) - 1, dice.choice([dice.randrange(len(data)), dice.randrange(min(len(data), 1024)),
                                           len(data) - 1 - dice.randrange(min(len(data), 1024))]))


def flip(data, dice):
    data[place(data, dice)] ^= 1 << dice.randrange(8)


def byte(data, dice):
    data[place(data, dice)] = dice.randrange(256)


def number(data, dice):
    """A number at the edge of its range where a length or an offset may stand."""
    at, width = place(data, dice), dice.choice([2, 4, 8])
    value = dice.choice(EDGES) % (1 << (8 * width))
    data[at : at + width] = value.to_bytes(width, dice.choice(["little", "big"]))[: len(data) - at]


def cut(data, dice):
    del data[dice.randrange(len(data)) :]


def swap(data, dice):
    size = dice.choice([4, 8, 64, 512])
    a, b = place(data, dice), place(data, dice)
    one, other = bytes(data[a : a + size]), bytes(data[b : b + size])
    size = min(len(one), len(other))
    data[a : a + size], data[b : b + size] = other[:size], one[:size]


def repeat(data, dice):
    at, size = place(data, dice), dice.choice([1, 8, 100, 4096])
    data[at:at] = data[at : at + size]


def remove(data, dice):
    at = place(data, dice)
    del data[at : at + dice.choice([1, 4, 100])]


def zeros(data, dice):
    at, size = place(data, dice), dice.choice([4, 16, 256])
    data[at : at + size] = bytes(len(data[at : at + size]))


WORDS = ["null", "~", "-1", "1e999", "nan", "[]", "{}", "${n}", "&a", "*a", "|", ">", "'", '"', "#", ": ", "- ", "\t", "\x00",
         "\x1b[2J", "\u202e", "é", "((((((((", "**", "^", "..", "../../x", "/etc/passwd", "/dev/null", ".", "0x", "9" * 40,
         "sum(", "where(", "not ", " if ", " else ", "by:", "over:", "from:", "as:", "write:", "read:", "format: csv",
         "!!binary", "%YAML 2.0", "---", "...", "\r", "\ufeff"]


def garbled(text, dice):
    """A pipeline with a few of its lines, words or letters in other places."""
    for _ in range(dice.choice([1, 1, 2, 3, 5])):
        lines = text.split("\n")
        kind = dice.randrange(6)
        at = dice.randrange(len(text) + 1)
        if kind == 0:
            text = text[:at] + dice.choice(WORDS) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + dice.choice([1, 2, 10]) :]
        elif kind == 2:
            i, j = dice.randrange(len(lines)), dice.randrange(len(lines))
            lines[i], lines[j] = lines[j], lines[i]
            text = "\n".join(lines)
        elif kind == 3:
            i = dice.randrange(len(lines))
            lines[i:i] = [lines[dice.randrange(len(lines))]] * dice.choice([1, 1, 50])
            text = "\n".join(lines)
        elif kind == 4:
            words = text.split(" ")
            i, j = dice.randrange(len(words)), dice.randrange(len(words))
            words[i] = words[j]
            text = " ".join(words)
        else:
            text = text[:at] + chr(dice.choice([dice.randrange(128), dice.randrange(0x3000)])) + text[at + 1 :]
    return text
