import { BatchWriter, type NetfilterBatch } from "../../netlink/batch-writer.ts";
import type { MessageWriter } from "../../netlink/message-writer.ts";
import { netfilterFamilies, netfilterSubsystems } from "../../netlink/netfilter.ts";
import { withDependencies } from "../dependencies.ts";
import type { NftRule } from "../statement.ts";
import type { BaseChain, NftCommand, NftFamily, NftTransaction } from "../transaction.ts";
import {
  chainAttributes,
  createFlags,
  hookAttributes,
  hookNumbers,
  messages,
  ruleAttributes,
  setAttributes,
  tableAttributes,
  verdictCodes,
} from "./attributes.ts";
import { writeElements } from "./elements.ts";
import { ExpressionWriter } from "./expression-writer.ts";
import { writeSet } from "./set.ts";
import { writeStatement } from "./statement.ts";

/** The transaction as messages of nf_tables. Pure. Many elements of one command become several messages. */
export function encodeTransaction({ commands }: NftTransaction): NetfilterBatch {
  const batch = new BatchWriter(netfilterSubsystems.nftables);
  let sets = 0;
  for (const command of commands) {
    if (command.kind === "addSet") sets += 1;
    writeCommand(batch, command, sets);
  }
  return batch.finish();
}

function writeCommand(batch: BatchWriter, command: NftCommand, setId: number): void {
  const { family, name } = command.table;
  const table = `${family} ${name}`;
  const write = (words: string, message: number, flags: number, attributes: (writer: MessageWriter) => void) => {
    const start = batch.beginCommand(words, message, netfilterFamilies[family], flags);
    attributes(batch.attributes);
    batch.endCommand(start);
  };
  switch (command.kind) {
    case "addTable":
      write(`add table ${table}`, messages.newTable, createFlags.create, (writer) => {
        writer.text(tableAttributes.name, name);
        writer.u32Be(tableAttributes.flags, 0);
      });
      break;
    case "deleteTable":
      write(`delete table ${table}`, messages.deleteTable, 0, (writer) => writer.text(tableAttributes.name, name));
      break;
    case "addChain":
      write(`add chain ${table} ${command.chain}`, messages.newChain, createFlags.create, (writer) => {
        writer.text(chainAttributes.table, name);
        writer.text(chainAttributes.name, command.chain);
        if (command.base !== undefined) writeBase(writer, command.base);
      });
      break;
    case "addRule": {
      const flags = createFlags.create | createFlags.append;
      write(`add rule ${table} ${command.chain}`, messages.newRule, flags, (writer) => {
        writer.text(ruleAttributes.table, name);
        writer.text(ruleAttributes.chain, command.chain);
        writeRule(writer, family, command.rule);
      });
      break;
    }
    case "addSet":
      write(`add set ${table} ${command.set.name}`, messages.newSet, createFlags.create, (writer) => {
        writer.text(setAttributes.table, name);
        writer.text(setAttributes.name, command.set.name);
        writeSet(writer, command.set, setId);
      });
      break;
    case "addElements":
      writeElements(batch, "add", command.table, command.set, command.elements);
      break;
    case "deleteElements":
      writeElements(batch, "delete", command.table, command.set, command.elements);
  }
}

function writeBase(writer: MessageWriter, { type, hook, priority, devices }: BaseChain): void {
  const start = writer.beginNested(chainAttributes.hook);
  writer.u32Be(hookAttributes.number, hookNumbers[hook]);
  writer.i32Be(hookAttributes.priority, priority);
  writeDevices(writer, devices ?? []);
  writer.endNested(start);
  writer.u32Be(chainAttributes.policy, verdictCodes.accept);
  writer.text(chainAttributes.type, type);
}

/** One device has an attribute of its own, which is older than the list. */
function writeDevices(writer: MessageWriter, devices: readonly string[]): void {
  const [first] = devices;
  if (first === undefined) return;
  if (devices.length === 1) {
    writer.text(hookAttributes.device, first);
    return;
  }
  const list = writer.beginNested(hookAttributes.devices);
  for (const device of devices) writer.text(hookAttributes.deviceName, device);
  writer.endNested(list);
}

function writeRule(writer: MessageWriter, family: NftFamily, rule: NftRule): void {
  const list = writer.beginNested(ruleAttributes.expressions);
  const expressions = new ExpressionWriter(writer);
  for (const statement of withDependencies(family, rule)) writeStatement(expressions, family, statement);
  writer.endNested(list);
}
