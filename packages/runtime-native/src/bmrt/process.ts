// The process that has the vendor's libraries: they print to its output and may end it. It does what it is asked, in order,
// and goes when whoever started it goes.
import { AddonBmrt } from "./addon-device.ts";
import { messageOf, type OpenArgs, type Opened, type Question, type Reply } from "./messages.ts";

let bmrt: AddonBmrt | undefined;

async function answer({ method, args }: Question): Promise<unknown> {
  if (method === "open") {
    bmrt = await AddonBmrt.open(args[0] as OpenArgs);
    return { devices: bmrt.devices, newer: bmrt.newer } satisfies Opened;
  }
  const call = bmrt![method] as (...args: readonly unknown[]) => Promise<unknown>;
  return call.apply(bmrt, [...args]);
}

function reply(message: Reply): void {
  process.send?.(message);
}

let last: Promise<void> = Promise.resolve();
process.on("message", (question: Question) => {
  last = last.then(() =>
    answer(question).then(
      (value) => reply({ id: question.id, value }),
      (error: unknown) => reply({ id: question.id, error: messageOf(error) }),
    ),
  );
});
process.on("disconnect", () => {
  void last.then(() => bmrt?.close()).finally(() => process.exit());
});
// An interrupt in a terminal goes to both processes; only the other one knows what is to become of it.
process.on("SIGINT", () => {});
