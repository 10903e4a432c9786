// Numbers and times for people. What a vendor does not report is a dash, and never 0.
export const NOTHING = "–";
const MINUTE = 60_000;
const AGES = [[1, "min", 60], [60, "h", 48], [1440, "d", Infinity]];
const formats = new Map();

/** A number with its unit. */
export function quantity(value, unit, digits = 1) {
  return value === null || value === undefined ? NOTHING : `${number(value, digits)} ${unit}`;
}

/** A number with at most so many digits after the point. */
export function number(value, digits = 1) {
  if (!formats.has(digits)) {
    formats.set(digits, new Intl.NumberFormat("en", { maximumFractionDigits: digits }));
  }
  return formats.get(digits).format(value);
}

/** How many of a thing there are, such as "1 site" or "1,000 sites". */
export function count(amount, thing, things = `${thing}s`) {
  return `${number(amount, 0)} ${amount === 1 ? thing : things}`;
}

/** The age of an instant, such as "3 min ago". */
export function age(instant, now = Date.now()) {
  const minutes = Math.round((now - instant) / MINUTE);
  if (minutes < -1) return "in the future";
  if (minutes < 1) return "just now";
  const [size, unit] = AGES.find(([step, , limit]) => minutes < step * limit);
  return `${Math.floor(minutes / size)} ${unit} ago`;
}

/** An instant as the reader's clock shows it. */
export function clock(instant) {
  return new Date(instant).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

/** The reading of a site's clock, from a time with that clock's offset: "2026-06-01 14:15". */
export function wallClock(text) {
  return text.slice(0, 16).replace("T", " ");
}
