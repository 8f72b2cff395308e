import { test } from "node:test";
import { SpeakerFixture } from "../speaker-fixture.ts";

/** Runs the story with a fixture that is stopped afterwards. */
export function story(name: string, tell: (fixture: SpeakerFixture) => Promise<void>): void {
  test(name, async () => {
    const fixture = new SpeakerFixture();
    try {
      await tell(fixture);
    } finally {
      await fixture.stop().catch(() => undefined);
    }
  });
}

/** Lets time pass for the thread, too. */
export async function pass(fixture: SpeakerFixture, ms: number): Promise<void> {
  for (const endMs = fixture.clock.monotonicMs() + ms; fixture.clock.monotonicMs() < endMs; ) {
    await fixture.clock.advance(20);
    fixture.responder.turn();
    await fixture.settle();
  }
}
