import { create, toBinary } from "@bufbuild/protobuf";
import type { Tensor } from "@llm/tensor";
import { ExportError } from "../error.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type FunctionProto,
  FunctionProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type StringStringEntryProto,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../gen/onnx_pb.ts";
import { elementTypeOf } from "./element-type.ts";
import { irVersionOf } from "./ir-version.ts";
import type { OnnxAttr, OnnxFunction, OnnxInitializer, OnnxModel, OnnxNode, OnnxValue } from "./onnx-model.ts";

/** Where a weight's bytes lie: a file beside the model, and the place in it. */
export interface ExternalData {
  readonly location: string; // relative to the model's folder
  readonly offset: number;
  readonly length: number;
}

/** protobuf messages end at 2 GiB, and every reader holds to it. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** The model's bytes. `placed` says where each weight lies; the same input gives the same bytes. */
export function encodeModel(model: OnnxModel, placed: ReadonlyMap<string, ExternalData>): Uint8Array {
  const bytes = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: BigInt(irVersionOf(model.opsets, (model.functions ?? []).length > 0)),
      producerName: "llm",
      ...(model.producerVersion === undefined ? {} : { producerVersion: model.producerVersion }),
      opsetImport: opsetsOf(model.opsets),
      metadataProps: entriesOf(model.metadata ?? {}),
      functions: (model.functions ?? []).map(functionOf),
      graph: create(GraphProtoSchema, {
        name: model.name,
        node: model.nodes.map(nodeOf),
        initializer: model.initializers.map((initializer) => initializerOf(initializer, placed)),
        input: model.inputs.map(valueInfoOf),
        output: model.outputs.map(valueInfoOf),
        valueInfo: (model.values ?? []).map(valueInfoOf),
      }),
    }),
  );
  if (bytes.length > MAX_MODEL_BYTES)
    throw new ExportError(
      "graph-invalid",
      `${model.name} is ${bytes.length} bytes without its weights; ONNX ends at 2 GiB`,
    );
  return bytes;
}

function opsetsOf(opsets: Readonly<Record<string, number>>) {
  return Object.entries(opsets)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([domain, version]) => create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }));
}

function entriesOf(entries: Readonly<Record<string, string>>): StringStringEntryProto[] {
  return Object.entries(entries)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
}

function valueInfoOf(value: OnnxValue): ValueInfoProto {
  const dim = value.shape.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value: typeof size === "number" ? { case: "dimValue", value: BigInt(size) } : { case: "dimParam", value: size },
    }),
  );
  const tensorType = create(TypeProto_TensorSchema, {
    elemType: elementTypeOf(value.dtype, value.name),
    shape: create(TensorShapeProtoSchema, { dim }),
  });
  return create(ValueInfoProtoSchema, {
    name: value.name,
    type: create(TypeProtoSchema, { value: { case: "tensorType", value: tensorType } }),
  });
}

function nodeOf(node: OnnxNode): NodeProto {
  return create(NodeProtoSchema, {
    opType: node.op,
    input: [...node.inputs],
    output: [...node.outputs],
    ...(node.domain ? { domain: node.domain } : {}),
    ...(node.name === undefined ? {} : { name: node.name }),
    attribute: Object.entries(node.attrs ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, attr]) => attributeOf(name, attr)),
  });
}

const KINDS = {
  int: AttributeType.INT,
  ints: AttributeType.INTS,
  float: AttributeType.FLOAT,
  floats: AttributeType.FLOATS,
  string: AttributeType.STRING,
  strings: AttributeType.STRINGS,
  tensor: AttributeType.TENSOR,
} as const;

const utf8 = new TextEncoder();

function attributeOf(name: string, attr: OnnxAttr): AttributeProto {
  const proto = create(AttributeProtoSchema, { name });
  if ("ref" in attr) {
    proto.refAttrName = attr.ref;
    proto.type = KINDS[attr.kind];
  } else if ("int" in attr) {
    proto.i = integer(name, attr.int);
    proto.type = KINDS.int;
  } else if ("ints" in attr) {
    proto.ints = attr.ints.map((value) => integer(name, value));
    proto.type = KINDS.ints;
  } else if ("float" in attr) {
    proto.f = attr.float;
    proto.type = KINDS.float;
  } else if ("floats" in attr) {
    proto.floats = [...attr.floats];
    proto.type = KINDS.floats;
  } else if ("string" in attr) {
    proto.s = utf8.encode(attr.string);
    proto.type = KINDS.string;
  } else if ("strings" in attr) {
    proto.strings = attr.strings.map((value) => utf8.encode(value));
    proto.type = KINDS.strings;
  } else if ("dtype" in attr) {
    proto.i = BigInt(elementTypeOf(attr.dtype, name));
    proto.type = KINDS.int;
  } else {
    proto.t = inlineTensor("", attr.tensor);
    proto.type = KINDS.tensor;
  }
  return proto;
}

function integer(name: string, value: number): bigint {
  if (!Number.isSafeInteger(value))
    throw new ExportError("graph-invalid", `attribute ${name} must be an integer, not ${value}`);
  return BigInt(value);
}

function initializerOf(initializer: OnnxInitializer, placed: ReadonlyMap<string, ExternalData>): TensorProto {
  const external = placed.get(initializer.name);
  if (external === undefined) {
    if ("tensor" in initializer) return inlineTensor(initializer.name, initializer.tensor);
    throw new ExportError("graph-invalid", `${initializer.name} has no place to be`);
  }
  const { dtype, shape } = "tensor" in initializer ? initializer.tensor : initializer;
  return create(TensorProtoSchema, {
    name: initializer.name,
    dims: shape.map((size) => BigInt(size)),
    dataType: elementTypeOf(dtype, initializer.name),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      create(StringStringEntryProtoSchema, { key: "location", value: external.location }),
      create(StringStringEntryProtoSchema, { key: "offset", value: String(external.offset) }),
      create(StringStringEntryProtoSchema, { key: "length", value: String(external.length) }),
    ],
  });
}

function inlineTensor(name: string, tensor: Tensor): TensorProto {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return create(TensorProtoSchema, {
    ...(name === "" ? {} : { name }),
    dims: tensor.shape.map((size) => BigInt(size)),
    dataType: elementTypeOf(tensor.dtype, name),
    rawData: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
  });
}

function functionOf(fn: OnnxFunction): FunctionProto {
  return create(FunctionProtoSchema, {
    name: fn.name,
    domain: fn.domain,
    input: [...fn.inputs],
    output: [...fn.outputs],
    attribute: [...fn.attributes],
    opsetImport: opsetsOf(fn.opsets),
    node: fn.nodes.map(nodeOf),
  });
}
