"""torch_export.py CHECKPOINT OUT: torch.onnx.export of a causal language model, logits of a whole text, no cache."""

import pathlib
import sys

import torch
from transformers import AutoModelForCausalLM

checkpoint, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
out.mkdir(parents=True)
model = AutoModelForCausalLM.from_pretrained(checkpoint, torch_dtype=torch.float16, attn_implementation="eager")
model.config.use_cache = False


class Logits(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = model

    def forward(self, input_ids):
        return self.model(input_ids=input_ids, use_cache=False).logits


length = torch.export.Dim("sequence", min=2, max=2048)
with torch.no_grad():
    torch.onnx.export(
        Logits().eval(),
        (torch.ones(1, 8, dtype=torch.long),),
        str(out / "model.onnx"),
        input_names=["input_ids"],
        output_names=["logits"],
        dynamic_shapes={"input_ids": {1: length}},
        external_data=True,
        dynamo=True,
    )
