"""The MX formats written down once more from the OCP Microscaling specification (v1.0), as plainly as possible.

    python tooling/formats/ocp_mx.py

Every element value is listed from its bit fields, and the nearest is found by looking at all of them in exact arithmetic. Writes
random and odd blocks with their scales' and elements' codes, for packages/tensor to compare with. Needs nothing but Python.
"""

import json
import math
import pathlib
import random
import struct
from fractions import Fraction

OUT = pathlib.Path(__file__).resolve().parents[2] / "packages/tensor/fixtures/mx.json"
K = 32  # section 5.2: values in a block


def float_elements(exponent_bits, mantissa_bits, bias):
    """Section 5.3: value of each code of a float element; none of these types has infinities or NaNs."""
    values = []
    for code in range(2 ** (1 + exponent_bits + mantissa_bits)):
        sign = code >> (exponent_bits + mantissa_bits)
        exponent = (code >> mantissa_bits) % 2**exponent_bits
        mantissa = Fraction(code % 2**mantissa_bits, 2**mantissa_bits)
        if exponent == 0:
            magnitude = mantissa * Fraction(2) ** (1 - bias)
        else:
            magnitude = (1 + mantissa) * Fraction(2) ** (exponent - bias)
        values.append(-magnitude if sign else magnitude)
    return values


def int8_elements():
    """Two's complement with an implied scale of 2^-6; the most negative code may be left unused, and is."""
    return [Fraction(code - 256 if code > 127 else code, 64) for code in range(256)]


FORMATS = {
    "mxfp6_e2m3": (float_elements(2, 3, 1), 2),
    "mxfp6_e3m2": (float_elements(3, 2, 3), 4),
    "mxfp4": (float_elements(2, 1, 1), 2),
    "mxint8": (int8_elements(), 0),
}


def floor_log2(value):
    exponent = math.frexp(float(value))[1] - 1  # exact: the value is a float32
    assert Fraction(2) ** exponent <= value < Fraction(2) ** (exponent + 1)
    return exponent


def nearest(elements, value, used):
    """Ties go to the even code; beyond the largest, the largest. Zero keeps the value's sign where it can."""
    return min(used, key=lambda code: (abs(elements[code] - value), code % 2))


def encode(name, block):
    """Section 6.3: the largest power of two in the block over the element's largest power of two is the scale."""
    elements, emax = FORMATS[name]
    largest = max(abs(Fraction(value)) for value in block)
    exponent = max(floor_log2(largest) - emax, -127) if largest else -127
    half = len(elements) // 2
    codes = []
    for value in block:
        scaled = Fraction(value) / Fraction(2) ** exponent
        if name == "mxint8":
            used = [code for code in range(256) if code != 128]
        else:
            negative = math.copysign(1, value) < 0
            used = range(half, 2 * half) if negative else range(half)
        codes.append(nearest(elements, scaled, used))
    return exponent + 127, codes


def float32(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def blocks():
    source = random.Random(11)
    normal = lambda scale: [float32(source.gauss(0, scale)) for _ in range(K)]
    yield from (normal(scale) for scale in (0.02, 0.02, 1, 1, 40, 1e-5, 1e5, 1e-20, 1e20))
    yield [0.0] * K
    yield [-0.0, 0.0] * 16
    # Halfway between elements of each type, around every power of two.
    yield [float32(i / 16) for i in range(K)]
    yield [float32(-i / 8) for i in range(K)]
    yield [float32(i / 4 + 0.125) for i in range(K)]
    yield [float32((i + 0.5) / 64) for i in range(K)]
    yield [float32(2 - i / 128) for i in range(K)]
    # Nearly the next power of two: clamped, not carried into the scale.
    yield [float32(1.9999999)] * 16 + [float32(-1.9999999)] * 16
    # The smallest and the largest there are.
    yield [float32(i * 2.0**-149) for i in range(K)]
    yield [float32(2.0**127 * (1 + i / 32)) for i in range(K)]
    yield [1000.0] + normal(0.01)[1:]
    yield [1.0] + [2.0**-40] * 31


def main():
    cases = []
    for block in blocks():
        made = {name: encode(name, block) for name in FORMATS}
        bits = [struct.unpack("I", struct.pack("f", value))[0] for value in block]
        cases.append({"float32": bits, **{name: {"scale": s, "codes": c} for name, (s, c) in made.items()}})
    values = {name: [float(value) for value in elements] for name, (elements, _) in FORMATS.items()}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"elements": values, "cases": cases}) + "\n")


main()
