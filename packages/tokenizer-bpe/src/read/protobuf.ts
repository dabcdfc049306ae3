import { invalid } from "../error.ts";

/** One field of a protobuf message as it lies in the file. */
export interface Field {
  readonly number: number;
  /** A varint's or fixed value's number; for text and messages, 0. */
  readonly value: number;
  /** The bytes of a fixed value, a text or a message. */
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

/** The fields of a message, in order. Enough of protobuf for SentencePiece's models, whose numbers fit 32 bits. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw invalid("ends inside a number");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw invalid("has a number of more than ten bytes");
  };
  const take = (length: number): Uint8Array => {
    if (length > message.length - at) throw invalid(`ends inside a field of ${length} bytes`);
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        yield { number, value: varint(), bytes: none };
        break;
      case 1:
        yield { number, value: 0, bytes: take(8) };
        break;
      case 2:
        yield { number, value: 0, bytes: take(varint()) };
        break;
      case 5:
        yield { number, value: 0, bytes: take(4) };
        break;
      default:
        throw invalid(`has a field of an unknown wire type at byte ${at}`);
    }
  }
}

/** A `float` field's value. */
export function floatOf(field: Field): number {
  if (field.bytes.length !== 4) throw invalid(`field ${field.number} is not a float`);
  return new DataView(field.bytes.buffer, field.bytes.byteOffset, 4).getFloat32(0, true);
}
