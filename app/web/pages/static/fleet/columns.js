// The columns of the list: what each shows, and how it sorts.
import { foreign, h } from "./dom.js";
import { State } from "./fleet.js";
import { NOTHING, age, clock, quantity } from "./format.js";
import { explainErrors, explainProblem } from "./words.js";
import { cleaned } from "./text.js";

// Values older than this are marked; with 30 minutes the API itself leaves powers out.
const OLD = 60 * 60_000;

/** The class of a column's cells. */
export function classOf(column) {
  return `column-${column.key}${column.number ? " number" : ""}`;
}

/** The reasons why a site's values are missing or incomplete. */
export function problemsOf(site) {
  if (site.problem) return [explainProblem(site.problem)];
  return site.detail ? explainErrors(site.detail) : [];
}

/** Each column: its name, the value by which it sorts (null: none), and its cell. */
export const COLUMNS = [
  {
    key: "name", title: "Site", sort: (site) => cleaned(site.detail?.name ?? "").toLowerCase() || null,
    cell: (site) => [
      h("a", { href: `#/sites/${encodeURIComponent(site.id)}` }, site.detail?.name ? foreign(site.detail.name) : h("code", {}, site.id)),
      // What narrow windows have no columns for.
      h("span", { class: "second" }, site.detail && foreign(site.detail.vendor), site.detail && " · ", freshness(site) ?? stateOf(site), " ", problemsOf(site).length > 0 && problemsCell(site)),
    ],
  },
  { key: "vendor", title: "Vendor", sort: (site) => site.detail?.vendor ?? null, cell: (site) => (site.detail ? foreign(site.detail.vendor) : "") },
  { key: "power", title: "Power now", number: true, sort: (site) => site.detail?.powerKw ?? null, cell: (site) => shown(site, quantity(site.detail?.powerKw, "kW")) },
  { key: "charge", title: "Charge", number: true, sort: charge, cell: (site) => shown(site, chargeCell(site)) },
  { key: "freshness", title: "Measured", sort: (site) => (site.detail?.measuredAt ? -Date.parse(site.detail.measuredAt) : null), cell: (site) => freshness(site) ?? stateOf(site) },
  { key: "problems", title: "Problems", sort: (site) => (site.detail || site.problem ? -problemsOf(site).length : null), cell: problemsCell },
];

/** The state of charge of a site's batteries. */
export function charge(site) {
  return site.detail?.bess?.stateOfChargePercent ?? null;
}

function chargeCell(site) {
  const percent = charge(site);
  if (percent === null) return NOTHING;
  return [h("meter", { min: 0, max: 100, value: percent, "aria-hidden": "true" }), " ", quantity(percent, "%", 0)];
}

/** Nothing at all for a site that was not read: a dash means that its vendor does not report the value. */
function shown(site, value) {
  return site.detail ? value : "";
}

function stateOf(site) {
  if (site.state === State.WAITING) return h("span", { class: "muted" }, "reading …");
  if (site.state === State.UNREAD) return h("span", { class: "muted" }, "not read");
  return site.state === State.FAILED ? h("span", { class: "muted" }, "could not be read") : NOTHING;
}

function freshness(site) {
  if (!site.detail?.measuredAt) return null;
  const at = Date.parse(site.detail.measuredAt);
  return h("time", { datetime: site.detail.measuredAt, title: clock(at), class: Date.now() - at > OLD ? "old" : null }, age(at));
}

function problemsCell(site) {
  const problems = problemsOf(site);
  if (problems.length === 0) return site.detail ? h("span", { class: "muted none" }, "none") : "";
  const more = problems.length > 1 ? ` and ${problems.length - 1} more` : "";
  return h("span", { class: "badge bad", title: problems.map((problem) => `${problem.headline}. ${problem.action}`).join("\n") }, `${problems[0].headline}${more}`);
}

/** Sites in the order of a column. What has no value comes after what has, and what was not read is last. */
export function sorted(sites, column, descending) {
  const rank = (site) => (site.detail ? (column.sort(site) === null ? 1 : 0) : site.state === State.FAILED ? 2 : 3);
  return [...sites].sort((one, other) => {
    const ranks = rank(one) - rank(other);
    if (ranks !== 0 || rank(one) > 0) return ranks || one.place - other.place;
    const [a, b] = [column.sort(one), column.sort(other)];
    const order = typeof a === "string" ? a.localeCompare(b) : a - b;
    return (descending ? -order : order) || one.place - other.place;
  });
}

/** Whether a site contains the words of a search in what is known of it. */
export function matches(site, words) {
  const text = cleaned([site.id, site.detail?.name, site.detail?.vendor, site.detail?.vendorID].join(" ")).toLowerCase();
  return words.every((word) => text.includes(word));
}
