"""Writes the GGUF fixtures of packages/checkpoint: golden models, as llama.cpp's converter would store them.

    pip install torch==2.13.0 gguf==0.19.0 safetensors
    python tooling/checkpoint/gguf_fixtures.py

Names come from the gguf package's own table, which makes it an independent check of ours. The models are whole, in the types
they are published in, so that they give the golden logits.
"""

import json
import pathlib

import gguf
import numpy as np
import torch
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "packages/checkpoint/fixtures/gguf"
GOLDEN = ROOT / "tooling/fixtures/golden"
# As llama.cpp stores latent attention today; the other fixtures keep kv_b_proj whole, as it did before.
SPLIT_LATENT = "deepseek_v3_yarn"

ARCH = gguf.MODEL_ARCH
MODELS = {
    "llama_gqa_llama3": ARCH.LLAMA,
    "llama_linear_rope": ARCH.LLAMA,
    "mixtral": ARCH.LLAMA,
    "qwen2": ARCH.QWEN2,
    "qwen2_yarn": ARCH.QWEN2,
    "qwen2_moe": ARCH.QWEN2MOE,
    "qwen3": ARCH.QWEN3,
    "gemma": ARCH.GEMMA,
    "gemma2": ARCH.GEMMA2,
    "gemma3_text": ARCH.GEMMA3,
    "cohere2": ARCH.COHERE2,
    "exaone4": ARCH.EXAONE4,
    "smollm3": ARCH.SMOLLM3,
    "qwen3_moe": ARCH.QWEN3MOE,
    "jais": ARCH.JAIS,
    "baichuan_7b": ARCH.BAICHUAN,
    "baichuan_13b": ARCH.BAICHUAN,
    "baichuan2_7b": ARCH.BAICHUAN,
    "deepseek_v2_lite": ARCH.DEEPSEEK2,
    "deepseek_v3_yarn": ARCH.DEEPSEEK2,
    "gpt2": ARCH.GPT2,
    "gpt_bigcode_mqa": ARCH.STARCODER,
    "starcoder2": ARCH.STARCODER2,
    "gpt_neox": ARCH.GPTNEOX,
    "bloom": ARCH.BLOOM,
    "falcon_7b": ARCH.FALCON,
    "falcon_40b": ARCH.FALCON,
    "falcon_11b": ARCH.FALCON,
    "stablelm2_12b": ARCH.STABLELM,
    "phi": ARCH.PHI2,
    "phi3_longrope_long": ARCH.PHI3,
    "cohere_qknorm": ARCH.COMMAND_R,
    "olmo": ARCH.OLMO,
    "olmo2": ARCH.OLMO2,
    "granite": ARCH.GRANITE,
    "granitemoe": ARCH.GRANITE_MOE,
    "glm4": ARCH.GLM4,
    "mpt": ARCH.MPT,
    "mpt_clip": ARCH.MPT,
    "mpt_qkln_alibi_mqa": ARCH.MPT,
    "mpt_qkln_wpe": ARCH.MPT,
    "chatglm2": ARCH.CHATGLM,
    "chatglm_rope_ratio": ARCH.CHATGLM,
    "cohere": ARCH.COMMAND_R,
    "llama_headdim": ARCH.LLAMA,
    "llama_tied_bias": ARCH.LLAMA,
    "mistral_swa": ARCH.LLAMA,
    "phi3_partial": ARCH.PHI3,
    "qwen3_bias_untied": ARCH.QWEN3,
    "stablelm_qkvbias": ARCH.STABLELM,
    "starcoder2_untied": ARCH.STARCODER2,
    "gpt_bigcode_mha": ARCH.STARCODER,
    "gpt_neox_seq": ARCH.GPTNEOX,
    "bloom_nonpow2": ARCH.BLOOM,
    "deepseek_v2": ARCH.DEEPSEEK2,
    "deepseek_v3": ARCH.DEEPSEEK2,
    "baichuan2_13b": ARCH.BAICHUAN,
    "nemotron": ARCH.NEMOTRON,
}


def pick(config, *keys, default=None):
    for key in keys:
        if config.get(key) is not None:
            return config[key]
    return default


# --- what the converter does to tensors ---------------------------------------------------------


def rotate(weight, heads):
    """Rows (head, half, pair) -> (head, pair, half)."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def convert(name, tensor, arch, config):
    """Yields (published name, tensor) as they are stored; several published tensors may become one."""
    heads = pick(config, "num_attention_heads", "n_head", "n_heads")
    kv_heads = pick(config, "num_key_value_heads", "num_kv_heads", default=heads)
    if arch in (ARCH.LLAMA, ARCH.OLMO, ARCH.GRANITE, ARCH.GRANITE_MOE, ARCH.SMOLLM3, ARCH.BAICHUAN):
        if "q_proj." in name:
            return rotate(tensor, heads)
        if "k_proj." in name:
            return rotate(tensor, kv_heads)
    if arch in (ARCH.GEMMA, ARCH.GEMMA2, ARCH.GEMMA3, ARCH.NEMOTRON) and name.endswith("norm.weight"):
        return tensor.float() + 1
    if arch in (ARCH.GPT2, ARCH.JAIS) and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight", ".c_fc2.weight")):
        return tensor.t()
    if arch == ARCH.JAIS and name == "transformer.wte.weight":
        return tensor * config["mup_embeddings_scale"]
    if arch == ARCH.JAIS and name == "lm_head.weight":
        return tensor * config["mup_output_alpha"] * config["mup_width_scale"]
    if arch in (ARCH.GPTNEOX, ARCH.BLOOM) and "query_key_value" in name:
        split = tensor.reshape(heads, 3, -1, *tensor.shape[1:])
        return split.swapaxes(0, 1).reshape(tensor.shape)
    if arch == ARCH.FALCON and "query_key_value" in name:
        groups = kv_heads if config.get("new_decoder_architecture") else 1
        split = tensor.reshape(groups, heads // groups + 2, -1, tensor.shape[-1])
        width = tensor.shape[-1]
        return torch.cat([split[:, :-2].reshape(-1, width), split[:, -2].reshape(-1, width), split[:, -1].reshape(-1, width)])
    return tensor


def stack_numbered(tensors, pattern_parts):
    """Merges `a.0.b`, `a.1.b` … into one stacked tensor named `a.b`."""
    before, after = pattern_parts
    groups = {}
    for name in list(tensors):
        head, _, rest = name.partition(before)
        number, _, tail = rest.partition(".")
        if rest and number.isdigit() and tail in after:
            groups.setdefault((head, tail), {})[int(number)] = tensors.pop(name)
    for (head, tail), parts in groups.items():
        tensors[f"{head}{before}{tail}"] = torch.stack([parts[i] for i in sorted(parts)])


def skip(name):
    return name.endswith((".attn.bias", ".masked_bias", "inv_freq", "relative_pe.slopes"))


# --- metadata -----------------------------------------------------------------------------------


def rope(writer, config, head_dim):
    partial = pick(config, "partial_rotary_factor", "rotary_pct", default=1.0)
    writer.add_rope_dimension_count(int(head_dim * partial))
    theta = pick(config, "rope_theta", "rotary_emb_base")
    if theta is not None:
        writer.add_rope_freq_base(theta)
    scaling = config.get("rope_scaling") or {}
    kind = scaling.get("rope_type") or scaling.get("type")
    if kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(scaling["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(scaling["factor"])
        writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
    if kind == "llama3":
        base = 1.0 / (theta ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim))
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        original = scaling["original_max_position_embeddings"]
        factors = []
        for frequency in base:
            length = 2 * np.pi / frequency
            if length < original / high:
                factors.append(1)
            elif length > original / low:
                factors.append(scaling["factor"])
            else:
                smooth = (original / length - low) / (high - low)
                factors.append(1 / ((1 - smooth) / scaling["factor"] + smooth))
        writer.add_tensor("rope_freqs.weight", np.array(factors, dtype=np.float32))
    if kind == "longrope":
        writer.add_rope_scaling_orig_ctx_len(config["original_max_position_embeddings"])
        for which in ("long", "short"):
            writer.add_tensor(f"rope_factors_{which}.weight", np.array(scaling[f"{which}_factor"], dtype=np.float32))


def metadata(writer, arch, config, split=False):
    width = pick(config, "hidden_size", "n_embd", "d_model")
    heads = pick(config, "num_attention_heads", "n_head", "n_heads")
    kv_heads = pick(config, "num_key_value_heads", default=heads)
    if arch == ARCH.STARCODER:
        kv_heads = 1 if config["multi_query"] else heads
    if arch == ARCH.FALCON:
        kv_heads = config["num_kv_heads"] if config["new_decoder_architecture"] else 1
    if arch == ARCH.CHATGLM:
        kv_heads = config["multi_query_group_num"]
    if arch == ARCH.MPT:
        multi_query = config["attn_config"].get("attn_type") == "multiquery_attention"
        kv_heads = 1 if multi_query else config["attn_config"].get("kv_n_heads") or heads
    if split:
        kv_heads = 1
    head_dim = pick(config, "head_dim", "kv_channels", default=width // heads)
    inner = pick(config, "intermediate_size", "n_inner", "ffn_hidden_size", default=4 * width)
    writer.add_block_count(pick(config, "num_hidden_layers", "n_layer", "n_layers", "num_layers"))
    writer.add_context_length(
        pick(config, "max_position_embeddings", "n_positions", "max_seq_len", "seq_length", default=2048)
    )
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_vocab_size(pick(config, "vocab_size", "padded_vocab_size"))
    if config.get("head_dim") is not None and arch != ARCH.DEEPSEEK2:
        writer.add_key_length(head_dim)
        writer.add_value_length(head_dim)
    if config.get("rms_norm_eps") is not None:
        writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    layer_eps = pick(config, "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps")
    if layer_eps is not None:
        writer.add_layer_norm_eps(layer_eps)
    if arch == ARCH.CHATGLM:
        writer.add_layer_norm_rms_eps(config["layernorm_epsilon"])
        writer.add_rope_dimension_count(head_dim // 2)
        writer.add_rope_freq_base(10000 * config.get("rope_ratio", 1))
    elif arch == ARCH.DEEPSEEK2:
        latent_metadata(writer, config, split)
    elif arch not in (ARCH.GPT2, ARCH.STARCODER, ARCH.BLOOM, ARCH.MPT, ARCH.JAIS):
        rope(writer, config, head_dim)
    if arch != ARCH.DEEPSEEK2 and pick(config, "num_local_experts", "num_experts"):
        writer.add_expert_count(pick(config, "num_local_experts", "num_experts"))
        writer.add_expert_used_count(config["num_experts_per_tok"])
    if config.get("moe_intermediate_size"):
        writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    if config.get("shared_expert_intermediate_size"):
        writer.add_expert_shared_feed_forward_length(config["shared_expert_intermediate_size"])
    if config.get("sliding_window") and arch in (
        ARCH.LLAMA, ARCH.GEMMA2, ARCH.GEMMA3, ARCH.COHERE2, ARCH.EXAONE4, ARCH.PHI3, ARCH.STARCODER2):
        writer.add_sliding_window(config["sliding_window"])
    if arch == ARCH.EXAONE4:
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config["layer_types"]])
    if arch == ARCH.GEMMA3:
        writer.add_sliding_window_pattern(config["sliding_window_pattern"])
    if arch == ARCH.JAIS:
        writer.add_max_alibi_bias(8.0)
    if config.get("attn_logit_softcapping"):
        writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
    if config.get("final_logit_softcapping"):
        writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    if config.get("use_parallel_residual") is not None:
        writer.add_parallel_residual(config["use_parallel_residual"])
    if pick(config, "logit_scale", "logits_scaling") is not None:
        writer.add_logit_scale(pick(config, "logit_scale", "logits_scaling"))
    if config.get("clip_qkv") is not None:
        writer.add_clamp_kqv(config["clip_qkv"])
    if arch in (ARCH.GRANITE, ARCH.GRANITE_MOE):
        writer.add_attention_scale(config["attention_multiplier"])
        writer.add_embedding_scale(config["embedding_multiplier"])
        writer.add_residual_scale(config["residual_multiplier"])
    if arch == ARCH.MPT:
        attention = config["attn_config"]
        writer.add_max_alibi_bias(attention["alibi_bias_max"] if attention["alibi"] else 0.0)
        if attention["clip_qkv"]:
            writer.add_clamp_kqv(attention["clip_qkv"])


def latent_metadata(writer, config, split):
    """DeepSeek's own numbers. Split files describe the absorbed form, one key head, and keep the expanded lengths apart."""
    third = config["model_type"] == "deepseek_v3"
    kind = gguf.ExpertGatingFuncType.SIGMOID if third else gguf.ExpertGatingFuncType.SOFTMAX
    writer.add_expert_gating_func(kind)
    expanded = config["qk_nope_head_dim"] + config["qk_rope_head_dim"], config["v_head_dim"]
    if split:
        writer.add_key_length(config["kv_lora_rank"] + config["qk_rope_head_dim"])
        writer.add_value_length(config["kv_lora_rank"])
        writer.add_key_length_mla(expanded[0])
        writer.add_value_length_mla(expanded[1])
    else:
        writer.add_key_length(expanded[0])
        writer.add_value_length(expanded[1])
    writer.add_rope_dimension_count(config["qk_rope_head_dim"])
    writer.add_rope_freq_base(config["rope_theta"])
    if config["q_lora_rank"]:
        writer.add_q_lora_rank(config["q_lora_rank"])
    writer.add_kv_lora_rank(config["kv_lora_rank"])
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    writer.add_expert_count(config["n_routed_experts"])
    writer.add_expert_used_count(config["num_experts_per_tok"])
    writer.add_expert_shared_count(config["n_shared_experts"])
    writer.add_expert_group_count(config["n_group"])
    writer.add_expert_group_used_count(config["topk_group"])
    writer.add_expert_weights_scale(config["routed_scaling_factor"])
    writer.add_expert_weights_norm(config["norm_topk_prob"])
    scaling = config["rope_scaling"]
    if scaling:
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(scaling["factor"])
        writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
        writer.add_rope_scaling_yarn_log_mul(0.1 * scaling["mscale_all_dim"])
        writer.add_rope_scaling_yarn_beta_fast(scaling["beta_fast"])
        writer.add_rope_scaling_yarn_beta_slow(scaling["beta_slow"])


def split_latent(tensors, config):
    """kv_b_proj in its two parts, the keys' turned."""
    nope, value = config["qk_nope_head_dim"], config["v_head_dim"]
    for name in [name for name in tensors if name.endswith("kv_b_proj.weight")]:
        whole = tensors.pop(name)
        keys, values = whole.reshape(-1, nope + value, whole.shape[-1]).split([nope, value], dim=1)
        tensors[name.replace("kv_b_proj", "k_b_proj")] = keys.transpose(1, 2)
        tensors[name.replace("kv_b_proj", "v_b_proj")] = values


def read_config(golden):
    legacy = GOLDEN / golden / "config.legacy.json"
    path = legacy if legacy.exists() else GOLDEN / golden / "config.json"
    config = json.loads(path.read_text())
    return {**config.get("rope_parameters", {}), **config}


def write(golden, arch):
    config = read_config(golden)
    blocks = pick(config, "num_hidden_layers", "n_layer", "n_layers", "num_layers")
    tensors = {}
    for path in sorted((GOLDEN / golden).glob("model*.safetensors")):
        tensors.update(load_file(path))
    tensors = {name: tensor for name, tensor in tensors.items() if not skip(name)}
    if arch == ARCH.BAICHUAN:
        for name in [name for name in tensors if "W_pack" in name]:
            for part, rows in zip("qkv", tensors.pop(name).chunk(3)):
                tensors[name.replace("W_pack", f"{part}_proj")] = rows
    if arch == ARCH.GRANITE_MOE:
        for name in [name for name in tensors if "input_linear" in name]:
            gate, up = tensors.pop(name).chunk(2, dim=1)
            prefix = name.removesuffix("input_linear.weight")
            tensors[f"{prefix}experts.w1.weight"], tensors[f"{prefix}experts.w3.weight"] = gate, up
    if golden == SPLIT_LATENT:
        split_latent(tensors, config)
    if arch == ARCH.JAIS:
        tensors["lm_head.weight"] = tensors["transformer.wte.weight"]  # the two get different factors
    elif config.get("tie_word_embeddings"):
        tensors.pop("lm_head.weight", None)
    stack_numbered(tensors, (".experts.", ("w1.weight", "w2.weight", "w3.weight")))
    stack_numbered(tensors, (".experts.", ("gate_proj.weight", "up_proj.weight", "down_proj.weight")))
    stack_numbered(tensors, ("_layernorm.norms.", ("weight",)))
    tensors = {name.replace("_layernorm.norms.weight", "_layernorm.weight"): t for name, t in tensors.items()}

    writer = gguf.GGUFWriter(OUT / f"{golden}.gguf", gguf.MODEL_ARCH_NAMES[arch])
    metadata(writer, arch, config, golden == SPLIT_LATENT)
    if golden == "gpt_bigcode_mqa":
        byte_level_tokenizer(writer)
    if golden == "llama_gqa_llama3":
        sentencepiece_tokenizer(writer)
    names = gguf.get_tensor_name_map(arch, blocks)
    dense = gguf.get_tensor_name_map(ARCH.LLAMA, blocks)  # for blocks without experts, which the table leaves out for some
    for name in sorted(tensors):
        name_there = name.replace("e_score_correction_bias", "e_score_correction.bias")
        stored = names.get_name(name_there, try_suffixes=(".weight", ".bias"))
        if stored is None:
            stored = names.get_name(name.removeprefix("transformer."), try_suffixes=(".weight", ".bias"))
        if stored is None:
            stored = dense.get_name(name_there, try_suffixes=(".weight", ".bias"))
        if stored is None:
            raise SystemExit(f"{golden}: gguf has no name for {name}")
        tensor = convert(name, tensors[name], arch, config)
        add(writer, stored, tensor.contiguous())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add(writer, name, tensor):
    if tensor.dim() == 1 or tensor.dtype == torch.float32:
        writer.add_tensor(name, tensor.float().numpy())
    elif tensor.dtype == torch.float16:
        writer.add_tensor(name, tensor.numpy())
    else:
        raw = tensor.view(torch.uint8).numpy()
        writer.add_tensor(name, raw, raw_dtype=gguf.GGMLQuantizationType.BF16)


# --- tokenizers -----------------------------------------------------------------------------------


def byte_level_tokenizer(writer):
    """Every byte, a few merges, and the special tokens of StarCoder in front."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    alphabet = [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    special = ["<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>"]
    merges = ["d e", "de f", "Ġ Ġ", "r e", "re t"]
    tokens = special + alphabet + [merge.replace(" ", "") for merge in merges]
    tokens += [f"[PAD{i}]" for i in range(len(tokens), 304)]
    types = [3] * len(special) + [1] * (len(alphabet) + len(merges))
    types += [5] * (304 - len(types))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("starcoder")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)


def sentencepiece_tokenizer(writer):
    """<unk>, <s>, </s>, 256 bytes and a few words."""
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    words = ["▁", "a", "b", "▁a", "ab", "▁ab"]
    scores = [0.0] * len(tokens) + [-float(i) for i in range(len(words))]
    types = [2, 3, 3] + [6] * 256 + [1] * len(words)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens + words)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(False)
    writer.add_chat_template("{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}")


# --- formats ---------------------------------------------------------------------------------------


def write_formats():
    """One tensor of each type that can be read, and one that can't, of random blocks."""
    kinds = "F32 F16 BF16 F64 I8 I16 I32 I64 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS MXFP4 IQ2_XXS"
    random = np.random.default_rng(1)
    writer = gguf.GGUFWriter(OUT / "formats.gguf", "llama")
    metadata(writer, ARCH.LLAMA, {"hidden_size": 512, "num_attention_heads": 4, "num_hidden_layers": 1, "vocab_size": 2})
    for kind in kinds.split():
        type_ = gguf.GGMLQuantizationType[kind]
        block, size = gguf.GGML_QUANT_SIZES[type_]
        raw = random.integers(0, 256, (2, 512 // block * size), dtype=np.uint8)
        writer.add_tensor(kind, raw, raw_dtype=type_)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write_formats()
    for golden, arch in MODELS.items():
        write(golden, arch)


if __name__ == "__main__":
    main()
