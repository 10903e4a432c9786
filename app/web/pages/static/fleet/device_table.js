// The devices of a site. Each is read while its row is in view, like the rows of the list.
import { foreign, h, whenInView } from "./dom.js";
import { NOTHING, quantity } from "./format.js";
import { Dropped } from "./queue.js";
import { Problem } from "./requests.js";
import { explainErrors, explainProblem } from "./words.js";

// The states of a device that deserve a colour (vendors/kit/records.py has all).
const COLOURS = { offline: "bad", fault: "bad", warning: "warn", throttled: "warn", producing: "good", normal: "good" };
const LEVELS = { error: "bad", warning: "warn" };
const KINDS = [["solarInverters", "/solar-inverters", "solar inverter"], ["batteries", "/batteries", "battery"]];

/** The card, and a function that ends its reading. */
export function deviceCard(api, site) {
  const rows = KINDS.flatMap(([member, path, kind]) => site[member].map(({ id }) => deviceRow(api, `${path}/${encodeURIComponent(id)}`, id, kind)));
  const head = ["Device", "Kind", "Power", "Charge", "Status", "Messages"].map((title) => h("th", { scope: "col" }, title));
  const content = rows.length > 0
    ? h("div", { class: "table", tabindex: "0", role: "region", "aria-labelledby": "devices" }, h("table", { class: "devices" }, h("caption", { class: "visually-hidden" }, "Devices"), h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map((row) => row.element))))
    : h("p", { class: "empty" }, "The vendor lists no devices here.");
  const element = h("section", { class: "card", "aria-labelledby": "devices" }, h("header", {}, h("h2", { id: "devices" }, "Devices")), content);
  return { element, close: () => rows.forEach((row) => row.close()) };
}

function deviceRow(api, path, id, kind) {
  const element = h("tr", {}, h("th", { scope: "row" }, h("code", {}, id)), h("td", {}, kind), h("td", { class: "muted", colspan: "4" }, "not read"));
  const leaving = new AbortController();
  const stop = whenInView(element, async () => {
    element.lastElementChild.textContent = "reading …";
    try {
      element.replaceChildren(...cells(await api.get(path, leaving.signal), kind));
    } catch (error) {
      if (error instanceof Dropped) return;
      if (!(error instanceof Problem)) throw error;
      const { headline, action } = explainProblem(error.members);
      element.lastElementChild.replaceChildren(h("strong", {}, headline), ` ${action}`);
    }
  });
  return { element, close: () => { stop(); leaving.abort(); } };
}

function cells(device, kind) {
  const title = device.name || device.model || device.serialNumber || device.id;
  const second = [device.model, device.serialNumber].filter((text) => text && text !== title).map(foreign);
  const power = device.powerKw === undefined ? flows(device) : quantity(device.powerKw, "kW", 2);
  return [
    h("th", { scope: "row" }, foreign(title), h("span", { class: "second shown" }, joined(second))),
    h("td", {}, device.kind ? `${device.kind} ${kind}` : kind),
    h("td", {}, power),
    h("td", {}, quantity(device.stateOfChargePercent, "%", 0)),
    h("td", {}, status(device)),
    h("td", {}, messages(device)),
  ];
}

function flows({ chargeKw, dischargeKw }) {
  if (chargeKw === undefined && dischargeKw === undefined) return NOTHING;
  if (!chargeKw && !dischargeKw) return "0 kW";
  return dischargeKw ? `${quantity(dischargeKw, "kW", 2)} out` : `${quantity(chargeKw, "kW", 2)} in`;
}

function status({ status: ours, vendorStatus }) {
  if (!ours && !vendorStatus) return NOTHING;
  const word = ours && h("span", { class: `badge ${COLOURS[ours] ?? ""}` }, ours.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`));
  return h("span", {}, word, vendorStatus && vendorStatus !== ours && h("span", { class: "muted" }, " ", foreign(vendorStatus)));
}

/** The log of a device, and what could not be read of it. */
function messages(device) {
  const log = (device.recentErrors ?? []).flatMap((entry) => ["error", "warning", "info"].filter((level) => entry[level]).map((level) => [level, entry[level]]));
  const failures = explainErrors(device).map(({ headline, action }) => h("li", {}, `${headline}. ${action}`));
  if (log.length + failures.length === 0) return device.recentErrors ? h("span", { class: "muted" }, "none") : NOTHING;
  return h("ul", { class: "messages" }, failures, log.map(([level, text]) => h("li", {}, h("span", { class: `badge ${LEVELS[level] ?? ""}` }, level), " ", foreign(text))));
}

function joined(parts) {
  return parts.flatMap((part, place) => (place > 0 ? [" · ", part] : [part]));
}
