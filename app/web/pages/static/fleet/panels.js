// Panels that say what went wrong, and what to do.
import { h } from "./dom.js";

/** One explanation as a panel. `buttons`: what can be done here. */
export function panel(explanation, ...buttons) {
  return h("section", { class: "panel bad", "aria-label": "Problem" }, ...lines(explanation), buttons.length > 0 && h("p", { class: "buttons" }, ...buttons));
}

/** Several explanations as one panel. */
export function panelOf(explanations) {
  if (explanations.length === 0) return null;
  return h("section", { class: "panel bad", "aria-label": "Problems" }, h("ul", {}, explanations.map((explanation) => h("li", {}, ...lines(explanation)))));
}

function lines({ headline, detail, action, fault, retry, requestId }) {
  return [
    h("p", { class: "headline" }, h("strong", {}, sentence(headline)), fault && h("span", { class: "fault" }, " ", fault)),
    h("p", {}, [detail, action, retry].filter(Boolean).map(sentence).join(" ")),
    requestId && h("p", { class: "muted" }, "Request id: ", h("code", {}, requestId)),
  ];
}

function sentence(text) {
  return text === "" || /[.!?]$/.test(text) ? text : `${text}.`;
}
