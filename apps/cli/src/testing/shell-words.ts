/** What stands for something else in a line that people read: `llm compile MODEL …`. */
const ELLIPSIS = "…";

/** The `llm` commands among a shell's lines, each as its arguments. Pipes, files that are written to and comments are left out. */
export function llmCommands(text: string): readonly (readonly string[])[] {
  return commandsOf(text).flatMap((words) => {
    const at = words.indexOf("llm");
    return at === -1 ? [] : [words.slice(at + 1)];
  });
}

/** Commands as a shell reads them: enough of its rules for what our pages show. */
function commandsOf(text: string): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  let skipNext = false;
  for (const token of text.replaceAll("\\\n", " ").matchAll(TOKEN)) {
    const { comment, operator, file } = token.groups!;
    if (comment !== undefined) continue;
    if (operator !== undefined) commands.push([]);
    else if (file !== undefined) skipNext = true;
    else if (skipNext) skipNext = false;
    else if (token[0] !== ELLIPSIS) commands.at(-1)!.push(unquoted(token[0]));
  }
  return commands.filter((words) => words.length > 0);
}

/** A word may be made of quoted and bare parts. */
const TOKEN =
  /(?<comment>(?<=^|\s)#[^\n]*)|(?<operator>\n|\|\|?|&&?|;)|(?<file>[<>]+)|(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s|&;<>"'\\])+/gs;

function unquoted(word: string): string {
  return word.replaceAll(
    /"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/gs,
    (_, double?: string, single?: string, escaped?: string) =>
      double === undefined ? (single ?? escaped ?? "") : double.replaceAll(/\\(.)/gs, "$1"),
  );
}
