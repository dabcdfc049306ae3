export { devicesOf, type Mesh, meshText, parseMesh, toMesh } from "./axes.ts";
export {
  DEFAULT_WORK,
  type DescribedDevice,
  type DeviceDescription,
  type Link,
  type MeshWork,
  shareOf,
} from "./device.ts";
export {
  type ChooseOptions,
  chooseMesh,
  type MeshChoice,
  type MeshPlan,
  planBlocks,
  planMesh,
  type ShardPlan,
} from "./plan.ts";
