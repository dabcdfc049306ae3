"""What ONNX Runtime's own quantiser makes of weights for MatMulNBits, for packages/tensor to compare with.

    pip install onnxruntime numpy onnx
    python tooling/formats/ort_fixtures.py

Writes, in base64, the weights [outputs, inputs] and for each choice of bits, group and symmetry the packed data, scales and zero
points; and what MatMulNBits computes from them for one input, so that layouts are proven by a run too.
"""

import base64
import json
import pathlib

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnxruntime.capi._pybind_state import quantize_matmul_4bits, quantize_matmul_8bits

OUT = pathlib.Path(__file__).resolve().parents[2] / "packages/tensor/fixtures/matmulnbits.json"


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def quantise(weights, bits, group, symmetric):
    outputs, inputs = weights.shape
    groups = -(-inputs // group)
    data = np.zeros((outputs, groups, group * bits // 8), np.uint8)
    scales = np.zeros((outputs * groups,), np.float32)
    zeros = np.zeros((outputs, -(-groups * bits // 8)), np.uint8)
    make = quantize_matmul_4bits if bits == 4 else quantize_matmul_8bits
    transposed = np.ascontiguousarray(weights.T)  # (inputs, outputs)
    make(data, transposed, scales, zeros, group, outputs, inputs, symmetric)
    return data, scales, zeros


def run(x, data, scales, zeros, bits, group, shape):
    outputs, inputs = shape
    names = ["x", "data", "scales"] + (["zeros"] if zeros is not None else [])
    attributes = {"K": inputs, "N": outputs, "bits": bits, "block_size": group}
    node = helper.make_node("MatMulNBits", names, ["y"], domain="com.microsoft", **attributes)
    tensors = {"data": (TensorProto.UINT8, data), "scales": (TensorProto.FLOAT, scales)}
    if zeros is not None:
        tensors["zeros"] = (TensorProto.UINT8, zeros.reshape(-1))
    constants = [
        helper.make_tensor(name, kind, list(array.shape), array.tobytes(), raw=True)
        for name, (kind, array) in tensors.items()
    ]
    graph = helper.make_graph(
        [node],
        "matmulnbits",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x.shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [x.shape[0], outputs])],
        constants,
    )
    imports = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def main():
    random = np.random.default_rng(3)
    cases = []
    for shape in ((6, 64), (5, 160), (3, 100)):
        weights = random.normal(0, 0.05, shape).astype(np.float32)
        weights[1] = 0
        weights[2] = np.abs(weights[2])
        weights[0, 9] = -3
        x = random.normal(0, 1, (2, shape[1])).astype(np.float32)
        for bits in (4, 8):
            for group in (16, 32, 128):
                for symmetric in (True, False):
                    data, scales, zeros = quantise(weights, bits, group, symmetric)
                    result = run(x, data, scales, None if symmetric else zeros, bits, group, shape)
                    case = {"rows": shape[0], "columns": shape[1], "bits": bits, "group": group, "symmetric": symmetric}
                    arrays = {"weights": weights, "data": data, "scales": scales, "zeros": zeros, "x": x, "y": result}
                    cases.append({**case, **{name: text(array) for name, array in arrays.items()}})
    OUT.write_text(json.dumps(cases, indent=1) + "\n")


main()
