// The list of sites: summary, search, order, and what may be read on purpose.
import { announce, download, h } from "./dom.js";
import { COLUMNS, charge, classOf, matches, problemsOf, sorted } from "./columns.js";
import { csv } from "./csv.js";
import { count, number } from "./format.js";
import { panel, panelOf } from "./panels.js";
import { offerToReadAll } from "./read_all.js";
import { Problem } from "./requests.js";
import { SiteRows } from "./site_rows.js";
import { explainErrors, explainProblem } from "./words.js";

const REFRESH = 5 * 60_000;
const AGEING = 30_000;

export class SiteList {
  element = h("div", { class: "site-list" });
  #fleet;
  #onVendorAccess;
  #rows;
  #column = null;
  #descending = false;
  #readSinceSort = 0;
  #timer = null;
  #drawing = false;
  #parts = {};

  constructor(fleet, onVendorAccess) {
    this.#fleet = fleet;
    this.#onVendorAccess = onVendorAccess;
    this.#rows = new SiteRows(fleet);
    this.#build();
    fleet.addEventListener("site", () => this.#changed());
    this.ageing = setInterval(() => this.element.isConnected && this.#rows.age(), AGEING);
  }

  /** Lists the sites: one request. */
  async load() {
    const { problems, body, more, waiting } = this.#parts;
    more.disabled = true;
    waiting.hidden = this.#fleet.sites.size > 0;
    try {
      await this.#fleet.list();
      problems.replaceChildren(...[panelOf(explainErrors(this.#fleet.answer))].filter(Boolean));
      body.hidden = false;
      this.#show();
      announce(`${count(this.#fleet.sites.size, "site")} listed.`);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const again = h("button", { type: "button", click: () => this.load() }, "Try again");
      const access = h("button", { type: "button", class: "primary", click: this.#onVendorAccess }, "Vendor access");
      problems.replaceChildren(panel(explainProblem(error.members), access, again));
      announce(explainProblem(error.members).headline);
    }
    more.disabled = false;
    waiting.hidden = true;
  }

  /** Ends the timers; for a session that has ended. */
  close() {
    clearInterval(this.ageing);
    clearInterval(this.#timer);
  }

  #build() {
    const parts = this.#parts;
    parts.summary = h("dl", { class: "tiles" });
    parts.problems = h("div", { class: "problems" });
    parts.search = h("input", { type: "search", "aria-describedby": "search-note", input: () => this.#show() });
    parts.note = h("p", { id: "search-note", class: "muted" });
    parts.resort = h("button", { type: "button", class: "quiet", hidden: true, click: () => this.#sort() });
    parts.more = h("button", { type: "button", hidden: true, click: () => this.load() }, "List further sites");
    parts.readAll = h("button", { type: "button", click: () => offerToReadAll(this.#fleet) }, "Read all …");
    parts.heads = COLUMNS.map((column) => h("th", { scope: "col", class: classOf(column) },
      h("button", { type: "button", click: () => this.#sortBy(column) }, column.title)));
    const refresh = h("button", { type: "button", click: () => this.#rows.refresh() }, "Refresh rows in view");
    const timer = h("input", { type: "checkbox", "aria-label": "Refresh rows in view every 5 minutes", change: ({ target }) => this.#switchTimer(target.checked) });
    const save = h("button", { type: "button", click: () => this.#save() }, "CSV");
    parts.body = h("div", { class: "body", hidden: true },
      parts.summary,
      h("div", { class: "controls" },
        h("label", { class: "search" }, h("span", { class: "visually-hidden" }, "Search sites"), parts.search),
        h("div", { class: "toolbar" },
          h("div", { class: "buttons" }, refresh, parts.readAll, save),
          h("label", { class: "switch" }, timer, " every 5 minutes"))),
      h("div", { class: "notes" }, parts.note, parts.resort),
      h("div", { class: "table" }, h("table", {}, h("caption", { class: "visually-hidden" }, "Sites"), h("thead", {}, h("tr", {}, parts.heads)), this.#rows.body)),
      parts.empty = h("p", { class: "empty", hidden: true }),
      h("p", { class: "buttons" }, parts.more));
    parts.search.placeholder = "Search name, vendor or id";
    const access = h("button", { type: "button", class: "quiet", click: this.#onVendorAccess }, "Vendor access");
    parts.waiting = h("p", { class: "waiting muted", hidden: true }, "Asking all vendors for their sites …");
    this.element.append(h("div", { class: "list-head" }, h("h1", { tabindex: "-1" }, "Fleet"), access), parts.problems, parts.waiting, parts.body);
  }

  #changed() {
    this.#readSinceSort += 1;
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#summarize();
    });
  }

  #show() {
    const words = this.#parts.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const sites = [...this.#fleet.sites.values()];
    const found = sites.filter((site) => matches(site, words));
    this.#rows.show(this.#column ? sorted(found, this.#column, this.#descending) : found);
    const { empty, more } = this.#parts;
    empty.hidden = found.length > 0;
    empty.textContent = sites.length > 0 ? "No site that was read matches this search." : "There are no sites here yet.";
    more.hidden = this.#fleet.nextPage === null;
    this.#summarize();
  }

  #sortBy(column) {
    this.#descending = this.#column === column ? !this.#descending : Boolean(column.number);
    this.#column = column;
    this.#sort();
    announce(`Sorted by ${column.title}, ${this.#descending ? "descending" : "ascending"}; what was not read is last.`);
  }

  #sort() {
    this.#readSinceSort = 0;
    this.#parts.heads.forEach((head, place) => {
      if (COLUMNS[place] === this.#column) head.setAttribute("aria-sort", this.#descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.#show();
  }

  #summarize() {
    const { summary, note, resort, readAll } = this.#parts;
    const read = this.#fleet.read;
    const powers = read.map((site) => site.detail.powerKw).filter((power) => power !== undefined);
    const charges = read.map(charge).filter((percent) => percent !== null);
    const troubled = [...this.#fleet.sites.values()].filter((site) => problemsOf(site).length > 0).length;
    const listed = `${number(this.#fleet.sites.size, 0)}${this.#fleet.nextPage ? "+" : ""}`;
    const tiles = [
      ["Sites", listed, `${number(read.length, 0)} of them read`],
      ["Power now", powers.length ? `${number(sum(powers))} kW` : "–", `of ${count(powers.length, "site")}`],
      ["Mean charge", charges.length ? `${number(sum(charges) / charges.length, 0)} %` : "–", `of ${count(charges.length, "site")} with batteries`],
      ["Sites with problems", number(troubled, 0), `of ${number(read.length, 0)} read`],
    ];
    summary.replaceChildren(...tiles.map(([title, value, of]) => h("div", {}, h("dt", {}, title), h("dd", {}, value), h("dd", { class: "muted" }, of))));
    const unread = this.#fleet.unread.length;
    note.textContent = unread > 0 ? `Search and order cover the ${count(read.length, "site")} read so far. A row is read when it comes into view.` : "All sites were read.";
    readAll.disabled = unread === 0;
    resort.hidden = !this.#column || this.#readSinceSort === 0;
    resort.textContent = "Sort again with what was read since";
  }

  #switchTimer(on) {
    clearInterval(this.#timer);
    this.#timer = on ? setInterval(() => this.element.isConnected && this.#rows.refresh(), REFRESH) : null;
  }

  #save() {
    const head = ["id", "name", "vendor", "vendor_id", "power_kw", "charge_kw", "discharge_kw", "state_of_charge_percent", "measured_at", "problems"];
    const rows = this.#fleet.read.map(({ id, detail, ...site }) => [
      id, detail.name, detail.vendor, detail.vendorID, detail.powerKw, detail.chargeKw, detail.dischargeKw, detail.bess?.stateOfChargePercent,
      detail.measuredAt, problemsOf({ id, detail, ...site }).map((problem) => problem.headline).join("; "),
    ]);
    download("derapi-sites.csv", csv(head, rows));
  }
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
