import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addon } from "../addon.ts";
import { skipWithout } from "../testing/skip-without-addon.ts";
import { hasCompiler, standIn } from "../testing/stand-in-bmrt.ts";
import { openBmrt } from "./index.ts";

const there = hasCompiler && addon()?.bmrt !== undefined;

test.skipIf(skipWithout(there))(
  "a simulator that is made otherwise, or is none, is used as it is (needs: pnpm build)",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "llm-simulator-"));
    try {
      const libraries = standIn(folder);
      const text = join(folder, "libcmodel.so");
      writeFileSync(text, "no library");
      for (const firmware of [join(folder, "none.so"), text, libraries.bmlib]) {
        const bmrt = await openBmrt({ libraries: { ...libraries, firmware }, devices: [0] });
        expect(bmrt.devices).toBe(1);
        await bmrt.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
