import { Argument, Command, InvalidArgumentError } from "commander";
import type { IpAddress } from "../ip/address.ts";
import { defaultClassOption, parseAddressArgument } from "./options.ts";
import {
  addClusterOptions,
  asController,
  type ClusterCommandOptions,
  printAnswer,
  withCluster,
} from "./with-cluster.ts";

/** `bellhop explain`: why a Service or an address is in its state. Writes nothing; every answer ends with one conclusion. */
export function explainCommand(): Command {
  return new Command("explain")
    .description("explain why a Service is served or not, or which Service has an address; changes nothing")
    .addCommand(explainServiceCommand())
    .addCommand(explainAddressCommand());
}

function explainServiceCommand(): Command {
  const command = new Command("service")
    .description("explain why a Service is served or not; exit code 0: served, 1: not served, 2: error")
    .addArgument(new Argument("<service>", "NAMESPACE/NAME, or NAME with --namespace").argParser(parseServiceName))
    .option("-n, --namespace <name>", "namespace of the Service, if the argument is only its NAME", "default")
    .addOption(asController(defaultClassOption()));
  return addClusterOptions(command).action(
    async ([namespace = "", name]: readonly [string | undefined, string], options: ClusterCommandOptions) => {
      const { loadServiceInput } = await import("../../controller/collect/load-inputs.ts");
      const { explainService } = await import("../../controller/explain/service/explain.ts");
      const { renderService } = await import("./text/service.ts");
      const service = { namespace: namespace === "" ? (options.namespace ?? "") : namespace, name };
      const explanation = await withCluster(options, async (access) =>
        explainService(await loadServiceInput({ ...access, service })),
      );
      printAnswer(options, explanation, renderService);
      process.exitCode = explanation.served ? 0 : 1;
    },
  );
}

function parseServiceName(text: string): readonly [string | undefined, string] {
  const parts = text.split("/");
  const [first = "", second] = parts;
  if (parts.length > 2 || parts.includes("")) throw new InvalidArgumentError("Write NAMESPACE/NAME or NAME.");
  return second === undefined ? [undefined, first] : [first, second];
}

function explainAddressCommand(): Command {
  const command = new Command("address")
    .description("explain which Service has an address, or why none can have it; exit code 0: explained, 2: error")
    .addArgument(new Argument("<address>", "192.0.2.7 or 2001:db8::7").argParser(parseAddressArgument));
  return addClusterOptions(command).action(async (address: IpAddress, options: ClusterCommandOptions) => {
    const { loadAddressInput } = await import("../../controller/collect/load-inputs.ts");
    const { explainAddress } = await import("../../controller/explain/address/explain.ts");
    const { renderAddress } = await import("./text/address.ts");
    const explanation = await withCluster(options, async (access) =>
      explainAddress(await loadAddressInput(access, address)),
    );
    printAnswer(options, explanation, renderAddress);
  });
}
