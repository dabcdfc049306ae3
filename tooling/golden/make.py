"""Makes a golden folder: a tiny random model of one architecture, and what transformers computes with it.

    python make.py MODEL_TYPE OUT [--seed N] [--set key=value ...]
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

TINY = {
    "vocab_size": 304,
    "hidden_size": 48,
    "intermediate_size": 72,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
GREEDY = 24  # tokens
TOP = 8  # best logits kept of each greedy step
MARGIN = 0.02  # least gap between best and second logit: argmax must not hang on rounding


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model_type")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a config field; VALUE is JSON or text")
    return parser.parse_args()


def value_of(text: str):
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def randomise(model: torch.nn.Module, seed: int) -> None:
    """Weights spread enough that every part matters and greedy text doesn't fall into one token."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=random)
            if "norm" in name or "ln_" in name:
                parameter.add_(0.2 * noise)
            else:
                parameter.copy_(0.2 * noise)


def forward(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids]), output_hidden_states=True, use_cache=False)


def greedy(model, prompt: list[int]) -> dict:
    ids, values, logprobs, margins = [], [], [], []
    chosen: list[int] = []
    for _ in range(GREEDY):
        logits = forward(model, prompt + chosen).logits[0, -1]
        top = torch.topk(logits, TOP)
        margins.append(float(top.values[0] - top.values[1]))
        ids.append(top.indices.to(torch.int32))
        values.append(top.values)
        best = int(top.indices[0])
        logprobs.append(float(torch.log_softmax(logits.double(), -1)[best]))
        chosen.append(best)
    return {"tokens": chosen, "logprobs": logprobs, "margin": min(margins), "ids": torch.stack(ids), "values": torch.stack(values)}


def residual_stream(model, ids: list[int]) -> list[torch.Tensor]:
    """The input of the first block and the output of each: what transformers calls hidden states has the last one normed."""
    seen: list[torch.Tensor] = []
    blocks = next(m for m in model.modules() if isinstance(m, torch.nn.ModuleList))
    hooks = [blocks[0].register_forward_pre_hook(lambda _m, args, kwargs: seen.append((args[0] if args else kwargs["hidden_states"])[0]), with_kwargs=True)]
    for block in blocks:
        hooks.append(block.register_forward_hook(lambda _m, _i, out: seen.append((out[0] if isinstance(out, tuple) else out)[0])))
    forward(model, ids)
    for hook in hooks:
        hook.remove()
    return seen


def main() -> None:
    args = parse()
    fields = {**TINY, **dict((key, value_of(text)) for key, text in (item.split("=", 1) for item in args.set))}
    config = AutoConfig.for_model(args.model_type, **fields)
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    randomise(model, args.seed)
    model.tie_weights()

    shutil.rmtree(args.out, ignore_errors=True)
    model.save_pretrained(args.out)
    GenerationConfig(bos_token_id=1, eos_token_id=2, pad_token_id=0).save_pretrained(args.out)

    again = AutoModelForCausalLM.from_pretrained(args.out, attn_implementation="eager", dtype=torch.float32).eval()
    random = torch.Generator().manual_seed(args.seed + 1)
    prompts, arrays = [], {}
    for p, length in enumerate([7, 12]):
        ids = torch.randint(3, fields["vocab_size"], (length,), generator=random).tolist()
        arrays[f"p{p}.logits"] = forward(again, ids).logits[0]
        made = greedy(again, ids)
        if made["margin"] < MARGIN:
            sys.exit(f"seed {args.seed}: a greedy step is decided by {made['margin']:.4f}; take another seed")
        arrays[f"p{p}.gen_top8_logits"], arrays[f"p{p}.gen_top8_ids"] = made["values"], made["ids"]
        prompts.append(
            {
                "input_ids": ids,
                "greedy": made["tokens"],
                "greedy_logprobs": made["logprobs"],
                "min_top2_margin": made["margin"],
                "distinct": len(set(made["tokens"])),
            }
        )
    for i, hidden in enumerate(residual_stream(again, prompts[0]["input_ids"])):
        arrays[f"p0.hidden.{i}"] = hidden
    save_file({name: array.contiguous() for name, array in arrays.items()}, args.out / "golden.safetensors")

    golden = {
        "name": args.out.name,
        "model_type": config.model_type,
        "architecture": type(model).__name__,
        "reference": f"transformers {transformers.__version__} class {type(model).__name__}",
        "attn_implementation": "eager",
        "compute_dtype": "float32",
        "weights_dtype": "float32",
        "seed": args.seed,
        "vocab_size": fields["vocab_size"],
        "num_hidden": fields["num_hidden_layers"],
        "prompts": prompts,
        "files": sorted(path.name for path in args.out.iterdir()) + ["golden.json"],
    }
    (args.out / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
    print(f"{args.out}: {len(load_file(args.out / 'model.safetensors'))} tensors, greedy margins ≥ {min(p['min_top2_margin'] for p in prompts):.3f}")


if __name__ == "__main__":
    main()
