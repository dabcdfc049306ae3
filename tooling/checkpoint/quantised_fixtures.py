"""Dequantises the GPTQ and AWQ golden models with numpy, for packages/checkpoint to compare with.

    pip install numpy safetensors
    python tooling/checkpoint/quantised_fixtures.py

Writes, for each model and linear, its shape and the SHA-256 of its float32 values.
"""

import hashlib
import json
import pathlib

import numpy as np
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "packages/checkpoint/fixtures/quantised"
GOLDEN = ROOT / "tooling/fixtures/golden"
AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def nibbles(words):
    """[a, b] words -> [a, b, 8] values, lowest bits first."""
    return (words.view(np.uint32)[..., None] >> (4 * np.arange(8, dtype=np.uint32))) & 15


def gptq(tensors, layer, offset):
    packed = nibbles(tensors[f"{layer}.qweight"])  # (in / 8, out, 8)
    q = packed.transpose(0, 2, 1).reshape(-1, packed.shape[1])  # (in, out)
    zeros = nibbles(tensors[f"{layer}.qzeros"])  # (groups, out / 8, 8)
    zeros = zeros.reshape(zeros.shape[0], -1) + offset  # (groups, out)
    scales = tensors[f"{layer}.scales"].astype(np.float32)
    group = tensors[f"{layer}.g_idx"]
    return (scales[group] * (q.astype(np.float32) - zeros[group].astype(np.float32))).T


def awq(tensors, layer, group_size):
    def unpack(words):
        values = nibbles(words)
        out = np.empty_like(values)
        out[..., AWQ_ORDER] = values
        return out.reshape(values.shape[0], -1).astype(np.float32)

    q = unpack(tensors[f"{layer}.qweight"])  # (in, out)
    group = np.arange(q.shape[0]) // group_size
    zeros = unpack(tensors[f"{layer}.qzeros"])
    return (tensors[f"{layer}.scales"].astype(np.float32)[group] * (q - zeros[group])).T


def main():
    expected = {}
    for name in sorted(path.name for path in GOLDEN.glob("quant_*")):
        config = json.loads((GOLDEN / name / "config.json").read_text())["quantization_config"]
        tensors = load_file(GOLDEN / name / "model.safetensors")
        expected[name] = {}
        for key in sorted(tensors):
            if not key.endswith(".qweight"):
                continue
            layer = key.removesuffix(".qweight")
            if config["quant_method"] == "awq":
                weight = awq(tensors, layer, config["group_size"])
            else:
                weight = gptq(tensors, layer, 0 if config.get("checkpoint_format") == "gptq_v2" else 1)
            values = np.ascontiguousarray(weight, dtype="<f4")
            expected[name][f"{layer}.weight"] = {
                "shape": list(values.shape),
                "sha256": hashlib.sha256(values.tobytes()).hexdigest(),
            }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
