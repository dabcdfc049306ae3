/** Folders of an absolute path; what follows a host's or another folder's name is none. */
const FOLDERS = /(?<![\w:/.~-])\/(?:[^\s/:'"]+\/)+/g;

/**
 * A line without where things lie on this machine: the places of one thing go by its name, and of other absolute paths only the last
 * part is told.
 */
export function withoutPlaces(line: string, places: readonly string[], name: string): string {
  const folders = places.map((place) => place.replace(/\/+$/, "")).filter((place) => place.includes("/"));
  const named = folders
    .toSorted((a, b) => b.length - a.length)
    .reduce((text, folder) => text.replaceAll(folder, () => name), line);
  return named.replaceAll(FOLDERS, "");
}
