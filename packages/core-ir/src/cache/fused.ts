import type { Form, FormOptions } from "./forms.ts";
import { cacheDims, makeStates, setNext } from "./state.ts";

/** One op on a state, updated in place. Latent attention has a form of its own: see `fuseLatent`. */
export function fusedForm(options: FormOptions): Form {
  return {
    attend(b, attention) {
      const { q, k, v, positions, slots, attrs } = attention;
      const held = makeStates(b, attention, cacheDims(b, attention), options);
      const layout = options.layout === "heads" ? { layout: options.layout } : {};
      const [out, keys, values] = b.ops("attention", [q, k, v, positions, slots, held.keys, held.values], {
        ...attrs,
        ...layout,
      });
      setNext(b, held, keys!, values!);
      return out!;
    },
  };
}
