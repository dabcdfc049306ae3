/** The cards and instances that people plan for. */
export const CARDS = ["standard", "pro", "ultra", "dl2q"] as const;
export type CardId = (typeof CARDS)[number];

/** One SoC of a card: what the vendor's architecture page says of it, per SoC. */
export interface Card {
  readonly title: string;
  /** SoCs that a card or instance has. */
  readonly socs: number;
  /** SoCs that share a model unless said otherwise: those of one card. */
  readonly shared: number;
  readonly cores: number;
  /** Gigabytes as memory is sold. */
  readonly memory: number;
  /** Bytes a second. */
  readonly bandwidth: number;
  /** Bytes on the chip, all cores' together. */
  readonly onChip: number;
  /** Floating point operations a second, in fp16. */
  readonly fp16: number;
}

const STANDARD: Card = {
  title: "Standard",
  socs: 1,
  shared: 1,
  cores: 14,
  memory: 16,
  bandwidth: 137e9,
  onChip: 126e6,
  fp16: 110e12,
};

export const CARD_FACTS: Readonly<Record<CardId, Card>> = {
  standard: STANDARD,
  pro: {
    title: "Pro",
    socs: 1,
    shared: 1,
    cores: 16,
    memory: 32,
    bandwidth: 137e9,
    onChip: 144e6,
    fp16: 125e12,
  },
  // Printed for the card; its four SoCs have a quarter each.
  ultra: {
    title: "Ultra",
    socs: 4,
    shared: 4,
    cores: 16,
    memory: 128 / 4,
    bandwidth: 548e9 / 4,
    onChip: 576e6 / 4,
    fp16: 290e12 / 4,
  },
  // An instance with eight Standard cards; a plan is for one of them, or for as many as --device-group names.
  dl2q: { ...STANDARD, title: "DL2q", socs: 8 },
};
