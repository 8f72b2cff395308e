import { InvalidArgumentError } from "commander";

/** A parser for commander: the regular expression that an option has as its text. */
export function parseRegularExpression(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new InvalidArgumentError(String(error));
  }
}
