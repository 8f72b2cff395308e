import type { Lan } from "./lan.ts";

/** What each connection and each flow of a client heard, or what went wrong. */
export interface Answers {
  readonly tcp: readonly string[];
  readonly udp: readonly string[];
}

/** Runs `talking-client.ts` on the client of the LAN while it is used. `say` sends it a line. */
export async function withTalkingClient(
  lan: Lan,
  address: string,
  use: (say: (line: string) => Promise<Answers>) => Promise<void>,
): Promise<void> {
  const program = await lan.start(lan.client, "talking-client.ts", [address]);
  try {
    await use(async (line) => JSON.parse(await program.say(line)) as Answers);
  } finally {
    program.kill();
  }
}
