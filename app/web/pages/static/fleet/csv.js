// Comma-separated values (RFC 4180) that a spreadsheet does not take for formulas.
import { cleaned } from "./text.js";

// Also behind a semicolon, which separates cells where the comma is a decimal sign.
const FORMULA = /(^|;\s*)(?=[=+\-@＝＋－＠])/gu;
const SPECIAL = /[",\r\n]/;
// So that spreadsheets read the file as UTF-8.
const BYTE_ORDER_MARK = "\ufeff";

/** Rows of numbers, texts and nulls as one text. Null is an empty cell, and never 0. */
export function csv(head, rows) {
  return BYTE_ORDER_MARK + [head, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = cleaned(value).replace(FORMULA, "$1'");
  return SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
