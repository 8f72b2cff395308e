import { InvalidArgumentError } from "commander";

/** The comment in the source of a bench that says how it is run, as text. Undefined: there is none. */
export function usageIn(source: string): string | undefined {
  const comments = source.match(/^\/\*\*[\s\S]*?\*\/$/gm) ?? [];
  const comment = comments.find((text) => text.includes("npm run bench -- "));
  return comment
    ?.slice("/**".length, -"*/".length)
    .replace(/^ \* ?/gm, "")
    .trim();
}

/** What parseArgs or the bench says about a mistake in the command line, in one line. Undefined: the error is another one. */
export function mistakeIn(error: unknown): string | undefined {
  if (error instanceof InvalidArgumentError) return error.message;
  const isMistake = error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
  return isMistake ? error.message.split(/\.\s/, 1)[0] : undefined;
}
