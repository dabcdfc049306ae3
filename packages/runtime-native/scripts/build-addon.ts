// Builds the addon where a compiler and cmake are found; elsewhere says so and leaves the fallback to do the work.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

if (spawnSync("cmake", ["--version"], { stdio: "ignore" }).status === 0) {
  const built = spawnSync("cmake-js", ["build", "--log-level", "warn", ...process.argv.slice(2)], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  process.exitCode = built.status ?? 1;
} else if (process.env.LLM_TEST_REQUIRE_ALL === "1") {
  process.stderr.write("cmake is not installed, and the addon needs it (Debian: apt-get install cmake g++)\n");
  process.exitCode = 1;
} else {
  process.stderr.write("cmake is not installed: going on without the addon (Debian: apt-get install cmake g++)\n");
}
