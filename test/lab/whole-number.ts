import { InvalidArgumentError } from "commander";

/** Which whole numbers are allowed, both ends included. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The whole number that an option, an argument or a variable of the environment has as its text: digits and nothing else. Number() would make NaN of
 * a typing error, which measures nothing or goes on for ever. Throws InvalidArgumentError, one line with the name, the text and what is allowed.
 */
export function wholeNumber(name: string, text: string, range: NumberRange): number {
  const number = parse(text, range);
  if (number !== undefined) return number;
  throw new InvalidArgumentError(`${name} is ${JSON.stringify(text)}: write ${describe(range)}`);
}

/** The same as a parser for commander, which tells the name and the text itself. */
export function wholeNumberParser(range: NumberRange): (text: string) => number {
  return (text) => {
    const number = parse(text, range);
    if (number !== undefined) return number;
    throw new InvalidArgumentError(`Write ${describe(range)}.`);
  };
}

function parse(text: string, { from, to }: NumberRange): number | undefined {
  if (!/^\d{1,15}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= from && number <= to ? number : undefined;
}

function describe({ from, to }: NumberRange): string {
  return `a whole number from ${from} to ${to}`;
}
