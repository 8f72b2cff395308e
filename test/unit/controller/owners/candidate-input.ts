import { speakerSchema } from "../../../../src/api/speaker.ts";

/** What a speaker says of its node: its interfaces, by name, with their addresses. */
export function speaker(name: string, interfaces: Record<string, string[]>, up = true) {
  const list = Object.entries(interfaces).map(([key, addresses]) => ({
    name: key,
    mac: "02:00:00:00:00:01",
    up,
    addresses,
  }));
  return speakerSchema.parse({ metadata: { name }, status: { interfaces: list } });
}

/** What these tests need not say: no advertisement is refused, and no Service has labels. */
export const rest = { refusedAdvertisements: [], serviceLabels: () => undefined };
