import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ExternalIpCount } from "../../../../../controller/allocate/allocations/namespace-limits.ts";
import { formatAddress } from "../../../../../src/ip/address.ts";
import { address } from "../cases/allocation-case.ts";

const list = (...last: readonly number[]) => last.map((number) => address(`192.0.2.${number}`));
const texts = (changed: ReturnType<ExternalIpCount["set"]>) =>
  [...changed].map(([key, { counted }]) => `${key} ${counted.map(formatAddress).join(" ")}`.trim());

describe("addresses in spec.externalIPs that count for one namespace", () => {
  test("are the first that are listed", () => {
    const count = new ExternalIpCount(3);
    assert.deepEqual(texts(count.set("shop/a", list(1, 2))), ["shop/a 192.0.2.1 192.0.2.2"]);
    assert.deepEqual(texts(count.set("shop/b", list(3, 4, 1))), ["shop/b 192.0.2.3 192.0.2.1"]);
    assert.deepEqual(texts(count.set("blog/a", list(5))), ["blog/a 192.0.2.5"], "another namespace has its own count");
  });

  test("leave the others over the limit, until there is room", () => {
    const count = new ExternalIpCount(2);
    const over = (changed: ReturnType<ExternalIpCount["set"]>) =>
      [...changed].map(([key, { uncounted }]) => `${key} ${uncounted.map(formatAddress).join(" ")}`.trim());
    assert.deepEqual(over(count.set("shop/a", list(1, 2, 3))), ["shop/a 192.0.2.3"]);
    assert.deepEqual(over(count.set("shop/b", list(4))), ["shop/b 192.0.2.4"]);
    assert.deepEqual(over(count.set("shop/a", list(2))), ["shop/a", "shop/b"]);
  });

  test("make room for others when they are gone", () => {
    const count = new ExternalIpCount(2);
    count.set("shop/a", list(1, 2));
    count.set("shop/b", list(3));
    count.set("shop/c", list(4));
    assert.deepEqual(texts(count.set("shop/a", list(2))), ["shop/a 192.0.2.2", "shop/b 192.0.2.3"]);
    assert.deepEqual(texts(count.set("shop/b", [])), ["shop/b", "shop/c 192.0.2.4"]);
    assert.deepEqual(texts(count.set("shop/d", list(2, 4, 5))), ["shop/d 192.0.2.2 192.0.2.4"]);
  });

  test("leave nothing behind", () => {
    const count = new ExternalIpCount(1);
    for (const number of [1, 2, 3]) count.set(`shop/s${number}`, list(number));
    for (const number of [1, 2, 3]) count.set(`shop/s${number}`, []);
    assert.deepEqual(texts(count.set("shop/new", list(9))), ["shop/new 192.0.2.9"]);
  });
});
