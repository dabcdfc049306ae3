/** What tokens of a row were said before: kept on the card from call to call, one flag for each token of the vocabulary. */
export const REPETITION_BUFFER = "past_repetition_penalty_buffer";
export const PRESENCE_BUFFER = "past_presence_penalty_buffer";

/** Tokens, in a call that decodes, that count as said; in a prompt's call it is not read. */
export const ACCEPTED = "last_accepted_output_tokens";

/** How each row's token is chosen, (batch_size, 1), and its share of randomness, (batch_size, most candidates). */
export const REPETITION_PENALTIES = "repetition_penalties";
export const PRESENCE_PENALTIES = "presence_penalties";
export const TEMPERATURES = "temperatures";
export const TOP_KS = "top_ks";
export const TOP_PS = "top_ps";
export const MIN_PS = "min_ps";
export const RANDOM_NUMBERS = "random_numbers";

/** Which tokens are allowed, (batch_size, vocabulary); only where the model was made for guided text. */
export const TOKEN_BITMASKS = "token_bitmasks";

/** What comes out in place of logits: int64 (batch_size, 1, 1). */
export const NEXT_TOKENS = "next_tokens";

/** How many of the best tokens are chosen among, unless that is said otherwise. */
export const MOST_CANDIDATES = 512;
