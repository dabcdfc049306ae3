import { TargetError } from "../error.ts";

/** How devices are laid out: copies of the model, ranks that share each layer, stages of layers. */
export interface Mesh {
  /** Copies of the whole model, each with slots of its own. */
  readonly dp: number;
  /** Devices that share each layer. */
  readonly mp: number;
  /** Stages that a model's blocks are divided into. */
  readonly pp: number;
}

/** More devices than any machine that this runs on has. */
const MOST = 1024;

/** "2x4" is two copies over four devices each, "1x4x2" four devices a layer in two stages; "4" is four devices a layer. */
export function parseMesh(text: string): Mesh {
  const numbers = text
    .trim()
    .split(/[x×,]/i)
    .map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
  const [first, second, pp = 1, ...more] = numbers;
  const [dp, mp] = second === undefined ? [1, first!] : [first!, second];
  const mesh = { dp, mp, pp };
  if (more.length > 0 || Object.values(mesh).some((axis) => !Number.isSafeInteger(axis) || axis < 1))
    throw new TargetError("option-invalid", `a mesh is DPxMP or DPxMPxPP, such as 2x2, not "${text}"`);
  if (devicesOf(mesh) > MOST)
    throw new TargetError("option-invalid", `a mesh of ${devicesOf(mesh)} devices; at most ${MOST} are planned for`);
  return mesh;
}

/** The one spelling of a mesh: "2x2", and "2x2x2" where there are stages. */
export function meshText({ dp, mp, pp }: Mesh): string {
  return pp === 1 ? `${dp}x${mp}` : `${dp}x${mp}x${pp}`;
}

export function devicesOf({ dp, mp, pp }: Mesh): number {
  return dp * mp * pp;
}

/** As a program says it: numbers, all of them optional. */
export function toMesh(mesh: string | Partial<Mesh>): Mesh {
  if (typeof mesh === "string") return parseMesh(mesh);
  const { dp = 1, mp = 1, pp = 1 } = mesh;
  return parseMesh(`${dp}x${mp}x${pp}`);
}
