export { devicesOf, type Mesh, meshText, parseMesh, toMesh } from "./axes.ts";
