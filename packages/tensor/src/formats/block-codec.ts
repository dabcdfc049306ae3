/** A format whose blocks follow each other in memory, each with its own scales: GGUF's. */
export interface BlockCodec {
  /** Values in a block; a row holds whole blocks. */
  readonly block: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** As many blocks as fill `values`. */
  decode(packed: Uint8Array, values: Float32Array): void;
  /** Absent: there are only readers. */
  encode?(values: Float32Array, packed: Uint8Array): void;
}
