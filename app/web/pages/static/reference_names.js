// Gives names to controls that Swagger UI leaves without one, and lets its dialog begin at its first field.

function improve() {
  for (const row of document.querySelectorAll("tr[data-param-name]")) {
    for (const control of row.querySelectorAll("select, input, textarea")) control.setAttribute("aria-label", row.dataset.paramName);
  }
  for (const [selector, name] of [[".close-modal", "Close"], [".body-param textarea", "Body"], [".body-param select", "Content type of the body"],
    ["#servers", "Server"], [".examples-select-element", "Example"]]) {
    for (const control of document.querySelectorAll(selector)) control.setAttribute("aria-label", name);
  }
  // Their names contain other words than their texts, which speech control needs.
  for (const button of document.querySelectorAll(".auth-btn-wrapper button[aria-label]")) button.removeAttribute("aria-label");
  // Regions that scroll must be reachable by the keyboard.
  for (const region of document.querySelectorAll(".modal-ux-content, .microlight, .highlight-code")) region.tabIndex = 0;
}

let dialog = null;

function begin() {
  const open = document.querySelector(".modal-ux");
  if (open && open !== dialog) setTimeout(() => open.querySelector("input")?.focus());
  dialog = open;
}

new MutationObserver(() => {
  improve();
  begin();
}).observe(document.getElementById("reference"), { childList: true, subtree: true });
