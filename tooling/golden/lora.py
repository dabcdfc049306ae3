"""Makes LoRA adapters of golden models with PEFT, and records what transformers computes with them.

    python lora.py GOLDEN_FOLDER OUT_FOLDER
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

# A plain one; one with rsLoRA, ranks and alphas of their own; one on the transposed layers of GPT-2.
ADAPTERS = {
    "llama_gqa_llama3": dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"]),
    "qwen2": dict(
        r=6, lora_alpha=5, use_rslora=True, target_modules="all-linear", rank_pattern={"o_proj": 3}, alpha_pattern={"layers.1.mlp.up_proj": 11}
    ),
    "gpt2": dict(r=3, lora_alpha=6, fan_in_fan_out=True, target_modules=["c_attn", "c_fc"]),
}
GREEDY = 16


def main() -> None:
    golden, out = Path(sys.argv[1]), Path(sys.argv[2])
    for name, settings in ADAPTERS.items():
        model = AutoModelForCausalLM.from_pretrained(golden / name, dtype=torch.float32)
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **settings)).eval()
        random = torch.Generator().manual_seed(3)
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                if "lora_" in key:
                    parameter.copy_(0.3 * torch.randn(parameter.shape, generator=random))
        folder = out / name
        model.save_pretrained(folder)
        (folder / "README.md").unlink(missing_ok=True)
        config = json.loads((folder / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = name
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        prompt = json.loads((golden / name / "golden.json").read_text())["prompts"][0]["input_ids"]
        ids = list(prompt)
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0]
            greedy = []
            for _ in range(GREEDY):
                greedy.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
                ids.append(greedy[-1])
        save_file({"logits": logits.contiguous()}, folder / "expected.safetensors")
        (folder / "expected.json").write_text(json.dumps({"input_ids": prompt, "greedy": greedy}) + "\n")


if __name__ == "__main__":
    main()
