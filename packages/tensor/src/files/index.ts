export { makeFolder } from "./make-folder.ts";
export { isAlive, processIdentity } from "./process-identity.ts";
