// The rows of the list. A row is read while it is in view, and only then.
import { h } from "./dom.js";
import { COLUMNS, classOf } from "./columns.js";
import { State } from "./fleet.js";

export class SiteRows {
  body = h("tbody");
  inView = new Set();
  #fleet;
  #rows = new Map();
  #waits = new Map();
  #observer = new IntersectionObserver((entries) => entries.forEach((entry) => this.#moved(entry)));

  constructor(fleet) {
    this.#fleet = fleet;
    fleet.addEventListener("site", ({ detail }) => this.#draw(detail));
  }

  /** Shows these sites, in this order. */
  show(sites) {
    const rows = sites.map((site) => this.#rowOf(site));
    const shown = new Set(rows);
    for (const row of this.body.children) {
      if (!shown.has(row)) this.#left(row.dataset.id);
    }
    this.body.replaceChildren(...rows);
    // An observed row that was moved is reported only if it comes into view or leaves it; observing it again reports it.
    for (const row of rows) {
      this.#observer.unobserve(row);
      this.#observer.observe(row);
    }
  }

  /** Reads the rows in view again, at most four at a time. */
  async refresh() {
    await Promise.all([...this.inView].map((id) => this.#fleet.readSite(id, this.#wait(id))));
  }

  /** Draws the ages of values again; asks nobody. */
  age() {
    for (const id of this.inView) this.#draw(this.#fleet.entry(id));
  }

  #rowOf(site) {
    if (!this.#rows.has(site.id)) {
      this.#rows.set(site.id, h("tr", { "data-id": site.id }));
      this.#draw(site);
    }
    return this.#rows.get(site.id);
  }

  #draw(site) {
    const row = this.#rows.get(site.id);
    if (!row) return;
    const focused = row.contains(document.activeElement);
    row.className = site.state;
    row.replaceChildren(...COLUMNS.map((column) => {
      const name = column.key === "name" ? "th" : "td";
      const classes = classOf(column);
      return h(name, { class: classes, scope: name === "th" ? "row" : null }, ...[column.cell(site)].flat());
    }));
    if (focused) row.querySelector("a").focus();
  }

  #moved({ target, isIntersecting }) {
    const { id } = target.dataset;
    if (!isIntersecting) {
      this.#left(id);
      return;
    }
    this.inView.add(id);
    if (this.#fleet.entry(id).state === State.UNREAD) this.#fleet.readSite(id, this.#wait(id));
  }

  /** A signal that ends when the row leaves the view. */
  #wait(id) {
    if (!this.#waits.has(id)) this.#waits.set(id, new AbortController());
    return this.#waits.get(id).signal;
  }

  #left(id) {
    this.inView.delete(id);
    this.#waits.get(id)?.abort();
    this.#waits.delete(id);
  }
}
