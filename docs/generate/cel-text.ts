/**
 * A CEL expression that joins string literals and fields with `+`, such as a messageExpression, as text: `self` becomes `{value}`, and
 * `self.spec` becomes `{spec}`. Throws TypeError for any other expression.
 */
export function celText(expression: string): string {
  const part = /\s*(?:"((?:[^"\\]|\\.)*)"|([a-zA-Z][\w.]*))\s*(\+|$)/y;
  let text = "";
  while (part.lastIndex < expression.length) {
    const found = part.exec(expression);
    if (found === null) throw new TypeError(`this is more than literals and fields: ${expression}`);
    const [, literal, field] = found;
    text +=
      field === undefined ? (JSON.parse(`"${literal}"`) as string) : `{${field.replace(/^self(\.|$)/, "") || "value"}}`;
  }
  return text;
}
