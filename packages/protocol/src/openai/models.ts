/** What `/v1/models` says of one model; what OpenAI's clients don't know stands behind what they do. */
export interface Model {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: string;
  /** Of an adapter: the model that it changes. */
  readonly parent?: string;
  /** Prompt and answer together. */
  readonly context_length?: number;
  /** Where the chat template comes from; `plain` is no template of the model's own. */
  readonly chat_template?: "checkpoint" | "family" | "plain";
  readonly loaded: boolean;
}

export const modelList = (models: readonly Model[]): { readonly object: "list"; readonly data: readonly Model[] } => ({
  object: "list",
  data: models,
});
