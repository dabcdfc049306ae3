import { randomFillSync } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";

/** How the weights that are multiplied by are kept. */
export type GgufCodes = "q4_0" | "q8_0";

const BLOCKS = 24;
const WIDTH = 2048;
const HEADS = 16;
const INNER = 8192;
const VOCAB = 49_152;
const CONTEXT = 8192;
const GROUP = 32;
const ALIGN = 32;

/** GGUF's numbers: of the type of a tensor's blocks, of the file's own kind; a block's bytes; a half that scales codes to ±0.04; what the largest is stored as. */
const CODES = {
  q4_0: { type: 2, file: 2, bytes: 18, scale: 0x1d1f, largest: 0 },
  q8_0: { type: 8, file: 7, bytes: 34, scale: 0x0d1f, largest: 127 },
} as const;

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[]; // the last axis first, as GGUF has it
  readonly bytes: number;
  readonly one?: boolean;
}

/** Writes a checkpoint of StarCoder's shape: 1.1 billion random weights, read per token, and one key head. */
export function starcoderGguf(file: string, codes: GgufCodes): void {
  const { type, bytes } = CODES[codes];
  const list: Tensor[] = [];
  const matrix = (name: string, rows: number, columns: number) =>
    list.push({ name: `${name}.weight`, shape: [columns, rows], bytes: ((rows * columns) / GROUP) * bytes });
  const vector = (name: string, length: number, one = false) =>
    list.push({ name, shape: [length], bytes: 4 * length, one });
  const norm = (name: string) => {
    vector(`${name}.weight`, WIDTH, true);
    vector(`${name}.bias`, WIDTH);
  };
  matrix("token_embd", VOCAB, WIDTH);
  matrix("position_embd", CONTEXT, WIDTH);
  norm("output_norm");
  for (let block = 0; block < BLOCKS; block++) {
    const at = `blk.${block}.`;
    norm(`${at}attn_norm`);
    norm(`${at}ffn_norm`);
    const linear = (name: string, rows: number, columns: number) => {
      matrix(at + name, rows, columns);
      vector(`${at}${name}.bias`, rows);
    };
    linear("attn_qkv", WIDTH + (2 * WIDTH) / HEADS, WIDTH);
    linear("attn_output", WIDTH, WIDTH);
    linear("ffn_up", INNER, WIDTH);
    linear("ffn_down", WIDTH, INNER);
  }
  const out = openSync(file, "w");
  const head = header(list, codes, type);
  writeSync(out, head);
  writeSync(out, Buffer.alloc(-head.length & (ALIGN - 1)));
  for (const tensor of list) {
    const data = tensor.shape.length === 1 ? floats(tensor) : blocks(tensor, codes);
    writeSync(out, data);
    writeSync(out, Buffer.alloc(-data.length & (ALIGN - 1)));
  }
  closeSync(out);
}

function floats({ shape, one }: Tensor): Buffer {
  const values = Float32Array.from({ length: shape[0]! }, () => (one ? 1 : 0) + (Math.random() - 0.5) / 15);
  return Buffer.from(values.buffer);
}

function blocks({ bytes }: Tensor, codes: GgufCodes): Buffer {
  const { bytes: block, scale, largest } = CODES[codes];
  const data = randomFillSync(Buffer.alloc(bytes));
  for (let at = 0; at < bytes; at += block) {
    data.writeUInt16LE(scale, at);
    data[at + 2] = largest; // quantising gives each block's largest magnitude the end of the range
  }
  return data;
}

function header(tensors: readonly Tensor[], codes: GgufCodes, type: number): Buffer {
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
  const whole = (key: string, value: number) => Buffer.concat([text(key), u32(4), u32(value)]);
  const words = (key: string, values: readonly string[]) =>
    Buffer.concat([text(key), u32(9), u32(8), u64(values.length), ...values.map(text)]);
  const said = (key: string, value: string) => Buffer.concat([text(key), u32(8), text(value)]);
  const ids = Array.from({ length: VOCAB }, (_, id) => `tok${id}`);
  const entries = [
    said("general.architecture", "starcoder"),
    whole("general.file_type", CODES[codes].file),
    whole("starcoder.context_length", CONTEXT),
    whole("starcoder.embedding_length", WIDTH),
    whole("starcoder.feed_forward_length", INNER),
    whole("starcoder.block_count", BLOCKS),
    whole("starcoder.attention.head_count", HEADS),
    whole("starcoder.attention.head_count_kv", 1),
    Buffer.concat([text("starcoder.attention.layer_norm_epsilon"), u32(6), Buffer.from(Float32Array.of(1e-5).buffer)]),
    said("tokenizer.ggml.model", "gpt2"),
    said("tokenizer.ggml.pre", "starcoder"),
    words("tokenizer.ggml.tokens", ids),
    Buffer.concat([
      text("tokenizer.ggml.token_type"),
      u32(9),
      u32(5),
      u64(VOCAB),
      Buffer.from(Int32Array.from(ids, () => 1).buffer),
    ]),
    words("tokenizer.ggml.merges", ["a b"]),
    whole("tokenizer.ggml.bos_token_id", 0),
    whole("tokenizer.ggml.eos_token_id", 0),
  ];
  let offset = 0;
  const infos = tensors.map(({ name, shape, bytes }) => {
    const info = [text(name), u32(shape.length), ...shape.map(u64), u32(shape.length === 1 ? 0 : type), u64(offset)];
    offset += Math.ceil(bytes / ALIGN) * ALIGN;
    return Buffer.concat(info);
  });
  return Buffer.concat([Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(entries.length), ...entries, ...infos]);
}
