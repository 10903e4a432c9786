// A card with a plot, the choice of its period, and the same values as a table and as CSV.
import { csv } from "./csv.js";
import { announce, download, h, whenInView } from "./dom.js";
import { number, wallClock } from "./format.js";
import { panel, panelOf } from "./panels.js";
import { Period, hasBegun, today } from "./periods.js";
import { Plot } from "./plot.js";
import { Problem } from "./requests.js";
import { columnsOf, describe } from "./series_kinds.js";
import { cleaned } from "./text.js";
import { explainErrors, explainProblem } from "./words.js";

const UNITS = { day: "Day", month: "Month", year: "Year" };
// Where a vendor has no quarters, it may have hours.
const COARSER = { "15mins": "hour" };

export class SeriesCard {
  element = h("section", { class: "card series" });
  #api;
  #site;
  #kind;
  #period;
  #plot = null;
  #parts = {};
  #latest = 0;
  #stopWaiting;

  /** `site`: its details. The series is read when the card comes into view. */
  constructor(api, site, kind) {
    this.#api = api;
    this.#site = site;
    this.#kind = kind;
    this.#period = new Period(kind.units[0], this.#today);
    this.#build();
    this.#stopWaiting = whenInView(this.element, () => this.#load());
  }

  close() {
    this.#stopWaiting();
    this.#plot?.close();
    this.#latest = Infinity;
  }

  get #today() {
    return today(this.#site.location?.currentUTCOffset ?? this.#site.locationUTCOffset);
  }

  #build() {
    const parts = this.#parts;
    const { title, units } = this.#kind;
    const id = `card-${title.toLowerCase().replace(" ", "-")}`;
    const button = (label, text, click) => h("button", { type: "button", "aria-label": `${title}: ${label}`, click }, text);
    parts.before = button("earlier", "‹", () => this.#go(this.#period.moved(-1)));
    parts.after = button("later", "›", () => this.#go(this.#period.moved(1)));
    parts.label = h("span", { class: "period" });
    parts.units = units.length > 1
      ? h("div", { class: "units", role: "group", "aria-label": `${title}: length of the period` }, units.map((unit) =>
        h("button", { type: "button", "data-unit": unit, click: () => this.#go(new Period(unit, this.#today)) }, UNITS[unit])))
      : null;
    parts.body = h("div", { class: "series-body" });
    this.element.setAttribute("aria-labelledby", id);
    this.element.append(
      h("header", {}, h("h2", { id }, title), parts.units ?? "", h("div", { class: "steps" }, parts.before, parts.label, parts.after)),
      parts.body);
    this.#label();
  }

  #label() {
    const { before, label, after, units } = this.#parts;
    label.textContent = this.#period.label;
    after.disabled = !hasBegun(this.#period.moved(1), this.#today);
    before.disabled = false;
    for (const button of units?.children ?? []) button.setAttribute("aria-pressed", String(button.dataset.unit === this.#period.unit));
  }

  #go(period) {
    this.#period = period;
    this.#label();
    this.#load();
  }

  async #load() {
    const turn = this.#latest += 1;
    const period = this.#period;
    this.#plot?.close();
    this.#plot = null;
    this.#parts.body.replaceChildren(h("p", { class: "waiting muted" }, `Reading ${period.label} …`));
    let shown;
    try {
      shown = this.#shown(period, await this.#read(period, period.level));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const again = h("button", { type: "button", click: () => this.#load() }, "Try again");
      shown = [panel(explainProblem(error.members), ...(error.members.code === "not_offered" ? [] : [again]))];
    }
    if (turn !== this.#latest) return;
    this.#parts.body.replaceChildren(...shown);
    this.#plot?.start();
  }

  async #read(period, level) {
    const path = `/sites/${encodeURIComponent(this.#site.id)}/${this.#kind.path}`;
    try {
      return await this.#api.pages(path, { summaryLevel: level, start: period.start, end: period.end }, "intervals");
    } catch (error) {
      if (error.members?.code === "not_offered" && level in COARSER) return this.#read(period, COARSER[level]);
      throw error;
    }
  }

  #shown(period, { items: intervals, ...answer }) {
    const problems = panelOf(explainErrors(answer));
    if (intervals.length === 0) {
      return [problems, h("p", { class: "empty" }, `Nothing was reported for ${period.label}.`)].filter(Boolean);
    }
    const columns = columnsOf(this.#kind, period.unit, intervals);
    const readout = h("p", { class: "readout" });
    const tell = (interval) => {
      readout.textContent = cleaned(describe(this.#kind, columns, intervals, interval));
      return readout.textContent;
    };
    const label = `${this.#kind.title}, ${period.label}: ${describe(this.#kind, columns, intervals, null)}. Arrow keys read single values`;
    this.#plot = new Plot({ period, columns, intervals, label, describe: tell });
    announce(`${this.#kind.title}, ${period.label}, was read.`);
    return [problems, h("div", { class: "above" }, readout, legend(columns)), this.#plot.element, this.#behind(period, columns, intervals)].filter(Boolean);
  }

  /** The table and the download. The table is made when it is opened. */
  #behind(period, columns, intervals) {
    const rows = intervals.map((interval) => [interval.start, interval.end, ...columns.map((column) => rounded(column.value(interval))), interval.quality]);
    const head = ["start", "end", ...columns.map((column) => `${column.name.replaceAll(" ", "_")}_${column.unit === "%" ? "percent" : column.unit.toLowerCase()}`), "quality"];
    const details = h("details", { toggle: () => details.open && details.childElementCount < 2 && details.append(table(columns, rows, `${this.#kind.title}, ${period.label}`)) }, h("summary", {}, "Table"));
    const file = `${this.#site.id}-${this.#kind.path}-${period.unit}-${period.start}.csv`;
    const named = () => csv(["site", ...head], rows.map((row) => [this.#site.name || this.#site.id, ...row]));
    return h("div", { class: "behind" }, details, h("button", { type: "button", class: "quiet", click: () => download(file, named()) }, "CSV"));
  }
}

function legend(columns) {
  return h("ul", { class: "legend", "aria-hidden": "true" }, columns.map((column) => h("li", { class: column.colour.slice(2) }, `${column.name}, ${column.unit}`)));
}

function table(columns, rows, caption) {
  const head = ["Start", "End", ...columns.map((column) => `${column.name}, ${column.unit}`), "Quality"];
  const cells = ([start, end, ...others]) => [wallClock(start), wallClock(end), ...others.map((value) => (value === null ? "–" : typeof value === "number" ? number(value, 3) : value))];
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption }, h("table", {}, h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, cells(row).map((text) => h("td", {}, text)))))));
}

function rounded(value) {
  return value === null ? null : Math.round(value * 1e6) / 1e6;
}
