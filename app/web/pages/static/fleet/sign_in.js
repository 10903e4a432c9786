// The sign-in: a client's id and secret, and how its vendors are opened.
import { announce, h } from "./dom.js";
import { Problem } from "./requests.js";
import { Session, redeemed } from "./session.js";
import { explainProblem } from "./words.js";

/** The form. It stays in memory while it is away, so that only the vendor access can be changed. */
export function signInForm(onSession) {
  const view = copyOf("sign-in");
  const form = view.querySelector("form");
  const vendors = view.querySelector(".vendors");
  form.addEventListener("change", () => { vendors.hidden = form.elements.access.value !== "headers"; });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { id, secret, access } = form.elements;
    const headers = access.value === "headers" ? headersOf(vendors) : {};
    attempt(view, form.querySelector("button"), onSession, async () => {
      const session = new Session({ id: id.value.trim(), secret: secret.value.trim(), headers });
      await session.renew();
      return session;
    });
  });
  return view;
}

/** The page of the demo's link, which signs in after a click: what only looks at the link does not use it up. */
export function demoSignIn(code, onSession) {
  const view = copyOf("demo-sign-in");
  const button = view.querySelector("button");
  button.addEventListener("click", () => attempt(view, button, onSession, () => redeemed(code)));
  return view;
}

/** Empties all fields of a form. */
export function forget(view) {
  view.querySelector("form")?.reset();
  view.querySelector(".vendors").hidden = true;
}

async function attempt(view, button, onSession, signIn) {
  const panel = view.querySelector(".panel");
  panel.hidden = button.disabled = true;
  try {
    onSession(await signIn());
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const { headline, action, retry } = explainProblem(error.members);
    panel.replaceChildren(h("p", {}, h("strong", {}, headline)), h("p", {}, [action, retry].filter(Boolean).join(" ")));
    panel.hidden = false;
    announce("");
  }
  button.disabled = false;
}

function headersOf(vendors) {
  const fields = [...vendors.querySelectorAll("input")].map((input) => [input.name, input.value.trim()]);
  return Object.fromEntries(fields.filter(([, value]) => value));
}

function copyOf(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}
