"""Records a forward pass of a checkpoint, block by block, for `llm verify --against`.

    python dump.py CHECKPOINT IDS OUT.safetensors

The file holds `ids`, `logits` (tokens, vocab) and `hidden.i` (tokens, width): hidden.0 enters the first block, hidden.i leaves
block i, counted from 1.
"""

import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from make import forward, residual_stream


def main() -> None:
    checkpoint, ids_text, out = sys.argv[1:]
    ids = [int(piece) for piece in ids_text.split(",")]
    model = AutoModelForCausalLM.from_pretrained(checkpoint, attn_implementation="eager", dtype=torch.float32).eval()
    arrays = {"ids": torch.tensor(ids, dtype=torch.int32), "logits": forward(model, ids).logits[0]}
    for i, hidden in enumerate(residual_stream(model, ids)):
        arrays[f"hidden.{i}"] = hidden
    save_file({name: array.contiguous() for name, array in arrays.items()}, out)


if __name__ == "__main__":
    main()
