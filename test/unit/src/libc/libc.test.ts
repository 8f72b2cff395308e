import assert from "node:assert/strict";
import { test } from "node:test";
import { structSizes } from "../../../../src/libc/libc.ts";

for (const [name, size] of Object.entries({
  sockaddr_ll: 20,
  packet_mreq: 16,
  sock_filter: 8,
  sock_fprog: 16,
  pollfd: 8,
} satisfies typeof structSizes)) {
  test(`struct ${name} has the size that the kernel gives it on 64-bit platforms`, () => {
    assert.equal(structSizes[name as keyof typeof structSizes], size);
  });
}
