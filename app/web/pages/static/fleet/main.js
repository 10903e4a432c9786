// The fleet view: who is signed in, and which part is shown. The part stands in the URL's fragment, and nothing else does.
import { announce, h } from "./dom.js";
import { Fleet } from "./fleet.js";
import { Api } from "./requests.js";
import { demoSignIn, forget, signInForm } from "./sign_in.js";
import { SiteList } from "./site_list.js";
import { SitePage } from "./site_page.js";

const SITE = /^#\/sites\/([\w-]+)$/;
const CODE = /^#code=([A-Za-z0-9_-]+)$/;

class App {
  #view = document.getElementById("view");
  #tools = document.getElementById("tools");
  #form = signInForm((session) => this.#begin(session));
  #api = null;
  #fleet = null;
  #list = null;
  #page = null;
  #scrolled = 0;
  #isListed = false;

  start() {
    addEventListener("hashchange", () => this.#route());
    this.#route();
  }

  #begin(session) {
    this.#list?.close();
    this.#api = new Api(session);
    this.#fleet = new Fleet(this.#api);
    this.#list = new SiteList(this.#fleet, () => this.#changeAccess());
    this.#isListed = false;
    this.#tools.replaceChildren(
      h("button", { type: "button", class: "quiet", click: () => this.#signOut() }, "Sign out"));
    this.#route();
  }

  #route() {
    const code = CODE.exec(location.hash)?.[1];
    // The code leaves the address bar and the history before anything else happens.
    if (code) history.replaceState(null, "", location.pathname);
    const id = SITE.exec(location.hash)?.[1];
    this.#page?.close();
    this.#page = null;
    if (code) this.#show(demoSignIn(code, (session) => this.#begin(session)), "Sign in");
    else if (!this.#api) this.#show(this.#form, "Sign in");
    else if (id) this.#showSite(id);
    else this.#showList();
  }

  #showSite(id) {
    if (this.#list.element.isConnected) this.#scrolled = scrollY;
    this.#page = new SitePage(this.#api, this.#fleet, id);
    this.#show(this.#page.element, "Site");
    scrollTo(0, 0);
    this.#page.load();
  }

  #showList() {
    this.#show(this.#list.element, "Fleet");
    scrollTo(0, this.#scrolled);
    if (!this.#isListed) this.#list.load();
    this.#isListed = true;
  }

  #show(element, title) {
    const isFirst = this.#view.childElementCount === 0;
    document.title = `${title} – derapi-server`;
    this.#view.replaceChildren(element);
    if (!isFirst) element.querySelector("h1")?.focus({ preventScroll: true });
  }

  /** Back to the form, which still has what was entered. */
  #changeAccess() {
    this.#end();
    this.#show(this.#form, "Vendor access");
  }

  #signOut() {
    forget(this.#form);
    this.#end();
    history.replaceState(null, "", location.pathname);
    this.#show(this.#form, "Sign in");
    announce("Signed out.");
  }

  #end() {
    this.#page?.close();
    this.#list?.close();
    this.#api = this.#fleet = this.#list = this.#page = null;
    this.#tools.replaceChildren();
  }
}

new App().start();
