// Reads every site that was not read, after saying how many requests that is.
import { announce, h } from "./dom.js";
import { count, number } from "./format.js";

/** Asks first; then reads, until all were read or the reader stops it. */
export function offerToReadAll(fleet) {
  const sites = fleet.unread;
  const stop = new AbortController();
  const progress = h("progress", { max: sites.length, value: 0, hidden: true, "aria-label": "Sites read" });
  const state = h("p", { class: "muted", hidden: true });
  const begin = h("button", { type: "button", class: "primary" }, `Make ${count(sites.length, "request")}`);
  const cancel = h("button", { type: "button", click: () => dialog.close() }, "Cancel");
  const dialog = h("dialog", { "aria-labelledby": "read-all-title" },
    h("h2", { id: "read-all-title" }, `Read ${count(sites.length, "site")}?`),
    h("p", {}, `That is ${count(sites.length, "request")} to this server, at most 4 at a time. `,
      "Each asks the site's vendor, with at least one call that counts against your quota there. What was read a short time ago is not asked again."),
    progress, state, h("p", { class: "buttons" }, begin, cancel));
  dialog.addEventListener("close", () => {
    stop.abort();
    dialog.remove();
  });
  begin.addEventListener("click", async () => {
    begin.hidden = true;
    progress.hidden = state.hidden = false;
    cancel.textContent = "Stop";
    cancel.focus();
    let read = 0;
    await Promise.all(sites.map(async (site) => {
      await fleet.readSite(site.id, stop.signal);
      if (stop.signal.aborted) return;
      progress.value = read += 1;
      state.textContent = `${number(read, 0)} of ${number(sites.length, 0)}`;
    }));
    announce(`${count(read, "site")} read.`);
    dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
