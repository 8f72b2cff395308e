import type { MembershipInputs } from "../../../../speaker/membership/inputs.ts";

/** A membership that decides nothing and records what it was called with, as `["setStake", stake]`. */
export function fakeMembership(): MembershipInputs & { readonly calls: readonly (readonly unknown[])[] } {
  const calls: (readonly unknown[])[] = [];
  const record =
    (name: keyof MembershipInputs) =>
    (...values: readonly unknown[]): void => {
      calls.push([name, ...values]);
    };
  return {
    calls,
    setPeers: record("setPeers"),
    setStake: record("setStake"),
    removeStake: record("removeStake"),
    setHealth: record("setHealth"),
    receive: record("receive"),
    lanHeard: record("lanHeard"),
    gatewayAnswered: record("gatewayAnswered"),
    nodeAnswered: record("nodeAnswered"),
    leave: record("leave"),
    advance: record("advance"),
  };
}
