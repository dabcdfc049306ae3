"""A linear's weights and what BM1684X's compiler made of them, for packages/tensor to compare with.

    pip install numpy
    python tooling/formats/bm1684x_fixtures.py weights.npz wq W4F16.bmodel W8F16.bmodel W4F16_symmetric.bmodel W8F16_symmetric.bmodel W8F16_channel.bmodel

`weights.npz` is what was given to `tpuc-opt` (TOP-MLIR), the bmodels what it compiled it to, with groups of 64 (`q_group_size=64`, and `q_symmetric=True` where the name says so), or none (`q_group_size=0`: channel). The first linear in
a bmodel that has scales and zero points must be the named one. Writes weights, codes, scales and zero points in base64.
"""

import base64
import json
import pathlib
import struct
import sys

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "packages/tensor/fixtures/bm1684x.json"
GROUP = 64


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def sections(path):
    """Name, offset and size of each section of the first net's weights, and the weights."""
    file = pathlib.Path(path).read_bytes()
    magic, header, size = struct.unpack_from("<III", file, 0)
    assert magic == 0xFF55AAEE, path
    table = file[header : header + size]
    # The flatbuffer's CoeffMem.location: tables of name, offset and size.
    u32 = lambda at: struct.unpack_from("<I", table, at)[0]
    i32 = lambda at: struct.unpack_from("<i", table, at)[0]
    u64 = lambda at: struct.unpack_from("<Q", table, at)[0]

    def field(at, index):
        vtable = at - i32(at)
        offset = 4 + 2 * index
        if offset >= struct.unpack_from("<H", table, vtable)[0]:
            return 0
        relative = struct.unpack_from("<H", table, vtable + offset)[0]
        return at + relative if relative else 0

    def child(at, index):
        to = field(at, index)
        return to + u32(to)

    def items(at, index):
        first = child(at, index)
        return [first + 4 + 4 * i + u32(first + 4 + 4 * i) for i in range(u32(first))]

    net = items(u32(0), 4)[0]
    coeff = child(items(net, 3)[0], 4)
    start = u64(field(coeff, 2))
    pool = header + size
    for item in items(coeff, 3):
        name = child(item, 0)
        label = table[name + 4 : name + 4 + u32(name)].decode()
        offset = u64(field(item, 1)) if field(item, 1) else 0
        yield label, file[pool + start + offset :][: u64(field(item, 2))]


def main(weights, name, *bmodels):
    linear = np.load(weights)[name].T  # stored [inputs, outputs]
    outputs, inputs = linear.shape
    cases = []
    for path in bmodels:
        name = pathlib.Path(path).stem
        bits = int(name[1])
        parts = {}
        for label, data in sections(path):
            parts.setdefault(label, data)
        channel = name.endswith("channel")
        count = outputs * inputs // (128 if channel else GROUP)
        size = {"weight": outputs * inputs * bits // 8, "scale": 2 * count, "zp": count}
        made = {key: text(np.frombuffer(parts[f"tpu.A16MatMul.{key}"][:n], np.uint8)) for key, n in size.items()}
        cases.append({"bits": bits, "channel": channel, "symmetric": name.endswith("symmetric"), **made})
    result = {"rows": outputs, "columns": inputs, "group": GROUP, "weights": text(linear), "cases": cases}
    OUT.write_text(json.dumps(result, indent=1) + "\n")


main(*sys.argv[1:])
