/** Follows a JSON value a character at a time, as far as to know where it ends. */
export class JsonValue {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #first = "";

  /** True before anything has come. */
  get empty(): boolean {
    return this.#first === "";
  }

  /** True inside a string. */
  get inString(): boolean {
    return this.#inString;
  }

  /** True once a string, list or object is closed; of anything else only what follows says that it is over. */
  get whole(): boolean {
    return /["{[]/.test(this.#first) && !this.#inString && this.#depth === 0;
  }

  /** True where brackets are open. */
  get nested(): boolean {
    return this.#depth > 0;
  }

  push(char: string): void {
    if (this.#first === "") this.#first = char;
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (char === "\\") this.#escaped = true;
      else if (char === '"') this.#inString = false;
    } else if (char === '"') this.#inString = true;
    else if (char === "{" || char === "[") this.#depth++;
    else if (char === "}" || char === "]") this.#depth--;
  }
}
