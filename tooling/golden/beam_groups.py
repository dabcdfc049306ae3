"""Records diverse beam search (beam groups) by transformers on golden models. Its last version with it is 4.56.

    python beam_groups.py GOLDEN_FOLDER OUT.json
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from beams import search
from transformers import AutoModelForCausalLM, GenerationConfig

MODELS = ["gpt2", "llama_gqa_llama3", "gpt_neox", "mistral_swa", "qwen2"]
NEW_TOKENS = 20

CASES = [
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5},
    {"num_beams": 6, "num_beam_groups": 3, "diversity_penalty": 1.0, "ends": 1},
    {"num_beams": 4, "num_beam_groups": 4, "diversity_penalty": 0.7, "ends": 2},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.3, "ends": 3, "length_penalty": 2.0, "early_stopping": True},
    {"num_beams": 6, "num_beam_groups": 2, "diversity_penalty": 0.8, "ends": 2, "length_penalty": 0.6, "early_stopping": "never"},
    {"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.9, "ends": 2, "length_penalty": -1.0},
    {"num_beams": 6, "num_beam_groups": 3, "diversity_penalty": 0.4, "ends": 1, "repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "min_new_tokens": 6},
]


def load(folder):
    """The model as a version before 5 reads it: its config has other keys."""
    with tempfile.TemporaryDirectory() as copied:
        shutil.copytree(folder, copied, dirs_exist_ok=True)
        shutil.copyfile(folder / "config.legacy.json", Path(copied) / "config.json")
        return AutoModelForCausalLM.from_pretrained(copied, torch_dtype=torch.float32).eval()


def main() -> None:
    golden, out = Path(sys.argv[1]), Path(sys.argv[2])
    cases = []
    for name in MODELS:
        model = load(golden / name)
        model.generation_config = GenerationConfig()
        prompt = json.loads((golden / name / "golden.json").read_text())["prompts"][0]["input_ids"]
        said = search(model, prompt, [], {"num_beams": 4}, 1)[0]["answer"]
        for case in CASES:
            eos = sorted({said[i] for i in (5, 9, 14)[: case.get("ends", 0)]})
            found = search(model, prompt, eos, case, case["num_beams"], pad=eos[0] if eos else 0)
            options = {key: value for key, value in case.items() if key != "ends"}
            cases.append({"model": name, "prompt": prompt, "eos": eos, "max_new_tokens": NEW_TOKENS, **options, "found": found})
    out.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
