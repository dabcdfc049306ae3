/** What the device keeps from call to call: never taken from it, and given to it only where it is to hold something else. */
export const RETAINED: RegExp =
  /^past_(?:key|value)\.\d+$|^past_\w+_penalty_buffer$|^attention_mask$|_(?:Internal)?RetainedState$/;
