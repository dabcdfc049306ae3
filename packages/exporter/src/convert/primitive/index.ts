import type { EmitterTable } from "../emission.ts";
import { arithmeticEmitters } from "./arithmetic.ts";
import { elementwiseEmitters } from "./elementwise.ts";
import { layoutEmitters } from "./layout.ts";

/** Every primitive op in ONNX's own ops. */
export const primitiveEmitters: EmitterTable = { ...elementwiseEmitters, ...layoutEmitters, ...arithmeticEmitters };
