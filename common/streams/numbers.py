"""Numbers in words: what a reader would say for ``1999``, ``21st`` or ``90s``. At most twelve digits count as one."""

from __future__ import annotations

_SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ("", "thousand", "million", "billion")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
MAX_DIGITS = 12


def cardinal(number: int) -> list[str]:
    """0 to 999,999,999,999 in words, without "and": 1205 -> one thousand two hundred five."""
    if number < 20:
        return [_SMALL[number]]
    if number < 100:
        return [_TENS[number // 10], *([_SMALL[number % 10]] if number % 10 else [])]
    if number < 1000:
        return [_SMALL[number // 100], "hundred", *(cardinal(number % 100) if number % 100 else [])]
    words = []
    for power in range(len(_SCALES) - 1, -1, -1):
        group = number // 1000**power % 1000
        if group:
            words += [*cardinal(group), *([_SCALES[power]] if power else [])]
    return words


def spoken(digits: str, suffix: str = "") -> list[str]:
    """Words for a run of digits and what is written onto it: ``st nd rd th`` (ordinal), ``s`` (plural) or nothing.

    Four digits from 1100 to 2999 are read as a year, in two pairs; more than twelve digits one by one.
    """
    if len(digits) > MAX_DIGITS:
        words = [_SMALL[int(digit)] for digit in digits]
    elif len(digits) == 4 and digits[0] in "12" and digits[1:3] != "00" and suffix in ("", "s"):
        high, low = int(digits[:2]), int(digits[2:])
        ending = ["hundred"] if low == 0 else ["oh", _SMALL[low]] if low < 10 else cardinal(low)
        words = cardinal(high) + ending if digits[1:] != "000" else cardinal(int(digits))
    else:
        words = cardinal(int(digits))
    last = words[-1]
    if suffix in ("st", "nd", "rd", "th"):
        words[-1] = _ORDINALS.get(last) or (last[:-1] + "ieth" if last.endswith("y") else last.rstrip("t") + "th")
    elif suffix == "s":
        words[-1] = last[:-1] + "ies" if last.endswith("y") else last + ("es" if last.endswith("x") else "s")
    return words
