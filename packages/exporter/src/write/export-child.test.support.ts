/** A process of its own for tests that kill it: exports a few megabytes that must be converted, over and over. */
import { createSourceFile, model } from "./large-model.test.support.ts";
import { writeOnnx } from "./write-onnx.ts";

const [checkpoint, folder, rounds] = process.argv.slice(2);
process.stdout.write("begun\n");
try {
  for (let round = 0; round < Number(rounds); round++)
    await writeOnnx(model, { folder, name: "model", source: createSourceFile(checkpoint) });
  process.stdout.write("done\n");
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code}: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
