interface Node {
  tokens: Int32Array; // on the edge to this node
  readonly owners: Set<number>; // slots whose tokens come through here to the edge's end
  readonly children: Map<number, Node>; // by first token
}

export interface PrefixMatch {
  readonly slot: number;
  readonly length: number;
}

/** Which slot holds the longest beginning of given tokens: a tree over token ids whose edges are runs of them. */
export class RadixTree {
  readonly #root: Node = newNode(new Int32Array(0));
  readonly #held = new Map<number, Int32Array>();

  /** What `slot` holds from now on, instead of what it held. */
  set(slot: number, tokens: Int32Array): void {
    this.remove(slot);
    if (tokens.length === 0) return;
    const copy = tokens.slice();
    this.#held.set(slot, copy);
    let node = this.#root;
    for (let at = 0; at < copy.length; ) {
      const child = node.children.get(copy[at]!);
      if (!child) {
        const leaf = newNode(copy.subarray(at));
        leaf.owners.add(slot);
        node.children.set(copy[at]!, leaf);
        return;
      }
      const common = commonLength(child.tokens, copy.subarray(at));
      node = common < child.tokens.length ? this.#divide(node, child, common) : child;
      node.owners.add(slot);
      at += common;
    }
  }

  remove(slot: number): void {
    const tokens = this.#held.get(slot);
    if (!tokens) return;
    this.#held.delete(slot);
    let node = this.#root;
    for (let at = 0; at < tokens.length; ) {
      const child = node.children.get(tokens[at]!)!;
      child.owners.delete(slot);
      if (child.owners.size === 0) {
        node.children.delete(tokens[at]!);
        return; // nobody below either
      }
      at += child.tokens.length;
      node = child;
    }
  }

  /** The slot, of those that will do, that holds the longest beginning of `tokens`. */
  longest(tokens: Int32Array, willDo: (slot: number, length: number) => boolean): PrefixMatch | undefined {
    const path: { readonly node: Node; readonly length: number }[] = [];
    let node = this.#root;
    for (let at = 0; at < tokens.length; ) {
      const child = node.children.get(tokens[at]!);
      if (!child) break;
      const common = commonLength(child.tokens, tokens.subarray(at));
      at += common;
      path.push({ node: child, length: at });
      if (common < child.tokens.length) break;
      node = child;
    }
    for (const {
      node: { owners },
      length,
    } of path.reverse())
      for (const slot of owners) if (willDo(slot, length)) return { slot, length };
    return undefined;
  }

  /** What a slot holds. */
  tokensOf(slot: number): Int32Array {
    return this.#held.get(slot) ?? new Int32Array(0);
  }

  #divide(parent: Node, child: Node, at: number): Node {
    const upper = newNode(child.tokens.subarray(0, at));
    for (const owner of child.owners) upper.owners.add(owner);
    parent.children.set(upper.tokens[0]!, upper);
    child.tokens = child.tokens.subarray(at);
    upper.children.set(child.tokens[0]!, child);
    return upper;
  }
}

function newNode(tokens: Int32Array): Node {
  return { tokens, owners: new Set(), children: new Map() };
}

/** How many tokens two lists have in common from their beginnings. */
export function commonLength(a: Int32Array, b: Int32Array): number {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a[n] === b[n]) n++;
  return n;
}
