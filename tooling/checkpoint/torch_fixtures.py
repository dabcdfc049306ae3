"""Writes the PyTorch fixtures of packages/checkpoint: files saved by torch itself, and what torch reads back from them.

    pip install torch==2.13.0
    python tooling/checkpoint/torch_fixtures.py

`expected.json` holds, for each file, each tensor's dtype, shape and the SHA-256 of its values in row-major order.
"""

import collections
import hashlib
import json
import os
import pathlib

import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "packages/checkpoint/fixtures/torch"
GOLDEN = ROOT / "tooling/fixtures/golden"


def describe(tensor):
    dense = tensor.detach().clone(memory_format=torch.contiguous_format).contiguous()
    raw = dense.reshape(-1).view(torch.uint8).numpy().tobytes() if dense.numel() else b""
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "sha256": hashlib.sha256(raw).hexdigest(),
    }


def all_sorts():
    torch.manual_seed(1)
    base = torch.randn(64)
    tied = torch.randn(3, 4)
    state = collections.OrderedDict()
    state["contiguous"] = torch.randn(4, 5)
    state["offset_view"] = base[16:40].view(4, 6)
    state["transposed"] = torch.randn(5, 7).t()
    state["permuted"] = torch.randn(2, 3, 4).permute(2, 0, 1)
    state["every_other"] = base[::2]
    state["tied_a"] = tied
    state["tied_b"] = tied
    state["tied_rows"] = tied[1:]
    state["repeated"] = torch.arange(3.0).expand(4, 3)
    state["scalar"] = torch.tensor(2.5)
    state["empty"] = torch.zeros(0, 3)
    state["parameter"] = torch.nn.Parameter(torch.randn(3))
    for dtype in ("float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"):
        state[f"of_{dtype}"] = torch.arange(-3, 3).to(getattr(torch, dtype)).reshape(2, 3)
    return state


def save_all():
    OUT.mkdir(parents=True, exist_ok=True)
    state = all_sorts()
    newer = dict(state, of_uint16=torch.arange(4).to(torch.uint16), of_uint32=torch.arange(4).to(torch.uint32))
    torch.save(newer, OUT / "zip.bin")
    torch.save(state, OUT / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "args": ["a", 1.5, None, (1, 2)], "state_dict": state}, OUT / "wrapped.bin")
    for protocol in (3, 4, 5):
        torch.save(state, OUT / f"protocol{protocol}.bin", pickle_protocol=protocol)
    older = {"_use_new_zipfile_serialization": False, "pickle_protocol": 4}
    torch.save(state, OUT / "legacy_protocol4.bin", **older)
    # Tensors of dtypes that can't be read don't stand in the way of the others.
    torch.save({"a": torch.zeros(2), "f8": torch.zeros(2).to(torch.float8_e4m3fn)}, OUT / "unreadable.bin")


def save_adapter():
    """A LoRA adapter as PEFT saved them before its version 0.7: a pickle beside the config."""
    folder = OUT.parent / "adapter"
    folder.mkdir(exist_ok=True)
    module = "base_model.model.model.layers.0.self_attn.q_proj"
    state = {
        f"{module}.lora_A.weight": torch.arange(6.0).reshape(2, 3),
        f"{module}.lora_B.weight": torch.arange(8.0).reshape(4, 2) / 4,
    }
    torch.save(state, folder / "adapter_model.bin")
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 3, "target_modules": "q_proj", "fan_in_fan_out": False}
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/should-not-exist",)


def save_hostile():
    torch.save({"a": torch.zeros(2), "b": Evil()}, OUT / "evil.bin")
    torch.save({"a": torch.zeros(2), "b": Evil()}, OUT / "evil_legacy.bin", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), OUT / "torchscript.bin")


def main():
    save_all()
    save_hostile()
    save_adapter()
    expected = {}
    for name in ("zip", "legacy", "legacy_protocol4", "wrapped", "protocol3", "protocol4", "protocol5"):
        state = torch.load(OUT / f"{name}.bin", weights_only=False)
        expected[f"{name}.bin"] = {key: describe(value) for key, value in state.get("state_dict", state).items()}
    for golden in ("fmt_bin", "fmt_bin_legacy_gpt2", "fmt_bin_sharded"):
        expected[golden] = {}
        for path in sorted((GOLDEN / golden).glob("*.bin")):
            state = torch.load(path, weights_only=True)
            expected[golden].update({key: describe(value) for key, value in state.items()})
    (OUT / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
