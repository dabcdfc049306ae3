"""Records beam search by transformers on golden models: what it finds, and how good it says that is.

    python beams.py GOLDEN_FOLDER OUT.json
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, GenerationConfig

MODELS = ["gpt2", "llama_gqa_llama3", "gpt_neox", "mistral_swa", "qwen2"]
NEW_TOKENS = 20
RETURNED = 3

# Tokens that end a text are taken from what a search without ends says, so that texts end early in some.
CASES = [
    {"num_beams": 2},
    {"num_beams": 4, "ends": 1},
    {"num_beams": 4, "ends": 2, "length_penalty": 0.0},
    {"num_beams": 5, "ends": 2, "length_penalty": 2.0, "early_stopping": True},
    {"num_beams": 3, "ends": 2, "length_penalty": -1.0},
    {"num_beams": 4, "ends": 3, "length_penalty": 0.6, "early_stopping": "never"},
    {"num_beams": 4, "ends": 1, "repetition_penalty": 1.3, "no_repeat_ngram_size": 2, "min_new_tokens": 6},
]


def search(model, prompt, eos, case, count, pad=0):
    settings = {key: value for key, value in case.items() if key != "ends"}
    config = GenerationConfig(
        max_new_tokens=NEW_TOKENS, do_sample=False, num_return_sequences=count, pad_token_id=pad, eos_token_id=eos or None,
        return_dict_in_generate=True, output_scores=True, **settings,
    )
    ids = torch.tensor([prompt])
    with torch.no_grad():
        out = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)
    found = []
    for row, score in zip(out.sequences.tolist(), out.sequences_scores.tolist()):
        answer = row[len(prompt):]
        ended = next((i + 1 for i, token in enumerate(answer) if token in eos), len(answer))
        found.append({"answer": answer[:ended], "score": score})
    return found


def main() -> None:
    golden, out = Path(sys.argv[1]), Path(sys.argv[2])
    cases = []
    for name in MODELS:
        model = AutoModelForCausalLM.from_pretrained(golden / name, dtype=torch.float32).eval()
        model.generation_config = GenerationConfig()
        prompt = json.loads((golden / name / "golden.json").read_text())["prompts"][0]["input_ids"]
        said = search(model, prompt, [], {"num_beams": 4}, 1)[0]["answer"]
        for case in CASES:
            eos = sorted({said[i] for i in (5, 9, 14)[: case.get("ends", 0)]})
            found = search(model, prompt, eos, case, min(RETURNED, case["num_beams"]))
            options = {key: value for key, value in case.items() if key != "ends"}
            cases.append({"model": name, "prompt": prompt, "eos": eos, "max_new_tokens": NEW_TOKENS, **options, "found": found})
    out.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
