"""Check digits that are used by several: where numbers are compared and where a carrier is guessed from one."""


def mod10(digits: str) -> bool:
    """GS1 and USPS: weights 3 and 1 from the right, the last digit fills up to ten."""
    total = sum(int(d) * (3 if place % 2 else 1) for place, d in enumerate(reversed(digits)))
    return total % 10 == 0


def mod37(number: str) -> bool:
    """DPD: ISO 7064 modulo 37,36 with the check character at the end."""
    rest = 36
    for c in number[:-1]:
        rest = (rest + int(c, 36)) % 36 or 36
        rest = rest * 2 % 37
    return (rest + int(number[-1], 36)) % 36 == 1
