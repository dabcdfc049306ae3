/** `pnpm docs:features` */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { renderFeatures } from "./features.ts";
import { root } from "./workspace.ts";

writeFileSync(join(root, "FEATURES.md"), renderFeatures());
