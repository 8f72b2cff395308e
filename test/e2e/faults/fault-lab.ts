import type { Api } from "../api.ts";
import type { ControllerProcess, ControllerProcessOptions } from "./controller-process.ts";
import type { RecordedServices } from "./recorded-services.ts";
import type { FaultTable } from "./table.ts";

/** What each scenario works with. It leaves the bystanders, no other Service and no controller. */
export interface FaultLab {
  readonly api: Api;
  readonly services: RecordedServices;
  readonly table: FaultTable;
  /** Services that no fault concerns. */
  readonly bystanders: readonly string[];
  start(options?: ControllerProcessOptions): Promise<ControllerProcess>;
  stop(controller: ControllerProcess): Promise<void>;
}
