import { z } from "zod";
import type { ControllerSettings } from "./controller-settings.ts";

/** Settings that decide what the controller does with a Service, as others can read them; missing ones are as by default. */
const publishedSettingsSchema = z.object({
  defaultClass: z.boolean().optional(),
  metallb: z.boolean().optional(),
  metallbNamespace: z.string().min(1).optional(),
  metallbClass: z.string().min(1).optional(),
  ignoreExcludeLabel: z.boolean().optional(),
  maxHoldsPerNamespace: z.int().min(0).optional(),
  maxExternalIpsPerNamespace: z.int().min(0).optional(),
});
export type PublishedSettings = z.infer<typeof publishedSettingsSchema>;

/** The text of the annotation. */
export function formatPublishedSettings(settings: ControllerSettings): string {
  return JSON.stringify(publishedSettingsSchema.parse(settings));
}

/** Returns undefined for a text that this version does not understand. */
export function parsePublishedSettings(text: string | undefined): PublishedSettings | undefined {
  try {
    return publishedSettingsSchema.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}
