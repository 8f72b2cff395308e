import { z } from "zod";
import { BellhopError } from "../error/error.ts";

/** Checks settings from the command line; throws ConfigurationInvalid that names every wrong one. */
export function parseSettings<Schema extends z.ZodType>(schema: Schema, raw: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new BellhopError("ConfigurationInvalid", `settings that cannot be used:\n${z.prettifyError(parsed.error)}`);
}
