import { setImmediate } from "node:timers/promises";
import type { Session } from "../session.ts";
import type { Target } from "../target.ts";
import type { BuildContext, ConformanceContext } from "./check.ts";

/** The same context, in which no unit, call of a session or question to the oracle begins once the signal said stop. */
export function withSignal(context: ConformanceContext): ConformanceContext {
  const { signal, open, oracle, build } = context;
  if (!signal) return context;
  // Work that never waits for anything outside would keep the process from hearing signals at all.
  const goOn = async (): Promise<void> => {
    await setImmediate();
    signal.throwIfAborted();
  };
  return {
    ...context,
    ...(open && {
      open: async () => {
        await goOn();
        return stoppable(await open(), goOn);
      },
    }),
    ...(oracle && {
      oracle: async (history: readonly number[]) => {
        await goOn();
        return oracle(history);
      },
    }),
    ...(build && { build: stoppableBuild(build, signal, goOn) }),
  };
}

function stoppableBuild(build: BuildContext, signal: AbortSignal, goOn: () => Promise<void>): BuildContext {
  const target: Target = {
    ...build.target,
    build: async (unit, work) => {
      await goOn();
      return build.target.build(unit, work);
    },
  };
  return { ...build, target, signal };
}

/** Steps are what takes long; all else of a session, closing above all, is left as it is. */
function stoppable(session: Session, goOn: () => Promise<void>): Session {
  return new Proxy(session, {
    get(of, name) {
      const value: unknown = Reflect.get(of, name, of);
      if (typeof value !== "function") return value;
      if (name !== "step") return value.bind(of);
      return async (...rows: Parameters<Session["step"]>) => {
        await goOn();
        return of.step(...rows);
      };
    },
  });
}
