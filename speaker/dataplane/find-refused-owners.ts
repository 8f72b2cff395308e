import { faultyKeys, type Nft, type NftFault, refusalOf } from "../../src/nft/nft.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import { ElementIndex } from "./element-index.ts";
import { findRefused } from "./find-refused.ts";
import { hasKeyAmong } from "./kept-element.ts";
import { probeElements } from "./probe-table.ts";

/**
 * The suspects whose elements the kernel refuses: those that the faults name, otherwise those that a search finds. Tries elements in the probe
 * table. Throws BellhopError where the outcome of a try is unknown.
 */
export async function findRefusedOwners(
  nft: Nft,
  family: NftIpFamily,
  index: ElementIndex,
  suspects: readonly string[],
  faults: readonly NftFault[],
): Promise<readonly string[]> {
  const keys = faultyKeys(faults);
  const hasKey = (owner: string): boolean => index.keptOf(owner).some((element) => hasKeyAmong(element, keys));
  const accepts = async (owners: readonly string[]): Promise<boolean> => {
    const tried = new ElementIndex();
    for (const owner of owners) tried.set(owner, index.elementsOf(owner));
    try {
      await probeElements(nft, family, tried);
      return true;
    } catch (error) {
      if (refusalOf(error) === undefined) throw error;
      return false;
    }
  };
  // Where the sets alone are refused, no owner is at fault.
  if (!(await accepts([]))) return [];
  const found = keys.size === 0 ? [] : await findRefused(suspects.filter(hasKey), accepts);
  return found.length > 0 ? found : findRefused(suspects, accepts);
}
