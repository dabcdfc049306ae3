const MARKER = Symbol.for("@llm/models.error");
/** A config that no graph can be made of. The message is one line: what is wrong and what to do. */
export class ModelError extends Error {
    code;
    [MARKER] = true;
    constructor(code, message) {
        super(message);
        this.name = "ModelError";
        this.code = code;
    }
    /** Works across copies of this package. */
    static isInstance(error) {
        return typeof error === "object" && error !== null && MARKER in error;
    }
}
//# sourceMappingURL=error.js.map