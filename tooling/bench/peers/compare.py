"""Exports one checkpoint with ours, torch.onnx.export and optimum, one after another: time, peak memory, disk.

    python3 tooling/bench/peers/compare.py [--layers 22] [--rounds 1] [--venv DIR] [--json FILE]

Installs the peers in a virtual environment of its own (kept in --venv for the next time), makes a checkpoint of a
1B Llama's shape with random fp16 weights, and runs every exporter as a process of its own on it. --layers makes it
smaller where there is no room for the peers' copies; the result says how many parameters it had.
"""

import argparse
import json
import os
import pathlib
import platform
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]

# torch first: whatever depends on it then takes this one.
INSTALL = [["torch==2.13.0"], ["transformers", "onnx", "onnxscript", "onnxruntime", "safetensors"], ["optimum-onnx"]]

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "vocab_size": 32000,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def install(venv: pathlib.Path) -> pathlib.Path:
    python = venv / "bin" / "python"
    done = venv / "peers-installed"
    if not done.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        for packages in INSTALL:
            subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        done.touch()
    return python


def make_checkpoint(folder: pathlib.Path, layers: int) -> int:
    """Random fp16 weights in one safetensors file; returns how many."""
    folder.mkdir(parents=True)
    config = {**CONFIG, "num_hidden_layers": layers}
    (folder / "config.json").write_text(json.dumps(config))
    width, inner, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    keys = width // config["num_attention_heads"] * config["num_key_value_heads"]
    shapes = {"model.embed_tokens.weight": [vocab, width], "model.norm.weight": [width], "lm_head.weight": [vocab, width]}
    for layer in range(layers):
        at = f"model.layers.{layer}."
        for name, rows, columns in [
            ("self_attn.q_proj", width, width),
            ("self_attn.k_proj", keys, width),
            ("self_attn.v_proj", keys, width),
            ("self_attn.o_proj", width, width),
            ("mlp.gate_proj", inner, width),
            ("mlp.up_proj", inner, width),
            ("mlp.down_proj", width, inner),
        ]:
            shapes[f"{at}{name}.weight"] = [rows, columns]
        shapes[f"{at}input_layernorm.weight"] = [width]
        shapes[f"{at}post_attention_layernorm.weight"] = [width]
    header, end = {}, 0
    for name, shape in shapes.items():
        length = 2
        for size in shape:
            length *= size
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [end, end + length]}
        end += length
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    source = random.Random(1)
    chunk = struct.pack("<1048576e", *(source.uniform(-0.05, 0.05) for _ in range(1 << 20)))
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        left = end
        while left > 0:
            file.write(chunk[: min(left, len(chunk))])
            left -= len(chunk)
    return end // 2


def measure(name: str, command: list, out: pathlib.Path) -> dict:
    """Runs a command and waits for it: its own peak memory, not its predecessors'."""
    print(f"{name} …", file=sys.stderr, flush=True)
    shutil.rmtree(out, ignore_errors=True)
    os.sync()  # what was written before is nobody's time but its own
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "LLM_OFFLINE": "1"}
    began = time.monotonic()
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, cwd=ROOT
    )
    error = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    if status != 0:
        last = error.strip().splitlines()[-1:] or ["no message"]
        return {"name": name, "failed": last[0][:200]}
    # A file that has another name besides is the checkpoint's own: nothing was written for it.
    written = sum(file.stat().st_size for file in out.rglob("*") if file.is_file() and file.stat().st_nlink == 1)
    shutil.rmtree(out)
    return {"name": name, "seconds": seconds, "peakBytes": usage.ru_maxrss * 1024, "writtenBytes": written}


def sides(python: pathlib.Path, checkpoint: pathlib.Path, out: pathlib.Path) -> list:
    node = ROOT / "node_modules" / ".bin" / "node"
    ours = [node, ROOT / "apps" / "cli" / "src" / "bin.ts", "export", checkpoint, "--target", "onnx", "--out", out]
    optimum = [python, "-m", "optimum.commands.optimum_cli", "export", "onnx", "--model", checkpoint]
    return [
        ("ours", ours),
        ("ours, --copy", [*ours, "--copy"]),
        ("torch.onnx.export", [python, HERE / "torch_export.py", checkpoint, out]),
        ("optimum", [*optimum, "--task", "text-generation-with-past", "--no-post-process", out]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=22)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--venv", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "llm-export-peers")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    python = install(arguments.venv)
    with tempfile.TemporaryDirectory(prefix="llm-peers-") as scratch:
        checkpoint, out = pathlib.Path(scratch) / "checkpoint", pathlib.Path(scratch) / "out"
        parameters = make_checkpoint(checkpoint, arguments.layers)
        names = {}
        for _ in range(arguments.rounds):
            for name, command in sides(python, checkpoint, out):
                names.setdefault(name, []).append(measure(name, command, out))
    # The best of the rounds: what disturbs a run only ever makes it slower.
    rows = [min(runs, key=lambda run: run.get("seconds", float("inf"))) for runs in names.values()]
    report = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "parameters": parameters,
        "rows": rows,
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")
    print(table(report))


def table(report: dict) -> str:
    rows = report["rows"]
    own = rows[0]
    title = f"{report['date']}, {report['machine']}, {report['parameters'] / 1e9:.2f}B parameters in fp16"
    lines = [title, "", "| exporter | seconds | peak memory | written | time, memory against ours |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        if "failed" in row:
            lines.append(f"| {row['name']} | failed: {row['failed']} | | | |")
            continue
        ratios = f"{row['seconds'] / own['seconds']:.1f} ×, {row['peakBytes'] / own['peakBytes']:.1f} ×"
        lines.append(
            f"| {row['name']} | {row['seconds']:.1f} | {row['peakBytes'] / 1e9:.2f} GB "
            f"| {row['writtenBytes'] / 1e6:.1f} MB | {ratios} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
