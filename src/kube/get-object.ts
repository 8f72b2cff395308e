import { isNotFound } from "./api-error.ts";
import type { ApiClient, ApiRequest } from "./client.ts";

/** Reads one object. Undefined: it does not exist. Throws what the client throws for every other reason. */
export async function getObject(
  client: ApiClient,
  path: string,
  options: Pick<ApiRequest, "timeoutMs"> = {},
): Promise<unknown> {
  try {
    return (await client.request({ method: "GET", path, ...options })).body;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
