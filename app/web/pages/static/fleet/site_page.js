// One site: its present state, its energy as plots, and its devices.
import { announce, foreign, h } from "./dom.js";
import { charge, problemsOf } from "./columns.js";
import { deviceCard } from "./device_table.js";
import { State } from "./fleet.js";
import { NOTHING, age, clock, quantity } from "./format.js";
import { panel, panelOf } from "./panels.js";
import { SeriesCard } from "./series_card.js";
import { KINDS } from "./series_kinds.js";
import { cleaned } from "./text.js";
import { explainProblem } from "./words.js";

// Details that are younger are shown as they are; the list has just read them.
const FRESH = 60_000;

export class SitePage {
  element = h("div", { class: "site" });
  #api;
  #fleet;
  #id;
  #parts = [];

  constructor(api, fleet, id) {
    this.#api = api;
    this.#fleet = fleet;
    this.#id = id;
    this.element.append(this.#back(), h("h1", { tabindex: "-1" }, h("code", {}, id)), h("p", { class: "waiting muted" }, "Reading the site …"));
  }

  /** Reads the site, unless the list has just done so. */
  async load(again = false) {
    let site = this.#fleet.entry(this.#id);
    if (again || site.state !== State.READ || Date.now() - site.readAt > FRESH) site = await this.#fleet.readSite(this.#id);
    if (site.detail) this.#show(site);
    else if (site.problem) this.#refuse(site.problem);
  }

  close() {
    this.#parts.forEach((part) => part.close());
    this.#parts = [];
  }

  #back() {
    return h("p", { class: "back" }, h("a", { href: "#/" }, "‹ Fleet"));
  }

  #again() {
    return h("button", { type: "button", click: () => this.load(true) }, "Read again");
  }

  #refuse(problem) {
    this.close();
    const explanation = explainProblem(problem);
    this.element.replaceChildren(this.#back(), h("h1", { tabindex: "-1" }, h("code", {}, this.#id)), panel(explanation, this.#again()));
    announce(explanation.headline);
  }

  #show(site) {
    const { detail } = site;
    const hadFocus = this.element.contains(document.activeElement);
    this.close();
    const hasBattery = detail.batteries.length > 0 || detail.bess;
    const cards = [KINDS.power, KINDS.energy, ...(hasBattery ? [KINDS.flows] : [])].map((kind) => new SeriesCard(this.#api, detail, kind));
    const devices = deviceCard(this.#api, detail);
    this.#parts = [...cards, devices];
    const title = h("h1", { tabindex: "-1" }, foreign(detail.name || detail.id));
    this.element.replaceChildren(
      this.#back(),
      h("header", { class: "site-head" }, title, this.#again()),
      facts(detail),
      ...[panelOf(problemsOf(site))].filter(Boolean),
      tiles(site),
      h("div", { class: "cards" }, cards.map((card) => card.element), devices.element));
    document.title = `${cleaned(detail.name || detail.id)} – derapi-server`;
    if (hadFocus) title.focus({ preventScroll: true });
    announce(`${cleaned(detail.name)}: ${quantity(detail.powerKw, "kW")}.`);
  }
}

function facts({ vendor, vendorID, location, operationalSince, measuredAt, fetchedAt }) {
  const measured = measuredAt && h("time", { datetime: measuredAt, title: clock(Date.parse(measuredAt)) }, `measured ${age(Date.parse(measuredAt))}`);
  const asked = h("time", { datetime: fetchedAt, title: clock(Date.parse(fetchedAt)) }, `vendor asked ${age(Date.parse(fetchedAt))}`);
  const known = [foreign(vendor), vendorID && h("span", {}, "the vendor's id ", foreign(vendorID)), location?.timezone && foreign(location.timezone), operationalSince && `since ${operationalSince.slice(0, 10)}`, measured, asked];
  return h("ul", { class: "facts" }, known.filter(Boolean).map((fact) => h("li", {}, fact)));
}

function tiles(site) {
  const { powerKw, chargeKw, dischargeKw, peakPowerKw, bess, batteries } = site.detail;
  const shown = [["Solar power now", quantity(powerKw, "kW", 2), peakPowerKw === undefined ? "" : `of ${quantity(peakPowerKw, "kW peak")}`]];
  if (bess || batteries.length > 0 || chargeKw !== undefined) {
    const percent = charge(site);
    shown.push(["State of charge", quantity(percent, "%", 0), bess?.nameplateKwh ? `of ${quantity(bess.nameplateKwh, "kWh")}` : ""]);
    shown.push(["Battery now", chargeKw || dischargeKw ? quantity(chargeKw || dischargeKw, "kW", 2) : chargeKw === undefined ? NOTHING : "0 kW", chargeKw ? "charging" : dischargeKw ? "discharging" : bess?.mode ?? ""]);
  }
  return h("dl", { class: "tiles" }, shown.map(([title, value, below]) => h("div", {}, h("dt", {}, title), h("dd", {}, value), h("dd", { class: "muted" }, below && foreign(below)))));
}
