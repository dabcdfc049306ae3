/**
 * `pnpm --filter @llm/runtime-native sanitize [address | thread]`: builds the addon with GCC's sanitizers and exercises it.
 * Node and ONNX Runtime are not built so: what they do among themselves is not looked at, what we do with their memory is. Of
 * what is never freed, only that counts which our own code took.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const SANITIZERS = {
  address: { library: "libasan.so", variable: "ASAN_OPTIONS", options: "detect_leaks=1:abort_on_error=0" },
  thread: {
    library: "libtsan.so",
    variable: "TSAN_OPTIONS",
    options: "ignore_noninstrumented_modules=1:report_bugs=1",
  },
} as const;

const wanted = process.argv.slice(2);
for (const [name, { library, variable, options }] of Object.entries(SANITIZERS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const out = `build/${name}`;
  execFileSync("cmake-js", ["build", "--log-level", "warn", "--out", out, `--CDLLM_SANITIZE=${name}`], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const preload = execFileSync("g++", [`-print-file-name=${library}`], { encoding: "utf8" }).trim();
  const { status, stdout, stderr } = spawnSync(process.execPath, ["src/testing/exercise.ts"], {
    cwd: root,
    encoding: "utf8",
    env: {
      ...process.env,
      LD_PRELOAD: preload,
      LLM_ADDON: `${root}${out}/Release/llm_native.node`,
      [variable]: options,
      LSAN_OPTIONS: "exitcode=0",
    },
  });
  const leaks = stderr.split(/\n\s*\n/).filter(isOurLeak);
  const failed = status !== 0 || leaks.length > 0 || /(ERROR|WARNING): (?!LeakSanitizer)\w+Sanitizer/.test(stderr);
  const said = stdout.trim().replaceAll("\n", ", ");
  process.stdout.write(`${name}: ${failed ? "NOT clean" : "clean"} (${said})\n`);
  if (failed) {
    process.stderr.write(leaks.length > 0 ? leaks.join("\n\n") : stderr);
    process.exitCode = 1;
  }
}

/** Whether a paragraph of what a sanitizer says is of memory that was taken in our code, by whatever means. */
function isOurLeak(text: string): boolean {
  if (!/^\s*(Direct|Indirect) leak/.test(text)) return false;
  const frames = text.split("\n").filter((line) => /^ *#\d/.test(line));
  const taker = frames.find((frame) => !/libsanitizer|lib[at]san|libstdc\+\+|\/include\/c\+\+\//.test(frame));
  return taker !== undefined && /llm_native\.node|\/native\//.test(taker);
}
