export * from "./artefact.ts";
export * from "./options.ts";
export * from "./plan.ts";
export * from "./runner.ts";
export * from "./session.ts";
export * from "./target.ts";
