import { parentPort, workerData } from "node:worker_threads";

/** Clients of the server bench: each message is a list of bodies, which are asked at once and read to their ends. */
parentPort!.on("message", async (bodies: readonly string[]) => {
  await Promise.all(
    bodies.map(async (body) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${workerData as string}/v1/completions`, { method: "POST", headers, body });
      const text = await response.text();
      if (!text.endsWith("data: [DONE]\n\n")) throw new Error(`no answer: ${text.slice(0, 200)}`);
    }),
  );
  parentPort!.postMessage("done");
});
