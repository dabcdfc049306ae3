"""Checks ONNX files with ONNX's own package: pip install onnx==1.23.2, then python check.py FILE...

Files of ONNX's own ops alone are checked with full, strict shape inference, and every result must come out with a type
and a rank; files with other domains get the basic check, since nobody can infer what only a vendor knows. Prints one
JSON object a line and exits 1 if any file fails. The package refuses external data behind hard links: check exports
made with `--copy`.
"""

import json
import sys

import onnx
from onnx import defs, shape_inference

# What ONNX Runtime defines in ONNX's own domain, where this package doesn't know it: root mean square norms.
RUNTIMES = ["SimplifiedLayerNormalization"]

for name in RUNTIMES:
    floats = ("T", ["tensor(float)", "tensor(float16)", "tensor(double)", "tensor(bfloat16)"], "")
    attributes = {"axis": defs.OpSchema.AttrType.INT, "epsilon": defs.OpSchema.AttrType.FLOAT, "stash_type": defs.OpSchema.AttrType.INT}
    defs.register_schema(
        defs.OpSchema(
            name,
            "",
            1,
            inputs=[defs.OpSchema.FormalParameter(part, "T") for part in ("X", "scale")],
            outputs=[defs.OpSchema.FormalParameter("Y", "T")],
            type_constraints=[floats],
            attributes=[defs.OpSchema.Attribute(key, kind, required=False) for key, kind in attributes.items()],
        )
    )


def check(path):
    model = onnx.load(path, load_external_data=False)
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    domains = {node.domain for node in nodes} - {"", "ai.onnx"}
    domains |= {"onnxruntime" for node in nodes if node.op_type in RUNTIMES}
    standard = not domains and not model.functions
    onnx.checker.check_model(path, full_check=standard)
    untyped = []
    if standard:
        inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True).graph
        known = {value.name for value in [*inferred.value_info, *inferred.output] if value.type.tensor_type.HasField("shape")}
        untyped = [name for node in model.graph.node for name in node.output if name and name not in known]
    return {"domains": sorted(domains), "opset": {o.domain: o.version for o in model.opset_import}, "untyped": untyped, "ok": not untyped}


def main(paths):
    failed = False
    for path in paths:
        try:
            result = check(path)
        except Exception as error:  # whatever the package raises is the finding
            result = {"ok": False, "error": str(error).strip().splitlines()[0]}
        failed |= not result["ok"]
        print(json.dumps({"file": path, **result}))
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
