import { type Data, numberData, printData, printPart } from "./data.ts";
import type { DataType } from "./data-type.ts";
import { type Expression, typeOf } from "./expression.ts";
import { type NftElement, type NftSet, printElementData, printKey } from "./set.ts";
import type { MatchOperator, NftRule, Statement } from "./statement.ts";
import type { BaseChain, NftCommand, NftTransaction } from "./transaction.ts";
import { printVerdict } from "./verdict.ts";

/** How many elements go into one command; nft's time and memory grow more than linearly beyond some thousands. */
const elementsPerCommand = 2000;

/** The text for `nft -f`, version 1.0.6 and later: for people, for tests, and for the program. */
export function printTransaction({ commands }: NftTransaction): string {
  return commands
    .flatMap(printCommand)
    .map((line) => `${line}\n`)
    .join("");
}

function printCommand(command: NftCommand): readonly string[] {
  const table = `${command.table.family} ${command.table.name}`;
  switch (command.kind) {
    case "addTable":
      return [`add table ${table}`];
    case "deleteTable":
      return [`delete table ${table}`];
    case "addChain":
      return [`add chain ${table} ${command.chain}${printBase(command.base)}`];
    case "addRule":
      return [`add rule ${table} ${command.chain} ${printRule(command.rule)}`];
    case "addSet": {
      const { set } = command;
      return [`add ${set.data === undefined ? "set" : "map"} ${table} ${set.name} { ${printDeclaration(set)} }`];
    }
    case "addElements":
    case "deleteElements": {
      const { set, elements } = command;
      const [verb, print] =
        command.kind === "addElements" ? (["add", printElement] as const) : (["delete", printKey] as const);
      const texts = Array.from(elements, (element) => print(set, element));
      return inBatches(texts).map((batch) => `${verb} element ${table} ${set.name} { ${batch} }`);
    }
  }
}

function inBatches(texts: readonly string[]): readonly string[] {
  const batches: string[] = [];
  for (let start = 0; start < texts.length; start += elementsPerCommand) {
    batches.push(texts.slice(start, start + elementsPerCommand).join(", "));
  }
  return batches;
}

function printBase(base: BaseChain | undefined): string {
  if (base === undefined) return "";
  const { type, hook, priority, devices } = base;
  return ` { type ${type} hook ${hook}${printDevices(devices ?? [])} priority ${priority}; policy accept; }`;
}

function printDevices(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  if (quoted.length === 0) return "";
  return quoted.length === 1 ? ` device ${quoted.join()}` : ` devices = { ${quoted.join(", ")} }`;
}

/** What is between the braces of a declaration. */
function printDeclaration(set: NftSet): string {
  const key = (set.typeof?.key ?? set.key).join(" . ");
  const data = set.data === "verdict" ? "verdict" : (set.typeof?.data ?? set.data)?.join(" . ");
  const flags = [set.interval && "interval", set.dynamic && "dynamic", set.timeoutMs !== undefined && "timeout"];
  const named = flags.filter((flag) => typeof flag === "string");
  const parts = [
    `${set.typeof === undefined ? "type" : "typeof"} ${data === undefined ? key : `${key} : ${data}`}`,
    ...(named.length === 0 ? [] : [`flags ${named.join(",")}`]),
    ...(set.timeoutMs === undefined ? [] : [`timeout ${printTime(set.timeoutMs)}`]),
    ...(set.size === undefined ? [] : [`size ${set.size}`]),
    ...(set.comment === undefined ? [] : [`comment "${set.comment}"`]),
  ];
  return parts.map((part) => `${part};`).join(" ");
}

/** Whole milliseconds, as nft takes them. */
function printTime(timeMs: number): string {
  return timeMs % 1000 === 0 ? `${timeMs / 1000}s` : `${timeMs}ms`;
}

function printElement(set: NftSet, element: NftElement): string {
  const { data, timeoutMs } = element;
  const timeout = timeoutMs === undefined ? "" : ` timeout ${printTime(timeoutMs)}`;
  return `${printKey(set, element)}${timeout}${data === undefined ? "" : ` : ${printElementData(set, element)}`}`;
}

/** The statements of a rule in one line. */
function printRule(rule: NftRule): string {
  return rule.map(printStatement).join(" ");
}

function printStatement(statement: Statement): string {
  switch (statement.kind) {
    case "match":
      return printMatch(statement.left, statement.operator, statement.right);
    case "lookup":
      return `${printKeyOf(statement.key)} ${statement.operator === "in" ? "" : "!= "}@${statement.set.name}`;
    case "vmap":
      return `${printKeyOf(statement.key)} vmap @${statement.map.name}`;
    case "set":
      return `${statement.field} set ${printExpression(statement.to)}`;
    case "dnat": {
      const to = printExpression(statement.to);
      if (statement.port === undefined) return `dnat to ${to}`;
      return `dnat to ${to.includes(":") ? `[${to}]` : to}:${printExpression(statement.port)}`;
    }
    case "masquerade":
      return statement.fullyRandom ? "masquerade fully-random" : "masquerade";
    case "reject":
      return statement.with === "tcp reset" ? "reject with tcp reset" : "reject";
    case "update":
    case "delete": {
      const { kind, key, data, set } = statement;
      const timeoutMs = statement.kind === "update" ? statement.timeoutMs : undefined;
      const timeout = timeoutMs === undefined ? "" : ` timeout ${printTime(timeoutMs)}`;
      return `${kind} @${set.name} { ${printKeyOf(key)}${timeout}${data === undefined ? "" : ` : ${printKeyOf(data)}`} }`;
    }
    case "fwd":
      return `fwd to "${statement.device.name}"`;
    case "dup":
      return statement.to === undefined
        ? `dup to "${statement.device.name}"`
        : `dup to ${printExpression(statement.to)} device "${statement.device.name}"`;
    case "verdict":
      return printVerdict(statement.verdict);
    case "notrack":
    case "counter":
      return statement.kind;
  }
}

function printMatch(left: Expression, operator: MatchOperator, right: Data): string {
  const type = typeOf(left);
  const value = printPart(type, right);
  if (operator === "any") {
    // `ct state new,invalid`: of flags, a list means that one of them is set.
    return namesBits(type)
      ? `${printExpression(left)} ${value.replaceAll("|", ",")}`
      : `${printExpression(left)} & ${value} != 0`;
  }
  return `${printExpression(left)} ${operator} ${value.includes("|") ? `(${value})` : value}`;
}

function namesBits(type: DataType): boolean {
  return type === "ct_state" || type === "ct_status";
}

function printKeyOf(key: readonly Expression[]): string {
  return key.map(printExpression).join(" . ");
}

/** One expression in nft's language. */
function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "field":
      return expression.name;
    case "constant":
      return printData([expression.type], expression.data);
    case "bitwise": {
      const bits = printPart(typeOf(expression.of), numberData(typeOf(expression.of), expression.bits));
      return `${printExpression(expression.of)} ${expression.operator} ${bits.includes("|") ? `(${bits})` : bits}`;
    }
    case "numgen":
      return `numgen random mod ${expression.modulus}`;
    case "jhash": {
      const { of, modulus, seed, offset } = expression;
      const start = offset === undefined ? "" : ` offset ${offset}`;
      return `jhash ${printKeyOf(of)} mod ${modulus} seed 0x${seed.toString(16)}${start}`;
    }
    case "map":
      return `${printKeyOf(expression.key)} map @${expression.map.name}`;
  }
}
