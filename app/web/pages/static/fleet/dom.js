// Elements without markup: every text becomes a text node without invisible characters, so a text from a stranger can
// neither become an element nor turn its neighbours around.
import { cleaned, visible } from "./text.js";

/** An element. Attributes that are functions become listeners, `true` and `false` set and leave out an attribute. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, visible(value));
  }
  const shown = children.flat().filter((child) => child !== null && child !== undefined && child !== false);
  element.append(...shown.map((child) => (child instanceof Node ? child : visible(child))));
  return element;
}

/** A text from a vendor or another stranger, isolated so that its direction of writing ends with it. */
export function foreign(text) {
  return h("bdi", {}, cleaned(text));
}

/** Says something to screen readers, without moving the focus. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** Calls `callback` once, when the element comes into view. Returns a function that gives up waiting. */
export function whenInView(element, callback) {
  const observer = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) {
      observer.disconnect();
      callback();
    }
  });
  observer.observe(element);
  return () => observer.disconnect();
}

/** Offers a text as a file. */
export function download(name, text, type = "text/csv;charset=utf-8") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
