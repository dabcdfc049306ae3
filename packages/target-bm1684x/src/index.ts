export { type Bm1684xMode, type Bm1684xOptions, bm1684xOptions } from "./options.ts";
