import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Schedule } from "../../../../speaker/responder/schedule.ts";

test("a schedule gives things out in the order of their times, and none before", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1000 })), fc.nat({ max: 1000 }), (times, now) => {
      const schedule = new Schedule<number>();
      for (const time of times) schedule.add(time, time);
      const taken: number[] = [];
      for (let item = schedule.takeDue(now); item !== undefined; item = schedule.takeDue(now)) taken.push(item);
      assert.deepEqual(
        taken,
        times.filter((time) => time <= now).sort((left, right) => left - right),
      );
      assert.equal(schedule.size, times.length - taken.length);
    }),
  );
});
