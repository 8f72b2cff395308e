import type { Api, ApiObject } from "./api.ts";

/** The VirtualIP of an address; undefined where there is none. */
export async function findVirtualIp(api: Api, address: string): Promise<ApiObject | undefined> {
  const all = await api.list("bellhop.dev/v1beta1", "VirtualIP");
  return all.find(({ spec }) => spec.address === address);
}
