"""GGUF blocks and what the `gguf` package makes of them, for packages/tensor to compare with.

    pip install gguf numpy
    python tooling/formats/gguf_fixtures.py

Writes, in base64, for each block type: random blocks with their dequantised float32 values, and for the types that the
package can quantise, what it makes of the input values. Half of the blocks are any bytes at all, so that their scales are
also infinite and NaN; the others have fp16 scales of a usual size.
"""

import base64
import json
import pathlib

import gguf
import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "packages/tensor/fixtures/gguf.json"

# Where each block keeps its fp16 scales.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "IQ4_NL": [0], "IQ4_XS": [0], "MXFP4": [],
}  # fmt: skip
OURS = {"IQ4_NL": "iq4_nl", "IQ4_XS": "iq4_xs", "MXFP4": "gguf_mxfp4"}
QUANTISED = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "MXFP4"]


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def inputs(random):
    """Rows of 32: usual weights, and what is seldom seen."""
    rows = [random.normal(0, scale, 32) for scale in (0.02, 0.02, 1, 1, 300, 1e-4, 1e-6)]
    rows += [np.zeros(32), np.full(32, 0.75), np.arange(-16, 16), np.arange(32) * 0.125]
    outlier = random.normal(0, 0.01, 32)
    outlier[7] = -40
    rows += [outlier, np.round(random.normal(0, 2, 32)), random.uniform(0, 1, 32), -random.uniform(1, 2, 32)]
    return np.asarray(rows, np.float32)


def main():
    random = np.random.default_rng(7)
    values = inputs(random)
    result = {"inputs": text(values), "types": {}}
    for name, scales in SCALES.items():
        kind = gguf.GGMLQuantizationType[name]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        count = 16 if block == 256 else 64
        blocks = random.integers(0, 256, (count, size), np.uint8)
        for at in scales:
            usual = random.normal(0, 0.01, count // 2).astype(np.float16)
            blocks[: count // 2, at : at + 2] = usual.view(np.uint8).reshape(-1, 2)
        with np.errstate(all="ignore"):
            decoded = gguf.quants.dequantize(blocks, kind)
        entry = {"packed": text(blocks), "values": text(decoded)}
        if name in QUANTISED:
            entry["encoded"] = text(gguf.quants.quantize(values, kind))
        result["types"][OURS.get(name, name.replace("Q", "q"))] = entry
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=1) + "\n")


main()
